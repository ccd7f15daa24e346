"""Finding catalogs: installed packages offer them as entry points, and YAML files can hold one."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from rungraph.graph.catalog import ApiSpec, Catalog, ProviderSpec, RoutedPair
from rungraph.graph.errors import CatalogError

ENTRY_POINT_GROUP = "rungraph.catalogs"


@cache
def discover_catalog() -> Catalog:
    """Return one catalog made of those that the installed packages offer.

    A package offers a `Catalog` (or a function without parameters that returns one) as an entry
    point of the group ``rungraph.catalogs``. One that cannot be loaded is left out and named in
    the result's ``problems``; the others still count. The result is the same for the life of the
    process.
    """
    points = sorted(entry_points(group=ENTRY_POINT_GROUP), key=_order)
    catalog = Catalog()
    for point in points:
        catalog = catalog.merged(_load(point))
    return catalog


def _order(point: EntryPoint) -> tuple[bool, str, str]:
    distribution = point.dist.name if point.dist else ""
    # Our own first: a type that two packages declare stays what this package says it is.
    return (distribution != "rungraph", distribution, point.name)


def _load(point: EntryPoint) -> Catalog:
    origin = point.dist.name if point.dist else point.value
    try:
        offered: object = point.load()
        if callable(offered):
            offered = offered()
    except Exception as error:  # noqa: BLE001 (another package's code: anything can go wrong)
        return Catalog(
            problems=(f"catalog '{point.name}' of '{origin}' cannot be loaded: {type(error).__name__}: {error}",)
        )
    if not isinstance(offered, Catalog):
        kind = type(offered).__name__
        return Catalog(problems=(f"catalog '{point.name}' of '{origin}' is a {kind}, not a Catalog",))
    return offered


def load_catalog(path: Path | str) -> Catalog:
    """Return the catalog that a YAML file holds: lists under ``apis``, ``pairs`` and ``providers``.

    The keys of an entry are the attributes of `ApiSpec`, `RoutedPair` and `ProviderSpec`.

    Raises:
        CatalogError: If the file cannot be read or is not a catalog; the text names every problem
            with its line.
    """
    from rungraph.graph.rendering import render_diagnostics
    from rungraph.graph.source import load_document

    document = load_document(path)
    if document.diagnostics:
        raise CatalogError(render_diagnostics(document.diagnostics))
    problems: list[str] = []
    parts: dict[str, tuple[Any, ...]] = {}
    adapters: dict[str, TypeAdapter[Any]] = {
        "apis": TypeAdapter(ApiSpec),
        "pairs": TypeAdapter(RoutedPair),
        "providers": TypeAdapter(ProviderSpec),
    }
    for key in document.value:
        if key not in adapters:
            problems.append(f"{document.place_of((key,), key=True)}: unknown key '{key}' (known: apis, pairs, providers)")
    for key, adapter in adapters.items():
        entries = document.value.get(key) or ()
        items: list[Any] = []
        for index, entry in enumerate(entries):
            fields = {"origin": document.file, **entry} if key == "providers" and isinstance(entry, dict) else entry
            try:
                items.append(adapter.validate_python(fields))
            except ValidationError as error:
                problems.extend(
                    f"{document.place_of((key, index, *detail['loc']))}: {detail['msg']}" for detail in error.errors()
                )
        parts[key] = tuple(items)
    if problems:
        raise CatalogError("\n".join(problems))
    return Catalog.of(**parts)

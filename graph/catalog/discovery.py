"""Finding catalogs: installed packages offer them as entry points, and YAML files can hold one."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from rungraph.graph.catalog.history import CatalogHistory, is_range
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec, RoutedPair
from rungraph.graph.errors import CatalogError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rungraph.graph.source.document import Document

_KINDS: dict[str, type] = {"apis": ApiSpec, "pairs": RoutedPair, "providers": ProviderSpec}

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
        why = f"{type(error).__name__}: {error}"
        return Catalog(problems=(f"catalog '{point.name}' of '{origin}' cannot be loaded: {why}",))
    if not isinstance(offered, Catalog):
        kind = type(offered).__name__
        return Catalog(
            problems=(f"catalog '{point.name}' of '{origin}' is a {kind}, not a Catalog",)
        )
    return offered


def load_catalog(path: Path | str) -> Catalog:
    """Return the catalog that a YAML file holds: lists under ``apis``, ``pairs`` and ``providers``.

    The keys of an entry are the attributes of `ApiSpec`, `RoutedPair` and `ProviderSpec`. Of a file
    that tells of several releases it is the newest one's; see `load_history`.

    Raises:
        CatalogError: If the file cannot be read or is not a catalog; the text names every problem
            with its line.
    """
    return load_history(path).at()


def load_history(path: Path | str, *, origin: str = "") -> CatalogHistory:
    """Return the catalog of each release that a YAML file tells of; see `load_catalog`.

    Beside the lists, the file may have a ``name`` and the ``releases``, oldest first. An entry with
    ``releases: first..last`` counts for those; without an end, for all from the first on.

    Args:
        path: The file.
        origin: Who declares its providers; by default the file.

    Raises:
        CatalogError: As `load_catalog`.
    """
    from rungraph.graph.source.document import load_document

    document = load_document(path)
    if document.diagnostics:
        # Without their help, which is for run configs.
        raise CatalogError(
            "\n".join(
                f"{one.place}: {one.message}" if one.place and one.place.line else one.message
                for one in document.diagnostics
            )
        )
    problems: list[str] = []
    parts: dict[str, tuple[Any, ...]] = {}
    known = sorted((*_KINDS, "name", "releases"))
    for key in document.value:
        if key not in known:
            place = document.place_of((key,), key=True)
            problems.append(f"{place}: unknown key '{key}' (known: {', '.join(known)})")
    releases: Any = document.value.get("releases") or []
    if not isinstance(releases, list) or not all(isinstance(one, str) for one in releases):
        problems.append(f"{document.place_of(('releases',))}: 'releases' must be a list of texts")
        releases = []
    for key, kind in _KINDS.items():
        entries = document.value.get(key)
        if entries is None:
            continue
        if not isinstance(entries, list):
            problems.append(f"{document.place_of((key,))}: '{key}' must be a list")
            continue
        parts[key] = tuple(_read(kind, entries, (key, origin), document, problems))
        for index, spec in enumerate(parts[key]):
            if not is_range(spec.releases, releases):
                place = document.place_of((key, index, "releases"))
                problems.append(f"{place}: '{spec.releases}' is no range of the file's 'releases'")
    if problems:
        raise CatalogError("\n".join(problems))
    return CatalogHistory(
        str(document.value.get("name") or ""),
        tuple(releases),
        apis=parts.get("apis", ()),
        pairs=parts.get("pairs", ()),
        providers=parts.get("providers", ()),
    )


def _read(
    kind: type,
    entries: list[Any],
    key_and_origin: tuple[str, str],
    document: Document,
    problems: list[str],
) -> Iterator[Any]:
    from pydantic import TypeAdapter, ValidationError

    key, origin = key_and_origin
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    for index, entry in enumerate(entries):
        is_spec = kind is ProviderSpec and isinstance(entry, dict)
        fields = {"origin": origin or document.file, **entry} if is_spec else entry
        try:
            yield adapter.validate_python(fields)
        except ValidationError as error:
            for detail in error.errors():
                place = document.place_of((key, index, *detail["loc"]))
                named = f"'{'.'.join(map(str, detail['loc']))}': " if detail["loc"] else ""
                problems.append(f"{place}: {named}{detail['msg'].lower()}")

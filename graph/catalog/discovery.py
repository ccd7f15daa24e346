"""Finding catalogs: installed packages offer them as entry points, and YAML files can hold one."""

from __future__ import annotations

import json
import sys
from contextlib import redirect_stdout
from dataclasses import fields, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import CoroutineType
from typing import TYPE_CHECKING, Any, TypeVar

from rungraph.graph.budgets import MOST_PROBLEMS, MOST_RELEASES
from rungraph.graph.catalog.history import CatalogHistory, Spec, span_of
from rungraph.graph.catalog.release_specs import (
    TRAITS,
    InstallSpec,
    KeySpec,
    PackageSpec,
    SectionSpec,
    StoreSpec,
    TraitSpec,
)
from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec, RoutedPair
from rungraph.graph.errors import CatalogError
from rungraph.graph.invalid_values import invalid_values
from rungraph.graph.secrets.values import masked
from rungraph.graph.source.document import Document, load_document
from rungraph.graph.suggest import near_or_all
from rungraph.graph.wording import first_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from pydantic import TypeAdapter, ValidationError


_S = TypeVar("_S", bound=Spec)
_LISTS: Mapping[str, type[Spec]] = {
    "apis": ApiSpec,
    "pairs": RoutedPair,
    "providers": ProviderSpec,
    "keys": KeySpec,
    "stores": StoreSpec,
    "sections": SectionSpec,
    "traits": TraitSpec,
    "packages": PackageSpec,
    "installs": InstallSpec,
}
"""The lists of a catalog file, and what their entries are."""

_SHOWN = frozenset(("deprecated", "description", "packages"))
"""What is shown and not used: it can hold a login, such as that of an index of packages."""

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
    catalog, unloaded = Catalog(), list[str]()
    for point in points:
        try:
            catalog = catalog.merged(offered_catalog(point))
        except CatalogError as error:
            unloaded.append(point.name)
            catalog = replace(catalog, problems=(*catalog.problems, str(error)))
    return catalog.with_values(unloaded=tuple(unloaded)) if unloaded else catalog


def _order(point: EntryPoint) -> tuple[bool, str, str]:
    distribution = point.dist.name if point.dist else ""
    # Our own first: a type that two packages declare stays what this package says it is.
    return (distribution != "rungraph", distribution, point.name)


def offered_catalog(point: EntryPoint, *arguments: object) -> Catalog:
    """Return the catalog of an entry point: the value itself, or what the function returns.

    Raises:
        CatalogError: If it cannot be loaded, fails or gives no catalog.
    """
    name = f"catalog '{point.name}' of '{point.dist.name if point.dist else point.value}'"
    try:
        # Standard output is for results, whatever others print.
        with redirect_stdout(sys.stderr):
            offered: object = point.load()
            if callable(offered) and offered is not Catalog:
                offered = offered(*arguments)
            if isinstance(offered, Catalog):
                offered.__post_init__()  # A class of its own may have left that out.
    except CatalogError as error:
        msg = f"{name}: {error}"
        raise CatalogError(msg) from error
    except (Exception, SystemExit) as error:
        # Another package's code: anything can go wrong, an exit as well.
        msg = f"{name} cannot be loaded: {type(error).__name__}: {error}"
        raise CatalogError(msg) from error
    if isinstance(offered, CoroutineType):
        offered.close()
    if not isinstance(offered, Catalog):
        msg = f"{name} is a {type(offered).__name__}, not a Catalog"
        raise CatalogError(msg)
    return offered


def load_catalog(path: Path | str) -> Catalog:
    """Return the catalog that a YAML file holds: lists under ``apis``, ``pairs`` and ``providers``.

    The keys of an entry are the attributes of `ApiSpec`, `RoutedPair` and `ProviderSpec`, whose
    ``module`` is by default the one of its ``config_class``. Of a file that tells of several
    releases it is the newest one's; see `load_history`.

    Raises:
        CatalogError: If the file cannot be read or is not a catalog; the text names every problem
            with its line.
    """
    return load_history(path).at()


def load_history(path: Path | str, *, origin: str = "") -> CatalogHistory:
    """Return the catalog of each release that a YAML file tells of; see `load_catalog`.

    What the file has is added to what installed packages offer, where it is chosen as a catalog;
    with ``extends: none``, and by default with ``releases``, it stands alone.

    Beside the lists, the file may have a ``name`` and the ``releases``, oldest first. An entry with
    ``releases: first..last`` counts for those; without an end, for all from the first on. There may
    also be lists of ``keys``, ``stores``, ``sections``, ``traits``, ``packages`` and ``installs``;
    see `CatalogHistory`.

    Args:
        path: The file.
        origin: Who declares its providers; by default the file.

    Raises:
        CatalogError: As `load_catalog`.
    """
    document = load_document(path)
    if document.diagnostics:
        # Without their help, which is for run configs.
        raise CatalogError(
            "\n".join(
                f"{one.place}: {one.message}" if one.place and one.place.line else one.message
                for one in document.diagnostics
            )
        )
    reader = _Reader(document, origin or document.file)
    history = reader.history()
    if reader.problems:
        raise CatalogError("\n".join(first_lines(reader.problems, MOST_PROBLEMS)))
    return history


def shipped(path: Path, origin: str) -> CatalogHistory:
    """Return the catalog that a JSON file of this package holds.

    It is well formed, which a test looks after, so it is read without places and without pydantic:
    loading that takes longer than all else.
    """
    value = json.loads(path.read_bytes(), object_hook=_with_tuples)
    value["providers"] = [_filled_in(one, origin) for one in value["providers"]]
    for key, kind in _LISTS.items():
        value[key] = tuple(kind(**one) for one in value[key])
    return CatalogHistory(**value)


def _with_tuples(entry: dict[str, Any]) -> dict[str, Any]:
    for key, one in entry.items():
        if isinstance(one, list):
            entry[key] = tuple(one)
    return entry


def _filled_in(provider: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return the entry of a provider with what other keys of it imply."""
    fields = {"origin": origin, **provider}
    if "config_class" in provider:
        fields.setdefault("module", str(provider["config_class"]).partition(":")[0])
    return fields


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Return what reads a spec; making one takes as long as reading a catalog."""
    from pydantic import TypeAdapter

    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


class _Reader:
    """One reading of a catalog file; what cannot be read is left out and becomes a problem."""

    def __init__(self, document: Document, origin: str) -> None:
        self.document = document
        self.origin = origin
        self.problems: list[str] = []
        self.ranges: set[str] = set()
        """The ranges of releases that are known to be some: many entries have the same."""

    def history(self) -> CatalogHistory:
        value: Mapping[str, Any] = self.document.value
        known = sorted((*_LISTS, "extends", "name", "releases"))
        for key in value:
            if key not in known:
                self.report((key,), f"unknown key '{key}' (known: {', '.join(known)})", key=True)
        releases = value.get("releases") or []
        if not isinstance(releases, list) or not all(isinstance(one, str) for one in releases):
            self.report(("releases",), "'releases' must be a list of texts")
            releases = []
        elif len(releases) > MOST_RELEASES:
            text = f"there are {len(releases):,} releases; at most {MOST_RELEASES:,} are read"
            self.report(("releases",), text)
            return CatalogHistory()
        # What tells of releases describes a system of its own.
        extends = value.get("extends", "none" if releases else "installed")
        if extends not in ("installed", "none"):
            self.report(("extends",), "'extends' must be 'installed' or 'none'")
            extends = "none"
        lists: Any = {key: tuple(self.specs(key, kind, releases)) for key, kind in _LISTS.items()}
        return CatalogHistory(
            str(value.get("name") or ""),
            tuple(releases),
            extends=extends,
            **lists,
        )

    def specs(self, key: str, kind: type[_S], releases: list[str]) -> Iterator[_S]:
        import pydantic

        entries = self.document.value.get(key)
        if entries is not None and not isinstance(entries, list):
            self.report((key,), f"'{key}' must be a list")
            return
        adapter = _adapter(kind)
        rows: list[Any] = entries or []
        known = {one.name for one in fields(kind)}
        for index, entry in enumerate(rows):
            for name in sorted(entry.keys() - known) if isinstance(entry, dict) else ():
                text = f"unknown key '{name}' ({near_or_all(name, sorted(known))})"
                self.report((key, index, name), text, key=True)
            values = entry
            if isinstance(entry, dict):
                values = entry | masked({key: entry[key] for key in _SHOWN & entry.keys()})
                values = _filled_in(values, self.origin) if kind is ProviderSpec else values
            try:
                spec = adapter.validate_python(values)
            except pydantic.ValidationError as error:
                self.report_invalid((key, index), error)
                continue
            yield spec
            if isinstance(spec, TraitSpec) and spec.name not in TRAITS:
                self.report((key, index, "name"), f"no trait is called '{spec.name}'")
            if not spec.releases or spec.releases in self.ranges:
                continue
            try:
                span_of(spec.releases, releases)
                self.ranges.add(spec.releases)
            except ValueError:
                text = f"'{spec.releases}' is no range of the file's 'releases'"
                self.report((key, index, "releases"), text)

    def report_invalid(self, path: tuple[str | int, ...], error: ValidationError) -> None:
        for wrong in invalid_values(error):
            named = f"'{wrong.where}': " if wrong.path else ""
            self.report((*path, *wrong.path), f"{named}{wrong.text}")

    def report(self, path: Sequence[str | int], message: str, *, key: bool = False) -> None:
        self.problems.append(f"{self.document.place_of(path, key=key)}: {message}")

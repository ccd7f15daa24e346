"""Which catalog a run config is compiled against: named by the caller, by the config, or found."""

from __future__ import annotations

import stat
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING

from rungraph.graph.catalog import telling
from rungraph.graph.catalog.discovery import (
    discover_catalog,
    load_history,
    offered_catalog,
    shipped,
)
from rungraph.graph.catalog.history import during, history_of
from rungraph.graph.catalog.specs import Catalog
from rungraph.graph.catalog.telling import apis_and_types_in, release_for
from rungraph.graph.errors import CatalogError
from rungraph.graph.secrets.masking import masked_name
from rungraph.graph.suggest import near_or_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from rungraph.graph.catalog.history import CatalogHistory
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.source.document import Document

INSTALLED = "installed"
"""The name of what the installed packages offer together: the default."""
SHIPPED = ("llama-stack", "ogx")
"""The names of the catalog that comes with rungraph as a file: of Llama Stack and its successor."""
NAMED_GROUP = "rungraph.named_catalogs"
"""The entry points of catalogs that are made when they are named.

Each is a function that takes the run config as a mapping and returns a `Catalog`, or raises
`CatalogError`.
"""
_KEYS_OF_SHIPPED = frozenset({"distro_name", "registered_resources", "storage"})
"""Keys of run configs that only releases of the shipped catalog read."""
_SUFFIXES = (".yaml", ".yml", ".json")


def catalog_for(
    document: Document, wanted: Catalog | str | None = None
) -> tuple[Catalog, tuple[Diagnostic, ...]]:
    """Return the catalog to compile *document* against, and what is wrong with its choice.

    Args:
        document: A run config; its key ``catalog`` counts when *wanted* is None.
        wanted: A catalog, or the name or path of one: ``llama-stack``, ``llama-stack@0.2.20``,
            ``installed``, ``my-catalog.yaml``.

    Raises:
        CatalogError: If *wanted* names no catalog. If the config's key does, that is a diagnostic,
            and the catalog of that name without its release counts, or the default.
    """
    if isinstance(wanted, Catalog):
        return wanted, ()
    if wanted is not None:
        return named_catalog(wanted, document.value), ()
    name = document.value.get("catalog")
    if not isinstance(name, str):
        default = discover_catalog()
        return (_only_shipped(default, document.value) or default), ()
    # A path in a config means the same from wherever rungraph is called.
    folder = Path(document.file).parent if Path(document.file).is_file() else None
    try:
        return named_catalog(name, document.value, folder), ()
    except CatalogError as error:
        text = str(error)
        has_several = "\n" in text
        known = f"catalogs: {', '.join(catalog_names())}, or the path of a file"
        problem = document.problem(
            "C029",
            f"'{name}' is no catalog, for several reasons" if has_several else text,
            ("catalog",),
            "mend it, or name another catalog" if has_several else known,
            detail=text if has_several else "",
        )
        # A release that is not known is one of that catalog: all else is still judged by it.
        base = name.partition("@")[0]
        instead = named_catalog(base, document.value) if base in SHIPPED else discover_catalog()
        # What it lacks, the one that is named may have.
        return instead.with_values(unread=frozenset({"", *instead.apis})), (problem,)


def named_catalog(
    name: str, config: Mapping[str, Any] | None = None, folder: Path | None = None
) -> Catalog:
    """Return the catalog that is called *name*, or that is in the file of that name.

    Args:
        name: See `catalog_for`.
        config: The run config; of a catalog with releases, the newest that knows it is taken.
        folder: Where a relative path begins; by default the working directory.

    Raises:
        CatalogError: If there is none, or its file is no catalog.
    """
    config = config or {}
    base, at, release = name.partition("@")
    if base == INSTALLED and not at:
        return discover_catalog()
    if at and not release:
        msg = f"'{name}' names no release: write one behind '@', or take '@' out"
        raise CatalogError(msg)
    if base in SHIPPED:
        history = shipped_history()
        if release and base != history.name:
            release = f"{base}@{release}"
    elif Path(base).suffix in _SUFFIXES:
        path = (folder or Path()) / base
        if _never_ends(path):
            msg = f"'{path}' is a pipe or a device, not a catalog file"
            raise CatalogError(msg)
        history = load_history(path)
    elif not at and (points := entry_points(group=NAMED_GROUP, name=base)):
        return offered_catalog(points[base], config)
    else:
        msg = f"no catalog is called '{masked_name(name)}'; {near_or_all(base, catalog_names())}"
        raise CatalogError(msg)
    if at:
        catalog = history.at(release)
    elif config:
        catalog = _told(history, config)
    else:
        catalog = history.nearest(base, "") if base in SHIPPED else history.at()
    return _extended(catalog) if history.extends == INSTALLED else catalog


def _extended(catalog: Catalog) -> Catalog:
    """Return *catalog* with all that installed packages offer besides."""
    whole = discover_catalog().merged(catalog)
    return catalog.with_values(
        apis=whole.apis,
        pairs=whole.pairs,
        providers=whole.providers,
        problems=whole.problems,
        unloaded=discover_catalog().unloaded,
    )


def others_that_fit(catalog: Catalog, config: Mapping[str, Any], lacking: str) -> Iterator[Catalog]:
    """Yield the catalogs of the other releases that *config* fits as well, the newest first.

    Args:
        catalog: The one that was told.
        config: The run config.
        lacking: What keeps it from starting under that one.
    """
    history = history_of(catalog)
    if history is None or not catalog.told_by:
        return
    taken = history.releases[history.index_of(catalog)]
    why = telling.passing_over(catalog.full_name, lacking)
    for told in telling.others_that_fit(history, config, taken, why):
        yield history.at(told.release).with_values(told_by=told.by)


def _never_ends(path: Path) -> bool:
    """Whether *path* is there and is no file or folder: reading it can wait without end."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _told(history: CatalogHistory, config: Mapping[str, Any]) -> Catalog:
    """Return the catalog of the release that *config* is of."""
    told = release_for(history, config)
    return history.at(told.release).with_values(told_by=told.by)


def _only_shipped(default: Catalog, config: Mapping[str, Any]) -> Catalog | None:
    """Return the shipped catalog when *config* can only be one of its releases.

    It names APIs and types, or keys, that only those have, and nothing that only *default* has.
    What nobody has may be of a later release, or be misspelt: it decides nothing.
    """
    names = apis_and_types_in(config)
    unknown = {
        one
        for one in names
        if (one not in default.providers if one[1:] else one[0] not in default.apis)
    }
    # The names alone: a config of rungraph's own does not pay for reading another catalog.
    if not unknown and not config.keys() & _KEYS_OF_SHIPPED:
        return None
    history = shipped_history()
    known = history.spans.keys()
    of_default = names - unknown - known
    if names and not of_default and (unknown & known or config.keys() & _KEYS_OF_SHIPPED):
        return _told(history, config)
    return None


def catalog_names() -> tuple[str, ...]:
    """Return the names that `named_catalog` knows, sorted."""
    points = entry_points(group=NAMED_GROUP)
    return tuple(sorted({INSTALLED, *SHIPPED, *(point.name for point in points)}))


@cache
def shipped_history() -> CatalogHistory:
    """Return the catalog that comes with rungraph, of all releases. It is read once a process.

    It holds facts of the registries in the wheels of all its releases but 0.0.51, and of the
    start-ups of the first and the last patch of each minor one.
    """
    name = SHIPPED[0]
    return shipped(Path(__file__).parent / f"{name}.json", origin=name)


def hints_of_elsewhere(
    catalog: Catalog,
    api: str,
    provider_type: str | None = None,
    *,
    document: Document | None = None,
) -> tuple[str, ...]:
    """Return which other catalog or release knows an API, or a type of it, that *catalog* lacks.

    Other catalogs are read for it: only a config with such a problem pays for that. With its
    *document*, it is told what else the config names that those releases do not have.
    """
    what = f"'{provider_type}' is a type" if provider_type else f"'{api}' is an API"
    hints = [*_hints_of_history(catalog, api, provider_type, document)]
    if hints:
        return tuple(hints)
    if catalog.name not in SHIPPED and shipped_history().knows(api, provider_type):
        name = SHIPPED[0]
        hints.append(
            f"{what} of the catalog '{name}': say --catalog {name}, "
            f"or write 'catalog: {name}' in the config"
        )
    if catalog.name:
        default = discover_catalog()
        known = (api, provider_type) in default.providers if provider_type else api in default.apis
        if known:
            hints.append(f"{what} of the catalog '{INSTALLED}': say --catalog {INSTALLED}")
    return tuple(hints)


def _hints_of_history(
    catalog: Catalog, api: str, provider_type: str | None, document: Document | None
) -> Iterator[str]:
    history = history_of(catalog)
    span = history.releases_of(api, provider_type) if history else None
    if history is None or span is None:
        return
    successor = history.successor_of(api, provider_type)
    is_past = history.releases.index(span[1]) < history.index_of(catalog)
    verb = "was" if is_past else "is"
    known = (
        f"'{provider_type}' {verb} a type of {api}" if provider_type else f"'{api}' {verb} an API"
    )
    since = f"; since then it is {successor}" if successor and is_past else ""
    yield f"{known} {during(span)}{since}"
    name = (api, provider_type) if provider_type else (api,)
    others = apis_and_types_in(document.value) if document else ()
    apart = history.names_apart(name, others)
    for other in apart[:1]:
        what = f"the type '{other[1]}' of {other[0]}" if other[1:] else f"the API '{other[0]}'"
        when = history.releases_of(*other[:2])
        yield f"no release has it together with {what}, which is {during(when or span)}"
    yield f"this config is read as {catalog.reading or 'release'}"

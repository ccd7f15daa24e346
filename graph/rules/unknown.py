"""The rules of APIs and provider types that the catalog does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.catalog.choice import hints_of_elsewhere
from rungraph.graph.catalog.external import APIS, PROVIDERS, folder_of
from rungraph.graph.catalog.history import history_of
from rungraph.graph.config.keys import known_keys
from rungraph.graph.diagnostics import Severity
from rungraph.graph.rules.context import nearest
from rungraph.graph.suggest import closest
from rungraph.graph.wording import joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.rules.context import RuleContext
    from rungraph.graph.source.positions import Path


def unknown_names(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield what is wrong with the APIs and types that the catalog does not know.

    A catalog with releases does not know those to come: what no release has, and what is no
    misspelling, is told once, and is not guessed at.
    """
    later: list[tuple[str, Path]] = []
    elsewhere = _folders_elsewhere(context)
    found: dict[str, list[tuple[str, Path]]] = {key: [] for key in elsewhere}
    yield from _unknown_apis(context, later, found.get(APIS))
    yield from _unknown_types(context, later, found.get(PROVIDERS))
    yield from _modules(context)
    for key, folder in elsewhere.items():
        if found[key]:
            yield _not_checked(
                context, found[key], f"their folder is not here: {folder}", is_here=False
            )
        else:
            yield context.document.problem(
                "C033",
                f"the folder of '{key}' is not here: the stack only starts where it is",
                (key,),
                severity=Severity.NOTE,
            )
    if later:
        way_out = f"an external provider: name its 'module', or '{PROVIDERS}'"
        yield _not_checked(context, later, way_out)


def _folders_elsewhere(context: RuleContext) -> dict[str, str]:
    """Return the folders of specs that the config names and that are not here, by their keys."""
    document, known = context.document, known_keys(context.catalog)
    return {
        key: folder
        for key in (APIS, PROVIDERS)
        if key in known
        and isinstance(folder := document.value.get(key), str)
        and folder_of(key, document, context.substitution) is None
    }


def _not_checked(
    context: RuleContext, found: list[tuple[str, Path]], way_out: str, *, is_here: bool = True
) -> Diagnostic:
    """Return that names are *found* that no release has; their folder may be elsewhere."""
    history = history_of(context.catalog)
    newest = history.at().full_name if history else ""
    return context.document.problem(
        "C031",
        f"of a release after {newest}, or of external providers; not checked: "
        f"{joined([name for name, _ in found])}",
        found[0][1],
        way_out,
        severity=Severity.ERROR if is_here else Severity.NOTE,
        related=tuple((context.document.place_of(path), "nor this") for _, path in found[1:10]),
    )


def _unknown_apis(
    context: RuleContext, later: list[tuple[str, Path]], elsewhere: list[tuple[str, Path]] | None
) -> Iterator[Diagnostic]:
    known = context.catalog.apis
    told: set[str] = set()
    paths: list[Path] = [("providers", api) for api in context.config.configured_apis]
    paths += [("apis", index) for index in context.config.listed_apis]
    for section, key in paths:
        is_key = isinstance(key, str)
        api = key if isinstance(key, str) else context.config.listed_apis[key]
        if api in known or context.catalog.is_unread(api):
            continue
        hints = hints_of_elsewhere(context.catalog, api, document=context.document)
        if is_key and api in known_keys(context.catalog):
            hints = (f"'{api}' is a key of the whole config: begin it where 'providers' begins",)
        if not hints:
            among = context.catalog.providable_apis if is_key else known
            if api and history_of(context.catalog) and not closest(api, among):
                if api not in told:
                    others = later if elsewhere is None else elsewhere
                    others.append((f"the API {api}", (section, key)))
                told.add(api)
                continue
            hints = nearest(api, among, "APIs")
        hints += _may_be_of(context, APIS if elsewhere is not None else "")
        yield context.document.problem(
            "C020", f"unknown API '{api}'", (section, key), *hints, key=is_key
        )


def _may_be_of(context: RuleContext, folder: str) -> tuple[str, ...]:
    """Return where else a name may be from, which could not be looked at, as a way out."""
    found = [f"the catalog '{one}', which could not be loaded" for one in context.catalog.unloaded]
    if folder:
        found.append(f"the folder of '{folder}', which is not here")
    return (f"it may be of {joined(found)}",) if found else ()


def _unknown_types(
    context: RuleContext, later: list[tuple[str, Path]], elsewhere: list[tuple[str, Path]] | None
) -> Iterator[Diagnostic]:
    catalog = context.catalog
    for provider in context.entries:
        api, provider_type = provider.api, provider.provider_type
        if provider.spec is not None or not context.is_providable(api):
            continue
        is_unread = not provider.unread.isdisjoint(("module", "provider_type"))
        if is_unread or not provider_type or catalog.is_unread(api):
            continue
        path = (*provider.path, "provider_type")
        hints = hints_of_elsewhere(catalog, api, provider_type, document=context.document)
        if not hints:
            if history_of(catalog) and not _is_misspelt(api, provider_type, catalog):
                others = later if elsewhere is None else elsewhere
                others.append((f"'{provider_type}' of {api}", path))
                continue
            hints = tuple(_hints_of_type(api, provider_type, catalog))
        source = _may_be_of(context, PROVIDERS if elsewhere is not None else "")
        what = "a known provider type" if source else "a provider type"
        hints += source
        yield context.document.problem(
            "C021",
            f"'{provider_type}' is not {what} of {api}",
            path,
            *hints,
            address=provider.address if provider.provider_id else None,
        )


def _is_misspelt(api: str, provider_type: str, catalog: Catalog) -> bool:
    is_elsewhere = any(known == provider_type for _, known in catalog.providers)
    return is_elsewhere or bool(closest(provider_type, catalog.provider_types(api)))


def _hints_of_type(api: str, provider_type: str, catalog: Catalog) -> Iterator[str]:
    elsewhere = sorted(one for one, known in catalog.providers if known == provider_type)
    if elsewhere:
        yield f"'{provider_type}' is a type of {', '.join(elsewhere)}"
    yield from nearest(provider_type, catalog.provider_types(api), f"types of {api}")
    yield "a type of your own: name its module with 'module: package.module' or 'module: ./FILE.py'"


def _modules(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield a note on the types of modules, which a stack asks for what they need."""
    if history_of(context.catalog) is None:
        return
    named = [
        one
        for one in context.config.providers
        if one.spec
        and one.spec.origin == "run config"
        and not (one.spec.dependencies or one.spec.optional_dependencies)
    ]
    if named:
        names = joined([f"'{one.provider_type}' of {one.api}" for one in named])
        yield context.document.problem(
            "C032",
            f"what a module's own type needs is told by the module, which is not imported: {names}",
            (*named[0].path, "module"),
            "write what it needs under 'dependencies', to see it in the graph",
            address=named[0].address,
            severity=Severity.NOTE,
        )

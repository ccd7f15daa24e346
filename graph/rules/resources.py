"""The rules of what a run config registers at start; each yields diagnostics."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING

from rungraph.graph.address import Address
from rungraph.graph.config.resources import named_resource
from rungraph.graph.config.run_config import ALL_PROVIDERS
from rungraph.graph.diagnostics import Severity
from rungraph.graph.placeholders import has_placeholder
from rungraph.graph.resources import KnownResources, Reference, Resource
from rungraph.graph.rules.context import nearest, switched_off_hint
from rungraph.graph.rules.registered import model_type, registered_models, registered_name
from rungraph.graph.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.nodes import ResourceConfig
    from rungraph.graph.rules.context import RuleContext
    from rungraph.graph.source.positions import Path


def resources_without_provider(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield what is wrong with the providers that resources name, or do not name."""
    for resource in context.resources:
        pair = context.catalog.pair_of_table(resource.table_api)
        if pair is None or resource.table_api in unread_tables(context):
            continue
        router, noun = pair.router_api, pair.noun
        named = named_resource(resource, pair)
        ids = context.ids.get(router, {})
        is_lost = context.may_have(router, resource.provider_id)
        is_lost |= not (resource.provider_id or ids) and router in context.config.unreadable
        is_without_members = not resource.provider_id and resource.routing is not None
        if resource.table_api == "datasets" and "datasets_by_source" in context.catalog.traits:
            yield from _dataset(context, resource, ids)
            continue
        if resource.provider_id in ids or is_lost or is_without_members:
            continue  # What is wrong with it has been told, if anything is.
        if resource.provider_id == ALL_PROVIDERS and "alias_of_all" in context.catalog.traits:
            continue
        if resource.provider_id:
            off = switched_off_hint(context, router, resource.provider_id, noun)
            names = f"names provider '{resource.provider_id}', which {router} does not have"
            if off and off.is_by_environment:
                names = f"names provider '{resource.provider_id}', which is off: {off.reason}"
            yield context.document.problem(
                "C034" if off and off.is_by_environment else "C025",
                f"{named} {names}",
                resource.path,
                *(
                    (off.hint,)
                    if off
                    else nearest(resource.provider_id, ids, f"providers of {router}")
                ),
            )
        elif "resources_name_provider" in context.catalog.traits:
            yield context.document.problem(
                "C026",
                f"{named} names no provider, and {context.catalog.full_name} does not register it",
                resource.path,
                f"add 'provider_id: …' with one of {listed(ids)}" if ids else "take it out",
                severity=Severity.WARNING,
            )
        elif len(ids) != 1 and not (ids and pair.finds_provider):
            what, hint = (
                (
                    f"{router} has several providers: {listed(ids)}",
                    "add 'provider_id: …' with one of them",
                )
                if ids
                else (f"{router} has no provider", f"configure a provider of {router}")
            )
            message = f"{named} does not say which provider serves it; {what}"
            yield context.document.problem("C026", message, resource.path, hint)


def _dataset(
    context: RuleContext, dataset: ResourceConfig, ids: Mapping[str, None]
) -> Iterator[Diagnostic]:
    """Yield that the provider is not there that a release takes by what a dataset is made of."""
    source, metadata = dataset.fields.get("source"), dataset.fields.get("metadata")
    uri = str(source.get("uri", "")) if isinstance(source, dict) else ""
    named = metadata.get("provider_id") if isinstance(metadata, dict) else None
    wanted = str(named or ("huggingface" if uri.startswith("huggingface") else "localfs"))
    if source and wanted not in ids:
        yield context.document.problem(
            "C025",
            f"dataset '{dataset.identifier}' is for provider '{wanted}', by its source, and "
            "datasetio does not have it",
            dataset.path,
            "call a provider so, or add 'metadata: {provider_id: …}' with the id of one",
        )


def resources_listed_twice(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield the resources that stand twice in their list."""
    seen: dict[tuple[str, ...], ResourceConfig] = {}
    for resource in context.config.resources:
        first = seen.setdefault(_place_in_table(context, resource), resource)
        if first is not resource:
            last = max(first, resource, key=lambda one: one.path)
            is_same = (first.provider_id, first.provider_resource_id, first.fields) == (
                resource.provider_id,
                resource.provider_resource_id,
                resource.fields,
            )
            severity, again = Severity.WARNING, "not alike; one of them counts"
            if is_same:
                severity, again = Severity.NOTE, "both times the same"
            elif "twice_ends_start" in context.catalog.traits:
                severity, again = Severity.ERROR, "not alike; the start ends at the second"
            yield context.document.problem(
                "C028",
                f"'{resource.identifier}' is listed twice under '{resource.path[-2]}', {again}",
                last.path,
                "keep one of them",
                severity=severity,
            )


def _place_in_table(context: RuleContext, resource: ResourceConfig) -> tuple[str, ...]:
    """Return what only one resource can have: a release knows most by their name alone."""
    api, provider = resource.table_api, resource.provider_id
    pair = context.catalog.pair_of_table(api)
    is_read = bool(context.catalog.traits) and api not in unread_tables(context)
    if pair is None or not is_read or provider not in context.ids.get(pair.router_api, {}):
        return (api, resource.identifier, provider)
    if api == "models":
        return (api, registered_name(resource, context.catalog), provider)
    return (api, resource.identifier)


def members_beside_others(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield the entries whose name is that of another one, which has members."""
    entries: dict[tuple[str, str], dict[Path, ResourceConfig]] = {}
    for one in context.config.resources:
        entries.setdefault((one.table_api, one.identifier), {}).setdefault(one.entry_path, one)
    for several in entries.values():
        first, *others = sorted(several)
        if any(one.routing is not None for one in several.values()):
            for path in others:
                one = several[path]
                yield context.document.problem(
                    "C043",
                    f"'{one.identifier}' is listed again under '{path[-2]}', and one of both has "
                    "members",
                    path,
                    "make one entry of both, with all providers as its members",
                    related=((context.document.place_of(first), "the other one"),),
                )


def references_to_nothing(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield the names in resources that mean no resource of the other table, or several."""
    known = KnownResources(context.nodes)
    registered = registered_models(context)
    for one in known.references():
        if one.table.api == "models" and registered is not None:
            if one.config.table_api not in unread_tables(context) and not has_placeholder(one.name):
                yield from _unregistered(context, one, registered)
            continue
        # How another stack reads a name that several resources have is its own affair.
        if one.candidates and (not one.is_ambiguous or context.catalog.name):
            continue
        other = one.table.pair
        if not one.candidates and (
            has_placeholder(one.name)
            or context.is_lost(one.table.api)
            or other.router_api in context.config.unreadable
        ):
            continue  # It may be what could not be made out.
        if one.candidates:
            names = [each.qualified for each in one.candidates if isinstance(each, Resource)]
            what = f"which {len(names)} providers serve"
            hints: tuple[str, ...] = (f"name one of them: {listed(names)}",)
        else:
            what = f"which no provider of {other.router_api} serves"
            there = dict.fromkeys(each.identifier for each in known.of_table(one.table))
            hints = nearest(one.name, there, other.resources.replace("_", " "))
        noun = one.resource.kind.replace("_", " ")
        yield context.document.problem(
            "C042",
            f"{noun} '{one.resource.identifier}' needs {other.noun} '{one.name}', {what}",
            (*one.config.path, one.field),
            *hints,
            # No release looks for it when it starts.
            severity=Severity.WARNING if context.catalog.traits else Severity.ERROR,
        )


def _unregistered(
    context: RuleContext, one: Reference, registered: Mapping[str, ResourceConfig]
) -> Iterator[Diagnostic]:
    """Yield what is wrong with a model that a release must have registered before a resource."""
    model = registered.get(one.name)
    kind = model_type(model) if model else ""
    if kind == "embedding":
        return
    noun = f"{one.resource.kind.replace('_', ' ')} '{one.resource.identifier}'"
    path = (*one.config.path, one.field)
    if model is None and context.is_lost("models"):
        return
    if model is None:
        message = f"{noun} needs model '{one.name}', which is not registered under that name"
        hints = nearest(one.name, registered, "models that are")
        yield context.document.problem("C042", message, path, *hints)
        return
    yield context.document.problem(
        "C042",
        f"{noun} needs an embedding model, and '{one.name}' is one of type '{kind}'",
        path,
        "add 'model_type: embedding' to the model, or name another one",
        related=((context.document.place_of(model.path), "the model"),),
    )


def unregistered_lists(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield the lists of resources that a release does not register, or does not start with."""
    traits, release = context.catalog.traits, context.catalog.full_name
    ending = {table_api for trait, table_api in _ENDING.items() if trait in traits}
    unread = unread_tables(context)
    for table_api, several in groupby(context.config.resources, attrgetter("table_api")):
        noun = table_api.replace("_", " ")
        if table_api in unread:
            message = f"{release} does not register these {noun}{unread[table_api]}"
            way_out, severity = "take them out", Severity.WARNING
        elif table_api in ending and Address.table(table_api) in context.nodes:
            message = (
                f"{release} does not start with these {noun}: it cannot register what a config "
                "lists"
            )
            way_out, severity = "take them out, and register them once it runs", Severity.ERROR
        else:
            continue
        where = next(several).path[:-1]
        yield context.document.problem("C039", message, where, way_out, key=True, severity=severity)


def unread_tables(context: RuleContext) -> dict[str, str]:
    """Return the tables whose lists in a config the release does not register, and why."""
    traits = context.catalog.traits
    return {table_api: why for trait, (table_api, why) in _UNREAD.items() if trait in traits}


_UNREAD = {
    "tool_groups_of_types": ("tool_groups", ": they come from the types of tool_runtime"),
    "vector_stores_unread": ("vector_stores", ""),
}
_ENDING = {
    "datasets_end_start": "datasets",
    "scoring_fns_end_start": "scoring_functions",
    "vector_dbs_end_start": "vector_dbs",
}

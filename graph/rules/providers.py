"""One function a rule of run configs; each yields diagnostics and knows nothing of the others."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rungraph.graph.catalog.choice import hints_of_elsewhere
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.nodes import Node, ProviderNode
from rungraph.graph.rules.context import RuleContext, listed, nearest
from rungraph.graph.rules.resources import resources_listed_twice, resources_without_provider
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from rungraph.graph.address import Address
    from rungraph.graph.catalog.specs import Catalog
    from rungraph.graph.config.run_config import ConfiguredProvider, RunConfig
    from rungraph.graph.source.document import Document
    from rungraph.graph.source.positions import Path


def check_config(
    config: RunConfig,
    catalog: Catalog,
    nodes: Mapping[Address, Node],
    served: AbstractSet[str],
    document: Document,
) -> Iterator[Diagnostic]:
    """Yield every problem of a run config that needs nothing but the config and the catalog."""
    context = RuleContext(config, catalog, nodes, served, document)
    for rule in _RULES:
        yield from rule(context)


def _catalog_problems(context: RuleContext) -> Iterator[Diagnostic]:
    for problem in context.catalog.problems:
        yield Diagnostic(
            "C030",
            problem,
            Severity.WARNING,
            help=("all else counts; update what it comes from, or take that out",),
        )


def _unknown_apis(context: RuleContext) -> Iterator[Diagnostic]:
    known = context.catalog.apis
    for api in context.config.configured_apis:
        if api not in known:
            hints = hints_of_elsewhere(context.catalog, api, document=context.document) or nearest(
                api, context.catalog.providable_apis, "APIs"
            )
            yield context.at("C020", f"unknown API '{api}'", ("providers", api), *hints, key=True)
    for index, api in enumerate(context.config.listed_apis):
        if api not in known:
            hints = hints_of_elsewhere(context.catalog, api, document=context.document) or nearest(
                api, tuple(known), "APIs"
            )
            yield context.at("C020", f"unknown API '{api}'", ("apis", index), *hints)


def _unknown_types(context: RuleContext) -> Iterator[Diagnostic]:
    for provider in context.config.providers:
        api = provider.api
        if provider.named or not _is_providable(api, context.catalog):
            continue
        if context.catalog.provider(api, provider.provider_type) is None:
            hints = hints_of_elsewhere(
                context.catalog, api, provider.provider_type, document=context.document
            ) or _hints_of_type(provider, context.catalog)
            yield context.at(
                "C021",
                f"'{provider.provider_type}' is not a provider type of {api}",
                (*provider.path, "provider_type"),
                *hints,
                address=provider.address,
            )


def _hints_of_type(provider: ConfiguredProvider, catalog: Catalog) -> tuple[str, ...]:
    api, provider_type = provider.api, provider.provider_type
    elsewhere = sorted(one for one, known in catalog.providers if known == provider_type)
    return (
        *((f"'{provider_type}' is a type of {', '.join(elsewhere)}",) if elsewhere else ()),
        *nearest(provider_type, catalog.provider_types(api), f"types of {api}"),
        "a type of your own: name its module with 'module: package.module'",
    )


def _overridden_apis(context: RuleContext) -> Iterator[Diagnostic]:
    for api in context.config.configured_apis:
        pair, spec = context.catalog.pair_of_table(api), context.catalog.apis.get(api)
        if pair is None and not (spec and spec.builtin):
            continue
        hint = (
            f"configure {pair.router_api}; list what its providers serve under '{pair.resources}'"
            if pair
            else "take it out: every stack has it"
        )
        message = f"provider for '{api}' is automatically provided and cannot be overridden"
        yield context.at("C022", message, ("providers", api), hint, key=True)


def _duplicate_ids(context: RuleContext) -> Iterator[Diagnostic]:
    for first, provider in pairwise(context.config.providers):  # Sorted by address.
        if first.address == provider.address:
            places = sorted(p for p in (first.place, provider.place) if p)
            yield Diagnostic(
                "C023",
                f"provider id '{provider.provider_id}' is used twice in {provider.api}",
                Severity.ERROR,
                places[-1] if places else None,
                (f"give one of them another id, such as '{provider.provider_id}-2'",),
                provider.address,
                path_text(
                    max(first.path, provider.path, key=lambda path: (str(path[1]), path[-1]))
                ),
                related=((places[0], "first used here"),)
                if len(places) > 1 and places[0].line
                else (),
            )


def _several_unrouted(context: RuleContext) -> Iterator[Diagnostic]:
    for api, providers in sorted(context.by_api.items()):
        ids = sorted({provider.provider_id for provider in providers})
        if not _is_providable(api, context.catalog) or context.catalog.pair_of(api) or len(ids) < 2:
            continue
        routed = ", ".join(pair.router_api for pair in context.catalog.pairs)
        yield context.at(
            "C024",
            f"{api} is not routed and takes one provider, but has {len(ids)}: {listed(ids)}",
            ("providers", api),
            "keep one of them",
            f"only routed APIs take several: {routed}",
            key=True,
        )


def _deprecated_types(context: RuleContext) -> Iterator[Diagnostic]:
    for (api, provider_type), spec in context.catalog.providers.items():
        if not spec.deprecated or (api, provider_type) not in context.types:
            continue
        for provider in context.by_api[api]:
            if provider.provider_type == provider_type:
                what = "no longer works" if spec.removed else "is deprecated"
                yield context.at(
                    "C027",
                    f"provider type '{provider_type}' {what}",
                    (*provider.path, "provider_type"),
                    spec.deprecated,
                    address=provider.address,
                    severity=Severity.ERROR if spec.removed else Severity.WARNING,
                )


def _missing_dependencies(context: RuleContext) -> Iterator[Diagnostic]:
    present = {address.api for address in context.nodes}
    for node in context.nodes.values():
        if not isinstance(node, ProviderNode):
            continue
        for api in node.spec_dependencies:
            if api in present:
                continue
            known = context.catalog.apis.get(api)
            if known is None:
                hints = nearest(api, context.catalog.apis, "APIs")
                message = f"'{node.address}' needs API '{api}', which no catalog knows"
            else:
                pair = context.catalog.pair_of_table(api)
                wanted = pair.router_api if pair else api
                types = context.catalog.provider_types(wanted)
                hints = (
                    f"add a provider under 'providers.{wanted}'",
                    *((f"types of {wanted}: {listed(types)}",) if types else ()),
                )
                message = f"'{node.address}' needs {api}, which has no provider"
            yield Diagnostic(
                "G003",
                message,
                Severity.ERROR,
                node.place,
                hints,
                node.address,
                path_text(node.path),
            )


def _served_without_provider(context: RuleContext) -> Iterator[Diagnostic]:
    for api in sorted(context.served):
        if (
            not _is_providable(api, context.catalog)
            or context.by_api.get(api)
            or api in context.config.unreadable
        ):
            continue
        types = context.catalog.provider_types(api)
        hint = (
            f"types of {api}: {listed(types)}"
            if types
            else f"install a package that offers a type of {api}"
        )
        is_off = any(one.api == api for one in context.config.excluded)
        is_key = api in context.config.configured_apis
        path = ("providers", api) if is_key else _path_in_apis(context, api)
        if is_key and context.catalog.pair_of_router(api):
            what = "every provider of it is switched off" if is_off else "it has no provider"
            message = f"{api} is served, but {what}: its table is empty"
            way_out = (
                "switch one of them on, or take the API out"
                if is_off
                else "add one, or take the API out"
            )
            yield context.at(
                "G007", message, path, way_out, hint, key=True, severity=Severity.WARNING
            )
        else:
            what = "every provider of it is switched off" if is_off else "it has no provider"
            way_out = f"add a provider under 'providers.{api}', or take '{api}' out"
            yield context.at(
                "G004", f"{api} is served, but {what}", path, way_out, hint, key=is_key
            )


def _path_in_apis(context: RuleContext, api: str) -> Path:
    pair = context.catalog.pair_of_router(api)
    names = [
        name
        for name in context.config.listed_apis
        if name == api or (pair and name == pair.table_api)
    ]
    return ("apis", context.config.listed_apis.index(names[0])) if names else ("apis",)


def _unserved_providers(context: RuleContext) -> Iterator[Diagnostic]:
    for api, providers in sorted(context.by_api.items()):
        if api in context.served or not _is_providable(api, context.catalog):
            continue
        for provider in providers:
            is_needed = provider.address in context.nodes
            what = "is started because others need it" if is_needed else "is not started"
            yield context.at(
                "G005",
                f"'{provider.address}' {what}: 'apis' does not list {api}",
                provider.path,
                f"add '{api}' to 'apis'" + ("" if is_needed else ", or take the provider out"),
                address=provider.address,
                severity=Severity.NOTE if is_needed else Severity.WARNING,
            )


_RULES: tuple[Callable[[RuleContext], Iterator[Diagnostic]], ...] = (
    _catalog_problems,
    _unknown_apis,
    _unknown_types,
    _overridden_apis,
    _duplicate_ids,
    _several_unrouted,
    resources_without_provider,
    resources_listed_twice,
    _deprecated_types,
    _missing_dependencies,
    _served_without_provider,
    _unserved_providers,
)


def _is_providable(api: str, catalog: Catalog) -> bool:
    spec = catalog.apis.get(api)
    return spec is not None and not spec.builtin and catalog.pair_of_table(api) is None

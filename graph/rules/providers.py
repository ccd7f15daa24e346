"""One function a rule of run configs; each yields diagnostics and knows nothing of the others."""

from __future__ import annotations

from itertools import count, groupby
from typing import TYPE_CHECKING

from rungraph.graph.address import NodeKind
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.nodes import ProviderNode
from rungraph.graph.placeholders import has_placeholder
from rungraph.graph.rules import stack_sections
from rungraph.graph.rules.context import nearest
from rungraph.graph.rules.masks import pasted_masks
from rungraph.graph.rules.registered import models_of_one_name
from rungraph.graph.rules.resources import (
    members_beside_others,
    references_to_nothing,
    resources_listed_twice,
    resources_without_provider,
    unregistered_lists,
)
from rungraph.graph.rules.section_shapes import section_shapes
from rungraph.graph.rules.unknown import unknown_names
from rungraph.graph.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rungraph.graph.rules.context import RuleContext
    from rungraph.graph.source.positions import Path


def check_config(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield every problem of a run config that needs nothing but the config and the catalog."""
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
        yield context.document.problem("C022", message, ("providers", api), hint, key=True)


def _duplicate_ids(context: RuleContext) -> Iterator[Diagnostic]:
    place_of, providers = context.document.place_of, context.config.providers  # Sorted by address.
    if named := [one for one in context.config.partial if one.provider_id]:
        providers = tuple(sorted((*providers, *named), key=lambda one: one.address))
    for address, same in groupby(providers, key=lambda one: one.address):
        found = [*same]
        if "provider_id" in found[0].unread:
            continue
        if len(found) > 1:  # Most ids are used once, and places take time.
            found.sort(key=lambda one: (place_of(one.path), len(one.path), one.path))
        first, *others = found
        ids = context.ids.get(first.api, {})
        free = (one for n in count(2) if (one := f"{first.provider_id}-{n}") not in ids)
        for again in others:
            place = place_of(first.path)
            yield context.document.problem(
                "C023",
                f"provider id '{again.provider_id}' is used twice in {again.api}"
                + _the_last_counts(context),
                again.path,
                f"give one of them another id, such as '{next(free)}'",
                address=address,
                related=((place, "first used here"),) if place.line else (),
            )


def _the_last_counts(context: RuleContext) -> str:
    is_so = "last_wins" in context.catalog.traits
    return f"; {context.catalog.full_name} takes the last one" if is_so else ""


def _several_unrouted(context: RuleContext) -> Iterator[Diagnostic]:
    for api, providers in sorted(context.by_api.items()):
        if not context.is_providable(api) or context.catalog.pair_of(api):
            continue
        ids = sorted({provider.provider_id for provider in providers})
        if len(ids) < 2:
            continue
        last = max(providers, key=lambda one: one.path)
        if last.spec and last.spec.uses_siblings and "last_wins" in context.catalog.traits:
            continue
        routed = ", ".join(pair.router_api for pair in context.catalog.pairs)
        yield context.document.problem(
            "C024",
            f"{api} is not routed and takes one provider, but has {len(ids)}: {listed(ids)}"
            + _the_last_counts(context),
            ("providers", api),
            "keep one of them",
            f"only routed APIs take several: {routed}",
            key=True,
        )


def _deprecated_types(context: RuleContext) -> Iterator[Diagnostic]:
    for provider in context.entries:
        spec = provider.spec
        if spec and spec.deprecated:
            what = "no longer works" if spec.removed else "is deprecated"
            yield context.document.problem(
                "C027",
                f"provider type '{spec.provider_type}' {what}",
                (*provider.path, "provider_type"),
                spec.deprecated,
                address=provider.address if provider.provider_id else None,
                severity=Severity.ERROR if spec.removed else Severity.WARNING,
            )


def _missing_dependencies(context: RuleContext) -> Iterator[Diagnostic]:
    catalog = context.catalog
    # Providers of a routed API answer for nothing without their router.
    present = {
        address.api
        for address in context.nodes
        if address.kind is not NodeKind.PROVIDER or catalog.pair_of_router(address.api) is None
    }
    for node in context.nodes.values():
        if not isinstance(node, ProviderNode):
            continue
        for api in node.spec_dependencies:
            is_open = catalog.is_unread(api) or has_placeholder(api)
            if api in present or (is_open and api not in catalog.apis):
                continue
            pair = catalog.pair_of(api)
            wanted = pair.router_api if pair else api
            if wanted in context.config.unreadable:
                continue
            if "pairs_by_apis" in catalog.traits and pair:
                # Without 'apis' there is every pair: it is a list that leaves this one out.
                message = f"'{node.address}' needs {api}, and 'apis' does not list {wanted}"
                hints = [f"add '{wanted}' to 'apis'"]
            elif api in catalog.apis:
                message = f"'{node.address}' needs {api}, which has no provider"
                hints = [f"add a provider under 'providers.{wanted}'"]
                if types := catalog.provider_types(wanted):
                    hints.append(f"types of {wanted}: {listed(types)}")
            else:
                message = f"'{node.address}' needs API '{api}', which no catalog knows"
                hints = [*nearest(api, catalog.apis, "APIs")]
            yield context.document.problem("G003", message, node.path, *hints, address=node.address)


def _served_without_provider(context: RuleContext) -> Iterator[Diagnostic]:
    config, catalog = context.config, context.catalog
    for api in sorted(context.served):
        if not context.is_providable(api) or api in context.by_api or api in config.unreadable:
            continue
        is_key = api in config.configured_apis
        pair = catalog.pair_of_router(api)
        names = (api, pair.table_api) if pair else (api,)
        needing = next((context.needed_by[one] for one in names if one in context.needed_by), None)
        if not is_key and not needing and not set(names) & {*config.listed_apis.values()}:
            continue  # A pair that is there in every stack, and that nobody asks for.
        is_off = any(one.api == api for one in config.excluded)
        problem = f"{api} is served, but " + (
            "every provider of it is switched off" if is_off else "it has no provider"
        )
        types = catalog.provider_types(api)
        known = (
            f"types of {api}: {listed(types)}"
            if types
            else f"install a package that offers a type of {api}"
        )
        way_out = "switch one of them on" if is_off else f"add a provider under 'providers.{api}'"
        way_out += f"; '{needing.address}' needs {api}" if needing else f", or take '{api}' out"
        is_at_key = is_key or not (set(names) & {*config.listed_apis.values()})
        yield context.document.problem(
            "G007" if pair else "G004",
            f"{problem}: its table is empty" if pair else problem,
            (
                ("providers", api)
                if is_key
                else needing.path
                if needing and is_at_key
                else _path_in_apis(context, api)
            ),
            way_out,
            known,
            key=is_key,
            severity=Severity.WARNING
            if pair or "skips_unprovided" in catalog.traits
            else Severity.ERROR,
        )


def _path_in_apis(context: RuleContext, api: str) -> Path:
    """Return where ``apis`` lists *api*, or the API of its table."""
    pair = context.catalog.pair_of_router(api)
    names = (api, pair.table_api) if pair else (api,)
    for index, listed_api in context.config.listed_apis.items():
        if listed_api in names:
            return ("apis", index)
    return ("apis",)


def _unserved_providers(context: RuleContext) -> Iterator[Diagnostic]:
    starts_all = "pairs_by_apis" in context.catalog.traits
    for api, providers in sorted(context.by_api.items()) if context.config.apis else ():
        if api in context.served or not context.is_providable(api):
            continue
        is_routed = context.catalog.pair_of_router(api) is not None
        for provider in providers:
            is_needed = provider.address in context.nodes
            what = "is started because others need it" if is_needed else "is not started"
            if starts_all:
                is_needed = not is_routed
                what = "is started, but nobody can reach it" if is_routed else "is started"
            yield context.document.problem(
                "G005",
                f"'{provider.address}' {what}: 'apis' does not list {api}",
                provider.path,
                f"add '{api}' to 'apis'" + ("" if is_needed else ", or take the provider out"),
                address=provider.address,
                severity=Severity.NOTE if is_needed else Severity.WARNING,
            )


_RULES: tuple[Callable[[RuleContext], Iterator[Diagnostic]], ...] = (
    _catalog_problems,
    unknown_names,
    _overridden_apis,
    _duplicate_ids,
    _several_unrouted,
    resources_without_provider,
    resources_listed_twice,
    members_beside_others,
    references_to_nothing,
    models_of_one_name,
    unregistered_lists,
    section_shapes,
    stack_sections.storage,
    stack_sections.registrations,
    stack_sections.vector_stores,
    stack_sections.safety,
    stack_sections.server,
    _deprecated_types,
    _missing_dependencies,
    _served_without_provider,
    _unserved_providers,
    pasted_masks,
)

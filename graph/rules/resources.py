"""The rules of what a run config registers at start; each yields diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.diagnostics import Severity
from rungraph.graph.rules.context import nearest
from rungraph.graph.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.nodes import ResourceConfig
    from rungraph.graph.rules.context import RuleContext


def resources_without_provider(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield what is wrong with the providers that resources name, or do not name."""
    for resource in context.config.resources:
        pair = context.catalog.pair_of_table(resource.table_api)
        if pair is None:
            continue
        router, noun = pair.router_api, pair.noun
        named = f"{noun} '{resource.identifier}'"
        ids = context.ids.get(router, {})
        if resource.provider_id in ids:
            continue
        if resource.provider_id:
            off = [
                one.provider_id
                for one in context.config.excluded
                if one.api == router
                and one.is_switched_off
                and resource.provider_id in one.provider_id
            ]
            hints: tuple[str, ...] = (
                (f"'{off[0]}' is switched off; switch the {noun} off likewise",)
                if off
                else nearest(resource.provider_id, ids, f"providers of {router}")
            )
            names = f"names provider '{resource.provider_id}', which {router} does not have"
            yield context.document.problem("C025", f"{named} {names}", resource.path, *hints)
        elif len(ids) != 1 and not (ids and pair.finds_provider):
            what, hint = (
                (f"{router} has several providers: {listed(ids)}",
                 "add 'provider_id: …' with one of them")
                if ids
                else (f"{router} has no provider", f"configure a provider of {router}")
            )  # fmt: skip
            message = f"{named} does not say which provider serves it; {what}"
            yield context.document.problem("C026", message, resource.path, hint)


def resources_listed_twice(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield the resources that stand twice in their list."""
    seen: dict[tuple[str, str, str], ResourceConfig] = {}
    for resource in context.config.resources:
        key = (resource.table_api, resource.identifier, resource.provider_id)
        first = seen.setdefault(key, resource)
        if first is not resource:
            last = max(first, resource, key=lambda one: one.path)
            is_same = (first.provider_resource_id, first.fields) == (
                resource.provider_resource_id,
                resource.fields,
            )
            again = "both times the same" if is_same else "not alike; one of them counts"
            yield context.document.problem(
                "C028",
                f"'{resource.identifier}' is listed twice under '{resource.path[0]}', {again}",
                last.path,
                "keep one of them",
                severity=Severity.NOTE if is_same else Severity.WARNING,
            )

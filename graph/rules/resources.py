"""The rules of what a run config registers at start; each yields diagnostics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.rules.context import listed, nearest
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.config.run_config import ConfiguredResource
    from rungraph.graph.rules.context import RuleContext


def resources_without_provider(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield what is wrong with the providers that resources name, or do not name."""
    for resource in context.config.resources:
        pair = context.catalog.pair_of_table(resource.table_api)
        if pair is None:
            continue
        noun = pair.noun
        ids = context.ids.get(pair.router_api, {})
        if resource.provider_id is None:
            if len(ids) != 1 and not (ids and pair.finds_provider):
                what = (
                    f"{pair.router_api} has several providers: {listed([*ids])}"
                    if ids
                    else f"{pair.router_api} has no provider"
                )
                hint = (
                    "add 'provider_id: …' with one of them"
                    if ids
                    else f"configure a provider of {pair.router_api}"
                )
                yield _of(
                    resource,
                    "C026",
                    f"{noun} '{resource.identifier}' does not say which provider serves it; {what}",
                    hint,
                )
        elif resource.provider_id not in ids:
            off = [
                one for one in context.config.excluded
                if one.api == pair.router_api and one.is_switched_off
                and resource.provider_id in one.provider_id
            ]  # fmt: skip
            if off:
                hints: tuple[str, ...] = (
                    f"'{off[0].provider_id}' is switched off; switch the {noun} off likewise",
                )
            else:
                hints = nearest(resource.provider_id, ids, f"providers of {pair.router_api}")
            yield _of(
                resource, "C025",
                f"{noun} '{resource.identifier}' names provider '{resource.provider_id}', "
                f"which {pair.router_api} does not have",
                *hints,
            )  # fmt: skip


def resources_listed_twice(context: RuleContext) -> Iterator[Diagnostic]:
    """Yield the resources that stand twice in their list."""
    seen: dict[tuple[str, str, str], ConfiguredResource] = {}
    for resource in context.config.resources:
        first = seen.setdefault(
            (resource.table_api, resource.identifier, resource.provider_id or ""), resource
        )
        if first is not resource:
            last = max(first, resource, key=lambda one: one.path)
            is_same = (first.provider_resource_id, first.fields) == (
                resource.provider_resource_id,
                resource.fields,
            )
            again = "both times the same" if is_same else "not alike; one of them counts"
            yield _of(
                last,
                "C028",
                f"'{resource.identifier}' is listed twice under '{resource.path[0]}', {again}",
                "keep one of them",
                severity=Severity.NOTE if is_same else Severity.WARNING,
            )


def _of(
    resource: ConfiguredResource,
    code: str,
    message: str,
    *hints: str,
    severity: Severity = Severity.ERROR,
) -> Diagnostic:
    return Diagnostic(code, message, severity, resource.place, hints, path=path_text(resource.path))

"""From a graph to its plan. Pure; nothing is imported, asked or written."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.diagnostics import Level, Severity
from rungraph.graph.nodes import ProviderNode
from rungraph.graph.plan.about import CatalogPlan, CheckedPlan, ConfigPlan, SummaryPlan
from rungraph.graph.plan.circles import cycle_plans
from rungraph.graph.plan.model import Plan
from rungraph.graph.plan.nodes import node_plans
from rungraph.graph.plan.parts import ApiPlan, EdgePlan
from rungraph.graph.plan.pieces import (
    diagnostic_plan,
    evidence_plan,
    excluded_plan,
    in_order,
    named_check,
    query_plan,
    readable,
    variable_plans,
)
from rungraph.graph.rules.checklist import checklist
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rungraph.graph.diff import Snapshot
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Edge
    from rungraph.graph.plan.about import QueryPlan
    from rungraph.graph.plan.changing import Comparison
    from rungraph.graph.plan.outcomes import FailuresPlan, TimingsPlan

_PROVIDER = NodeKind.PROVIDER


def make_plan(
    graph: RunGraph,
    checked: Level = Level.ENV,
    *,
    failed: Collection[Address] = (),
    durations: Mapping[Address, float] | None = None,
    against: RunGraph | Snapshot | None = None,
    against_name: str = "",
    catalog_named: str | None = None,
    allow_unset_env: bool = False,
) -> Plan:
    """Return the plan of *graph*: what starts, in which order and why.

    Args:
        graph: What is planned.
        checked: The deepest level that the graph's diagnostics come from.
        failed: Nodes that are said to fail; the plan then tells what becomes of the rest.
        durations: Seconds that nodes took to start in an earlier run; the plan then tells when
            each is expected to start.
        against: The graph as it was; the plan then tells what is to be done about what differs.
        against_name: What that is called.
        catalog_named: How the catalog was asked for; None when the config chose it.
        allow_unset_env: Whether variables that are not set were taken as notes.

    Raises:
        KeyError: If one of *failed* is not in the graph.

    Examples:
        >>> from rungraph.graph import compile_config
        >>> plan = make_plan(compile_config({"providers": {}}, environment={}))
        >>> [node.address for node in plan.nodes], plan.applyable
        (['provider:inspect/builtin'], True)
    """
    answers, graph = _asked(graph, checked)
    generations, store = graph.generations(), graph.masked_store
    text_of = {address: str(address) for address in graph.nodes}
    comparison = _comparison(against, graph, against_name)
    errors = [one for one in graph.diagnostics if one.severity is Severity.ERROR]
    return Plan(
        against=comparison.against if comparison else None,
        apis=tuple(_apis(graph, text_of)),
        applyable=not errors,
        changes=comparison.changes if comparison else (),
        checked=_checked(graph, checked),
        checks=answers,
        complete=all(one.level is not Level.SCHEMA for one in errors),
        config=_config(graph, catalog_named, allow_unset_env=allow_unset_env),
        cycles=cycle_plans(graph),
        diagnostics=tuple(map(diagnostic_plan, graph.diagnostics)),
        edges=tuple(_edges(graph, text_of)),
        errored=bool(errors),
        excluded=tuple(map(excluded_plan, graph.excluded)),
        failures=_failures(graph, failed),
        generations=tuple(
            tuple(text_of[address] for address in generation) for generation in generations
        ),
        metadata_store=None if store is None else in_order(store),
        name=graph.name,
        nodes=tuple(node_plans(graph, text_of, comparison.actions if comparison else None)),
        selectors=in_order(graph.selectors),
        summary=_summary(graph, comparison.numbers if comparison else None),
        timings=_timings(graph, durations),
    )


def _comparison(
    against: RunGraph | Snapshot | None, graph: RunGraph, name: str
) -> Comparison | None:
    if against is None:
        return None
    from rungraph.graph.plan.changing import compared

    return compared(against, graph, name)


def _failures(graph: RunGraph, failed: Collection[Address]) -> FailuresPlan | None:
    if not failed:
        return None
    from rungraph.graph.plan.failing import failures_plan

    return failures_plan(graph, failed)


def _timings(graph: RunGraph, durations: Mapping[Address, float] | None) -> TimingsPlan | None:
    if durations is None:
        return None
    from rungraph.graph.plan.timings import timings_plan

    return timings_plan(graph, durations)


def _asked(graph: RunGraph, checked: Level) -> tuple[tuple[QueryPlan, ...], RunGraph]:
    """Return what the config's own queries found, and the graph with what is wrong with that."""
    if not graph.checks or checked < Level.GRAPH:
        return (), graph
    from rungraph.graph.query.config_checks import ask

    answers = sorted(ask(graph), key=lambda one: (one.check.name, one.check.query))
    known = set(graph.diagnostics)
    more = [one.diagnostic for one in answers if one.diagnostic and one.diagnostic not in known]
    return tuple(map(query_plan, answers)), graph.with_diagnostics(more) if more else graph


def _apis(graph: RunGraph, text_of: Mapping[Address, str]) -> list[ApiPlan]:
    providers = Counter(address.api for address in graph.nodes if address.kind is _PROVIDER)
    found: list[ApiPlan] = []
    for api in graph.apis:
        pair = graph.catalog.pair_of(api)
        count = providers[pair.router_api if pair else api]
        sides = (
            [
                text_of.get(Address.router(pair.router_api)),
                text_of.get(Address.table(pair.table_api)),
            ]
            if pair
            else [None, None]
        )
        node = graph.answering.get(api)
        found.append(
            ApiPlan(
                api=api,
                availability="ok" if count else "empty",
                node=text_of[node] if node else None,
                providers=count,
                router=sides[0],
                table=sides[1],
            )
        )
    return found


def _edges(graph: RunGraph, text_of: Mapping[Address, str]) -> list[EdgePlan]:
    dropped = frozenset(graph.dropped)
    every = sorted((*graph.edges, *dropped)) if dropped else graph.edges
    return [_edge(edge, text_of, is_dropped=edge in dropped) for edge in every]


def _edge(edge: Edge, text_of: Mapping[Address, str], *, is_dropped: bool) -> EdgePlan:
    return EdgePlan(
        dependency=text_of[edge.dependency],
        dependent=text_of[edge.dependent],
        evidence=tuple(map(evidence_plan, edge.evidence)),
        reason="soft_cycle" if is_dropped else None,
        status="dropped" if is_dropped else "active",
        strength=edge.strength.value,
    )


def _checked(graph: RunGraph, checked: Level) -> CheckedPlan:
    return CheckedPlan(
        checks=tuple(map(named_check, checklist(graph, checked))),
        levels=tuple(level.name.lower() for level in Level if level <= checked),
        not_checked=tuple(level.name.lower() for level in Level if level > checked),
    )


def _config(graph: RunGraph, named: str | None, *, allow_unset_env: bool) -> ConfigPlan:
    catalog = graph.catalog
    paths = {
        path_text(node.path): str(address)
        for address, node in graph.nodes.items()
        if isinstance(node, ProviderNode) and node.path
    }
    return ConfigPlan(
        allow_unset_env=allow_unset_env,
        catalog=CatalogPlan(
            apis=len(catalog.apis),
            name=catalog.name or None,
            named=named,
            provider_types=len(catalog.providers),
            release=catalog.release or None,
        ),
        env=variable_plans(graph, paths),
        files=(readable(graph.file),),
    )


def _summary(graph: RunGraph, numbers: Mapping[str, int] | None) -> SummaryPlan:
    generations = graph.generations()
    severities = Counter(one.severity for one in graph.diagnostics)
    found = {"create": len(graph)} if numbers is None else numbers
    return SummaryPlan(
        create=found.get("create", 0),
        critical_path_len=len(generations),
        disabled=len(graph.excluded),
        edges=len(graph.edges),
        errors=severities[Severity.ERROR],
        generations=len(generations),
        max_width=max(map(len, generations), default=0),
        nodes=len(graph),
        noop=found.get("noop", 0),
        notes=severities[Severity.NOTE],
        remove=found.get("remove", 0),
        restart=found.get("restart", 0),
        update=found.get("update", 0),
        warnings=severities[Severity.WARNING],
    )

"""From a graph to its plan. Pure; nothing is imported, asked or written."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from rungraph.graph.collector import collector_paused
from rungraph.graph.diagnostics import Level, Severity, errors_in
from rungraph.graph.diff.snapshot import shown_extras
from rungraph.graph.nodes import ProviderNode
from rungraph.graph.plan.diagnostics import diagnostic_plan, place_plan, readable
from rungraph.graph.plan.make_graph import (
    api_plans,
    cycle_plans,
    edge_plans,
    excluded_plan,
    node_plans,
    with_sorted_keys,
)
from rungraph.graph.plan.make_requests import changes_between, failures_plan, timings_plan
from rungraph.graph.plan.model import (
    CatalogPlan,
    CheckedPlan,
    ConfigPlan,
    NamedCheck,
    Plan,
    QueryPlan,
    SummaryPlan,
    VariablePlan,
)
from rungraph.graph.query.config_checks import ask
from rungraph.graph.rules.checklist import checklist
from rungraph.graph.secrets.masking import masked_text, masked_texts
from rungraph.graph.variables import readers_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.diff import Snapshot
    from rungraph.graph.model import RunGraph
    from rungraph.graph.query.config_checks import CheckAnswer
    from rungraph.graph.secrets.known import KnownSecrets
    from rungraph.graph.source.environment import Use


@collector_paused()
def make_plan(
    graph: RunGraph,
    checked: Level = Level.ENV,
    *,
    failed: Collection[Address] = (),
    durations: Mapping[Address, float] | None = None,
    against: RunGraph | Snapshot | None = None,
    against_name: str = "",
    against_level: Level = Level.HEALTH,
    abilities: Mapping[str, Collection[str]] = MappingProxyType({}),
    catalog_named: str | None = None,
    allow_unset_env: bool = False,
) -> Plan:
    """Return the plan of *graph*: what starts, in which order and why.

    Args:
        graph: What is planned.
        checked: The deepest level that the graph's diagnostics come from.
        failed: Nodes that are assumed to fail; the plan then says what becomes of the rest.
        durations: Seconds that nodes took to start in an earlier run; the plan then says when
            each is expected to start.
        against: The graph as it was; the plan then says what is to be done about what differs.
        against_name: What that is called.
        against_level: How deep that was checked; problems of deeper levels are not compared.
        abilities: What providers of *against* can do while they run, by address; see
            `changes_between`.
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
    answers: list[CheckAnswer] = []
    if graph.checks and checked >= Level.GRAPH:
        answers = sorted(ask(graph), key=lambda one: (one.check.name, one.check.query))
        graph = _with_answers(graph, answers)
    compared = (
        None
        if against is None
        else changes_between(against, graph.up_to(against_level), against_name, abilities)
    )
    errors = errors_in(graph.diagnostics)
    store = graph.masked_store
    return Plan(
        against=compared.against if compared else None,
        apis=tuple(api_plans(graph)),
        applyable=not errors,
        changes=compared.changes if compared else (),
        checked=_checked(graph, checked),
        checks=tuple(_query_plan(one, graph.known) for one in answers),
        complete=all(one.level is not Level.SCHEMA for one in errors),
        config=_config(graph, catalog_named, allow_unset_env=allow_unset_env),
        cycles=cycle_plans(graph),
        diagnostics=tuple(map(diagnostic_plan, graph.diagnostics)),
        edges=tuple(edge_plans(graph)),
        errored=bool(errors),
        excluded=tuple(map(excluded_plan, graph.excluded)),
        failures=failures_plan(graph, failed) if failed else None,
        generations=tuple(tuple(map(str, generation)) for generation in graph.generations()),
        extras=with_sorted_keys(shown_extras(graph)),
        metadata_store=None if store is None else with_sorted_keys(store),
        name=graph.name,
        nodes=tuple(node_plans(graph, compared.actions if compared else None)),
        selectors=with_sorted_keys(masked_texts(graph.selectors, graph.known)),
        summary=_summary(graph, compared.numbers if compared else {"create": len(graph)}),
        timings=None if durations is None else timings_plan(graph, durations),
    )


def _with_answers(graph: RunGraph, answers: Collection[CheckAnswer]) -> RunGraph:
    """Return *graph* with what is wrong with *answers*, unless it says so already."""
    known = {(one.code, one.message, one.place) for one in graph.diagnostics}
    return graph.with_diagnostics(
        found
        for one in answers
        for found in one.diagnostics
        if (found.code, found.message, found.place) not in known
    )


def _query_plan(answer: CheckAnswer, known: KnownSecrets) -> QueryPlan:
    check = answer.check
    return QueryPlan(
        expect=check.expect or "",
        name=check.name,
        nodes=tuple(map(str, answer.selection or ())),
        place=place_plan(check.place),
        query=masked_text(check.query, known),
        status="pass" if answer.ok else "error" if answer.selection is None else "fail",
    )


def _checked(graph: RunGraph, checked: Level) -> CheckedPlan:
    return CheckedPlan(
        checks=tuple(
            NamedCheck(
                codes=tuple(sorted({problem.code for problem in one.diagnostics})),
                level=one.level.label,
                name=one.name,
                result=one.result.value,
            )
            for one in checklist(graph, checked)
        ),
        levels=checked.checked,
        not_checked=checked.not_checked,
    )


def _catalog(graph: RunGraph, named: str | None) -> CatalogPlan:
    catalog = graph.catalog
    apis = {address.api for address in graph.nodes} & catalog.apis.keys()
    types = {
        (node.api, node.provider_type)
        for node in graph.nodes.values()
        if isinstance(node, ProviderNode)
    }
    return CatalogPlan(
        apis=tuple(catalog.apis[name] for name in sorted(apis)),
        name=catalog.name or None,
        named=named,
        pairs=tuple(pair for pair in catalog.pairs if pair.router_api in apis),
        providers=tuple(catalog.providers[one] for one in sorted(types & catalog.providers.keys())),
        release=catalog.release or None,
        told_by=catalog.told_by,
    )


def _config(graph: RunGraph, named: str | None, *, allow_unset_env: bool) -> ConfigPlan:
    return ConfigPlan(
        allow_unset_env=allow_unset_env,
        catalog=_catalog(graph, named),
        env=tuple(_variables(graph)),
        files=(readable(graph.file),),
    )


def _variables(graph: RunGraph) -> Iterator[VariablePlan]:
    """Yield the variables of the environment that *graph* reads, sorted by name."""
    uses: dict[str, list[Use]] = {}
    for use in graph.variables:
        uses.setdefault(use.name, []).append(use)
    for name, readers in readers_of(graph).items():
        found = uses[name]
        yield VariablePlan(
            default=all(use.has_default for use in found),
            name=name,
            required=any(use.is_required for use in found),
            secret=any(use.is_secret for use in found),
            set=found[0].is_set,
            used_by=tuple(sorted(map(str, readers))),
        )


def _summary(graph: RunGraph, actions: Mapping[str, int]) -> SummaryPlan:
    generations = graph.generations()
    severities = Counter(one.severity for one in graph.diagnostics)
    return SummaryPlan(
        create=actions.get("create", 0),
        critical_path_len=len(generations),
        disabled=len(graph.excluded),
        edges=len(graph.edges),
        errors=severities[Severity.ERROR],
        generations=len(generations),
        max_width=max(map(len, generations), default=0),
        nodes=len(graph),
        noop=actions.get("noop", 0),
        notes=severities[Severity.NOTE],
        remove=actions.get("remove", 0),
        restart=actions.get("restart", 0),
        update=actions.get("update", 0) + actions.get("rebind", 0),
        warnings=severities[Severity.WARNING],
    )

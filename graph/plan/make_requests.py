"""What a plan says only when it is asked for: changes, failures and times."""

from __future__ import annotations

import json
from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.address import NodeKind
from rungraph.graph.diff.compare import diff_graphs
from rungraph.graph.diff.diff_json import diff_to_dict, fact_to_dict
from rungraph.graph.diff.model import Change
from rungraph.graph.failures import assume_failed
from rungraph.graph.plan.model_requests import (
    AgainstPlan,
    ApiAvailability,
    ChangePlan,
    DegradedNode,
    FactChangePlan,
    FailedNode,
    FailuresPlan,
    LostResource,
    NodeTiming,
    TimingsPlan,
)
from rungraph.graph.reload import reload_steps, takes_others
from rungraph.graph.timing import longest_chains, slack_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.diff.model import FactChange, GraphDiff
    from rungraph.graph.diff.snapshot import Snapshot
    from rungraph.graph.model import RunGraph

_REASONS = {Change.ADDED: "new", Change.REMOVED: "removed", Change.CHANGED: "config_changed"}
_DIGITS = 6
"""Decimal places of a second; what is added up is not known any better."""


class Changes(NamedTuple):
    """What is to be done to get from one graph to another.

    Attributes:
        against: What it was compared with, and the whole difference.
        changes: What is to be done, sorted by address.
        numbers: How many nodes there are of each action, ``noop`` included.
    """

    against: AgainstPlan
    changes: tuple[ChangePlan, ...]
    numbers: Mapping[str, int]

    @property
    def actions(self) -> Mapping[str, tuple[str, ...]]:
        """What is to be done about each node that is not as it was."""
        return {one.address: one.actions for one in self.changes}


def changes_between(
    old: RunGraph | Snapshot,
    new: RunGraph,
    name: str,
    abilities: Mapping[str, Collection[str]] = MappingProxyType({}),
) -> Changes:
    """Return what is to be done to get from *old* to *new*.

    A node is restarted when it differs, and when it needs one that is restarted; a table is told
    its new resources instead, and tables and routers are handed what is new.

    Args:
        old: The graph, or its normal form, as it was.
        new: The graph as it is.
        name: What *old* is called.
        abilities: What providers of *old* that run can do, by address: ``bind`` to take another
            instance of a dependency, ``reconfigure`` to take another config.
    """
    diff = diff_graphs(old, new)
    changes = tuple(sorted(_changes(diff, new, abilities), key=lambda one: one.address))
    numbers = Counter(action for one in changes for action in one.actions)
    numbers["noop"] += len(diff.unchanged) - sum(bool(one.because_of) for one in changes)
    # Values of facts are of any type; this makes them what JSON has, keys sorted.
    difference = json.loads(json.dumps(diff_to_dict(diff, old=name, new=new.file), sort_keys=True))
    against = AgainstPlan(
        difference=difference,
        equal=diff.is_empty,
        name=name,
        next_start=_fact_plans(diff.next_start),
    )
    return Changes(against, changes, numbers)


def _changes(
    diff: GraphDiff, new: RunGraph, abilities: Mapping[str, Collection[str]]
) -> Iterator[ChangePlan]:
    nodes = {one.address: one for one in diff.nodes}
    steps = reload_steps(
        diff,
        new,
        can_rebind=lambda one: takes_others(one) or "bind" in abilities.get(str(one), ()),
        can_update=lambda one: (
            one.kind is NodeKind.TABLE or "reconfigure" in abilities.get(str(one), ())
        ),
    )
    for address in steps.keys() | nodes.keys():
        node, step = nodes.get(address), steps.get(address)
        facts = node.facts if node is not None and node.change is Change.CHANGED else ()
        is_own = node is not None
        yield ChangePlan(
            actions=(step.action.value if step is not None else "noop",),
            address=str(address),
            because_of=() if is_own or step is None else (str(step.cause),),
            facts=_fact_plans(facts),
            reason=(node.reason or _REASONS[node.change]) if node else "dependency_changed",
        )


def _fact_plans(facts: Iterable[FactChange]) -> tuple[FactChangePlan, ...]:
    return tuple(FactChangePlan(**fact_to_dict(fact)) for fact in facts)


def failures_plan(graph: RunGraph, failed: Collection[Address]) -> FailuresPlan:
    """Return what becomes of the graph when the nodes *failed* do not start.

    Raises:
        KeyError: If one of *failed* is not in the graph.
    """
    found = assume_failed(graph, failed)
    return FailuresPlan(
        apis=tuple(ApiAvailability(api=api, availability=word) for api, word in found.apis.items()),
        assumed=tuple(map(str, found.assumed)),
        degraded=tuple(
            DegradedNode(address=str(address), without=tuple(map(str, lacking)))
            for address, lacking in found.without.items()
        ),
        failed=tuple(
            FailedNode(address=str(address), because_of=tuple(map(str, causes)))
            for address, causes in found.causes.items()
        ),
        resources=tuple(
            LostResource(resource=str(one), because_of=tuple(map(str, causes)))
            for one, causes in found.resources.items()
        ),
    )


def timings_plan(graph: RunGraph, durations: Mapping[Address, float]) -> TimingsPlan:
    """Return when each node is expected to start, for both schedules.

    As many nodes start at the same time as can; a node of unknown duration takes no time.

    Args:
        graph: The graph.
        durations: Seconds that the own start of each node took.
    """
    generations = graph.generations()
    own = {address: max(durations.get(address, 0.0), 0.0) for address in graph}
    opening: dict[Address, float] = {}
    clock = 0.0
    for generation in generations:
        opening.update(dict.fromkeys(generation, clock))
        clock += max(own[address] for address in generation)
    chains = longest_chains(graph.nx, own)
    total = max(chains.length.values(), default=0.0)
    slack = slack_of(graph.nx, chains.length, own, total)
    # Of several chains as long, the one that leads furthest.
    end = max(reversed(tuple(graph)), key=chains.length.__getitem__, default=None)
    return TimingsPlan(
        critical_path=tuple(map(str, chains.to(end))),
        nodes=tuple(
            NodeTiming(
                address=str(address),
                by_generation=_rounded(opening[address]),
                by_need=_rounded(chains.length[address] - own[address]),
                duration=_rounded(own[address]) if address in durations else None,
                slack=_rounded(slack[address]),
            )
            for address in graph
        ),
        not_planned=tuple(str(one) for one in sorted(durations) if one not in graph),
        not_recorded=tuple(str(one) for one in graph if one not in durations),
        total_by_generation=_rounded(clock),
        total_by_need=_rounded(total),
    )


def _rounded(seconds: float) -> float:
    # Adding up in two orders leaves tiny differences, also below zero.
    return max(0.0, round(seconds, _DIGITS))

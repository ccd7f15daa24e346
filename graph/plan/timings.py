"""When nodes are expected to start, from the durations of an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.plan.outcomes import NodeTiming, TimingsPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph

_DIGITS = 6
"""Decimal places of a second; what is added up is not known any better."""


def timings_plan(graph: RunGraph, durations: Mapping[Address, float]) -> TimingsPlan:
    """Return when each node is expected to start, for both schedules.

    The critical path and the slack are those of the critical path method (Kelley and Walker 1959):
    a forward sweep for the earliest times, a backward one for the latest. As many nodes start at
    the same time as can; a node of unknown duration takes no time.

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
    earliest: dict[Address, float] = {}
    before: dict[Address, Address | None] = {}
    for address in graph:
        needs = [one for one in graph.dependencies_of(address) if one in earliest]
        last = max(needs, key=lambda one: (earliest[one] + own[one], one), default=None)
        before[address] = last
        earliest[address] = 0.0 if last is None else earliest[last] + own[last]
    # Of several that end last, the one that starts last: the chain that leads furthest.
    backwards = tuple(graph)[::-1]
    end = max(backwards, key=lambda one: earliest[one] + own[one], default=None)
    total = 0.0 if end is None else earliest[end] + own[end]
    latest: dict[Address, float] = {}
    for address in backwards:
        dependents = graph.dependents_of(address)
        limit = min((latest[one] for one in dependents if one in latest), default=total)
        latest[address] = limit - own[address]
    path: list[str] = []
    while end is not None:
        path.append(str(end))
        end = before[end]
    return TimingsPlan(
        critical_path=tuple(reversed(path)),
        nodes=tuple(
            NodeTiming(
                address=str(address),
                by_generation=_rounded(opening[address]),
                by_need=_rounded(earliest[address]),
                duration=_rounded(own[address]) if address in durations else None,
                slack=_rounded(latest[address] - earliest[address]),
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

"""When nodes are expected to start, from the durations of an earlier run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.plan.model_requests import NodeTiming, TimingsPlan
from rungraph.graph.timing import longest_chains, slack_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph

_DIGITS = 6
"""Decimal places of a second; what is added up is not known any better."""


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

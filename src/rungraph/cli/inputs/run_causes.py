"""What a run made of a node, as the events of the run tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.engine.errors import describe
from rungraph.engine.events import (
    NodeDegraded,
    NodeEvent,
    NodeFailed,
    NodeKilled,
    NodeReady,
    NodeSkipped,
    NodeStarting,
    NodeStopFailed,
)
from rungraph.graph.why import Cause, why_between

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.engine.events import Event
    from rungraph.graph import Address, RunGraph

_TELLING = (NodeFailed, NodeSkipped, NodeDegraded, NodeKilled, NodeStopFailed)
"""The events that keep a node from running, or from running well."""


def cause_in(graph: RunGraph, events: Iterable[Event], address: Address) -> Cause:
    """Return why *address* did not run, or that it did.

    Args:
        graph: The graph that ran, or what has become of it since.
        events: What happened, in order.
        address: A node of the graph.
    """
    last: dict[Address, NodeEvent] = {}
    for one in events:
        # What went wrong is not forgotten when the node is stopped afterwards.
        if isinstance(one, _TELLING) or (
            isinstance(one, NodeReady | NodeStarting)
            and not isinstance(last.get(one.address), _TELLING)
        ):
            last[one.address] = one
    place = getattr(graph[address], "place", None)
    event = last.get(address)
    if isinstance(event, NodeFailed):
        return Cause("failed", f"{address} failed: {_error(graph, event)}", place)
    if isinstance(event, NodeSkipped):
        return Cause("skipped", _skipped(graph, event, last), place)
    if isinstance(event, NodeDegraded):
        detail = graph.scrubbed(event.detail)
        return Cause("degraded", f"{address} runs, but not as it should: {detail}", place)
    if isinstance(event, NodeKilled | NodeStopFailed):
        what = f"{address} ran, but did not stop well: {graph.scrubbed(describe(event.error))}"
        return Cause("failed", what, place)
    if isinstance(event, NodeReady):
        return Cause("present", f"{address} is in the graph, and it ran", place)
    what = "began to start and never was ready" if event else "was never started in this run"
    return Cause("not_started", f"{address} {what}", place)


def _error(graph: RunGraph, event: NodeFailed) -> str:
    return graph.scrubbed(describe(event.error))


def _skipped(graph: RunGraph, event: NodeSkipped, last: dict[Address, NodeEvent]) -> str:
    if not event.root_causes:
        return f"{event.address} was skipped, because the start was cancelled"
    parts: list[str] = []
    for cause in event.root_causes:
        failure = last.get(cause)
        error = f": {_error(graph, failure)}" if isinstance(failure, NodeFailed) else ""
        parts.append(f"{cause} failed{error}{_way(graph, event.address, cause)}")
    return f"{event.address} was skipped, because " + "; and ".join(parts)


def _way(graph: RunGraph, address: Address, cause: Address) -> str:
    """Return over which nodes *address* needs *cause*, if there are any between the two."""
    if cause not in graph:
        return ""
    chains = why_between(graph, address, cause, edges="hard").forth
    between = chains.listed[0].nodes[1:-1] if chains.listed else ()
    return f" (needed over {', '.join(map(str, between))})" if between else ""

"""Why a node did not run, or did not run well, as the events of the run tell it."""

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

_PROBLEMS = (NodeFailed, NodeSkipped, NodeDegraded, NodeKilled, NodeStopFailed)
"""The events that keep a node from running, or from running well."""


def cause_in(graph: RunGraph, events: Iterable[Event], address: Address) -> Cause:
    """Return why *address* did not run in the *graph* that had these *events*, or that it did."""
    last: dict[Address, NodeEvent] = {}
    for one in events:
        # A problem is not forgotten when the node is stopped afterwards.
        if isinstance(one, _PROBLEMS) or (
            isinstance(one, NodeReady | NodeStarting)
            and not isinstance(last.get(one.address), _PROBLEMS)
        ):
            last[one.address] = one
    match last.get(address):
        case NodeFailed() as event:
            reason, text = "failed", f"failed: {describe(event.error)}"
        case NodeSkipped() as event:
            reason, text = "skipped", f"was skipped, because {_root_causes(graph, event, last)}"
        case NodeDegraded() as event:
            reason, text = "degraded", f"runs, but not as it should: {event.detail}"
        case NodeKilled() | NodeStopFailed() as event:
            reason, text = "failed", f"ran, but did not stop well: {describe(event.error)}"
        case NodeReady():
            reason, text = "present", "is in the graph, and it ran"
        case NodeStarting():
            reason, text = "not_started", "began to start and never was ready"
        case _:
            reason, text = "not_started", "was never started in this run"
    place = getattr(graph[address], "place", None)
    return Cause(reason, f"{address} {graph.scrubbed(text)}", place)


def _root_causes(graph: RunGraph, event: NodeSkipped, last: dict[Address, NodeEvent]) -> str:
    if not event.root_causes:
        return "the start was cancelled"
    causes: list[str] = []
    for cause in event.root_causes:
        failure = last.get(cause)
        error = f": {describe(failure.error)}" if isinstance(failure, NodeFailed) else ""
        causes.append(f"{cause} failed{error}{_path(graph, event.address, cause)}")
    return "; and ".join(causes)


def _path(graph: RunGraph, address: Address, cause: Address) -> str:
    """Return over which nodes *address* needs *cause*, if there are any between the two."""
    if cause not in graph:
        return ""
    chains = why_between(graph, address, cause, edges="hard").forth
    between = chains.listed[0].nodes[1:-1] if chains.listed else ()
    return f" (needed over {', '.join(map(str, between))})" if between else ""

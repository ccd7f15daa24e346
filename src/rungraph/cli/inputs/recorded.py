"""What a recording of events says of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
    StackReady,
    State,
)
from rungraph.engine.run.recording import read_recording
from rungraph.engine.run.timeline import timeline
from rungraph.graph.address import NodeKind
from rungraph.graph.why import Cause, why_between
from rungraph.viz.timeline import Schedule, Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rungraph.engine.events import Event
    from rungraph.engine.run.timeline import NodeTimes, Timeline
    from rungraph.graph import Address, RunGraph


class Recorded(NamedTuple):
    """A run, as a recording has it.

    Attributes:
        name: The name of what ran.
        times: When its nodes started and stopped.
        end: When the last event happened.
        is_ready: Whether the stack has started.
    """

    name: str
    times: Timeline
    end: float
    is_ready: bool

    @property
    def states(self) -> Mapping[Address, str]:
        """How each node was doing before the stack was stopped."""
        return {address: one.lasting.value for address, one in self.times.nodes.items()}

    @property
    def spans(self) -> Mapping[Address, tuple[float, float]]:
        """When the own start of each node began and was over, for those that began."""
        return {
            address: (one.starting, one.settled)
            for address, one in self.times.nodes.items()
            if one.starting is not None and one.settled is not None
        }

    @property
    def durations(self) -> Mapping[Address, float]:
        """Seconds that the own start of each node took, for those that were ready."""
        nodes = self.times.nodes.items()
        return {address: one.own for address, one in nodes if one.ready is not None}

    @property
    def schedule(self) -> Schedule:
        """The start as values that can be drawn."""
        times = self.times
        slacks, families = times.slacks(), _families(times)
        spans = tuple(
            Span(
                address=address,
                generation=one.generation,
                family=families.get(address, address.api),
                state=one.lasting.value,
                available=one.available,
                starting=one.starting,
                settled=one.settled,
                slack=slacks.get(address),
                detail=_detail_of(one),
            )
            for address, one in times.nodes.items()
        )
        # A run that was cut off has nodes that began and were never ready.
        is_open = any(span.starting is not None and span.settled is None for span in spans)
        total = max(times.total, self.end) if is_open else times.total
        # A start that came to nothing has no critical path, nor has a node that failed.
        path = times.critical_path
        if not self.is_ready or any(times.nodes[address].ready is None for address in path):
            return Schedule(self.name, spans, total)
        return Schedule(self.name, spans, total, path, times.critical_time)


def load_run(path: str | Path) -> Recorded:
    """Return the run that is recorded in the file *path*; ``-`` is standard input.

    Raises:
        RecordingError: If it is no recording.
    """
    recording = read_recording("/dev/stdin" if str(path) == "-" else path)
    end = max((event.at for event in recording.events), default=0.0)
    is_ready = any(isinstance(event, StackReady) for event in recording.events)
    return Recorded(recording.name, timeline(recording.events), end, is_ready)


def _families(times: Timeline) -> Mapping[Address, str]:
    """Return for each table the API of its router, whose colour it takes.

    A recording does not name pairs; but a router needs its table.
    """
    found: dict[Address, str] = {}
    for address, one in times.nodes.items():
        tables = [need for need in one.needs if need.kind is NodeKind.TABLE]
        if address.kind is NodeKind.ROUTER and len(tables) == 1:
            found.setdefault(tables[0], address.api)
    return found


def why_skipped(root_causes: Sequence[Address]) -> str:
    """Return because of which failures a node was skipped."""
    causes = ", ".join(map(str, root_causes))
    return f"because of {causes}" if causes else "the start was cancelled"


def _detail_of(times: NodeTimes) -> str:
    if times.lasting is State.SKIPPED:
        return why_skipped(times.root_causes)
    if times.lasting is State.FAILED and times.error is not None:
        return describe(times.error)
    return ""


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
        return why_skipped(())
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

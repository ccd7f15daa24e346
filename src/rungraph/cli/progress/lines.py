"""What people see while a stack starts and stops: a line an event."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rungraph.cli.inputs.recorded import why_skipped
from rungraph.cli.terminal import style_of, tell, tell_styled
from rungraph.engine import events
from rungraph.engine.errors import describe
from rungraph.graph.wording import counted, printable, printable_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.events import Event
    from rungraph.graph import RunGraph
    from rungraph.graph.diagnostic_text import Style


class LineProgress:
    """One line an event.

    Args:
        graph: What is run.
        scrub: Masks secrets; None for those of *graph*.
    """

    def __init__(self, graph: RunGraph, scrub: Callable[[str], str] | None = None) -> None:
        self._graph = graph
        self._scrub = scrub or graph.scrubbed
        self._is_ready = False

    def take(self, event: Event) -> None:
        """Write *event*, if it says something new to people."""
        match event:
            case events.StackStarting():
                nodes = counted(len(self._graph), "node")
                generations = counted(len(self._graph.generations()), "generation")
                tell(f"starting {self._graph.name or self._graph.file}: {nodes} in {generations}")
            case events.StackReady():
                self._is_ready = True
            case events.ReloadStarted():
                tell("reloading: " + ("; ".join(event.steps) or "nothing is to be done"))
            case events.ReloadEnded():
                told = f"the new config {'does not run' if event.problem else 'runs'}"
                tell(f"{event.at:8.2f} s  {told}")
            case events.StackStopping():
                tell("stopping")
            case events.StackStopped():
                tell(f"{event.at:8.2f} s  stopped")
            case events.ResourceAdded() | events.ResourceRemoved() | events.ResourcesChanged() if (
                not self._is_ready
            ):
                pass  # The plan and the tables say what the providers serve from the start.
            case _:
                line = line_of(event, self._scrub, style_of(sys.stderr))
                if line is not None:
                    tell_styled(line)

    def close(self) -> None:
        """Leave the terminal as it was, whatever has happened."""


_WIDTH = 9
"""Columns of the longest word for what happened to a node."""
_LINE_BREAK = "\n" + " " * 12


def line_of(event: Event, scrub: Callable[[str], str], style: Style) -> str | None:
    """Return *event* as a line; None for one that says nothing new to people.

    *scrub* masks the secrets of the config in what providers wrote.
    """
    found = _described(event)
    if found is None:
        return None
    word, role, detail = found
    node = getattr(event, "address", getattr(event, "table", "what has started"))
    head = f"{event.at:8.2f} s  {style(f'{word:<{_WIDTH}}', role)}  {printable(str(node))}"
    detail = printable_lines(scrub(detail)).replace("\n", _LINE_BREAK)
    return f"{head}  {detail}" if detail else head


def _described(event: Event) -> tuple[str, str, str] | None:
    """Return what happened in a word, the word's role, and what there is to add."""
    match event:
        case events.NodeStarting():
            return "starting", "place", ""
        case events.NodeReady():
            return "ready", "help", f"{event.duration:.2f} s"
        case events.NodeFailed():
            return "failed", "error", describe(event.error)
        case events.NodeSkipped():
            return "skipped", "warning", why_skipped(event.root_causes)
        case events.NodeRestarting():
            pause = f"in {event.delay:.2g} s: " if event.delay else ""
            return "restart", "warning", f"{pause}{event.reason}"
        case events.NodeGivenUp():
            return "given up", "error", event.reason
        case events.NodeUpdated():
            if event.problem:
                return "not told", "warning", f"does not take its new config: {event.problem}"
            return "updated", "help", "was told its new config"
        case events.NodeDegraded():
            return "degraded", "warning", event.detail
        case events.NodeRecovered():
            return "recovered", "help", event.detail
        case events.NodeWorking():
            return "working", "place", event.detail
        case events.NodeHeldLoop():
            return "blocked", "warning", f"held the event loop for {event.seconds:.1f} s"
        case events.NodeTaskFailed():
            return "task failed", "warning", f"task {event.task!r}: {describe(event.error)}"
        case events.NodeBound():
            return "bound", "place", f"was handed {event.api}"
        case events.NodeNotBound():
            return "not bound", "warning", f"goes on without {event.api}: {event.reason}"
        case events.NodeStopping():
            return "stopping", "place", ""
        case events.NodeStopped():
            return "stopped", "help", f"{event.duration:.2f} s"
        case events.NodeStopFailed():
            return "failed", "error", f"while stopping: {describe(event.error)}"
        case events.NodeKilled():
            return "cut short", "error", describe(event.error)
        case events.RollbackStarted():
            return "stopping", "warning", ""
        case events.ResourceAdded():
            return "added", "note", _resource(event)
        case events.ResourceRemoved():
            return "removed", "warning", _resource(event)
        case events.ResourcesChanged():
            what = f"{event.added:,} came and {event.removed:,} went on {event.provider_id}"
            return "changed", "note", what
        case events.RefreshFailed():
            what = f"{event.provider_id} did not say what it serves: {describe(event.error)}"
            return "not asked", "warning", what
        case _:
            return None


def _resource(event: events.ResourceAdded | events.ResourceRemoved) -> str:
    return f"{event.identifier} on {event.provider_id} ({event.reason})"

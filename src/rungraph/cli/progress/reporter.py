"""What people see while a stack starts and stops: lines, or on a terminal a live picture."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Protocol

from rungraph.cli.output.event_lines import line_of
from rungraph.cli.terminal import counted, is_terminal, style_of, tell
from rungraph.engine.events import (
    ResourceAdded,
    ResourceRemoved,
    StackReady,
    StackStarting,
    StackStopped,
    StackStopping,
)

if TYPE_CHECKING:
    from rungraph.engine.events import Event
    from rungraph.graph import RunGraph


class Progress(Protocol):
    """Shows what happens to a stack."""

    def take(self, event: Event) -> None:
        """Show *event*."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was, whatever has happened."""
        ...


def progress_of(graph: RunGraph) -> Progress:
    """Return what shows the progress of *graph* on standard error."""
    if is_terminal(sys.stderr):
        from rungraph.cli.progress.live import LiveProgress

        return LiveProgress(graph)
    return LineProgress(graph)


class LineProgress:
    """One line an event.

    Args:
        graph: What is run.
    """

    def __init__(self, graph: RunGraph) -> None:
        self._graph = graph
        self._style = style_of(sys.stderr)
        self._is_ready = False

    def take(self, event: Event) -> None:
        """Write *event*, if it says something new to people."""
        match event:
            case StackStarting():
                tell(f"starting {self._graph.name or self._graph.file}: {size_of(self._graph)}")
            case StackReady():
                self._is_ready = True
            case StackStopping():
                tell("stopping")
            case StackStopped():
                tell(f"{event.at:8.2f} s  stopped")
            case ResourceAdded() | ResourceRemoved() if not self._is_ready:
                pass  # What the providers serve from the start: the plan and the tables tell.
            case _:
                line = line_of(event, self._graph.scrubbed, self._style)
                if line is not None:
                    tell(line)

    def close(self) -> None:
        """Do nothing: lines stay."""


def size_of(graph: RunGraph) -> str:
    """Return how large *graph* is, in words."""
    generations = len(graph.generations())
    return f"{counted(len(graph), 'node')} in {counted(generations, 'generation')}"

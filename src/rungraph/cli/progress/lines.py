"""What people see while a stack starts and stops: a line an event."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rungraph.cli.output.event_lines import line_of
from rungraph.cli.terminal import style_of, tell, tell_styled
from rungraph.engine import events
from rungraph.graph.wording import counted

if TYPE_CHECKING:
    from rungraph.engine.events import Event
    from rungraph.graph import RunGraph


class LineProgress:
    """One line an event.

    Args:
        graph: What is run.
    """

    def __init__(self, graph: RunGraph) -> None:
        self._graph = graph
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
            case events.StackStopping():
                tell("stopping")
            case events.StackStopped():
                tell(f"{event.at:8.2f} s  stopped")
            case events.ResourceAdded() | events.ResourceRemoved() if not self._is_ready:
                pass  # The plan and the tables say what the providers serve from the start.
            case _:
                line = line_of(event, self._graph.scrubbed, style_of(sys.stderr))
                if line is not None:
                    tell_styled(line)

    def close(self) -> None:
        """Leave the terminal as it was, whatever has happened."""

"""Progress on a terminal: a live picture while a stack starts or stops, lines in between."""

from __future__ import annotations

import sys
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from rungraph.cli.output.event_lines import line_of
from rungraph.cli.progress.generations import Generations
from rungraph.cli.progress.lines import LineProgress
from rungraph.cli.terminal import has_colour, style_of
from rungraph.engine import events

if TYPE_CHECKING:
    from rich.console import RenderableType

    from rungraph.engine.events import Event
    from rungraph.graph import RunGraph

# What is worth a line that stays when the picture has gone.
_KEPT = (
    events.NodeFailed,
    events.NodeKilled,
    events.NodeNotBound,
    events.NodeStopFailed,
    events.RefreshFailed,
    events.RollbackStarted,
)


class LiveProgress(LineProgress):
    """A picture of the nodes by generation, there while the stack starts and while it stops."""

    def __init__(self, graph: RunGraph) -> None:
        super().__init__(graph)
        self._console = Console(stderr=True, no_color=not has_colour(sys.stderr), highlight=False)
        self._generations = Generations(
            graph.name or graph.file,
            graph.generations(),
            is_ascii=self._console.options.ascii_only,
        )
        self._live: Live | None = None
        self._zero = 0.0

    def take(self, event: Event) -> None:
        """Show *event*."""
        self._generations.take(event)
        match event:
            case events.StackStarting():
                self._zero = monotonic() - event.at
                self._open("starting", event.at)
            case events.StackStopping() | events.RollbackStarted():
                self._open("stopping", event.at)
            case events.StackReady() | events.StackStopped():
                self.close()
            case _:
                pass
        if isinstance(event, events.StackStopped):
            self._console.print(f"{event.at:8.2f} s  stopped")
        elif self._live is None or isinstance(event, _KEPT):
            line = line_of(event, self._graph.scrubbed, style_of(sys.stderr))
            if line is not None:
                self._console.print(Text.from_ansi(line), soft_wrap=True)

    def close(self) -> None:
        """Take the picture away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _open(self, verb: str, since: float) -> None:
        self.close()
        self._generations.verb, self._generations.since = verb, since
        self._live = Live(
            console=self._console,
            get_renderable=self._drawn,
            refresh_per_second=10,
            transient=True,
        )
        self._live.start(refresh=True)

    def _drawn(self) -> RenderableType:
        # Called from the thread of the live picture as well; it only reads.
        lines = self._generations.lines(monotonic() - self._zero, self._console.height - 1)
        for line in lines:
            line.no_wrap, line.overflow = True, "ellipsis"
        return Group(*lines)

"""Progress on a terminal: a live picture while a stack starts or stops, lines in between."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from rungraph.cli.progress.lines import LineProgress, line_of
from rungraph.cli.terminal import has_colour, style_of
from rungraph.engine import events
from rungraph.engine.events import (
    NodeEvent,
    NodeReady,
    NodeStarting,
    NodeStopped,
    NodeStopping,
    State,
)
from rungraph.graph.wording import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import RenderableType

    from rungraph.engine.events import Event
    from rungraph.graph import Address, RunGraph

# What is worth a line that stays when the picture has gone.
_KEPT = (
    events.NodeFailed,
    events.NodeGivenUp,
    events.NodeKilled,
    events.NodeNotBound,
    events.NodeStopFailed,
    events.RefreshFailed,
    events.RollbackStarted,
)


class LiveProgress(LineProgress):
    """A picture of the nodes by generation, there while the stack starts and while it stops."""

    def __init__(self, graph: RunGraph, scrub: Callable[[str], str] | None = None) -> None:
        super().__init__(graph, scrub)
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
            line = line_of(event, self._scrub, style_of(sys.stderr))
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


_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_MARKS = {
    State.WAITING: ("·", "dim"),
    State.STARTING: ("*", "cyan"),
    State.READY: ("✓", "green"),
    State.DEGRADED: ("!", "yellow"),
    State.FAILED: ("✗", "bold red"),
    State.SKIPPED: ("-", "yellow"),
    State.STOPPING: ("*", "cyan"),
    State.STOPPED: ("✓", "dim"),
    State.STOP_FAILED: ("✗", "bold red"),
    State.KILLED: ("✗", "bold red"),
}
_ASCII = str.maketrans("✓✗·", "+x.")
_BUSY = frozenset({State.STARTING, State.STOPPING})
_QUIET = frozenset({State.WAITING, State.READY, State.STOPPED})
"""What a node can be doing that nobody has to look at when there is little room."""


@dataclass(slots=True)
class Generations:
    """What is shown of a stack, kept up to date by its events.

    Attributes:
        title: The name of what starts.
        generations: The nodes.
        is_ascii: Whether the terminal knows no other characters.
        verb: What the whole stack is doing.
        since: Since when, in seconds since the stack began to start.
    """

    title: str
    generations: Sequence[Sequence[Address]]
    is_ascii: bool = False
    verb: str = "starting"
    since: float = 0.0
    _states: dict[Address, State] = field(default_factory=dict["Address", State])
    _since: dict[Address, float] = field(default_factory=dict["Address", float])
    _took: dict[Address, float] = field(default_factory=dict["Address", float])

    def take(self, event: Event) -> None:
        """Change with *event*."""
        if not isinstance(event, NodeEvent):
            return
        if isinstance(event, NodeStarting | NodeStopping):
            self._since[event.address] = event.at
        elif isinstance(event, NodeReady | NodeStopped):
            self._took[event.address] = event.duration
        if event.state is not None:
            self._states[event.address] = event.state

    def lines(self, now: float, height: int) -> list[Text]:
        """Return the picture as at most *height* lines.

        Where there is no room for every node, generations are counted, and those nodes are shown
        that somebody has to look at.

        Args:
            now: Seconds since the stack began to start.
            height: How many lines there is room for.
        """
        goal = State.STOPPED if self.verb == "stopping" else State.READY
        states = [[self._state(node) for node in nodes] for nodes in self.generations]
        count = sum(row.count(goal) for row in states)
        total = sum(map(len, states))
        progress = f"  {count} {goal.value} of {total}, {now - self.since:.1f} s"
        head = Text.assemble((f"{self.verb} ", "bold"), self.title, (progress, "dim"))
        room = height - 1 - len(states)
        is_roomy = total <= room
        moving = sum(1 for row in states if len(set(row)) > 1 or not _QUIET.issuperset(row))
        lines = [head]
        for number, nodes in enumerate(self.generations):
            title = Text(f"generation {number}", "bold blue")
            shown = nodes
            if not is_roomy:
                counts = Counter(state.value for state in states[number]).items()
                title.append("  " + ", ".join(f"{n} {word}" for word, n in counts), "dim")
                shown = [node for node in nodes if self._state(node) not in _QUIET]
                shown = shown[: max(room, 0) // max(moving, 1)]
            lines += [title, *(self._row(node, now) for node in shown)]
        return lines[:height]

    def _state(self, address: Address) -> State:
        return self._states.get(address, State.WAITING)

    def _row(self, address: Address, now: float) -> Text:
        state = self._state(address)
        mark, style = _MARKS[state]
        seconds = self._took.get(address)
        if state in _BUSY:
            seconds = now - self._since.get(address, now)
            mark = mark if self.is_ascii else _FRAMES[int(now * 10) % len(_FRAMES)]
        width = max(len(str(node)) for nodes in self.generations for node in nodes)
        return Text.assemble(
            "  ",
            (mark.translate(_ASCII) if self.is_ascii else mark, style),
            f" {printable(str(address)):<{width}}",
            (f"  {state.value:<9}", style),
            "" if seconds is None or state is State.WAITING else (f"{seconds:7.2f} s", "dim"),
        )

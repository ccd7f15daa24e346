"""The nodes of a stack by generation, with what each is doing; as lines of text for a terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.text import Text

from rungraph.engine.events import (
    NodeEvent,
    NodeReady,
    NodeStarting,
    NodeStopped,
    NodeStopping,
    State,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.engine.events import Event
    from rungraph.graph import Address

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
_PLAIN = {"✓": "+", "✗": "x", "·": "."}
_BUSY = frozenset({State.STARTING, State.STOPPING})
_IDLE = frozenset({State.WAITING, State.READY, State.STOPPED})
"""What a node can be doing that nobody has to look at when there is little room."""


@dataclass(slots=True)
class Picture:
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

        Args:
            now: Seconds since the stack began to start.
            height: How many lines there is room for.
        """
        counted = State.STOPPED if self.verb == "stopping" else State.READY
        done = sum(1 for state in tuple(self._states.values()) if state is counted)
        total = sum(map(len, self.generations))
        head = Text.assemble(
            (f"{self.verb} ", "bold"),
            self.title,
            (f"  {done} {counted.value} of {total}, {now - self.since:.1f} s", "dim"),
        )
        room = height - 1
        if total + len(self.generations) <= room:
            blocks = [self._block(number, now, None) for number in range(len(self.generations))]
        else:
            busy = [n for n in range(len(self.generations)) if not self._is_idle(n)]
            left = max(room - len(self.generations), 0) // max(len(busy), 1)
            blocks = [
                self._block(number, now, left if number in busy else 0)
                for number in range(len(self.generations))
            ]
        return [head, *(line for block in blocks for line in block)][:height]

    def _is_idle(self, number: int) -> bool:
        found = {self._states.get(address) for address in self.generations[number]}
        return len(found) == 1 and found <= _IDLE

    def _block(self, number: int, now: float, room: int | None) -> list[Text]:
        """Return a generation, with at most *room* lines below its first."""
        nodes = self.generations[number]
        head = Text(f"generation {number}", "bold blue")
        if room is None:
            return [head, *(self._row(address, now) for address in nodes)]
        counts: dict[str, int] = {}
        for address in nodes:
            word = self._states.get(address, State.WAITING).value
            counts[word] = counts.get(word, 0) + 1
        head.append("  " + ", ".join(f"{n} {word}" for word, n in counts.items()), "dim")
        shown = [a for a in nodes if self._states.get(a) not in _IDLE][:room]
        return [head, *(self._row(address, now) for address in shown)]

    def _row(self, address: Address, now: float) -> Text:
        state = self._states.get(address, State.WAITING)
        mark, style = _MARKS[state]
        if state in _BUSY and not self.is_ascii:
            mark = _FRAMES[int(now * 10) % len(_FRAMES)]
        seconds = self._took.get(address)
        if state in _BUSY:
            seconds = now - self._since.get(address, now)
        return Text.assemble(
            "  ",
            (_PLAIN.get(mark, mark) if self.is_ascii else mark, style),
            " ",
            f"{address!s:<{self._width}}",
            (f"  {state.value:<9}", style),
            "" if seconds is None or state is State.WAITING else (f"{seconds:7.2f} s", "dim"),
        )

    @property
    def _width(self) -> int:
        return max((len(str(a)) for nodes in self.generations for a in nodes), default=0)

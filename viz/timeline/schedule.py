"""What is shown of a start: when each node began, what it waited for, how it ended."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rungraph.graph.timing import StartTimes
from rungraph.graph.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.address import Address

NOT_UP = frozenset({"failed", "skipped"})
"""The states of nodes that did not start."""


@dataclass(frozen=True, slots=True)
class Span(StartTimes):
    """The start of one node; times are seconds since the stack began to start.

    Attributes:
        address: The node.
        generation: Its topological generation, counted from 0.
        family: The API whose colour it takes.
        state: How its start went: ``ready``, ``failed``, ``skipped`` …
        available: When the last of what it needs was ready or out of the way.
        starting: When its own start began; None if it never did.
        settled: When that was over, one way or the other; None if it never was.
        slack: By how many seconds it could have been ready later with the same total; None if
            it never was ready.
        detail: Why it failed, or because of what it was skipped.
    """

    address: Address
    generation: int
    family: str
    state: str
    available: float = 0.0
    starting: float | None = None
    settled: float | None = None
    slack: float | None = None
    detail: str = ""

    @property
    def is_up(self) -> bool:
        """Whether it has started."""
        return self.starting is not None and self.settled is not None and self.state not in NOT_UP


@dataclass(frozen=True, slots=True)
class Schedule:
    """A start as it was.

    Attributes:
        title: The name of what started.
        spans: The nodes in start order.
        total: Seconds until all nodes were ready or out of the way.
        critical_path: The chain of nodes, each needing the one before it, whose own starts take
            longest together: no schedule can be faster.
        critical_time: Seconds that those take together.
    """

    title: str
    spans: tuple[Span, ...]
    total: float
    critical_path: tuple[Address, ...] = ()
    critical_time: float = 0.0

    @property
    def generations(self) -> Mapping[int, tuple[Span, ...]]:
        """The nodes by generation."""
        found: dict[int, list[Span]] = {}
        for span in self.spans:
            found.setdefault(span.generation, []).append(span)
        return {number: tuple(found[number]) for number in sorted(found)}

    def shown(self, most: int) -> tuple[Mapping[int, tuple[Span, ...]], tuple[str, ...]]:
        """Return the nodes to show, by generation, and what is said of it all, in lines.

        Of more than *most* nodes those of the critical path are shown, those that did not start,
        and the slowest of the others.
        """
        ranked = sorted(
            self.spans,
            key=lambda span: (
                span.address not in self.critical_path,
                span.state not in NOT_UP,
                -span.own,
                span.address,
            ),
        )
        kept = {span.address for span in ranked[: max(most, len(self.critical_path))]}
        rows = {
            number: tuple(span for span in spans if span.address in kept)
            for number, spans in self.generations.items()
        }
        left = len(self.spans) - len(kept)
        more = [f"{left:,} nodes that started faster are not drawn"] if left else []
        return {number: rows[number] for number in rows if rows[number]}, (*self.captions, *more)

    @property
    def own(self) -> float:
        """Seconds that all own starts take one after the other."""
        return sum(span.own for span in self.spans)

    @property
    def most_at_once(self) -> int:
        """How many nodes were starting at the same time, at most."""
        moments: list[tuple[float, int]] = []
        for span in self.spans:
            if span.own and span.starting is not None and span.settled is not None:
                moments += [(span.starting, 1), (span.settled, -1)]
        most = now = 0
        for _, change in sorted(moments):  # An end comes before a beginning at the same time.
            now += change
            most = max(most, now)
        return most

    @property
    def efficiency(self) -> float | None:
        """How much of the places among the starting was used; None when nothing took any time.

        The parallel efficiency T1 / (p Tp) of Eager, Zahorjan and Lazowska (1989): T1 is what all
        own starts take one after the other, Tp the total, p how many nodes were starting at the
        same time at most. 1 means that so many were starting all the time.
        """
        places = self.most_at_once * self.total
        return min(self.own / places, 1.0) if places else None

    @property
    def captions(self) -> tuple[str, ...]:
        """What is said of it as a whole, in lines."""
        return tuple(self._captions())

    def _captions(self) -> Iterator[str]:
        counts = {word: sum(span.state == word for span in self.spans) for word in sorted(NOT_UP)}
        bad = [f"{count:,} {word}" for word, count in counts.items() if count]
        size = (
            f"{counted(len(self.spans), 'node')} in {counted(len(self.generations), 'generation')}"
        )
        yield f"{size}, {duration(self.total)}" + (f": {', '.join(bad)}" if bad else "")
        if self.critical_path and self.total:
            share = f"{self.critical_time / self.total:.0%}"
            path = counted(len(self.critical_path), "node")
            yield f"critical path: {path}, {duration(self.critical_time)} ({share} of the total)"
        if self.efficiency is not None:
            yield (
                f"parallel efficiency {self.efficiency:.0%}: own starts of {duration(self.own)} in "
                f"{duration(self.total)}, at most {self.most_at_once:,} at once"
            )


def ticks_of(total: float, most: int) -> tuple[tuple[float, str], ...]:
    """Return at most *most* round times from 0 to *total*, each with its label.

    Examples:
        >>> [text for _, text in ticks_of(0.72, 5)]
        ['0', '200 ms', '400 ms', '600 ms']
        >>> [text for _, text in ticks_of(2.4, 4)]
        ['0', '1 s', '2 s']
    """
    if total <= 0:
        return ((0.0, "0"),)
    rough = total / max(most, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999999)
    count = int(total / step * 1.000001)
    unit, scale = ("s", 1.0) if total >= 1 else ("ms", 1000.0)
    labels = [
        f"{number * step * scale:.6g} {unit}" if number else "0" for number in range(count + 1)
    ]
    return tuple((number * step, label) for number, label in enumerate(labels))

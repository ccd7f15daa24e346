"""Lanes drawn with characters: what stands to the left of each row of a text picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.graph.diagnostic_text import Style
    from rungraph.viz.formats.lanes import Lane


class Alphabet(NamedTuple):
    """The characters that lanes are drawn with.

    Attributes:
        joints: By whether lines lead up, down and left; all joints lead right.
        vertical: A lane that passes; for one that is only used if there, and for one that is
            needed. A lane that is crossed interrupts what crosses it.
        horizontal: The same for a line to the right.
        head: The same for its end.
    """

    joints: Mapping[tuple[bool, bool, bool], str]
    vertical: tuple[str, str]
    horizontal: tuple[str, str]
    head: tuple[str, str]


_UP_DOWN_LEFT = (
    *((False, True, False), (True, False, False), (True, True, False)),
    *((False, True, True), (True, False, True), (True, True, True)),
)
BOX_DRAWING = Alphabet(
    dict(zip(_UP_DOWN_LEFT, "╭╰├┬┴┼", strict=True)), ("┊", "│"), ("╌", "─"), ("▷", "▶")
)
PLAIN_STROKES = Alphabet(
    dict(zip(_UP_DOWN_LEFT, ".'++++", strict=True)), (":", "|"), ("~", "-"), (">", ">")
)


@dataclass(frozen=True, slots=True)
class Strokes:
    """Draws lanes.

    Attributes:
        lanes: What is drawn.
        tones: The colour of each.
        alphabet: With what.
        style: Colours text.
    """

    lanes: Sequence[Lane]
    tones: Sequence[str]
    alphabet: Alphabet
    style: Style

    @property
    def width(self) -> int:
        """How many cells a row takes."""
        columns = max((lane.column for lane in self.lanes), default=-1) + 1
        return 2 * columns + 2 if columns else 0

    def between(self, row: int) -> str:
        """Return what is drawn above *row*, below the one before it."""
        cells = [" "] * self.width
        for lane, tone in zip(self.lanes, self.tones, strict=True):
            if lane.first < row <= lane.last:
                cells[2 * lane.column] = self.style(self._vertical(lane), tone)
        return "".join(cells)

    def at(self, row: int) -> str:
        """Return what is drawn beside *row*."""
        cells = [" "] * self.width
        tone, is_firm, begun = "", True, False
        met = {lane.column: number for number, lane in enumerate(self.lanes) if _meets(lane, row)}
        passing = {
            lane.column: number
            for number, lane in enumerate(self.lanes)
            if lane.first < row < lane.last and lane.column not in met
        }
        for column in range(self.width // 2):
            at = 2 * column
            number = met.get(column)
            if number is not None:
                lane = self.lanes[number]
                joint = (lane.first < row, row < lane.last, begun)
                tone, is_firm = self.tones[number], _is_firm(lane, row)
                cells[at] = self.style(self.alphabet.joints[joint], tone)
                begun = True
            elif column in passing:
                lane = self.lanes[passing[column]]
                cells[at] = self.style(self._vertical(lane), self.tones[passing[column]])
            elif begun:
                cells[at] = self.style(self.alphabet.horizontal[is_firm], tone)
            if begun:
                cells[at + 1] = self.style(self.alphabet.horizontal[is_firm], tone)
        arriving = [self.lanes[one] for one in met.values() if row in self.lanes[one].targets]
        if arriving:
            is_needed = any(_is_firm(lane, row) for lane in arriving)
            cells[-1] = self.style(self.alphabet.head[is_needed], tone)
        return "".join(cells)

    def _vertical(self, lane: Lane) -> str:
        is_firm = any(arrow.strength is not Strength.SOFT for arrow in lane.targets.values())
        return self.alphabet.vertical[is_firm]


def _meets(lane: Lane, row: int) -> bool:
    return row in lane.targets or row in lane.sources


def _is_firm(lane: Lane, row: int) -> bool:
    """Whether the line between *lane* and *row* is about something needed."""
    if row in lane.targets:
        return lane.targets[row].strength is not Strength.SOFT
    return any(arrow.strength is not Strength.SOFT for arrow in lane.targets.values())

"""Lanes drawn with characters: what stands to the left of each row of a text picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rungraph.viz.formats.lanes import Lane
    from rungraph.viz.formats.terminal import Terminal
    from rungraph.viz.model.elements import Arrow

_JOINTS = {
    (False, True, False): "╭",
    (True, False, False): "╰",
    (True, True, False): "├",
    (False, True, True): "┬",
    (True, False, True): "┴",
    (True, True, True): "┼",
}
"""By whether lines lead up, down and left; all joints lead right."""
_VERTICAL, _HORIZONTAL, _HEAD = "┊│", "╌─", "▷▶"
"""A line about something that is used if it is there, and one about something that is needed."""


@dataclass(frozen=True, slots=True)
class Strokes:
    """Draws lanes. A lane that is crossed interrupts what crosses it.

    Attributes:
        lanes: What is drawn.
        tones: The colour of each.
        terminal: For what.
    """

    lanes: Sequence[Lane]
    tones: Sequence[str]
    terminal: Terminal

    @property
    def width(self) -> int:
        """How many characters a row takes."""
        return 2 * max((lane.column for lane in self.lanes), default=-2) + 4

    def between(self, row: int) -> str:
        """Return what is drawn above *row*, below the one before it."""
        chars = [" "] * self.width
        for lane, tone in zip(self.lanes, self.tones, strict=True):
            if lane.first < row <= lane.last:
                chars[2 * lane.column] = self._passing(lane, tone)
        return "".join(chars)

    def at(self, row: int) -> str:
        """Return what is drawn beside *row*."""
        chars = [" "] * self.width
        here = {
            lane.column: (lane, tone)
            for lane, tone in zip(self.lanes, self.tones, strict=True)
            if lane.first <= row <= lane.last
        }
        line = last_tone = ""
        for column in range(self.width // 2):
            at = 2 * column
            lane, tone = here.get(column, (None, ""))
            if lane and (row in lane.targets or row in lane.sources):
                joint = _JOINTS[lane.first < row, row < lane.last, bool(line)]
                arrows = [lane.targets[row]] if row in lane.targets else lane.targets.values()
                chars[at] = self._drawn(joint, tone)
                line, last_tone = self._drawn(_HORIZONTAL[is_any_needed(arrows)], tone), tone
            elif lane:
                chars[at] = self._passing(lane, tone)
            else:
                chars[at] = line or " "
            chars[at + 1] = line or " "
        arriving = [lane.targets[row] for lane, _ in here.values() if row in lane.targets]
        if arriving:
            chars[-1] = self._drawn(_HEAD[is_any_needed(arriving)], last_tone)
        return "".join(chars)

    def _drawn(self, char: str, tone: str) -> str:
        return self.terminal.style(self.terminal.spelled(char), tone)

    def _passing(self, lane: Lane, tone: str) -> str:
        return self._drawn(_VERTICAL[is_any_needed(lane.targets.values())], tone)


def is_any_needed(arrows: Iterable[Arrow]) -> bool:
    """Whether one of *arrows* is about something needed, rather than used if it is there."""
    return any(arrow.strength is not Strength.SOFT for arrow in arrows)

"""How large each box of a picture is, for the text that is written in it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from rungraph.viz.formats.theme import SYMBOLS
from rungraph.viz.layout.layered import Size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rungraph.graph.address import Address
    from rungraph.viz.layout.fonts import Font
    from rungraph.viz.layout.layered import Direction
    from rungraph.viz.model.elements import Box, Diagram

PADDING = Size(10.0, 7.0)
LEADING = 1.32
BADGE_PADDING = 4.0
_NARROWEST_BOX = 52.0
_PROBLEMS_SHOWN = 2
_ARROW_PITCH = 2.6
"""How far apart arrows meet a box at least, so that a table of hundreds is no brush."""

Sort = Literal["title", "detail", "mark", "problems"]


class Line(NamedTuple):
    """One line of a box's text, and what sort of line it is."""

    text: str
    sort: Sort


def lines_of(box: Box) -> tuple[Line, ...]:
    """Return what is written in *box*, from top to bottom."""
    lines = [Line(text, "title") for text in box.title]
    lines += [Line(text, "detail") for text in box.details]
    if box.hidden.dependencies or box.hidden.dependents:
        parts = (("needs", box.hidden.dependencies), ("needed by", box.hidden.dependents))
        shown = ", ".join(f"{word} {number:,}" for word, number in parts if number)
        lines.append(Line(f"not drawn: {shown}", "detail"))
    if box.mark:
        text = f"{SYMBOLS[box.mark.role]} {box.mark.text}".strip()
        lines += [Line(text, "mark")] if text else []
    if box.problems:
        shown = ", ".join(box.problems[:_PROBLEMS_SHOWN])
        more = len(box.problems) - _PROBLEMS_SHOWN
        lines.append(Line(f"{shown}, +{more}" if more > 0 else shown, "problems"))
    return tuple(lines)


def sizes_of(
    diagram: Diagram,
    fonts: Mapping[Sort, Font],
    text_width: Callable[[str, Font], float],
    direction: Direction = "LR",
) -> dict[Address, Size]:
    """Return how large the box of each key is: for its text, and for the arrows at its sides."""
    arriving = Counter(arrow.dependent for arrow in diagram.arrows)
    leaving = Counter(arrow.dependency for arrow in diagram.arrows)
    sizes: dict[Address, Size] = {}
    for key, box in diagram.boxes.items():
        width, height = _size_of(lines_of(box), fonts, text_width)
        side = max(arriving[key], leaving[key]) * _ARROW_PITCH + 2 * PADDING.height
        sizes[key] = (
            Size(width, max(height, side)) if direction == "LR" else Size(max(width, side), height)
        )
    return sizes


def _size_of(
    lines: tuple[Line, ...], fonts: Mapping[Sort, Font], text_width: Callable[[str, Font], float]
) -> Size:
    widest = max((text_width(line.text, fonts[line.sort]) for line in lines), default=0.0)
    height = sum(fonts[line.sort].size * LEADING for line in lines)
    return Size(
        max(_NARROWEST_BOX, widest) + 2 * PADDING.width,
        height + 2 * PADDING.height,
    )

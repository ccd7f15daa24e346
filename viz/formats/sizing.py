"""How large each box of a picture is, for the text that is written in it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from rungraph.viz.layout.fonts import Font, text_width
from rungraph.viz.layout.geometry import Size
from rungraph.viz.layout.layered import lay_out
from rungraph.viz.model.theme import LOOKS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.address import Address
    from rungraph.viz.layout.geometry import Direction
    from rungraph.viz.layout.layered import Layout
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
        text = f"{LOOKS[box.mark.role].symbol} {box.mark.text}".strip()
        lines += [Line(text, "mark")] if text else []
    if box.problems:
        shown = ", ".join(box.problems[:_PROBLEMS_SHOWN])
        more = len(box.problems) - _PROBLEMS_SHOWN
        lines.append(Line(f"{shown}, +{more}" if more > 0 else shown, "problems"))
    return tuple(lines)


def laid_out(diagram: Diagram, fonts: Mapping[Sort, Font], direction: Direction) -> Layout[Address]:
    """Return where boxes and lines go, each box as large as its text and its arrows need."""
    arriving = Counter(arrow.dependent for arrow in diagram.arrows)
    leaving = Counter(arrow.dependency for arrow in diagram.arrows)
    sizes: dict[Address, Size] = {}
    for key, box in diagram.boxes.items():
        lines = lines_of(box)
        widest = max((text_width(line.text, fonts[line.sort]) for line in lines), default=0.0)
        width = max(_NARROWEST_BOX, widest) + 2 * PADDING.width
        height = sum(fonts[line.sort].size * LEADING for line in lines) + 2 * PADDING.height
        side = max(arriving[key], leaving[key]) * _ARROW_PITCH + 2 * PADDING.height
        if direction == "LR":
            sizes[key] = Size(width, max(height, side))
        else:
            sizes[key] = Size(max(width, side), height)
    return lay_out(
        [column.boxes for column in diagram.columns],
        sizes,
        [arrow[:2] for arrow in diagram.arrows],
        direction=direction,
    )

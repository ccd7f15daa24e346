"""The views that a page can switch between, each laid out beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.viz.diagram import Box, Diagram, diagram_of
from rungraph.viz.layout import Layout, Point, Size, lay_out
from rungraph.viz.pen import Font, settings, text_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph

HEADING, DETAIL = Font(13.0, "", "bold"), Font(11.0, "")
LEADING = 1.32
_PADDING = Size(13.0, 10.0)
_NARROWEST = 96.0
_LABELS = {"collapsed": "APIs", "factored": "Factored", "full": "Full"}


class View(NamedTuple):
    """One way to draw the graph.

    Attributes:
        name: ``collapsed``, ``factored`` or ``full``.
        label: What its switch is called.
        diagram: What is drawn.
        layout: Where it goes, in pixels.
    """

    name: str
    label: str
    diagram: Diagram
    layout: Layout[Address]


def views_of(graph: RunGraph) -> tuple[View, ...]:
    """Return the views of *graph* that differ, from few boxes to many."""
    found = {
        "factored": diagram_of(graph, view="factored", reduced=False),
        "full": diagram_of(graph, view="full", reduced=False),
    }
    if found["factored"].boxes.keys() == found["full"].boxes.keys():
        del found["factored"]
    widths: dict[tuple[str, bool], float] = {}
    with settings():
        return tuple(
            View(name, _LABELS[name], diagram, _laid_out(diagram, widths))
            for name, diagram in found.items()
        )


def _laid_out(diagram: Diagram, widths: dict[tuple[str, bool], float]) -> Layout[Address]:
    return lay_out(
        [column.boxes for column in diagram.columns],
        {key: _size_of(box, widths) for key, box in diagram.boxes.items()},
        [(arrow.dependency, arrow.dependent) for arrow in diagram.arrows],
    )


def _size_of(box: Box, widths: dict[tuple[str, bool], float]) -> Size:
    widest = _NARROWEST
    for lines, font in ((box.title, HEADING), (box.details, DETAIL)):
        for line in lines:
            key = (line, font is HEADING)
            if key not in widths:
                widths[key] = text_width(line, font)
            widest = max(widest, widths[key])
    height = (len(box.title) * HEADING.size + len(box.details) * DETAIL.size) * LEADING
    return Size(widest + 2 * _PADDING.width, height + 2 * _PADDING.height)


def view_json(
    view: View,
    number_of: Mapping[Address, int],
    families: Sequence[str],
    strengths: Sequence[str],
) -> dict[str, Any]:
    """Return *view* as the page's script reads it: numbers for nodes, boxes, APIs and strengths."""
    diagram, layout = view.diagram, view.layout
    index_of = {key: index for index, key in enumerate(diagram.boxes)}
    return {
        "name": view.name,
        "label": view.label,
        "caption": diagram.subtitle,
        "size": [round(value) for value in layout.size],
        "columns": [
            [column.generation, round(left), round(right)]
            for column, (left, right) in zip(diagram.columns, layout.columns, strict=True)
        ],
        "boxes": [
            [
                *map(round, layout.boxes[key]),
                families.index(box.family),
                [number_of[address] for address in box.addresses],
                box.title,
                box.details,
                int(box.is_in_cycle),
            ]
            for key, box in diagram.boxes.items()
        ],
        "arrows": [
            [
                index_of[arrow.dependency],
                index_of[arrow.dependent],
                strengths.index(arrow.strength.value),
                int(arrow.is_dropped),
                int(arrow.is_in_cycle),
                _numbers(line),
            ]
            for arrow, line in zip(diagram.arrows, layout.lines, strict=True)
        ],
    }


def _numbers(line: Sequence[Point]) -> list[int]:
    """Return the points of *line* one after the other, without those on the way along a level."""
    points = [(round(point.x), round(point.y)) for point in line]
    kept = [
        point
        for before, point, after in zip([None, *points], points, [*points[1:], None], strict=False)
        if before is None or after is None or not before[1] == point[1] == after[1]
    ]
    return [value for point in kept for value in point]

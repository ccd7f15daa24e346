"""The views that a page can switch between, each laid out beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.viz.formats.sizing import Sort, laid_out, lines_of
from rungraph.viz.layout.fonts import Font
from rungraph.viz.model.diagram import diagram_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.viz.layout.geometry import Direction, Point
    from rungraph.viz.layout.layered import Layout
    from rungraph.viz.model.diagram import DiagramOptions
    from rungraph.viz.model.elements import Arrow, Box, Diagram, View

LABELS: Mapping[View, str] = {"collapsed": "APIs", "factored": "Factored", "full": "Full"}
"""What the switch of each view is called, from few boxes to many."""
_FONTS: Mapping[Sort, Font] = {
    "title": Font(13.0, "", "bold"),
    "detail": Font(11.0, ""),
    "mark": Font(11.0, "", "bold"),
    "problems": Font(10.0, "", "bold"),
}
"""Sizes in pixels; the page's style and script have the same."""


class LaidOut(NamedTuple):
    """One view of the graph.

    Attributes:
        diagram: What is drawn.
        layout: Where it goes, in pixels.
    """

    diagram: Diagram
    layout: Layout[Address]


def views_of(
    graph: RunGraph, options: DiagramOptions, direction: Direction
) -> tuple[tuple[LaidOut, ...], LaidOut]:
    """Return the views of *graph* that differ, from few boxes to many, and the one shown first."""
    if (select := options.get("select")) is not None:
        options = {**options, "select": tuple(select)}
    first = diagram_of(graph, **options)
    found: list[Diagram] = []
    for view in LABELS:
        other: DiagramOptions = {**options, "view": view}
        found.append(first if view == first.view else diagram_of(graph, **other))
    views = [
        LaidOut(one, laid_out(one, _FONTS, direction))
        for index, one in enumerate(found)
        if one is first or all(len(one.boxes) != len(other.boxes) for other in found[index + 1 :])
    ]
    return tuple(views), next(one for one in views if one.diagram is first)


def view_json(
    view: LaidOut,
    number_of: Mapping[Address, int],
    families: Sequence[str],
    strengths: Sequence[str],
) -> dict[str, Any]:
    """Return a view as the page's script reads it: numbers for nodes, boxes, APIs and strengths."""
    diagram, layout = view
    index_of = {key: index for index, key in enumerate(diagram.boxes)}
    return {
        "name": diagram.view,
        "caption": [diagram.subtitle, *diagram.notes],
        "direction": layout.direction,
        "size": [round(value) for value in layout.size],
        "columns": [
            [column.heading, round(left), round(right)]
            for column, (left, right) in zip(diagram.columns, layout.columns, strict=True)
        ],
        "boxes": [
            [
                *map(round, layout.boxes[key]),
                families.index(box.family),
                [number_of[address] for address in box.addresses],
                [f"{line.sort[0]}{line.text}" for line in lines_of(box)],
                _box_traits(box),
            ]
            for key, box in diagram.boxes.items()
        ],
        "arrows": [
            [
                index_of[arrow.dependency],
                index_of[arrow.dependent],
                strengths.index(arrow.strength.value),
                _numbers(line),
                _arrow_traits(arrow),
            ]
            for arrow, line in zip(diagram.arrows, layout.lines, strict=True)
        ],
        "meanings": {role.value: meaning for role, meaning in diagram.meanings.items()},
    }


def _box_traits(box: Box) -> dict[str, Any]:
    return _present(
        cycle=box.is_in_cycle,
        pale=box.is_pale,
        ghost=box.is_ghost,
        selected=box.is_selected,
        severity=box.severity and box.severity.value,
        mark=box.mark and [box.mark.role.value, box.mark.text],
    )


def _arrow_traits(arrow: Arrow) -> dict[str, Any]:
    return _present(
        dropped=arrow.is_dropped,
        cycle=arrow.is_in_cycle,
        pale=arrow.is_pale,
        ghost=arrow.is_ghost,
        mark=arrow.mark and arrow.mark.role.value,
    )


def _present(**traits: Any) -> dict[str, Any]:
    return {name: value for name, value in traits.items() if value}


def _numbers(line: Sequence[Point]) -> list[int]:
    """Return the points of *line* one after the other, without those half-way along a straight."""
    points = [(round(point.x), round(point.y)) for point in line]
    kept = points[:1]
    for here, after in zip(points[1:], [*points[2:], None], strict=True):
        before = kept[-1]
        is_on_the_way = after is not None and any(
            before[axis] == here[axis] == after[axis] for axis in (0, 1)
        )
        if not is_on_the_way:
            kept.append(here)
    return [value for point in kept for value in point]

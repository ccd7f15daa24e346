"""The views that a page can switch between, each laid out beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.viz.formats.sizing import lines_of, sizes_of
from rungraph.viz.layout.layered import Layout, Point, lay_out
from rungraph.viz.model.diagram import diagram_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.viz.formats.sizing import Sort
    from rungraph.viz.layout.layered import Direction
    from rungraph.viz.model.elements import Arrow, Box, Diagram, View
    from rungraph.viz.model.overlay import Overlay

LABELS: Mapping[View, str] = {"collapsed": "APIs", "factored": "Factored", "full": "Full"}
"""What the switch of each view is called, from few boxes to many."""
_SIZES: Mapping[Sort, float] = {"title": 13.0, "detail": 11.0, "mark": 11.0, "problems": 10.0}
"""In pixels; the page's style and script have the same."""


class Laid(NamedTuple):
    """One view of the graph.

    Attributes:
        diagram: What is drawn.
        layout: Where it goes, in pixels.
    """

    diagram: Diagram
    layout: Layout[Address]


class Picked(NamedTuple):
    """What of a graph is drawn, and how: as `rungraph.viz.model.diagram.diagram_of` takes it."""

    view: View = "auto"
    reduced: bool | None = None
    select: Iterable[Address] | None = None
    depth: int | None = None
    overlay: Overlay | None = None
    direction: Direction = "LR"
    late: bool = False


def views_of(graph: RunGraph, picked: Picked) -> tuple[tuple[Laid, ...], str]:
    """Return the views of *graph* that differ, from few boxes to many, and which comes first."""
    select = None if picked.select is None else tuple(picked.select)

    def drawn(view: View) -> Diagram:
        return diagram_of(
            graph,
            view=view,
            reduced=picked.reduced,
            select=select,
            depth=picked.depth,
            overlay=picked.overlay,
            late=picked.late,
        )

    first = drawn(picked.view)
    found = [first if view == first.view else drawn(view) for view in LABELS]
    kept = [
        one
        for index, one in enumerate(found)
        if one is first or all(len(one.boxes) != len(other.boxes) for other in found[index + 1 :])
    ]
    return tuple(Laid(one, _laid_out(one, picked.direction)) for one in kept), first.view


def _laid_out(diagram: Diagram, direction: Direction) -> Layout[Address]:
    from rungraph.viz.layout.fonts import Font, text_width

    small = Font(_SIZES["detail"], "")
    fonts: dict[Sort, Font] = {
        "title": Font(_SIZES["title"], "", "bold"),
        "detail": small,
        "mark": Font(_SIZES["mark"], "", "bold"),
        "problems": Font(_SIZES["problems"], "", "bold"),
    }
    return lay_out(
        [column.boxes for column in diagram.columns],
        sizes_of(diagram, fonts, text_width),
        [(arrow.dependency, arrow.dependent) for arrow in diagram.arrows],
        direction=direction,
    )


def view_json(
    laid: Laid,
    number_of: Mapping[Address, int],
    families: Sequence[str],
    strengths: Sequence[str],
) -> dict[str, Any]:
    """Return a view as the page's script reads it: numbers for nodes, boxes, APIs and strengths."""
    diagram, layout = laid
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
        "words": {role.value: word for role, word in diagram.words.items()},
    }


def _box_traits(box: Box) -> dict[str, Any]:
    traits: dict[str, Any] = {
        "cycle": box.is_in_cycle,
        "pale": box.is_pale,
        "ghost": box.is_ghost,
        "selected": box.is_selected,
        "severity": box.severity.value if box.severity else "",
        "mark": [box.mark.role.value, box.mark.text] if box.mark else None,
    }
    return {name: value for name, value in traits.items() if value}


def _arrow_traits(arrow: Arrow) -> dict[str, Any]:
    traits: dict[str, Any] = {
        "dropped": arrow.is_dropped,
        "cycle": arrow.is_in_cycle,
        "pale": arrow.is_pale,
        "ghost": arrow.is_ghost,
        "mark": arrow.mark.role.value if arrow.mark else "",
    }
    return {name: value for name, value in traits.items() if value}


def _numbers(line: Sequence[Point]) -> list[int]:
    """Return the points of *line* one after the other, without those half-way along a straight."""
    points = [(round(point.x), round(point.y)) for point in line]
    kept = points[:1]
    for index in range(1, len(points)):
        after = points[index + 1] if index + 1 < len(points) else None
        here, before = points[index], kept[-1]
        is_on_the_way = after is not None and (
            before[1] == here[1] == after[1] or before[0] == here[0] == after[0]
        )
        if not is_on_the_way:
            kept.append(here)
    return [value for point in kept for value in point]

"""The lines of a layered drawing, its boxes and lanes being placed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from rungraph.viz.layout.geometry import Point

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from rungraph.viz.layout.geometry import Rect
    from rungraph.viz.layout.layered_graph import LayeredGraph

    K = TypeVar("K", bound=Hashable)

_PORT_GAP = 9.0
_CORNER = 6.0
"""How far the outermost line stays from a corner."""


def lines_of(
    graph: LayeredGraph[K],
    boxes: Mapping[K, Rect],
    middles: Sequence[float],
    extents: Sequence[tuple[float, float]],
) -> tuple[tuple[Point, ...], ...]:
    """Return the points of each edge's line, from a side of its first box to one of its second.

    Args:
        graph: What is drawn.
        boxes: The place of each box.
        middles: The y of each vertex.
        extents: The left and the right of each column.
    """
    ports = _ports(graph, boxes, middles)
    lines: list[tuple[Point, ...]] = []
    for index, (a, b) in enumerate(graph.edges):
        first, last = graph.column_of[a], graph.column_of[b]
        is_rightward = first <= last
        step = 1 if is_rightward else -1
        near, far = (0, 1) if is_rightward else (1, 0)
        points = [Point(boxes[a].right if is_rightward else boxes[a].x, ports[index, 0])]
        points.append(Point(extents[first][far], ports[index, 0]))
        columns = range(first + step, last, step)
        for column, lane in zip(columns, graph.chains[index][1:-1], strict=True):
            points += [Point(extents[column][side], middles[lane]) for side in (near, far)]
        arrives_left = first < last
        points.append(Point(extents[last][0 if arrives_left else 1], ports[index, 1]))
        points.append(Point(boxes[b].x if arrives_left else boxes[b].right, ports[index, 1]))
        lines.append(tuple(dict.fromkeys(points)))
    return tuple(lines)


def _ports(
    graph: LayeredGraph[K], boxes: Mapping[K, Rect], middles: Sequence[float]
) -> dict[tuple[int, int], float]:
    """Return the y of both ends of each line: 0 for where it starts, 1 for where it ends.

    Those at one side of a box keep the order of where they come from. A line that can go straight
    does so.
    """
    sides: dict[tuple[K, bool], list[tuple[float, int, int]]] = {}
    for index, ((a, b), chain) in enumerate(zip(graph.edges, graph.chains, strict=True)):
        first, last = graph.column_of[a], graph.column_of[b]
        sides.setdefault((a, first <= last), []).append((middles[chain[1]], index, 0))
        sides.setdefault((b, first >= last), []).append((middles[chain[-2]], index, 1))
    ports: dict[tuple[int, int], float] = {}
    # Sides where lines only arrive come last: then it is known where the lines leave.
    for (key, _), ends in sorted(sides.items(), key=lambda one: all(end for *_, end in one[1])):
        ends.sort()
        wishes = [
            ports.get((index, 0), y) if end and len(graph.chains[index]) == 2 else y
            for y, index, end in ends
        ]
        for (_, index, end), y in zip(ends, _spread(wishes, boxes[key]), strict=True):
            ports[index, end] = y
    return ports


def _spread(wishes: Sequence[float], rect: Rect) -> list[float]:
    """Return where lines meet a side of *rect*, in order and apart, straight on where they can."""
    low, high = rect.y + _CORNER, rect.bottom - _CORNER
    gap = min(_PORT_GAP, (high - low) / len(wishes))
    top = rect.middle - gap * (len(wishes) - 1) / 2
    placed: list[float] = []
    for index, wish in enumerate(wishes):
        y = wish if low <= wish <= high else top + gap * index
        lowest = placed[-1] + gap if placed else low
        highest = high - gap * (len(wishes) - 1 - index)
        placed.append(min(max(y, lowest), highest))
    return placed

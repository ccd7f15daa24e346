"""Where boxes and lines go: a layered layout whose columns are given.

The method is that of Sugiyama, Tagawa and Toda (1981): a line that passes a column gets a lane
there (`layered_graph`), each column is ordered so that few lines cross (`crossing_order`), and the
heights are a least-squares fit that keeps the order (`placing`). Lengths are in points; y grows
downwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Generic

from rungraph.viz.layout.crossing_order import best_order
from rungraph.viz.layout.geometry import Direction, Point, Rect, Size
from rungraph.viz.layout.layered_graph import K, LayeredGraph
from rungraph.viz.layout.placing import middles_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


BOW = 26.0
"""How far a line that stays in its column swings out to the right."""
_NARROWEST, _WIDEST = 34.0, 130.0
_STEEPNESS = 0.16
"""How much wider a gap is for each point that its steepest line rises."""


@dataclass(frozen=True)
class Layout(Generic[K]):
    """Where everything goes.

    Two points of a line that follow each other are joined, if they have one y, by a straight piece;
    if they lie on both sides of a gap between columns, by a curve that leaves and arrives level; if
    they have one x, by a curve that swings out by `BOW` to the right. From top to bottom it is the
    same with x and y, right and down exchanged. `segments_of` makes the curves. Drawn so, no line
    touches a box other than those at its ends.

    Attributes:
        boxes: The place of each box.
        lines: The points of each edge's line, from the side of its first box to that of its second.
        columns: The left and the right of each column; from top to bottom its top and its bottom.
        size: The extent of it all, from (0, 0).
        direction: Where later columns go.
    """

    boxes: Mapping[K, Rect]
    lines: tuple[tuple[Point, ...], ...]
    columns: tuple[tuple[float, float], ...]
    size: Size
    direction: Direction = "LR"


def lay_out(
    columns: Sequence[Sequence[K]],
    sizes: Mapping[K, Size],
    edges: Sequence[tuple[K, K]],
    *,
    direction: Direction = "LR",
) -> Layout[K]:
    """Return places for the boxes of *columns* and lines for *edges*. Equal input, equal output.

    Args:
        columns: The boxes of each column, in any order.
        sizes: How large each box is.
        edges: Between boxes of any two columns, also backwards, within one, or of a box to itself.
        direction: Where later columns go; with ``TB`` the columns are rows.
    """
    if direction == "TB":
        turned = {key: Size(size.height, size.width) for key, size in sizes.items()}
        return _turned(_rightward(columns, turned, edges))
    return _rightward(columns, sizes, edges)


def _turned(layout: Layout[K]) -> Layout[K]:
    """Return *layout* with right and down exchanged."""
    boxes = {
        key: Rect(rect.y, rect.x, rect.height, rect.width) for key, rect in layout.boxes.items()
    }
    lines = tuple(tuple(Point(y, x) for x, y in line) for line in layout.lines)
    size = Size(layout.size.height, layout.size.width)
    return Layout(boxes, lines, layout.columns, size, "TB")


def _rightward(
    columns: Sequence[Sequence[K]],
    sizes: Mapping[K, Size],
    edges: Sequence[tuple[K, K]],
) -> Layout[K]:
    graph = LayeredGraph(columns, sizes, edges)
    order = best_order(graph.layers, graph.links, graph.lanes)
    middles = middles_of(order, graph)
    extents = _extents(graph, middles)
    boxes = {
        key: Rect(
            extents[column][0] + (graph.widths[column] - sizes[key].width) / 2,
            middles[graph.vertex_of[key]] - sizes[key].height / 2,
            *sizes[key],
        )
        for key, column in graph.column_of.items()
    }
    lines = lines_of(graph, boxes, middles, extents)
    bows = BOW if any(a.x == b.x for line in lines for a, b in pairwise(line)) else 0.0
    width = extents[-1][1] + bows if extents else 0.0
    height = max((rect.bottom for rect in boxes.values()), default=0.0)
    return Layout(boxes, lines, tuple(extents), Size(width, max(height, *middles, 0.0)))


def _extents(graph: LayeredGraph[K], middles: Sequence[float]) -> list[tuple[float, float]]:
    """Return the left and the right of each column; a gap with steep lines is wider."""
    steepest = [0.0] * len(graph.layers)
    column_of = {vertex: index for index, layer in enumerate(graph.layers) for vertex in layer}
    for a, b in graph.links:
        steepest[column_of[a]] = max(steepest[column_of[a]], abs(middles[a] - middles[b]))
    extents: list[tuple[float, float]] = []
    x = 0.0
    for width, rise in zip(graph.widths, steepest, strict=True):
        extents.append((x, x + width))
        x += width + min(_NARROWEST + _STEEPNESS * rise, _WIDEST)
    return extents


def segments_of(
    line: Sequence[Point], direction: Direction = "LR"
) -> Iterator[tuple[Point] | tuple[Point, Point, Point]]:
    """Yield the segments of a line after its first point: what SVG's ``L`` and ``C`` take.

    A segment is the point to which a straight line goes, or two control points and the point to
    which a cubic Bezier curve goes.

    Examples:
        >>> from rungraph.viz.layout.geometry import Point
        >>> list(segments_of([Point(0, 0), Point(10, 0), Point(20, 8)]))
        [(Point(x=10, y=0),), (Point(x=15.0, y=0), Point(x=15.0, y=8), Point(x=20, y=8))]
    """
    along = 1 if direction == "TB" else 0
    for a, b in pairwise(line):
        if a[1 - along] == b[1 - along]:
            yield (b,)
            continue
        bend = a[along] + BOW if a[along] == b[along] else (a[along] + b[along]) / 2
        yield (_bent(a, along, bend), _bent(b, along, bend), b)


def _bent(point: Point, along: int, bend: float) -> Point:
    return point._replace(y=bend) if along else point._replace(x=bend)


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

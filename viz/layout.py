"""Where boxes and lines go: a layered layout whose columns are given.

The method is that of Sugiyama, Tagawa and Toda (1981): a line that passes a column gets a lane
there, medians and transpositions order each column, and the heights are a least-squares fit that
keeps the order. Lengths are in points; y grows downwards.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, Literal, NamedTuple, TypeVar

from rungraph.viz.ordering import best_order

K = TypeVar("K", bound=Hashable)

Direction = Literal["LR", "TB"]
"""Where later columns go: to the right, or down."""

BOX_GAP = 18.0
"""Between two boxes of a column."""
LANE_GAP = 9.0
"""Between a line that passes a column and its neighbours there."""
BOW = 26.0
"""How far a line that stays in its column swings out to the right."""
_NARROWEST, _WIDEST = 34.0, 130.0
_PORT_GAP = 9.0
_SWEEPS = 36
_LAST_SWEEPS = 12


class Point(NamedTuple):
    """A place in the picture."""

    x: float
    y: float


class Size(NamedTuple):
    """How large something is."""

    width: float
    height: float


class Rect(NamedTuple):
    """A box's place: its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of its lower side."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The y half-way down."""
        return self.y + self.height / 2


@dataclass(frozen=True)
class Layout(Generic[K]):
    """Where everything goes.

    Two points of a line that follow each other either have one y, and a straight piece joins them,
    or lie on both sides of a gap between columns, and a curve that leaves and arrives level joins
    them, or have one x, and a curve that swings out by `BOW` to the right joins them. (From top to
    bottom the same with x and y, right and down exchanged.) `rungraph.viz.curves.pieces_of` makes
    the curves. Drawn so, no line touches a box other than those at its ends.

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
    columns: Sequence[Sequence[K]], sizes: Mapping[K, Size], edges: Sequence[tuple[K, K]]
) -> Layout[K]:
    net = _Net(columns, sizes, edges)
    order = best_order(net.layers, net.links)
    middles = _middles(order, net)
    extents = _extents(net, middles)
    boxes = {
        key: Rect(
            extents[net.column_of[key]][0]
            + (net.widths[net.column_of[key]] - sizes[key].width) / 2,
            middles[vertex] - sizes[key].height / 2,
            *sizes[key],
        )
        for key, vertex in net.vertex_of.items()
    }
    lines = _lines(net, boxes, middles, extents)
    bows = BOW if any(a.x == b.x for line in lines for a, b in pairwise(line)) else 0.0
    width = extents[-1][1] + bows if extents else 0.0
    height = max((rect.bottom for rect in boxes.values()), default=0.0)
    return Layout(boxes, lines, tuple(extents), Size(width, max(height, *middles, 0.0)))


class _Net(Generic[K]):
    """Boxes and lanes as numbered vertices, with links between neighbouring columns only."""

    def __init__(
        self, columns: Sequence[Sequence[K]], sizes: Mapping[K, Size], edges: Sequence[tuple[K, K]]
    ) -> None:
        self.edges = edges
        self.column_of = {key: index for index, column in enumerate(columns) for key in column}
        self.vertex_of = {key: vertex for vertex, key in enumerate(self.column_of)}
        self.heights = [sizes[key].height for key in self.column_of]
        self.widths = [max((sizes[key].width for key in column), default=0.0) for column in columns]
        self.layers = [[self.vertex_of[key] for key in column] for column in columns]
        self.links: list[tuple[int, int]] = []
        self.chains: list[list[int]] = []
        for a, b in edges:
            chain = self._chain(a, b)
            self.chains.append(chain)
            links = pairwise(chain if self.column_of[a] <= self.column_of[b] else chain[::-1])
            if self.column_of[a] != self.column_of[b]:
                self.links.extend(links)

    def is_lane(self, vertex: int) -> bool:
        """Whether *vertex* is a passing line."""
        return vertex >= len(self.vertex_of)

    def _chain(self, a: K, b: K) -> list[int]:
        first, last = self.column_of[a], self.column_of[b]
        step = 1 if first <= last else -1
        chain = [self.vertex_of[a]]
        for column in range(first + step, last, step):
            self.layers[column].append(len(self.heights))
            chain.append(len(self.heights))
            self.heights.append(0.0)
        return [*chain, self.vertex_of[b]]


def _middles(order: Sequence[Sequence[int]], net: _Net[K]) -> list[float]:
    """Return the y of each vertex: near those that it is linked with, in order, never too close."""
    middles = [0.0] * len(net.heights)
    offsets: list[list[float]] = []
    for layer in order:
        offsets.append([0.0])
        for a, b in pairwise(layer):
            gap = LANE_GAP if net.is_lane(a) or net.is_lane(b) else BOX_GAP
            offsets[-1].append(offsets[-1][-1] + (net.heights[a] + net.heights[b]) / 2 + gap)
        for vertex, offset in zip(layer, offsets[-1], strict=False):
            middles[vertex] = offset - offsets[-1][-1] / 2
    left: list[list[tuple[int, float]]] = [[] for _ in net.heights]
    right: list[list[tuple[int, float]]] = [[] for _ in net.heights]
    for a, b in net.links:
        weight = (1.0, 2.0, 8.0)[net.is_lane(a) + net.is_lane(b)]
        left[b].append((a, weight))
        right[a].append((b, weight))
    for sweep in range(_SWEEPS):
        is_rightward = sweep % 2 == 0
        is_last = sweep >= _SWEEPS - _LAST_SWEEPS
        near = left if is_rightward else right
        for index in range(len(order)) if is_rightward else reversed(range(len(order))):
            wishes: list[tuple[float, float]] = []
            linked = [v for v in order[index] if left[v] or right[v]]
            for vertex, offset in zip(linked, offsets[index], strict=False):
                pulls = left[vertex] + right[vertex] if is_last else near[vertex]
                total = sum(weight for _, weight in pulls)
                wish = (
                    sum(middles[other] * weight for other, weight in pulls) / total
                    if total
                    else middles[vertex]
                )
                wishes.append((wish - offset, total or 0.01))
            shifts = _rising(wishes)
            # What has no links stands last, right below the others.
            shifts += shifts[-1:] * (len(order[index]) - len(linked))
            for vertex, offset, shift in zip(order[index], offsets[index], shifts, strict=False):
                middles[vertex] = shift + offset
    top = min((y - height / 2 for y, height in zip(middles, net.heights, strict=True)), default=0.0)
    return [y - top for y in middles]


def _rising(wishes: Sequence[tuple[float, float]]) -> list[float]:
    """Return the values nearest to the wishes, in weighted squares, none below the one before."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in wishes:
        count = 1
        while blocks and blocks[-1][0] >= value:
            other, other_weight, other_count = blocks.pop()
            value = (value * weight + other * other_weight) / (weight + other_weight)
            weight += other_weight
            count += other_count
        blocks.append((value, weight, count))
    return [value for value, _, count in blocks for _ in range(count)]


def _extents(net: _Net[K], middles: Sequence[float]) -> list[tuple[float, float]]:
    """Return the left and the right of each column; a gap with steep lines is wider."""
    steepest = [0.0] * len(net.layers)
    column_of = {vertex: index for index, layer in enumerate(net.layers) for vertex in layer}
    for a, b in net.links:
        steepest[column_of[a]] = max(steepest[column_of[a]], abs(middles[a] - middles[b]))
    extents: list[tuple[float, float]] = []
    x = 0.0
    for width, rise in zip(net.widths, steepest, strict=True):
        extents.append((x, x + width))
        x += width + min(_NARROWEST + 0.16 * rise, _WIDEST)
    return extents


def _lines(
    net: _Net[K],
    boxes: Mapping[K, Rect],
    middles: Sequence[float],
    extents: Sequence[tuple[float, float]],
) -> tuple[tuple[Point, ...], ...]:
    ports = _ports(net, boxes, middles)
    lines: list[tuple[Point, ...]] = []
    for index, (a, b) in enumerate(net.edges):
        first, last = net.column_of[a], net.column_of[b]
        is_rightward = first < last
        step = 1 if is_rightward else -1
        near, far = (0, 1) if is_rightward else (1, 0)
        y_out, y_in = ports[index, 0], ports[index, 1]
        if first == last:
            edge = extents[first][1]
            xs = (boxes[a].right, edge, edge, boxes[b].right)
            points = [Point(x, y) for x, y in zip(xs, (y_out, y_out, y_in, y_in), strict=True)]
        else:
            start = boxes[a].right if is_rightward else boxes[a].x
            end = boxes[b].x if is_rightward else boxes[b].right
            points = [Point(start, y_out), Point(extents[first][far], y_out)]
            for column, lane in zip(
                range(first + step, last, step), net.chains[index][1:-1], strict=True
            ):
                points += [Point(extents[column][side], middles[lane]) for side in (near, far)]
            points += [Point(extents[last][near], y_in), Point(end, y_in)]
        lines.append(tuple(dict.fromkeys(points)))
    return tuple(lines)


def _ports(
    net: _Net[K], boxes: Mapping[K, Rect], middles: Sequence[float]
) -> dict[tuple[int, int], float]:
    """Return the y of both ends of each line: those at one side of a box in order, spread out."""
    sides: dict[tuple[K, bool], list[tuple[float, int, int]]] = {}
    for index, (a, b) in enumerate(net.edges):
        first, last = net.column_of[a], net.column_of[b]
        chain = net.chains[index]
        sides.setdefault((a, first <= last), []).append((middles[chain[1]], index, 0))
        sides.setdefault((b, first >= last), []).append((middles[chain[-2]], index, 1))
    ports: dict[tuple[int, int], float] = {}
    for (key, _), ends in sides.items():
        rect = boxes[key]
        gap = min(_PORT_GAP, (rect.height - 12) / len(ends))
        top = rect.middle - gap * (len(ends) - 1) / 2
        for position, (_, index, end) in enumerate(sorted(ends)):
            ports[index, end] = top + gap * position
    return ports

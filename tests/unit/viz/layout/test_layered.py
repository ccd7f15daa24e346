"""Facts about where boxes and lines go."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import combinations, pairwise

import pytest

from rungraph.graph.address import Address
from rungraph.graph.model import RunGraph
from rungraph.viz.layout.geometry import Point, Size
from rungraph.viz.layout.layered import Layout, lay_out
from rungraph.viz.layout.layered_graph import BOX_GAP
from rungraph.viz.model.diagram import diagram_of


def laid_out(graph: RunGraph) -> Layout[Address]:
    """Lay out the full view of *graph*, with boxes of one size."""
    diagram = diagram_of(graph, view="full")
    sizes = {key: Size(90, 40) for key in diagram.boxes}
    ends = [(arrow.dependency, arrow.dependent) for arrow in diagram.arrows]
    return lay_out([column.boxes for column in diagram.columns], sizes, ends)


def test_lines_of_a_graph_that_can_run_only_go_right(small: RunGraph) -> None:
    """Without cycles no line ever turns back."""
    lines = laid_out(small).lines
    assert lines
    assert all(a.x < b.x for line in lines for a, b in pairwise(line))


def test_a_large_graph_is_drawn_with_few_crossings(large: RunGraph) -> None:
    """The fixture of 64 nodes keeps the crossings that its order is known to need, and no more."""
    assert crossings(laid_out(large).lines) <= 43


def crossings(lines: Sequence[Sequence[Point]]) -> int:
    """Return how many pairs of curves change sides in a gap, counted from their ends."""
    pieces = [(a, b) if a.x < b.x else (b, a) for line in lines for a, b in pairwise(line)]
    gaps: dict[tuple[float, float], list[tuple[float, float]]] = {}
    for a, b in pieces:
        if a.y != b.y:
            gaps.setdefault((a.x, b.x), []).append((a.y, b.y))
    return sum(
        (a[0] - b[0]) * (a[1] - b[1]) < 0 for gap in gaps.values() for a, b in combinations(gap, 2)
    )


def test_a_chain_is_straight() -> None:
    """Boxes that only have each other stand at one height."""
    sizes = {"a": Size(90, 40), "b": Size(120, 60), "c": Size(80, 30)}
    layout = lay_out([["a"], ["b"], ["c"]], sizes, [("a", "b"), ("b", "c")])
    heights = {round(rect.middle, 3) for rect in layout.boxes.values()}
    assert len(heights) == 1


def test_what_has_no_lines_stands_right_below_the_rest() -> None:
    """A box without lines leaves no hole above it."""
    sizes = {key: Size(90, 40) for key in "abcd"}
    layout = lay_out([["a", "b", "c"], ["d"]], sizes, [("b", "d"), ("c", "d")])
    above = max(layout.boxes[key].bottom for key in "bc")
    assert layout.boxes["a"].y == pytest.approx(above + BOX_GAP)


def test_three_thousand_boxes_do_not_touch_lines() -> None:
    """In a large layout boxes of a column stand apart, and lines pass between them."""
    source = random.Random(5)  # noqa: S311 (no secret)
    count = 3_000
    edges = sorted({(a, source.randrange(a + 1, min(a + 400, count))) for a in range(count - 1)})
    level = [0] * count
    for a, b in edges:
        level[b] = max(level[b], level[a] + 1)
    columns: list[list[int]] = [[] for _ in range(max(level) + 1)]
    for node in range(count):
        columns[level[node]].append(node)
    sizes = {node: Size(60 + node % 90, 30 + node % 20) for node in range(count)}
    layout = lay_out(columns, sizes, edges)
    spans: list[list[tuple[float, float]]] = []
    for column in columns:
        rects = sorted((layout.boxes[node] for node in column), key=lambda rect: rect.y)
        assert all(one.bottom <= other.y for one, other in pairwise(rects))
        spans.append([(rect.y, rect.bottom) for rect in rects])
    for (first, last), line in zip(edges, layout.lines, strict=True):
        for start, end in pairwise(line[1:-1]):
            if start.y != end.y:  # A curve: from the right of a column to the left of the next one.
                assert any(start.x == right for _, right in layout.columns)
                assert any(end.x == left for left, _ in layout.columns)
        for passed in range(level[first] + 1, level[last]):
            left, right = layout.columns[passed]
            (y,) = {point.y for point in line if left <= point.x <= right}
            tops = spans[passed]
            index = bisect_right(tops, (y, float("inf"))) - 1
            assert index < 0 or tops[index][1] < y

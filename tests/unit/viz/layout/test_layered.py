"""Facts about where boxes and lines go."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import pytest

from rungraph.graph.model import RunGraph
from rungraph.viz.layout.geometry import Point, Rect, Size
from rungraph.viz.layout.layered import BOW, Layout, lay_out
from rungraph.viz.layout.layered_graph import BOX_GAP
from rungraph.viz.model.diagram import diagram_of

Columns = list[list[str]]
Edges = list[tuple[str, str]]


def along(line: Sequence[Point], steps: int = 24) -> Iterator[Point]:
    """Yield points of the curve that a layout's line stands for."""
    for a, b in pairwise(line):
        bend = a.x + BOW if a.x == b.x else (a.x + b.x) / 2
        for step in range(steps + 1):
            t = step / steps
            u = 1 - t
            x = u**3 * a.x + 3 * u * u * t * bend + 3 * u * t * t * bend + t**3 * b.x
            y = (u**3 + 3 * u * u * t) * a.y + (3 * u * t * t + t**3) * b.y
            yield Point(a.x + t * (b.x - a.x) if a.y == b.y else x, y)


def is_inside(point: Point, rect: Rect) -> bool:
    """Whether *point* lies in *rect*, not on its outline."""
    slack = 1e-6
    return (
        rect.x + slack < point.x < rect.right - slack
        and rect.y + slack < point.y < rect.bottom - slack
    )


def random_drawing(seed: int) -> tuple[Columns, dict[str, Size], Edges]:
    """Return columns of boxes of all sizes with edges of every sort."""
    source = random.Random(seed)  # noqa: S311 (no secret)
    columns = [
        [f"{column}.{row}" for row in range(source.randint(1, 9))]
        for column in range(source.randint(1, 8))
    ]
    keys = [key for column in columns for key in column]
    sizes = {key: Size(source.uniform(60, 220), source.uniform(30, 70)) for key in keys}
    edges = [(source.choice(keys), source.choice(keys)) for _ in range(source.randint(0, 30))]
    return columns, sizes, edges


def assert_readable(layout: Layout[str], edges: Edges) -> None:
    """Assert that no box covers another and no line touches a box that it does not end at."""
    for one, other in combinations(layout.boxes.values(), 2):
        is_beside = one.right <= other.x or other.right <= one.x
        assert is_beside or one.bottom <= other.y or other.bottom <= one.y
    for (a, b), line in zip(edges, layout.lines, strict=True):
        for point in along(line):
            hit = [key for key, rect in layout.boxes.items() if is_inside(point, rect)]
            assert not hit, f"the line of {a} -> {b} touches {hit}"


@pytest.mark.parametrize("seed", range(40))
def test_nothing_overlaps(seed: int) -> None:
    """Whatever the edges, boxes do not overlap and lines go round them."""
    columns, sizes, edges = random_drawing(seed)
    assert_readable(lay_out(columns, sizes, edges), edges)


@pytest.mark.parametrize("seed", range(40))
def test_everything_lies_in_the_picture(seed: int) -> None:
    """All boxes and all lines lie between (0, 0) and the layout's size."""
    columns, sizes, edges = random_drawing(seed)
    layout = lay_out(columns, sizes, edges)
    corners = [Point(rect.x, rect.y) for rect in layout.boxes.values()]
    corners += [Point(rect.right, rect.bottom) for rect in layout.boxes.values()]
    for point in (*corners, *(point for line in layout.lines for point in along(line))):
        assert -1e-6 <= point.x <= layout.size.width + 1e-6
        assert -1e-6 <= point.y <= layout.size.height + 1e-6


@pytest.mark.parametrize("seed", range(40))
def test_lines_run_from_side_to_side(seed: int) -> None:
    """A line begins at a side of its first box and ends at a side of its second."""
    columns, sizes, edges = random_drawing(seed)
    layout = lay_out(columns, sizes, edges)
    for ends, line in zip(edges, layout.lines, strict=True):
        for key, port in zip(ends, (line[0], line[-1]), strict=True):
            rect = layout.boxes[key]
            assert port.x in (rect.x, rect.right)
            assert rect.y < port.y < rect.bottom


def test_lines_of_a_graph_that_can_run_only_go_right(small: RunGraph) -> None:
    """Without cycles no line ever turns back."""
    diagram = diagram_of(small)
    sizes = {key: Size(90, 40) for key in diagram.boxes}
    ends = [(arrow.dependency, arrow.dependent) for arrow in diagram.arrows]
    layout = lay_out([column.boxes for column in diagram.columns], sizes, ends)
    assert layout.lines
    for line in layout.lines:
        assert all(a.x < b.x for a, b in pairwise(line))


def test_a_large_graph_is_drawn_with_few_crossings(large: RunGraph) -> None:
    """The fixture of 64 nodes keeps the crossings that its order is known to need, and no more."""
    diagram = diagram_of(large, view="full")
    sizes = {key: Size(90, 40) for key in diagram.boxes}
    ends = [(arrow.dependency, arrow.dependent) for arrow in diagram.arrows]
    layout = lay_out([column.boxes for column in diagram.columns], sizes, ends)
    assert crossings(layout.lines) <= 43


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


def test_equal_input_gives_an_equal_layout() -> None:
    """Nothing but the input decides where things go."""
    drawing = random_drawing(3)
    assert lay_out(*drawing) == lay_out(*drawing)


def test_nothing_at_all_has_no_size() -> None:
    """No columns make an empty layout."""
    empty: Layout[str] = lay_out([], {}, [])
    assert empty.size == Size(0.0, 0.0)


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

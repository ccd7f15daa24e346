"""Laws of layouts, whatever the graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from rungraph.viz.layout.crossing_order import best_order, count_crossings
from rungraph.viz.layout.geometry import Direction, Point, Rect, Size
from rungraph.viz.layout.layered import Layout, lay_out, segments_of

Drawing = tuple[list[list[int]], dict[int, Size], list[tuple[int, int]]]

DIRECTIONS: st.SearchStrategy[Direction] = st.sampled_from(["LR", "TB"])
SLACK = 1e-6


@st.composite
def drawings(draw: st.DrawFn) -> Drawing:
    """Draw columns of boxes of all sizes, with edges forwards, backwards, aside and in loops."""
    heights = draw(st.lists(st.integers(0, 7), max_size=7))
    columns: list[list[int]] = []
    for height in heights:
        start = sum(map(len, columns))
        columns.append(list(range(start, start + height)))
    count = sum(heights)
    wide, high = st.integers(40, 260), st.integers(25, 90)
    sizes = {key: Size(draw(wide), draw(high)) for key in range(count)}
    keys = st.integers(0, count - 1)
    edges = draw(st.lists(st.tuples(keys, keys), max_size=24)) if count else []
    return columns, sizes, edges


def along(line: Sequence[Point], direction: Direction, steps: int = 16) -> Iterator[Point]:
    """Yield points of the curves that a layout's line stands for."""
    at = line[0]
    yield at
    for piece in segments_of(line, direction):
        b, c, d = piece if len(piece) == 3 else (at, piece[0], piece[0])
        for step in range(1, steps + 1):
            t, u = step / steps, 1 - step / steps
            weights = (u**3, 3 * u * u * t, 3 * u * t * t, t**3)
            yield Point(
                sum(w * p.x for w, p in zip(weights, (at, b, c, d), strict=True)),
                sum(w * p.y for w, p in zip(weights, (at, b, c, d), strict=True)),
            )
        at = d


def is_inside(point: Point, rect: Rect) -> bool:
    """Whether *point* lies in *rect*, not on its outline."""
    return (
        rect.x + SLACK < point.x < rect.right - SLACK
        and rect.y + SLACK < point.y < rect.bottom - SLACK
    )


def assert_readable(layout: Layout[int]) -> None:
    """Assert that nothing covers anything else, and that all of it is in the picture."""
    for one, other in combinations(layout.boxes.values(), 2):
        is_beside = one.right <= other.x or other.right <= one.x
        assert is_beside or one.bottom <= other.y or other.bottom <= one.y
    whole = Rect(-2 * SLACK, -2 * SLACK, layout.size.width + 4 * SLACK, 0)._replace(
        height=layout.size.height + 4 * SLACK
    )
    for rect in layout.boxes.values():
        assert whole.x <= rect.x
        assert whole.y <= rect.y
        assert rect.right <= whole.right
        assert rect.bottom <= whole.bottom
    for line in layout.lines:
        for point in along(line, layout.direction):
            assert is_inside(point, whole)
            assert not any(is_inside(point, rect) for rect in layout.boxes.values())


@given(drawing=drawings(), direction=DIRECTIONS)
@settings(max_examples=150, deadline=None)
def test_nothing_covers_anything_else(drawing: Drawing, direction: Direction) -> None:
    """No two boxes overlap, no line runs through a box, nothing leaves the picture."""
    columns, sizes, edges = drawing
    layout = lay_out(columns, sizes, edges, direction=direction)
    assert_readable(layout)
    assert {key: Size(rect.width, rect.height) for key, rect in layout.boxes.items()} == sizes


@given(drawing=drawings(), direction=DIRECTIONS)
@settings(max_examples=60, deadline=None)
def test_lines_join_the_sides_of_their_boxes(drawing: Drawing, direction: Direction) -> None:
    """A line begins on the outline of its first box and ends on that of its second."""
    columns, sizes, edges = drawing
    layout = lay_out(columns, sizes, edges, direction=direction)
    for ends, line in zip(edges, layout.lines, strict=True):
        for key, port in zip(ends, (line[0], line[-1]), strict=True):
            rect = layout.boxes[key]
            if direction == "LR":
                assert port.x in (rect.x, rect.right)
                assert rect.y < port.y < rect.bottom
            else:
                assert port.y in (rect.y, rect.bottom)
                assert rect.x < port.x < rect.right


@given(drawing=drawings(), direction=DIRECTIONS)
@settings(max_examples=40, deadline=None)
def test_columns_follow_one_another(drawing: Drawing, direction: Direction) -> None:
    """Every box lies in its column, and a column begins after the one before it has ended."""
    columns, sizes, edges = drawing
    layout = lay_out(columns, sizes, edges, direction=direction)
    assert all(one[1] < other[0] for one, other in pairwise(layout.columns))
    for column, (begin, end) in zip(columns, layout.columns, strict=True):
        for key in column:
            rect = layout.boxes[key]
            low, high = (rect.x, rect.right) if direction == "LR" else (rect.y, rect.bottom)
            assert begin - SLACK <= low
            assert high <= end + SLACK


@given(drawing=drawings())
@settings(max_examples=30, deadline=None)
def test_equal_input_gives_an_equal_layout(drawing: Drawing) -> None:
    """Nothing but the input decides where things go."""
    columns, sizes, edges = drawing
    assert lay_out(columns, sizes, edges) == lay_out(columns, sizes, edges)


@st.composite
def ladders(draw: st.DrawFn) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """Draw layers of vertices and links between neighbouring layers."""
    count, width = draw(st.integers(2, 5)), draw(st.integers(1, 6))
    layers = [list(range(layer * width, (layer + 1) * width)) for layer in range(count)]
    places = st.integers(0, width - 1)
    links = [
        (layers[layer][a], layers[layer + 1][b])
        for layer in range(count - 1)
        for a, b in draw(st.sets(st.tuples(places, places), max_size=8))
    ]
    return layers, links


@given(ladder=ladders())
@settings(max_examples=80, deadline=None)
def test_ordering_loses_nothing(ladder: tuple[list[list[int]], list[tuple[int, int]]]) -> None:
    """Every vertex stays in its layer, and there are no more crossings than before."""
    layers, links = ladder
    order = best_order(layers, links)
    assert [sorted(layer) for layer in order] == layers
    linked = {vertex for link in links for vertex in link}
    given_order = [sorted(layer, key=lambda v: v not in linked) for layer in layers]
    assert count_crossings(order, links) <= count_crossings(given_order, links)


@given(ladder=ladders())
@settings(max_examples=80, deadline=None)
def test_crossings_are_counted_as_pairs(
    ladder: tuple[list[list[int]], list[tuple[int, int]]],
) -> None:
    """The count is that of all pairs of links that change sides."""
    layers, links = ladder
    crossing = sum(
        a // len(layers[0]) == c // len(layers[0]) and (a - c) * (b - d) < 0
        for (a, b), (c, d) in combinations(links, 2)
    )
    assert count_crossings(layers, links) == crossing

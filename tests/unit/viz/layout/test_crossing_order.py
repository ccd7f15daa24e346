"""Facts about the order of vertices in layers."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from rungraph.graph import compile_config
from rungraph.viz.layout.crossing_order import best_order, count_crossings
from rungraph.viz.layout.geometry import Size
from rungraph.viz.layout.layered_graph import LayeredGraph
from rungraph.viz.model.diagram import diagram_of


def test_untangles_two_crossed_links() -> None:
    """Two links that cross in the given order do not cross in the best one."""
    links = [(0, 3), (1, 2)]
    assert count_crossings([[0, 1], [2, 3]], links) == 1
    assert count_crossings(best_order([[0, 1], [2, 3]], links), links) == 0


def test_vertices_without_links_go_last() -> None:
    """What has no links stands below what has."""
    assert best_order([[0, 1, 2], [3]], [(1, 3), (2, 3)])[0] == [1, 2, 0]


def test_the_start_does_not_decide() -> None:
    """Where sweeps from the given order get stuck, those from another one do not."""
    source = random.Random(0)  # noqa: S311 (no secret)
    layers = [list(range(start, start + 10)) for start in range(0, 50, 10)]
    ladder = [(vertex, vertex + 10) for vertex in range(40)]
    tree = [(a, source.choice(layers[i + 1])) for i in range(4) for a in layers[i]]
    for links in (ladder, tree):
        orders = [[source.sample(layer, 10) for layer in layers] for _ in range(5)]
        assert all(count_crossings(order, links) > 20 for order in orders)
        assert {count_crossings(best_order(order, links), links) for order in orders} == {0}


def test_neighbours_are_swapped_where_medians_do_not_help() -> None:
    """Medians alone leave 22 crossings here; swapping neighbours goes on to 17."""
    source = random.Random(0)  # noqa: S311 (no secret)
    layers = [list(range(start, start + 8)) for start in (0, 8, 16)]
    links = [
        (source.choice(layers[i]), source.choice(layers[i + 1])) for i in (0, 1) for _ in range(14)
    ]
    assert count_crossings(best_order(layers, links), links) <= 17


@pytest.mark.parametrize(
    ("view", "reduced", "late", "most"),
    [("full", False, False, 40), ("full", False, True, 25), ("factored", True, False, 2)],
)
def test_a_real_stack_is_drawn_with_few_crossings(
    view: Any, reduced: bool, late: bool, most: int
) -> None:
    """The picture of a stack of 28 providers and seven routed pairs can be followed."""
    starter = Path(__file__).parents[4] / "benchmarks" / "starter.yaml"
    graph = compile_config(starter, environment={})
    diagram = diagram_of(graph, view=view, reduced=reduced, late=late)
    layered = LayeredGraph(
        [column.boxes for column in diagram.columns],
        dict.fromkeys(diagram.boxes, Size(100, 40)),
        [arrow[:2] for arrow in diagram.arrows],
    )
    order = best_order(layered.layers, layered.links, layered.lanes)
    assert count_crossings(order, layered.links) <= most

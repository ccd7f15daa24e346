"""Laws of paths: they are those of networkx, the shortest first, and all are counted."""

from __future__ import annotations

from itertools import islice, pairwise
from typing import Any

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from rungraph.graph import Address
from rungraph.graph.paths import number_of_paths, shortest_paths

NODES = [Address.provider("x", str(number)) for number in range(8)]
SOME_NODES = st.lists(st.sampled_from(NODES), unique=True, max_size=3)


@st.composite
def digraphs(draw: st.DrawFn, *, with_cycles: bool = False) -> Any:
    """A few nodes; edges run from a node to those that need it."""
    graph: nx.DiGraph[Address] = nx.DiGraph()
    graph.add_nodes_from(NODES)
    for number, node in enumerate(NODES):
        others = NODES if with_cycles else NODES[:number]
        needs = draw(st.lists(st.sampled_from(others), unique=True)) if others else []
        graph.add_edges_from((one, node) for one in needs)
    return graph


@given(digraphs(), SOME_NODES, SOME_NODES, st.integers(1, 40))
def test_paths_come_shortest_first(
    graph: Any, starts: list[Address], goals: list[Address], most: int
) -> None:
    """Paths of equal length come by their addresses; a path ends at the first goal."""
    backwards = graph.reverse()
    every = {
        tuple(path)
        for start in starts
        for goal in goals
        for path in nx.all_simple_paths(backwards, start, goal)
        if not set(path[:-1]) & set(goals)
    } | {(one,) for one in starts if one in goals}
    expected = sorted(every, key=lambda path: (len(path), path))
    assert list(islice(shortest_paths(graph, starts, goals), most)) == expected[:most]


@given(digraphs(with_cycles=True), st.permutations(NODES), st.integers(1, 40))
def test_paths_are_counted_where_no_cycle_lies_between(
    graph: Any, nodes: list[Address], most: int
) -> None:
    """The count stops at the most that is asked for; with a cycle on the way there is none."""
    start, goal, *_ = nodes
    paths = [*nx.all_simple_paths(graph.reverse(), start, goal)]
    graph.remove_edges_from([*graph.in_edges(goal)])
    between = {start, goal} | (nx.ancestors(graph, start) & nx.descendants(graph, goal))
    is_acyclic = nx.is_directed_acyclic_graph(graph.subgraph(between))
    expected = min(len(paths), most) if is_acyclic or not paths else None
    assert number_of_paths(graph, start, goal, most) == expected


def test_a_ladder_has_more_paths_than_can_be_listed() -> None:
    """Neither counting them nor listing some walks along all of them."""
    rungs = [[Address.provider(side, f"{rung:04}") for side in "ab"] for rung in range(200)]
    ends = Address.provider("start", "0"), Address.provider("goal", "0")
    layers = [[ends[0]], *rungs, [ends[1]]]
    graph: nx.DiGraph[Address] = nx.DiGraph()
    for layer, below in pairwise(layers):
        graph.add_edges_from((one, node) for node in layer for one in below)
    assert number_of_paths(graph, *ends, 10**15) == 10**15
    listed = list(islice(shortest_paths(graph, ends[:1], ends[1:]), 3))
    assert listed[0] == (ends[0], *(left for left, _ in rungs), ends[1])
    assert [len(set(path)) for path in listed] == [202] * 3
    assert len(set(listed)) == 3

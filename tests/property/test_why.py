"""Laws of paths: those that networkx finds, the shortest first, all of them counted."""

from __future__ import annotations

from typing import Any

import networkx as nx
from hypothesis import given
from hypothesis import strategies as st

from rungraph.graph import Address
from rungraph.graph.why.paths import paths_between

_SIZE = 8


def _node(number: int) -> Address:
    return Address.provider("x", str(number))


@st.composite
def needs(draw: st.DrawFn, *, with_circles: bool = False) -> dict[Address, list[Address]]:
    """What each of a few nodes needs."""
    found: dict[Address, list[Address]] = {}
    for number in range(_SIZE):
        others = range(_SIZE) if with_circles else range(number)
        some = draw(st.lists(st.sampled_from(others), unique=True)) if others else []
        found[_node(number)] = [_node(one) for one in some if one != number]
    return found


def _digraph(graph: dict[Address, list[Address]]) -> Any:
    found: nx.DiGraph[Address] = nx.DiGraph()
    found.add_nodes_from(graph)
    found.add_edges_from((node, one) for node, some in graph.items() for one in some)
    return found


@given(needs(), st.integers(0, _SIZE - 1), st.integers(0, _SIZE - 1), st.integers(1, 40))
def test_paths_are_those_of_networkx(
    graph: dict[Address, list[Address]], start: int, goal: int, most: int
) -> None:
    """Sorted by length, then by address, cut after so many; the total counts all of them."""
    digraph = _digraph(graph)
    ends = _node(start), _node(goal)
    every = [tuple(path) for path in nx.all_simple_paths(digraph, *ends)] if start != goal else []
    every.sort(key=lambda path: (len(path), list(map(str, path))))
    found = paths_between(digraph, *ends, most)
    if start == goal:
        assert found.listed == ((_node(start),),)
    else:
        assert list(found.listed) == every[:most]
        assert found.total == len(every)


@given(needs(with_circles=True), st.integers(0, _SIZE - 1), st.integers(0, _SIZE - 1))
def test_circles_leave_the_shortest_path(
    graph: dict[Address, list[Address]], start: int, goal: int
) -> None:
    """Where circles lie between two nodes, the first of the shortest paths is found."""
    digraph = _digraph(graph)
    ends = _node(start), _node(goal)
    found = paths_between(digraph, *ends, 1)
    if not nx.has_path(digraph, *ends):
        assert not found.listed
        return
    shortest = [tuple(path) for path in nx.all_shortest_paths(digraph, *ends)]
    assert found.listed == (min(shortest, key=lambda path: list(map(str, path))),)

"""Laws of cycles, against plain networkx: which soft edges go, and chains that meet cycles."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies_run_graphs import edges, run_graph, run_graphs

from rungraph.graph import Address, RunGraph, Strength
from rungraph.graph.cycles import drop_soft_edges, hard_components
from rungraph.graph.digraph import edges_of, new_digraph
from rungraph.graph.query import query

if TYPE_CHECKING:
    from rungraph.graph.nodes import Edge


def _merged(links: list[Edge], hard: list[Edge]) -> nx.DiGraph[Any]:
    """Return *links* with the nodes of each cycle of *hard* edges as one."""
    cyclic: nx.DiGraph[Address] = nx.DiGraph([edge[:2] for edge in hard])
    first = {node: min(some) for some in nx.strongly_connected_components(cyclic) for node in some}
    pairs = [tuple(first.get(one, one) for one in edge[:2]) for edge in links]
    return nx.DiGraph([(start, end) for start, end in pairs if start != end])


@settings(max_examples=300)
@given(edges())
def test_no_soft_edge_goes_that_closes_no_cycle(case: tuple[list[Address], list[Edge]]) -> None:
    """What is left has no cycle that a soft edge closes; with any dropped edge it has one."""
    _, links = case
    graph = new_digraph("", [], links)
    dropped = drop_soft_edges(graph, hard_components(graph))
    left = edges_of(graph)
    hard = [edge for edge in links if edge.strength is not Strength.SOFT]
    assert sorted((*left, *dropped)) == sorted(links)
    assert nx.is_directed_acyclic_graph(_merged(left, hard))
    for edge, circle in dropped.items():
        assert edge.strength is Strength.SOFT
        assert not nx.is_directed_acyclic_graph(_merged([*left, edge], hard))
        way = _merged(left, hard)
        assert all(way.has_edge(*ends) for ends in pairwise(circle))


@given(edges(), st.randoms(use_true_random=False))
def test_the_order_of_the_edges_drops_no_other(
    case: tuple[list[Address], list[Edge]], random: Any
) -> None:
    """The same edges in another order lose the same edges, with the same cycles."""
    nodes, links = case
    graph = run_graph(nodes, links)
    assert run_graph(nodes, random.sample(links, len(links))).dropped == graph.dropped


@settings(max_examples=200)
@given(run_graphs(most=6), st.sampled_from(["all", "hard", "soft"]), st.booleans(), st.data())
def test_the_critical_chain_is_the_longest_path(
    graph: RunGraph, which: Any, has_durations: bool, data: Any
) -> None:
    """No path to an end, along the edges that count and without a node twice, takes longer.

    Without durations it is the one with most nodes.
    """
    links: nx.DiGraph[Address] = nx.DiGraph()
    links.add_nodes_from(graph)
    links.add_edges_from(
        edge[:2]
        for edge in graph.edges
        if which == "all" or (edge.strength is Strength.SOFT) == (which == "soft")
    )
    ends = data.draw(st.sets(st.sampled_from(list(graph)), min_size=1, max_size=2))
    seconds = {node: data.draw(st.integers(0, 3)) if has_durations else 1 for node in graph}
    paths = [[end] for end in ends]
    for end in ends:
        for start in set(graph) - {end}:
            paths += nx.all_simple_paths(links, start, end)
    longest = max(sum(seconds[node] for node in path) for path in paths)
    text = " | ".join(map(str, sorted(ends)))
    durations = seconds if has_durations else None
    found = query(graph, f"critical({text})", edges=which, durations=durations).path
    assert found is not None
    assert found[0] in ends
    assert sum(seconds[node] for node in found) == longest
    assert len(set(found)) == len(found)
    assert all(links.has_edge(earlier, later) for later, earlier in pairwise(found))

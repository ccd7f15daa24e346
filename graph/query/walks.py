"""Walks over a graph: what can be reached, shortest paths, longest chains."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import networkx as nx

from rungraph.graph.digraph import generations_of
from rungraph.graph.query.syntax import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.address import Address


def reached(
    graph: nx.DiGraph[Address], starts: frozenset[Address], levels: int
) -> frozenset[Address]:
    """Return *starts* and all that can be reached from them in at most *levels* steps."""
    if len(starts) == 1 and levels == ALL:
        return starts | nx.descendants(graph, *starts)
    layers = nx.bfs_layers(graph, starts)
    return starts.union(*(layers if levels == ALL else islice(layers, levels + 1)))


def shortest_path(
    graph: nx.DiGraph[Address], starts: frozenset[Address], goals: frozenset[Address]
) -> list[Address]:
    """Return the shortest path from a start to a goal against the edges; empty if there is none.

    Of several it is the first by the addresses of its nodes. NetworkX finds how far the goals are;
    which of the shortest paths counts is a choice of ours.
    """
    distance: dict[Address, int] = {}
    for steps, layer in enumerate(nx.bfs_layers(graph, sorted(goals & graph.nodes))):
        distance.update(dict.fromkeys(layer, steps))
        if first := starts.intersection(layer):
            break
    else:
        return []
    path = [min(first)]
    for left in reversed(range(distance[path[0]])):
        path.append(min(one for one in graph.pred[path[-1]] if distance.get(one) == left))
    return path


def longest_chain(
    graph: nx.DiGraph[Address], ends: frozenset[Address], weights: Mapping[Address, float] | None
) -> list[Address]:
    """Return the heaviest chain of needs that begins with one of *ends*, the last to start first.

    ``nx.dag_longest_path`` is not asked: it stops where later nodes weigh nothing, knows no ends,
    and refuses a graph with a cycle. Within a cycle no chain goes on.

    Args:
        graph: The graph to walk.
        ends: Where the chain may end in time.
        weights: How much each node weighs; by default all weigh the same.
    """
    wanted = frozenset(ends & graph.nodes)
    if not wanted:
        return []
    inner = graph.subgraph(reached(graph.reverse(copy=False), wanted, ALL))
    heaviest: dict[Address, tuple[float, Address | None]] = {}
    for layer in generations_of(inner):
        found: dict[Address, tuple[float, Address | None]] = {}
        for node in layer:
            before = [one for one in graph.pred[node] if one in heaviest]
            last = min(before, key=lambda one: (-heaviest[one][0], one), default=None)
            own = 1.0 if weights is None else weights.get(node, 0.0)
            found[node] = (own + (heaviest[last][0] if last else 0.0), last)
        heaviest |= found
    end: Address | None = min(wanted, key=lambda one: (-heaviest[one][0], one))
    chain: list[Address] = []
    while end is not None:
        chain.append(end)
        end = heaviest[end][1]
    return chain

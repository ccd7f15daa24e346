"""Walks over a graph: what can be reached, shortest paths, longest chains."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import networkx as nx

from rungraph.graph.query.syntax import ALL
from rungraph.graph.timing import longest_chains

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
) -> tuple[Address, ...]:
    """Return the heaviest chain of needs that begins with one of *ends*, the last to start first.

    Args:
        graph: The graph to walk.
        ends: Where the chain may end in time.
        weights: How much each node weighs; by default all weigh the same.
    """
    wanted = frozenset(ends & graph.nodes)
    inner = graph.subgraph(reached(graph.reverse(copy=False), wanted, ALL))
    chains = longest_chains(inner, dict.fromkeys(inner, 1.0) if weights is None else weights)
    return chains.to(chains.longest(wanted))[::-1]

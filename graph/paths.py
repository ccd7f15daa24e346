"""Which edges count, and the paths along them from a node to what it needs."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Literal

import networkx as nx

from rungraph.graph.digraph import add_edges

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph

Edges = Literal["hard", "soft", "all"]
"""Which edges count: hard and member ones, soft ones, or all of them."""


def counts(strength: str, edges: Edges) -> bool:
    """Whether an edge of *strength* is one of *edges*."""
    return edges == "all" or (strength == "soft") == (edges == "soft")


def walkable(
    graph: RunGraph, edges: Edges = "all", *, with_dropped: bool = False
) -> nx.DiGraph[Address]:
    """Return the nodes of *graph* with the edges that count.

    Args:
        graph: The graph.
        edges: Which edges count.
        with_dropped: Whether the soft edges that were dropped count, too.
    """
    found = graph.nx
    if with_dropped and graph.dropped:
        found = nx.DiGraph(found)
        add_edges(found, graph.dropped)
    if edges == "all":
        return found
    links = found.adj
    view: nx.DiGraph[Address] = nx.subgraph_view(
        found, filter_edge=lambda one, other: counts(links[one][other]["strength"], edges)
    )
    return view


def shortest_paths(
    graph: nx.DiGraph[Address], starts: Collection[Address], goals: Collection[Address]
) -> Iterator[tuple[Address, ...]]:
    """Yield the paths from a node of *starts* to one of *goals* that it needs, the shortest first.

    Paths of equal length come in the order of their addresses. Edges are walked backwards. A path
    ends at the first goal; a later one can come to a node twice if the graph has cycles.
    ``nx.shortest_simple_paths`` takes one start and one goal and promises no order among paths of
    equal length.
    """
    ends = [one for one in goals if one in graph]
    distance: dict[Address, int]
    if len(ends) == 1:  # In half the time that layers take.
        distance = dict(nx.single_source_shortest_path_length(graph, ends[0]))
    else:
        layers = nx.bfs_layers(graph, ends)
        distance = {one: steps for steps, layer in enumerate(layers) for one in layer}
    # The distances are exact, so this search (A*) walks along no path that it does not yield. What
    # goes on from a path is in the heap once for each length: the first node stands for them all.
    heap: list[tuple[int, tuple[Address, ...], list[Address]]] = []

    def push(length: int, path: tuple[Address, ...], following: list[Address]) -> None:
        heappush(heap, (length, (*path, min(following)), following))

    def extend(path: tuple[Address, ...], following: Iterable[Address]) -> None:
        by_length: dict[int, list[Address]] = {}
        for one in following:
            if one in distance:
                by_length.setdefault(len(path) + distance[one], []).append(one)
        for length, some in by_length.items():
            push(length, path, some)

    extend((), starts)
    while heap:
        length, path, following = heappop(heap)
        if others := [one for one in following if one is not path[-1]]:
            push(length, path[:-1], others)
        if distance[path[-1]]:
            extend(path, graph.pred[path[-1]])
        else:
            yield path


def number_of_paths(graph: nx.DiGraph[Any], start: Address, goal: Address, most: int) -> int | None:
    """Return how many paths there are from *start* to *goal* that it needs, at most *most*.

    None if cycles lie between the two. Nothing of NetworkX counts paths without walking each.
    """
    users = nx.descendants(graph, goal)
    if start not in users:
        return 0  # Whether or not one of the two needs itself.
    between = nx.ancestors(graph, start) & users
    # A path ends at the goal, whatever the goal needs itself.
    links = [ends for ends in graph.subgraph({*between, start, goal}).edges if ends[1] != goal]
    inner: nx.DiGraph[Any] = nx.DiGraph(links)
    counts = {goal: 1}
    try:
        for node in nx.topological_sort(inner):
            if node != goal:
                counts[node] = min(sum(counts[one] for one in inner.pred[node]), most)
    except nx.NetworkXUnfeasible:
        return None
    return counts.get(start, 0)

"""Paths from a node along what it needs to another: the shortest, some of them, how many."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import islice
from typing import TYPE_CHECKING, Final

import networkx as nx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.address import Address

MOST_COUNTED: Final = 10**15
"""Paths are counted up to here: a ladder of 200 rungs has 2^200."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths between two nodes.

    Attributes:
        listed: The shortest ones, the shortest first; of equal length the first by its addresses.
        total: How many there are, at most `MOST_COUNTED`; with cycles, how many are listed.
        has_cycles: Whether cycles lie between the two; then only the shortest is listed.
    """

    listed: tuple[tuple[Address, ...], ...]
    total: int
    has_cycles: bool = False


def paths_between(
    needs: nx.DiGraph[Address], start: Address, goal: Address, most: int = 1
) -> Paths:
    """Return at most *most* paths from *start* along *needs* to *goal*, and how many there are.

    Every path costs its own length; how many more there are costs nothing.

    Args:
        needs: Edges from each node to what it needs or uses.
        start: The node that needs.
        goal: The node that is needed.
        most: How many paths are listed.
    """
    if start not in needs or goal not in needs or not nx.has_path(needs, start, goal):
        return Paths((), 0)
    distances = dict(nx.single_source_shortest_path_length(needs.reverse(copy=False), goal))
    reached = nx.descendants(needs, start) | {start}
    between: nx.DiGraph[Address] = nx.DiGraph(needs.subgraph(reached & distances.keys()))
    # A path ends at the goal, whatever the goal needs itself.
    between.remove_edges_from(list(between.out_edges(goal)))
    paths = _shortest_first(between, distances, start, goal)
    if not nx.is_directed_acyclic_graph(between):
        return Paths((next(paths),), 1, has_cycles=True)
    counts = {goal: 1}
    for node in reversed(list(nx.topological_sort(between))):
        if node != goal:
            counts[node] = min(sum(counts[one] for one in between[node]), MOST_COUNTED)
    return Paths(tuple(islice(paths, most)), counts[start])


def _shortest_first(
    between: nx.DiGraph[Address], distances: Mapping[Address, int], start: Address, goal: Address
) -> Iterator[tuple[Address, ...]]:
    """Yield the paths by their length, then by their addresses as text.

    A search by the length that each beginning will have at least, which the distances tell exactly
    (A*, Hart, Nilsson and Raphael 1968). ``nx.shortest_simple_paths`` has no order among paths of
    one length.
    """
    todo: list[tuple[int, tuple[str, ...], tuple[Address, ...]]]
    todo = [(distances[start], (str(start),), (start,))]
    while todo:
        _, texts, path = heappop(todo)
        if path[-1] == goal:
            yield path
        for one in between[path[-1]]:
            length = len(path) + distances[one]
            heappush(todo, (length, (*texts, str(one)), (*path, one)))

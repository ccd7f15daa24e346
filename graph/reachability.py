"""Which nodes reach which, while edges are added one by one: NetworkX begins anew at each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from rungraph.graph.budgets import LARGEST_CYCLE, MOST_JOINED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.graph.address import Address


class Reachability:
    """What each node of an acyclic graph reaches, as the bits of an integer.

    Each edge that is added costs as much as there are nodes that reach anything new by it. After
    `MOST_JOINED` of them, and of more than `LARGEST_CYCLE` nodes, an edge is judged by the start
    order of what is there: one that leads back closes a cycle, or may do so.

    Args:
        graph: An acyclic graph.
    """

    def __init__(self, graph: nx.DiGraph[Address]) -> None:
        self._graph = graph.copy()
        self._number = {one: number for number, one in enumerate(nx.topological_sort(graph))}
        self._joined = 0
        self._is_exact = len(self._number) <= LARGEST_CYCLE
        self._below = [0] * len(self._number)
        self._above = [0] * len(self._number)
        for one, number in self._number.items() if self._is_exact else ():
            for needed in graph.pred[one]:
                above = self._number[needed]
                self._above[number] |= self._above[above] | 1 << above
        for one, number in reversed(self._number.items()) if self._is_exact else ():
            for user in graph.succ[one]:
                below = self._number[user]
                self._below[number] |= self._below[below] | 1 << below

    def add(self, start: Address, end: Address) -> bool:
        """Add an edge, unless it closes a cycle: then return False."""
        first, last = self._number[start], self._number[end]
        if not self._is_exact:
            return first < last
        if self._below[last] >> first & 1:
            return False
        self._graph.add_edge(start, end)
        if not self._below[first] >> last & 1:
            above = self._above[first] | 1 << first
            below = self._below[last] | 1 << last
            for number in _bits(above):
                self._below[number] |= below
            for number in _bits(below):
                self._above[number] |= above
            joined = above.bit_count() + below.bit_count()
            self._joined += joined * (1 + len(self._number) // 4096)  # Long ones take longer.
            if self._joined > MOST_JOINED:
                self._is_exact = False
                order = nx.lexicographical_topological_sort(self._graph)
                self._number = {one: number for number, one in enumerate(order)}
        return True


def _bits(value: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set in *value*."""
    while value:
        lowest = value & -value
        yield lowest.bit_length() - 1
        value ^= lowest

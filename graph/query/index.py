"""A graph by numbers: what makes queries fast on 100,000 nodes.

Nodes are numbered in start order. A set of nodes is one large integer with a byte a node, 1 where
the node is in it: sets are joined and cut by one machine loop, a walk marks its bytes as it goes,
and the bytes pick the addresses of the result, in start order, without sorting.
"""

from __future__ import annotations

import re
from fnmatch import translate
from functools import cached_property, lru_cache
from itertools import compress
from typing import TYPE_CHECKING, Literal, NamedTuple

from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Edge

Edges = Literal["hard", "soft", "all"]
"""Which edges a walk follows: hard and member ones, soft ones, or all of them."""
NodeSet = int
"""A set of nodes: byte *n* is 1 when node *n* is in it."""

_MOST_KEPT = 64
_NO_LINKS: Sequence[int] = ()


class Links(NamedTuple):
    """The edges by numbers: for each node what it needs, and what needs it."""

    needs: Sequence[Sequence[int]]
    needed_by: Sequence[Sequence[int]]


@lru_cache(maxsize=4)
def index_of(graph: RunGraph) -> Index:
    """Return the numbers of *graph*, made once for the graphs that were asked last."""
    return Index(graph)


class Index:
    """The numbers of a graph's nodes, and of the nodes that an older graph has besides.

    Attributes:
        graph: The graph.
        old: The older graph that it is compared with.
        addresses: The addresses by number: those of the graph in start order, then those that
            only the older graph has.
        number_of: The same the other way round.
        live: How many of them are in the graph.
    """

    def __init__(self, graph: RunGraph, old: RunGraph | None = None) -> None:
        self.graph = graph
        self.old = old
        self.addresses: list[Address] = [*graph]
        self.live = len(self.addresses)
        if old is not None:
            self.addresses += (address for address in old if address not in graph)
        self.number_of: dict[Address, int] = {a: n for n, a in enumerate(self.addresses)}
        self._links: dict[tuple[str, str], Links] = {}
        self._sets: dict[tuple[str, tuple[str, ...]], NodeSet] = {}
        self.groups: dict[str, Mapping[str, Collection[int]]] = {}

    @cached_property
    def everything(self) -> NodeSet:
        """All nodes of the graph."""
        return int.from_bytes(b"\x01" * self.live, "little")

    @cached_property
    def texts(self) -> list[str]:
        """The addresses as text, by number."""
        return [str(address) for address in self.addresses]

    @cached_property
    def names(self) -> Mapping[str, Sequence[int]]:
        """The numbers by the last part of the address: the provider id, or the API."""
        found: dict[str, list[int]] = {}
        for number, address in enumerate(self.addresses[: self.live]):
            found.setdefault(address.name or address.api, []).append(number)
        return found

    @cached_property
    def generations(self) -> Sequence[int]:
        """The generation of each node of the graph, by number."""
        layers = enumerate(self.graph.generations())
        return [generation for generation, layer in layers for _ in layer]

    def set_of(self, numbers: Iterable[int]) -> NodeSet:
        """Return the set of the nodes with these numbers."""
        marks = bytearray(len(self.addresses))
        for number in numbers:
            marks[number] = 1
        return int.from_bytes(marks, "little")

    def marks_of(self, nodes: NodeSet) -> bytes:
        """Return a byte for each node, 1 where it is in the set."""
        return nodes.to_bytes(len(self.addresses), "little")

    def numbers_of(self, nodes: NodeSet) -> list[int]:
        """Return the numbers of the nodes in a set, in start order."""
        return [*compress(range(len(self.addresses)), self.marks_of(nodes))]

    def addresses_of(self, nodes: NodeSet) -> tuple[Address, ...]:
        """Return the addresses of the nodes in a set, in start order."""
        return tuple(compress(self.addresses, self.marks_of(nodes)))

    def set_of_group(self, method: str, values: Iterable[str]) -> NodeSet:
        """Return the nodes of ``groups[method]`` with one of *values*; the last few are kept."""
        key = (method, tuple(sorted(values)))
        found = self._sets.get(key)
        if found is None:
            groups = self.groups[method]
            found = self.set_of(number for value in key[1] for number in groups[value])
            if len(self._sets) >= _MOST_KEPT:
                self._sets.clear()
            self._sets[key] = found
        return found

    def forget(self, method: str) -> None:
        """Drop ``groups[method]`` and the sets made of it."""
        self.groups.pop(method, None)
        for key in [key for key in self._sets if key[0] == method]:
            del self._sets[key]

    def links(self, edges: Edges, *, of_old: bool = False, with_dropped: bool = False) -> Links:
        """Return the edges by numbers.

        Args:
            edges: Which.
            of_old: Those of the older graph instead.
            with_dropped: The soft edges that were dropped, too.
        """
        key = (edges, f"{of_old:d}{with_dropped:d}")
        if key not in self._links:
            graph = self.old if of_old and self.old is not None else self.graph
            found = self._linked(graph.edges, edges)
            if with_dropped and edges != "hard" and graph.dropped:
                found = self._linked((*graph.edges, *graph.dropped), edges)
            self._links[key] = found
        return self._links[key]

    def _linked(self, edges: Iterable[Edge], which: Edges) -> Links:
        needs: list[Sequence[int]] = [_NO_LINKS] * len(self.addresses)
        needed_by: list[Sequence[int]] = [*needs]
        number_of = self.number_of
        for edge in edges:
            if which != "all" and (edge.strength is Strength.SOFT) != (which == "soft"):
                continue
            dependency, dependent = number_of[edge.dependency], number_of[edge.dependent]
            _append(needs, dependent, dependency)
            _append(needed_by, dependency, dependent)
        return Links(needs, needed_by)


def _append(lists: list[Sequence[int]], number: int, other: int) -> None:
    # Most nodes have no edge or one: a list for each of them would cost more than the edges.
    found = lists[number]
    if isinstance(found, list):
        found.append(other)
    elif found:
        lists[number] = [*found, other]
    else:
        lists[number] = (other,)


def glob_of(glob: str) -> re.Pattern[str]:
    """Return what matches the texts that a glob means: ``*``, ``?``, ``[…]``; ``*`` any text."""
    return re.compile(translate(glob))


def is_literal(glob: str) -> bool:
    """Whether a glob means one text only."""
    return not any(sign in glob for sign in "*?[")

"""What queries are asked of: a graph, and an older one that it is compared with."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from rungraph.graph.digraph import new_digraph
from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import networkx as nx

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Node

Edges = Literal["hard", "soft", "all"]
"""Which edges a walk follows: hard and member ones, soft ones, or all of them."""
NodeSet = frozenset["Address"]


class Asked:
    """A graph, and the nodes that an older graph has besides.

    Attributes:
        graph: The graph.
        old: The older graph that it is compared with.
        nodes: The nodes by address: those of the graph in start order, then those that only the
            older graph has.
        everything: The nodes of the graph.
        groups: Which nodes have which value, by attribute; filled as queries ask.
    """

    def __init__(self, graph: RunGraph, old: RunGraph | None = None) -> None:
        self.graph = graph
        self.old = old
        self.nodes: dict[Address, Node] = {address: graph.nodes[address] for address in graph}
        self.everything: NodeSet = frozenset(self.nodes)
        if old is not None:
            self.nodes |= {one: old.nodes[one] for one in old if one not in graph}
        self.groups: dict[str, Mapping[str, NodeSet]] = {}
        self._walked: dict[tuple[str, bool, bool], nx.DiGraph[Address]] = {}

    @cached_property
    def texts(self) -> dict[Address, str]:
        """The addresses as text, in order."""
        return {address: str(address) for address in self.nodes}

    @cached_property
    def names(self) -> Mapping[str, Sequence[Address]]:
        """The nodes of the graph by the last part of the address: the provider id, or the API."""
        found: dict[str, list[Address]] = {}
        for address in self.graph:
            found.setdefault(address.name or address.api, []).append(address)
        return found

    @cached_property
    def _position(self) -> dict[Address, int]:
        return {address: position for position, address in enumerate(self.nodes)}

    def in_order(self, nodes: NodeSet) -> tuple[Address, ...]:
        """Return *nodes* in the order of `nodes`."""
        # Sorting what is most of the graph takes as long as the walk that found it.
        if len(nodes) * 8 > len(self.nodes):
            return tuple(one for one in self.nodes if one in nodes)
        return tuple(sorted(nodes, key=self._position.__getitem__))

    def edges(
        self, which: Edges, *, of_old: bool = False, with_dropped: bool = False
    ) -> nx.DiGraph[Address]:
        """Return the graph that walks follow.

        Args:
            which: The edges in it.
            of_old: The older graph instead.
            with_dropped: The soft edges that were dropped are in it, too.
        """
        key = (which, of_old, with_dropped)
        if key not in self._walked:
            graph = self.old if of_old and self.old is not None else self.graph
            dropped = graph.dropped if with_dropped else ()
            self._walked[key] = (
                graph.nx
                if which == "all" and not dropped
                else new_digraph(
                    graph.name,
                    graph.nodes.values(),
                    (
                        edge
                        for edge in (*graph.edges, *dropped)
                        if which == "all" or (edge.strength is Strength.SOFT) == (which == "soft")
                    ),
                )
            )
        return self._walked[key]


@lru_cache(maxsize=4)
def asked(graph: RunGraph) -> Asked:
    """Return what queries are asked of without an older graph; kept for the last few graphs."""
    return Asked(graph)


def glob_of(glob: str) -> re.Pattern[str]:
    """Return what matches the texts that a glob means: ``*``, ``?``, ``[…]``; ``*`` any text."""
    return re.compile(translate(glob))


def is_literal(glob: str) -> bool:
    """Whether a glob means one text only."""
    return not any(sign in glob for sign in "*?[")

"""When nodes start: what each waited for, which chain took longest, and how much slack there is.

The longest chain and the slack are those of the critical path method (Kelley and Walker 1959).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import networkx as nx

from rungraph.graph.budgets import MOST_ON_CYCLES
from rungraph.graph.digraph import cyclic_sets, generations_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rungraph.graph.address import Address


class Moments(Protocol):
    """The moments of one node's start, in seconds since the stack began to start."""

    @property
    def available(self) -> float:
        """When the last of what it needs was ready or out of the way."""
        ...

    @property
    def starting(self) -> float | None:
        """When its own start began; None if it never did."""
        ...

    @property
    def settled(self) -> float | None:
        """When that was over, one way or the other; None if it never was."""
        ...


class StartTimes:
    """What follows from the `Moments` of one node's start; a base of classes that have them."""

    __slots__ = ()

    @property
    def own(self: Moments) -> float:
        """Seconds that its own start took; 0 if it never began."""
        if self.starting is None or self.settled is None:
            return 0.0
        return max(self.settled - self.starting, 0.0)

    @property
    def waited_for_needs(self: Moments) -> float:
        """Seconds that it waited for what it needs."""
        return self.available if self.starting is None else min(self.available, self.starting)

    @property
    def waited_for_turn(self: Moments) -> float:
        """Seconds that it then waited for its generation, or for a place among the starting."""
        return 0.0 if self.starting is None else max(self.starting - self.available, 0.0)


class Chains(NamedTuple):
    """The chains of needs whose own times are longest together, one to each node.

    Attributes:
        length: The sum of the own times of each node's chain.
        before: The node before it in its chain, and before what *through* has of it; None where
            the chain begins.
        through: For a node on a cycle the end of its chain that is on that cycle, itself the last.
    """

    length: dict[Address, float]
    before: dict[Address, Address | None]
    through: dict[Address, tuple[Address, ...]]

    def to(self, end: Address | None) -> tuple[Address, ...]:
        """Return the chain that ends with *end*, the first to start first; empty for None."""
        chain: list[Address] = []
        while end is not None:
            chain.extend(reversed(self.through.get(end, (end,))))
            end = self.before[end]
        return tuple(reversed(chain))

    def longest(self, ends: Collection[Address]) -> Address | None:
        """Return the one of *ends* with the longest chain, of equal ones the smallest."""
        return min(ends, key=lambda one: (-self.length[one], one), default=None)


def longest_chains(graph: nx.DiGraph[Address], own: Mapping[Address, float]) -> Chains:
    """Return the longest chain to each node of *graph*; of equal ones through the smallest node.

    No chain has a node twice. ``nx.dag_longest_path`` is not asked: it gives one chain, stops where
    later nodes weigh nothing, and refuses a graph with a cycle.

    Args:
        graph: The graph; edges run from what starts first. Where more than `MOST_ON_CYCLES` nodes
            reach each other, a chain has one of them only: finding the longest is hard.
        own: How long each node takes; a node that is missing takes no time.
    """
    chains = Chains({}, {}, {})
    for layer in generations_of(graph):
        before = {
            node: chains.longest([one for one in graph.pred[node] if one in chains.length])
            for node in layer
        }
        for node, last in before.items():
            chains.before[node] = last
            chains.length[node] = own.get(node, 0.0) + (chains.length[last] if last else 0.0)
        if any(one in before for node in layer for one in graph.pred[node]):
            for nodes in cyclic_sets(graph.subgraph(layer)):
                if len(nodes) <= MOST_ON_CYCLES:
                    _extend_on_cycles(chains, graph.subgraph(nodes), own)
    return chains


def _extend_on_cycles(
    chains: Chains, inside: nx.DiGraph[Address], own: Mapping[Address, float]
) -> None:
    """Lengthen the chains to nodes that reach each other by those through the others."""
    entering, before = dict(chains.length), dict(chains.before)
    for end in sorted(inside):
        paths: list[tuple[Address, ...]] = [(end,)]
        for start in inside:
            if start != end:
                simple: Any = nx.all_simple_paths(cast("nx.DiGraph[Any]", inside), start, end)
                paths += map(tuple, simple)
        lengths = [entering[path[0]] + sum(own.get(n, 0.0) for n in path[1:]) for path in paths]
        length, path = min(zip(lengths, paths, strict=True), key=lambda one: (-one[0], one[1]))
        chains.length[end], chains.before[end], chains.through[end] = length, before[path[0]], path


def slack_of(
    graph: nx.DiGraph[Address],
    finish: Mapping[Address, float],
    own: Mapping[Address, float],
    total: float,
) -> dict[Address, float]:
    """Return by how many seconds each node could finish later without holding up *total*.

    Args:
        graph: The graph; edges run from what starts first.
        finish: When each node is ready.
        own: How long each node takes; a node that is missing takes no time.
        total: When all is ready.
    """
    latest: dict[Address, float] = {}
    for layer in reversed(generations_of(graph)):
        for node in layer:
            begins = (latest[one] - own.get(one, 0.0) for one in graph.succ[node] if one in latest)
            latest[node] = min(begins, default=total)
    return {node: max(latest[node] - finish[node], 0.0) for node in finish}

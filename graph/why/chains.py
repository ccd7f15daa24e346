"""Chains of nodes, each with the evidence that it needs the next."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from rungraph.graph.nodes import ProviderNode, Strength
from rungraph.graph.paths import number_of_paths, shortest_paths

if TYPE_CHECKING:
    import networkx as nx

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Edge

MOST_COUNTED: Final = 10**15
"""Paths are counted up to here: a ladder of 200 rungs has 2^200."""


class Hop(NamedTuple):
    """One node needs, or uses, the next.

    Attributes:
        edge: The edge between the two.
        members: For a table and its member, how many members the table has; else 0.
        origin: The distribution or file whose catalog says so; empty where none does.
        is_late: Whether the dependent is handed the dependency only once both run.
    """

    edge: Edge
    members: int = 0
    origin: str = ""
    is_late: bool = False

    def __str__(self) -> str:
        if self.members:
            return (
                "its only member" if self.members == 1 else f"needs any of {self.members} members"
            )
        evidence = self.edge.evidence
        text = evidence[0].text if evidence else f"needs {self.edge.dependency}"
        source = f", says the catalog of {self.origin}" if self.origin else ""
        late = "; bound late, because they need each other" if self.is_late else ""
        return f"{text}{source}{late}"


class Chain(NamedTuple):
    """A path from a node to one that it needs.

    Attributes:
        hops: From the node that needs to the one that is needed; not empty.
    """

    hops: tuple[Hop, ...]

    @property
    def nodes(self) -> tuple[Address, ...]:
        """The nodes, the one that needs first."""
        return (self.hops[0].edge.dependent, *(hop.edge.dependency for hop in self.hops))

    @property
    def verb(self) -> str:
        """``needs``; ``uses`` if a hop on the way does no more than that."""
        is_soft = any(hop.edge.strength is Strength.SOFT for hop in self.hops)
        return "uses" if is_soft else "needs"


class Chains(NamedTuple):
    """How one node needs another.

    Attributes:
        listed: Some paths, the shortest first.
        total: How many there are, at most `MOST_COUNTED`.
        has_cycles: Whether cycles lie on the way; then only the shortest path is listed.
    """

    listed: tuple[Chain, ...] = ()
    total: int = 0
    has_cycles: bool = False


def chains_between(
    graph: RunGraph,
    walkable: nx.DiGraph[Address],
    start: Address,
    goal: Address,
    most: int = 1,
) -> Chains:
    """Return the chains by which *start* needs *goal*: at most *most*, and how many there are.

    Args:
        graph: The graph.
        walkable: Its nodes with the edges that count.
        start: A node.
        goal: Another node.
        most: How many chains are listed.
    """
    paths = shortest_paths(walkable, [start], [goal])
    total = number_of_paths(walkable, start, goal, MOST_COUNTED) if start != goal else 0
    shown = islice(paths, 1 if total is None else min(most, total))
    listed = tuple(chain_along(graph, walkable, path) for path in shown)
    return Chains(listed, 1 if total is None else total, has_cycles=total is None)


def chain_along(graph: RunGraph, walkable: nx.DiGraph[Address], path: tuple[Address, ...]) -> Chain:
    """Return the chain along *path*, a node that needs the next, and so on."""
    ends = zip(path[1:], path, strict=False)
    return Chain(tuple(hop_of(graph, walkable.edges[pair]["edge"]) for pair in ends))


def hop_of(graph: RunGraph, edge: Edge) -> Hop:
    """Return *edge* as a hop of a chain."""
    members = 0
    if edge.strength is Strength.MEMBER:
        links = graph.nx.pred[edge.dependent].values()
        members = sum(1 for link in links if link["edge"].strength is Strength.MEMBER)
    node = graph.nodes[edge.dependent]
    says_spec = any(one.rule.endswith("dependencies") for one in edge.evidence)
    spec = node.spec if isinstance(node, ProviderNode) and says_spec else None
    return Hop(edge, members, spec.origin if spec else "", edge in graph.dropped)

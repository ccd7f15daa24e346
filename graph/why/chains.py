"""Chains of nodes, each with the evidence that it needs the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import networkx as nx

from rungraph.graph.nodes import Evidence, ProviderNode, Strength
from rungraph.graph.why.paths import Paths, paths_between

if TYPE_CHECKING:
    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Edge
    from rungraph.graph.place import Place

Edges = Literal["all", "hard", "soft"]
"""Which edges a chain can be made of; ``hard`` includes members of tables."""


class Hop(NamedTuple):
    """One node needs, or uses, the next.

    Attributes:
        dependent: The node that needs.
        dependency: The node that is needed.
        strength: How much.
        evidence: Why the edge is there.
        members: For a table and its member, how many members the table has; else 0.
        origin: The distribution or file whose catalog says so; empty where none does.
        is_late: Whether the dependent is handed the dependency only once both run.
    """

    dependent: Address
    dependency: Address
    strength: Strength
    evidence: tuple[Evidence, ...]
    members: int = 0
    origin: str = ""
    is_late: bool = False

    def __str__(self) -> str:
        if self.strength is Strength.MEMBER:
            return (
                "its only member" if self.members == 1 else f"needs any of {self.members} members"
            )
        text = self.evidence[0].text if self.evidence else f"needs {self.dependency}"
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
        return (self.hops[0].dependent, *(hop.dependency for hop in self.hops))

    @property
    def verb(self) -> str:
        """``needs``; ``uses`` if some hop on the way does no more than that."""
        is_soft = any(hop.strength is Strength.SOFT for hop in self.hops)
        return "uses" if is_soft else "needs"


@dataclass(frozen=True, slots=True)
class Chains:
    """How one node needs another.

    Attributes:
        listed: Some paths, the shortest first.
        total: How many there are, at most `MOST_COUNTED`.
        has_cycles: Whether cycles lie on the way; then only the shortest path is listed.
    """

    listed: tuple[Chain, ...]
    total: int
    has_cycles: bool


class Steps:
    """The edges of a graph to walk along, from what needs to what is needed.

    Args:
        graph: The graph.
        edges: Which of its edges count.
        with_late: Whether the edges that were dropped, and are bound late, count as well.
    """

    def __init__(self, graph: RunGraph, edges: Edges = "all", *, with_late: bool = False) -> None:
        self._graph = graph
        self._late = frozenset(graph.dropped)
        found = (*graph.edges, *graph.dropped) if with_late else graph.edges
        self._needs: nx.DiGraph[Address] = nx.DiGraph()
        for one in found:
            if edges == "all" or (one.strength is Strength.SOFT) == (edges == "soft"):
                self._needs.add_edge(one.dependent, one.dependency, edge=one)

    def chains(self, start: Address, goal: Address, most: int = 1) -> Chains:
        """Return at most *most* chains from *start* to *goal*, the shortest first."""
        found: Paths = paths_between(self._needs, start, goal, most)
        listed = tuple(
            Chain(tuple(map(self.hop, path, path[1:]))) for path in found.listed if len(path) > 1
        )
        return Chains(listed, found.total, found.has_cycles)

    def has(self, dependent: Address, dependency: Address) -> bool:
        """Whether *dependent* needs *dependency* directly."""
        return self._needs.has_edge(dependent, dependency)

    def hop(self, dependent: Address, dependency: Address) -> Hop:
        """Return how *dependent* needs *dependency* directly."""
        edge: Edge = self._needs.edges[dependent, dependency]["edge"]
        members = 0
        if edge.strength is Strength.MEMBER:
            members = sum(
                self._graph.edge(one, dependent).strength is Strength.MEMBER
                for one in self._graph.dependencies_of(dependent)
            )
        node = self._graph.nodes[dependent]
        says_spec = any(one.rule.endswith("dependencies") for one in edge.evidence)
        spec = node.spec if isinstance(node, ProviderNode) and says_spec else None
        return Hop(
            dependent,
            dependency,
            edge.strength,
            edge.evidence,
            members,
            spec.origin if spec else "",
            edge in self._late,
        )


def place_of(graph: RunGraph, address: Address) -> Place | None:
    """Return where a node is configured; None for a router, a table and what every stack has."""
    return getattr(graph.nodes[address], "place", None)

"""How two nodes of a graph are related: which needs which, and over what."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.paths import walkable
from rungraph.graph.why.chains import Chains, chains_between

if TYPE_CHECKING:
    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.paths import Edges


class Between(NamedTuple):
    """How two nodes are related.

    Attributes:
        first: One of them.
        second: The other.
        forth: How *first* needs *second*; nothing listed if it does not.
        back: How *second* needs *first*.
        both_need: What both need, the last to start first; empty when one needs the other.
        need_both: What needs both, the first to start first; empty when one needs the other.
    """

    first: Address
    second: Address
    forth: Chains
    back: Chains
    both_need: tuple[Address, ...] = ()
    need_both: tuple[Address, ...] = ()

    @property
    def found(self) -> tuple[Chains, ...]:
        """The ways there are, from first to second before the way back."""
        return tuple(one for one in (self.forth, self.back) if one.listed)


def why_between(
    graph: RunGraph, first: Address, second: Address, *, edges: Edges = "all", most: int = 1
) -> Between:
    """Return how *first* and *second* are related, whichever of them needs the other.

    Edges that are bound late count between the two themselves, or if there is no other way.

    Args:
        graph: The graph that has both.
        first: A node.
        second: Another one.
        edges: Which edges count.
        most: How many paths are listed each way.
    """
    usual, late = walkable(graph, edges), walkable(graph, edges, with_dropped=True)
    forth = chains_between(graph, usual, first, second, most)
    back = chains_between(graph, usual, second, first, most)
    is_found = bool(forth.listed or back.listed)
    if not forth.listed and (not is_found or late.has_edge(second, first)):
        forth = chains_between(graph, late, first, second, most)
    if not back.listed and (not is_found or late.has_edge(first, second)):
        back = chains_between(graph, late, second, first, most)
    if forth.listed or back.listed:
        return Between(first, second, forth, back)
    both_need, need_both = (
        tuple(one for one in some if one in others)
        for some, others in (
            (reversed(graph.ancestors(first)), frozenset(graph.ancestors(second))),
            (graph.descendants(first), frozenset(graph.descendants(second))),
        )
    )
    return Between(first, second, forth, back, both_need, need_both)

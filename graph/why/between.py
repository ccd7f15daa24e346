"""How two nodes of a graph hang together: which needs which, and over what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rungraph.graph.why.chains import Chains, Edges, Steps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph

MOST_COMMON = 8
"""How many nodes that both need, or that need both, are named."""


@dataclass(frozen=True, slots=True)
class Between:
    """How two nodes hang together.

    Attributes:
        first: One of them.
        second: The other.
        forth: How *first* needs *second*; nothing listed if it does not.
        back: How *second* needs *first*.
        both_need: What both need, the last to start first; told when neither needs the other.
        need_both: What needs both, the first to start first; told when neither needs the other.
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
    """Return how *first* and *second* hang together, whichever of them needs the other.

    Edges that are bound late count between the two themselves, or if there is no other way.

    Args:
        graph: The graph that has both.
        first: A node.
        second: Another one.
        edges: Which edges count.
        most: How many paths are listed each way.
    """
    steps, late = Steps(graph, edges), Steps(graph, edges, with_late=True)
    forth, back = steps.chains(first, second, most), steps.chains(second, first, most)
    is_found = bool(forth.listed or back.listed)
    if not forth.listed and (not is_found or late.has(first, second)):
        forth = late.chains(first, second, most)
    if not back.listed and (not is_found or late.has(second, first)):
        back = late.chains(second, first, most)
    if forth.listed or back.listed:
        return Between(first, second, forth, back)
    return Between(
        first,
        second,
        forth,
        back,
        _in_both(reversed(graph.ancestors(first)), graph.ancestors(second)),
        _in_both(graph.descendants(first), graph.descendants(second)),
    )


def _in_both(some: Iterable[Address], others: Iterable[Address]) -> tuple[Address, ...]:
    wanted = frozenset(others)
    return tuple(address for address in some if address in wanted)

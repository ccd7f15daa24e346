"""Which arrows say nothing that the others do not say already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.viz.model.elements import Arrow


def reduced_arrows(
    arrows: Sequence[Arrow],
    rank_of: Mapping[Address, int],
    incomplete: Collection[Address] = (),
) -> tuple[Arrow, ...]:
    """Return *arrows* without those that follow from others.

    - A hard arrow is left out only where its dependent cannot start without the dependency
      anyway: by way of hard arrows, and of tables all of whose members need it. A transitive
      reduction knows no such "any of them", so `_needed` works it out.
    - A soft arrow is left out where arrows of any strength lead the same way.
    - A member stays a member. Dropped arrows, marked ones and those of cycles stay.

    Args:
        arrows: What would be drawn.
        rank_of: The start order of the boxes; an arrow to no later rank stays.
        incomplete: Boxes with dependencies that are not drawn.
    """
    forward: nx.DiGraph[Address] = nx.DiGraph()
    forward.add_edges_from(
        (arrow.dependency, arrow.dependent, {"strength": arrow.strength})
        for arrow in arrows
        if not arrow.is_dropped
        and not arrow.is_ghost
        and rank_of[arrow.dependency] < rank_of[arrow.dependent]
    )
    needed = _needed(forward, incomplete)
    shortest = nx.transitive_reduction(forward)

    def follows(arrow: Arrow) -> bool:
        a, b = arrow.dependency, arrow.dependent
        if arrow.mark or arrow.strength is Strength.MEMBER or not forward.has_edge(a, b):
            return False
        if arrow.strength is Strength.SOFT:
            return not shortest.has_edge(a, b)
        return any(a in needed[one] for one in _dependencies(forward, b, Strength.HARD))

    return tuple(arrow for arrow in arrows if arrow.is_dropped or not follows(arrow))


def _needed(
    forward: nx.DiGraph[Address], incomplete: Collection[Address]
) -> dict[Address, set[Address]]:
    """Return what each box cannot start without."""
    needed: dict[Address, set[Address]] = {}
    for box in nx.topological_sort(forward):
        hard = _dependencies(forward, box, Strength.HARD)
        members = _dependencies(forward, box, Strength.MEMBER)
        needed[box] = set().union(hard, *(needed[one] for one in hard))
        if members and box not in incomplete:
            needed[box] |= set.intersection(*({one} | needed[one] for one in members))
    return needed


def _dependencies(graph: nx.DiGraph[Address], box: Address, strength: Strength) -> list[Address]:
    found = graph.pred[box]
    return [one for one in found if found[one]["strength"] is strength]

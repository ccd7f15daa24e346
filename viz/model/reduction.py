"""Which arrows say nothing that the others do not say already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.viz.model.elements import Arrow


def reduced_arrows(
    arrows: Sequence[Arrow],
    rank_of: Mapping[Address, int],
    incomplete: Collection[Address] = (),
) -> tuple[Arrow, ...]:
    """Return *arrows* without those that follow from others.

    - A hard arrow is left out only where its dependent cannot start without the dependency
      anyway: by way of hard arrows, and of tables all of whose members need it.
    - A soft arrow is left out where arrows of any strength lead the same way.
    - A member stays a member. Dropped arrows, marked ones and those of cycles stay.

    Args:
        arrows: What would be drawn.
        rank_of: The start order of the boxes; an arrow to no later rank stays.
        incomplete: Boxes with dependencies that are not drawn.
    """
    forward = [one for one in arrows if _is_forward(one, rank_of)]
    into: dict[Address, list[Arrow]] = {}
    for arrow in forward:
        into.setdefault(arrow.dependent, []).append(arrow)
    # One bit a box: sets of ancestors of thousands of boxes stay small and quick to join.
    bit = {key: 1 << index for index, key in enumerate(rank_of)}
    needed = dict.fromkeys(rank_of, 0)
    reached = dict.fromkeys(rank_of, 0)
    superfluous: set[Arrow] = set()
    for key in sorted(into, key=lambda one: (rank_of[one], one)):
        hard = [one for one in into[key] if one.strength is Strength.HARD]
        members = [one for one in into[key] if one.strength is Strength.MEMBER]
        by_hard = _joined(needed[one.dependency] for one in hard)
        by_any = _joined(reached[one.dependency] for one in into[key])
        for arrow in into[key]:
            mask = by_hard if arrow.strength is Strength.HARD else by_any
            if (
                arrow.strength is not Strength.MEMBER
                and arrow.mark is None
                and mask & bit[arrow.dependency]
            ):
                superfluous.add(arrow)
        needed[key] = by_hard | _joined(bit[one.dependency] for one in hard)
        if members and key not in incomplete:
            needed[key] |= _common(needed[one.dependency] | bit[one.dependency] for one in members)
        reached[key] = by_any | _joined(bit[one.dependency] for one in into[key])
    return tuple(one for one in arrows if one not in superfluous)


def _is_forward(arrow: Arrow, rank_of: Mapping[Address, int]) -> bool:
    return (
        not arrow.is_dropped
        and not arrow.is_ghost
        and rank_of[arrow.dependency] < rank_of[arrow.dependent]
    )


def _joined(masks: Iterable[int]) -> int:
    result = 0
    for mask in masks:
        result |= mask
    return result


def _common(masks: Iterable[int]) -> int:
    result = -1
    for mask in masks:
        result &= mask
    return result

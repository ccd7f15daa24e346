"""What each node alone would take down, for all nodes in one sweep."""

from __future__ import annotations

from collections import Counter
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING

from rungraph.graph.failures import Needs
from rungraph.graph.plan.parts import BlastRadius

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.graph.address import Address

_NOTHING = Needs()


def blast_radii(
    generations: Sequence[Sequence[Address]], needs: Mapping[Address, Needs]
) -> dict[Address, BlastRadius]:
    """Return what each node alone would take down, by the rules of `assume_failed`.

    One sweep in start order gives each node the set, as the bits of a number, of those whose
    failure alone takes it down: itself, all that take down what it needs, and whatever takes down
    all of its members. Only nodes that can take others down have a bit, and in run configs these
    are few: a member of a table with other members takes down nothing.

    Args:
        generations: The nodes in start order.
        needs: What each node depends on; nodes that depend on nothing may be missing.
    """
    bits = {address: 1 << number for number, address in enumerate(_movers(generations, needs))}
    takers: dict[Address, int] = {}
    for generation in generations:
        _settle(generation, needs, bits, takers)
    hard, soft = _Columns(), _Columns()
    missed: Counter[Address] = Counter()
    for address, found in needs.items():
        hard.add(takers[address] & ~bits.get(address, 0))
        uses = found.members + found.soft
        if uses:
            soft.add(reduce(or_, (takers[one] for one in uses)) & ~takers[address])
            missed.update(one for one in uses if one not in bits)
    moved = dict(
        zip(bits, zip(hard.counts(len(bits)), soft.counts(len(bits)), strict=True), strict=True)
    )
    return {
        address: BlastRadius(hard=moved[address][0], soft=moved[address][1])
        if address in moved
        else BlastRadius(hard=0, soft=missed[address])
        for address in takers
    }


def _movers(
    generations: Sequence[Sequence[Address]], needs: Mapping[Address, Needs]
) -> list[Address]:
    """Return the nodes that can take another one down: it needs them, or has no other member."""
    found = {one for need in needs.values() for one in need.hard}
    found.update(need.members[0] for need in needs.values() if len(need.members) == 1)
    return [address for generation in generations for address in generation if address in found]


def _settle(
    generation: Sequence[Address],
    needs: Mapping[Address, Needs],
    bits: Mapping[Address, int],
    takers: dict[Address, int],
) -> None:
    """Fill in *takers* for one generation, given all earlier ones."""
    inside = frozenset(generation)
    # Only in a circle is something needed that comes no earlier; the sets then grow round by round
    # until they are complete.
    is_circle = has_grown = True
    while is_circle and has_grown:
        is_circle = has_grown = False
        for address in generation:
            hard, members, _ = needs.get(address, _NOTHING)
            value = bits.get(address, 0)
            for one in hard:
                value |= takers.get(one, 0)
            if members:
                value |= reduce(and_, (takers.get(one, 0) for one in members))
            is_circle = is_circle or any(one in inside for one in hard + members)
            has_grown = has_grown or takers.get(address) != value
            takers[address] = value


class _Columns:
    """Counts, for each bit, in how many of many numbers it is set.

    The counts stand in columns: plane n holds the bits of value 2**n of all counts. Adding a number
    to all of them is a ripple of a few operations on long numbers, however many bits are set.
    """

    def __init__(self) -> None:
        self._planes: list[int] = []

    def add(self, number: int) -> None:
        """Count the bits of *number*."""
        level = 0
        while number:
            if level == len(self._planes):
                self._planes.append(0)
            plane = self._planes[level]
            self._planes[level], number = plane ^ number, plane & number
            level += 1

    def counts(self, size: int) -> list[int]:
        """Return the counts of the first *size* bits."""
        found = [0] * size
        for level, plane in enumerate(self._planes):
            for number, digit in enumerate(reversed(f"{plane:b}")):
                if digit == "1":
                    found[number] += 1 << level
        return found

"""Order in layers by moving whole lines about, rather than one vertex at a time.

A vertex is a block, and so are the lanes of a line on its way through layers. Blocks have one
order across all layers, from which each layer takes its own; so a long line is straight, and moves
past others as a whole. A block is sifted through all places of the order and stays where fewest
links cross. The method is the global sifting of Bachmaier, Brandenburg, Brunner and Huebner (2010),
restarted from orders of no meaning and from the best one shaken.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from rungraph.viz.layout.crossings import count_crossings, gain_of_swap

if TYPE_CHECKING:
    from collections.abc import Sequence

_STARTS, _SHAKES, _PATIENCE = 10, 500, 160
"""How many orders to start from, how often the best is shaken, how often without a gain."""
_EFFORT = 800_000
"""How many times two blocks are compared, about, before there are fewer shakes: half a second."""
_ROUNDS = 8


def sifted_order(
    layers: Sequence[Sequence[int]],
    links: Sequence[tuple[int, int]],
    lanes: Sequence[Sequence[int]],
) -> list[list[int]]:
    """Return the layers, each in the order of the blocks that makes fewest links cross."""
    blocks = _Blocks(layers, links, lanes)
    source = random.Random(0)  # noqa: S311 (no secret, but the same orders every time)
    tries = _EFFORT // (sum(map(len, blocks.meeting)) * 3 or 1)
    starts = max(2, min(_STARTS, tries // 2))
    best = list(range(len(blocks.spans)))
    fewest = blocks.sift(best)
    for _ in range(starts - 1):
        if not fewest:
            break
        order = source.sample(range(len(best)), len(best))
        fewest, best = min((fewest, best), (blocks.sift(order), order))
    idle = 0
    for _ in range(min(_SHAKES, tries - starts)):
        if not fewest or idle > _PATIENCE:
            break
        order = list(best)
        for _ in range(source.choice((2, 3, 4, 6))):  # A few blocks go anywhere.
            block = order.pop(source.randrange(len(order)))
            order.insert(source.randrange(len(order) + 1), block)
        found = blocks.sift(order)
        idle = 0 if found < fewest else idle + 1
        if found <= fewest:  # An order that is as good leads on to others.
            fewest, best = found, order
    return blocks.layers_by(best)


class _Blocks:
    """The blocks of a layered drawing, by number.

    Attributes:
        spans: The first and the last layer of each block.
        before: The blocks that it is linked with in the layer before its first.
        after: Those in the layer after its last.
        meeting: The blocks that share a layer with it.
    """

    def __init__(
        self,
        layers: Sequence[Sequence[int]],
        links: Sequence[tuple[int, int]],
        lanes: Sequence[Sequence[int]],
    ) -> None:
        self._layers = layers
        self._links = links
        layer_of = {vertex: index for index, layer in enumerate(layers) for vertex in layer}
        inside = {vertex for lane in lanes for vertex in lane}
        members = [*lanes, *([vertex] for vertex in layer_of if vertex not in inside)]
        self._block_of = {vertex: block for block, one in enumerate(members) for vertex in one}
        self.spans = [(layer_of[one[0]], layer_of[one[-1]]) for one in members]
        self.before: list[list[int]] = [[] for _ in members]
        self.after: list[list[int]] = [[] for _ in members]
        for a, b in links:
            if self._block_of[a] != self._block_of[b]:
                self.after[self._block_of[a]].append(self._block_of[b])
                self.before[self._block_of[b]].append(self._block_of[a])
        at_layer = [{self._block_of[vertex] for vertex in layer} for layer in layers]
        self.meeting = [
            sorted(set().union(*at_layer[first : last + 1]) - {block})
            for block, (first, last) in enumerate(self.spans)
        ]

    def layers_by(self, order: Sequence[int]) -> list[list[int]]:
        """Return the layers, each in the order of its blocks."""
        rank = _ranks(order)
        return [sorted(layer, key=lambda v: rank[self._block_of[v]]) for layer in self._layers]

    def sift(self, order: list[int]) -> int:
        """Move each block of *order* to where fewest links cross; return how many still do.

        Those with most links move first, until none moves any more.
        """
        busiest = sorted(order, key=lambda b: (-len(self.before[b]) - len(self.after[b]), b))
        rank = _ranks(order)
        for _ in range(_ROUNDS):
            has_moved = False
            for block in busiest:
                others = sorted(self.meeting[block], key=rank.__getitem__)
                place = self._best_place(block, others, rank)
                if place is None:
                    continue
                order.remove(block)
                at = order.index(others[place - 1]) + 1 if place else order.index(others[0])
                order.insert(at, block)
                rank = _ranks(order)
                has_moved = True
            if not has_moved:
                break
        return count_crossings(self.layers_by(order), self._links)

    def _best_place(self, block: int, others: Sequence[int], rank: Sequence[int]) -> int | None:
        """Return how many of *others* should come before *block*; None if it stands well already.

        What crosses while the block comes before the other no longer does so when it comes after.
        """
        first, last = self.spans[block]
        mine_before = [rank[one] for one in self.before[block]]
        mine_after = [rank[one] for one in self.after[block]]
        gain = best = best_place = present = 0
        for place, other in enumerate(others, 1):
            other_first, other_last = self.spans[other]
            beside = rank[other]
            # Where one of the two is in the middle of its way, it is a straight line.
            if other_first < first:
                gain += gain_of_swap(mine_before, (beside,))
            elif self.before[other]:
                ends = [rank[one] for one in self.before[other]]
                gain += gain_of_swap(mine_before if other_first == first else (beside,), ends)
            if other_last > last:
                gain += gain_of_swap(mine_after, (beside,))
            elif self.after[other]:
                ends = [rank[one] for one in self.after[other]]
                gain += gain_of_swap(mine_after if other_last == last else (beside,), ends)
            if beside < rank[block]:
                present = gain
            if gain > best or (gain == best and beside < rank[block]):  # Of equals the nearest.
                best, best_place = gain, place
        return best_place if best > present else None


def _ranks(order: Sequence[int]) -> list[int]:
    """Return the place of each block in *order*."""
    rank = [0] * len(order)
    for index, block in enumerate(order):
        rank[block] = index
    return rank

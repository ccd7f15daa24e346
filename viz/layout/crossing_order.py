"""The order of the vertices in each layer of a layered drawing, so that few links cross."""

from __future__ import annotations

import random
from bisect import bisect_right, insort
from typing import TYPE_CHECKING

from rungraph.graph.budgets import MOST_SIFTED, MOST_SWAPPED

if TYPE_CHECKING:
    from collections.abc import Sequence

    Near = Sequence[Sequence[int]]
    from collections.abc import Iterable, Sequence

Order = list[list[int]]

_SWEEPS, _PASSES = 8, 8


def best_order(
    layers: Sequence[Sequence[int]],
    links: Sequence[tuple[int, int]],
    lanes: Sequence[Sequence[int]] = (),
) -> Order:
    """Return the layers, each ordered so that few links cross. Equal input, equal order.

    What has no links goes last, out of the way of what has.

    Args:
        layers: The vertices of each layer: the numbers from 0 on, each once.
        links: Each from a vertex to one of the next layer.
        lanes: Vertices that stand for one line on its way through layers, first layer first.
    """
    count = sum(map(len, layers))
    left: list[list[int]] = [[] for _ in range(count)]
    right: list[list[int]] = [[] for _ in range(count)]
    for a, b in links:
        left[b].append(a)
        right[a].append(b)
    linked = [[v for v in layer if left[v] or right[v]] for layer in layers]
    order = _swept(linked, links, left, right)
    if sum(len(layer) ** 2 for layer in linked) // 2 <= MOST_SIFTED:
        sifted = sifted_order(linked, links, lanes)
        _swap(sifted, left, right)
        order = min(sifted, order, key=lambda one: count_crossings(one, links))
    alone = [[v for v in layer if not (left[v] or right[v])] for layer in layers]
    return [[*one, *other] for one, other in zip(order, alone, strict=True)]


def _swept(
    layers: Sequence[Sequence[int]], links: Sequence[tuple[int, int]], left: Near, right: Near
) -> Order:
    """Return the best of the orders that sweeps to and fro come to.

    Each layer goes by the mean position of what it is linked with in the layer before it, as
    Sugiyama, Tagawa and Toda (1981) do it; what is linked with nothing there stays. The last two
    sweeps swap neighbours, too.
    """
    order = [list(layer) for layer in layers]
    best, fewest = order, count_crossings(order, links)
    for sweep in range(_SWEEPS):
        is_rightward = sweep % 2 == 0
        near = left if is_rightward else right
        order = [list(layer) for layer in order]
        position: dict[int, int] = {}
        for layer in order if is_rightward else reversed(order):
            means = {
                vertex: sum(position[other] for other in near[vertex]) / len(near[vertex])
                for vertex in layer
                if near[vertex]
            }
            moving = iter(sorted(means, key=means.__getitem__))
            layer[:] = [next(moving) if vertex in means else vertex for vertex in layer]
            position |= {vertex: index for index, vertex in enumerate(layer)}
        if sweep >= _SWEEPS - 2 and len(links) <= MOST_SWAPPED:
            _swap(order, left, right)
        found = count_crossings(order, links)
        if found < fewest:
            best, fewest = order, found
    return best


def _swap(order: Order, left: Near, right: Near) -> None:
    """Swap neighbours as long as that makes fewer crossings, for some passes."""
    position = {vertex: index for layer in order for index, vertex in enumerate(layer)}
    for _ in range(_PASSES):
        has_moved = False
        for layer in order:
            before = {v: [position[other] for other in left[v]] for v in layer}
            after = {v: [position[other] for other in right[v]] for v in layer}
            for at in range(len(layer) - 1):
                a, b = layer[at], layer[at + 1]
                if gain_of_swap(before[a], before[b]) + gain_of_swap(after[a], after[b]) > 0:
                    layer[at], layer[at + 1] = b, a
                    position[a], position[b] = at + 1, at
                    has_moved = True
        if not has_moved:
            break


def count_crossings(order: Sequence[Sequence[int]], links: Iterable[tuple[int, int]]) -> int:
    """Return how many pairs of links cross when each layer is drawn in its order.

    Examples:
        >>> count_crossings([[0, 1], [2, 3]], [(0, 3), (1, 2)])
        1
    """
    position = {vertex: index for layer in order for index, vertex in enumerate(layer)}
    layer_of = {vertex: index for index, layer in enumerate(order) for vertex in layer}
    between: list[list[tuple[int, int]]] = [[] for _ in order]
    for a, b in links:
        between[layer_of[a]].append((position[a], position[b]))
    crossings = 0
    for pairs in between:
        seen: list[int] = []
        for _, end in sorted(pairs):
            crossings += len(seen) - bisect_right(seen, end)
            insort(seen, end)
    return crossings


def gain_of_swap(first: Iterable[int], second: Sequence[int]) -> int:
    """Return how many crossings fewer there are when the second of two neighbours goes first.

    Args:
        first: The positions of what the first is linked with on one side.
        second: The same for the second.
    """
    gain = 0
    for end in first:
        for other in second:
            gain += (end > other) - (end < other)
    return gain


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
    """Return the layers, each in the order of the blocks that makes fewest links cross.

    A vertex is a block, and so are the lanes of a line on its way through layers. Blocks have one
    order across all layers, from which each layer takes its own; so a long line is straight, and
    moves past others as a whole. A block is sifted through all places of the order and stays where
    fewest links cross. The method is the global sifting of Bachmaier, Brandenburg, Brunner and
    Huebner (2010), restarted from orders of no meaning and from the best one shaken.
    """
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

"""Order in layers by moving whole lines about, rather than one vertex at a time.

A vertex is a block, and so are the lanes of a line on its way through layers. Blocks have one
order across all layers, from which each layer takes its own; so a long line is straight, and moves
past others as a whole. A block is sifted through all places of the order and stays where fewest
links cross. The method is the global sifting of Bachmaier, Brandenburg, Brunner and Huebner (2010),
restarted from orders of no meaning and from the best one shaken.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rungraph.viz.layout.crossings import count_crossings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_STARTS, _SHAKEN, _SHAKES = 20, 3, 500
"""How many orders to start from, how many of the best are shaken, and how many times in all."""
_PATIENCE = 90
"""After how many shakes without a gain it stops."""
_EFFORT = 1_200_000
"""How many times two blocks are compared, about, before there are fewer shakes."""
_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Blocks:
    """The blocks of a layered drawing, by number.

    Attributes:
        of_vertex: The block of each vertex; -1 for a vertex without links.
        first: The first layer of each block.
        last: Its last layer.
        before: The blocks that it is linked with in the layer before its first.
        after: Those in the layer after its last.
        links: The links that there are, of vertices.
    """

    of_vertex: Sequence[int]
    first: Sequence[int]
    last: Sequence[int]
    before: Sequence[Sequence[int]]
    after: Sequence[Sequence[int]]
    links: Sequence[tuple[int, int]]

    @classmethod
    def of(
        cls,
        layers: Sequence[Sequence[int]],
        links: Sequence[tuple[int, int]],
        lanes: Sequence[Sequence[int]],
    ) -> Self:
        """Return the blocks of *layers*: one for each of *lanes*, one for each other vertex."""
        layer_of = {vertex: index for index, layer in enumerate(layers) for vertex in layer}
        of_vertex = [-1] * (max(layer_of, default=-1) + 1)
        first: list[int] = []
        last: list[int] = []
        for lane in lanes:
            for vertex in lane:
                of_vertex[vertex] = len(first)
            first.append(layer_of[lane[0]])
            last.append(layer_of[lane[-1]])
        for vertex, layer in layer_of.items():
            if of_vertex[vertex] < 0:
                of_vertex[vertex] = len(first)
                first.append(layer)
                last.append(layer)
        before: list[list[int]] = [[] for _ in first]
        after: list[list[int]] = [[] for _ in first]
        for a, b in links:
            if of_vertex[a] != of_vertex[b]:
                after[of_vertex[a]].append(of_vertex[b])
                before[of_vertex[b]].append(of_vertex[a])
        return cls(of_vertex, first, last, before, after, links)

    def meetings(self, most: int) -> int:
        """Return how many pairs of blocks share a layer, at least *most* when there are more."""
        found = 0
        spans = sorted(zip(self.first, self.last, strict=True))
        for index, (_, last) in enumerate(spans):
            for begin, _ in spans[index + 1 :]:
                if begin > last:
                    break
                found += 1
            if found >= most:
                break
        return found


def sifted_order(blocks: Blocks, layers: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the layers, each in the order of the blocks that makes fewest links cross."""
    source = random.Random(0)  # noqa: S311 (no secret, but the same orders every time)
    meeting = _meeting(blocks)

    def sifted(order: list[int]) -> tuple[int, list[int]]:
        _sift(order, blocks, meeting)
        return count_crossings(_layers_by(order, blocks, layers), blocks.links), order

    tries = _EFFORT // (sum(map(len, meeting)) * 3 or 1)
    found: list[tuple[int, list[int]]] = []
    for start in range(max(2, min(_STARTS, tries // 2))):
        order = list(range(len(blocks.first)))
        if start:
            source.shuffle(order)
        found.append(sifted(order))
        if not found[-1][0]:
            return _layers_by(found[-1][1], blocks, layers)
    shakes = min(_SHAKES, tries - len(found)) // _SHAKEN
    best = min(_shaken(*one, sifted, source, shakes) for one in sorted(found)[:_SHAKEN])
    return _layers_by(best[1], blocks, layers)


def _shaken(
    fewest: int,
    best: list[int],
    sifted: Callable[[list[int]], tuple[int, list[int]]],
    source: random.Random,
    shakes: int,
) -> tuple[int, list[int]]:
    """Return the best order that comes of moving a few blocks anywhere and sifting again."""
    idle = 0
    for _ in range(shakes):
        if not fewest or idle > _PATIENCE:
            break
        order = list(best)
        for _ in range(source.choice((2, 3, 4, 6))):
            block = order.pop(source.randrange(len(order)))
            order.insert(source.randrange(len(order) + 1), block)
        found, order = sifted(order)
        idle = 0 if found < fewest else idle + 1
        if found <= fewest:  # An order that is as good leads on to others.
            fewest, best = found, order
    return fewest, best


def _meeting(blocks: Blocks) -> list[list[int]]:
    """Return for each block those that share a layer with it."""
    at_layer: dict[int, list[int]] = {}
    for block, (first, last) in enumerate(zip(blocks.first, blocks.last, strict=True)):
        for layer in range(first, last + 1):
            at_layer.setdefault(layer, []).append(block)
    return [
        sorted({other for layer in range(first, last + 1) for other in at_layer[layer]} - {block})
        for block, (first, last) in enumerate(zip(blocks.first, blocks.last, strict=True))
    ]


def _layers_by(
    order: Sequence[int], blocks: Blocks, layers: Sequence[Sequence[int]]
) -> list[list[int]]:
    rank = [0] * len(order)
    for index, block in enumerate(order):
        rank[block] = index
    return [sorted(layer, key=lambda v: rank[blocks.of_vertex[v]]) for layer in layers]


def _sift(order: list[int], blocks: Blocks, meeting: Sequence[Sequence[int]]) -> None:
    """Move each block to where fewest links cross, those with most links first, till none moves."""
    busiest = sorted(order, key=lambda b: (-len(blocks.before[b]) - len(blocks.after[b]), b))
    rank, before, after = _ranks(order, blocks)
    for _ in range(_ROUNDS):
        is_better = False
        for block in busiest:
            others = sorted(meeting[block], key=rank.__getitem__)
            place = _best_place(block, others, rank, before, after, blocks)
            if place is None:
                continue
            order.remove(block)
            at = order.index(others[place - 1]) + 1 if place else order.index(others[0])
            order.insert(at, block)
            rank, before, after = _ranks(order, blocks)
            is_better = True
        if not is_better:
            break


def _ranks(
    order: Sequence[int], blocks: Blocks
) -> tuple[list[int], list[list[int]], list[list[int]]]:
    """Return the place of each block in *order*, and the places of those that it is linked with."""
    rank = [0] * len(order)
    for index, block in enumerate(order):
        rank[block] = index
    before = [[rank[one] for one in near] for near in blocks.before]
    after = [[rank[one] for one in near] for near in blocks.after]
    return rank, before, after


def _best_place(
    block: int,
    others: Sequence[int],
    rank: Sequence[int],
    before: Sequence[Sequence[int]],
    after: Sequence[Sequence[int]],
    blocks: Blocks,
) -> int | None:
    """Return how many of *others* should come before *block*; None if it stands well already."""
    firsts, lasts = blocks.first, blocks.last
    first, last = firsts[block], lasts[block]
    mine_before, mine_after, mine = before[block], after[block], rank[block]
    gain = best = best_place = present = 0
    for place, other in enumerate(others, 1):
        beside = rank[other]
        # What crosses while the block comes before the other no longer does so when it comes after.
        # Where one of them is in the middle of its way, it is a straight line.
        if firsts[other] == first:
            for end in mine_before:
                for one in before[other]:
                    gain += (end > one) - (end < one)
        elif firsts[other] < first:
            for end in mine_before:
                gain += 1 if end > beside else -1
        else:
            for one in before[other]:
                gain += 1 if beside > one else -1
        if lasts[other] == last:
            for end in mine_after:
                for one in after[other]:
                    gain += (end > one) - (end < one)
        elif lasts[other] > last:
            for end in mine_after:
                gain += 1 if end > beside else -1
        else:
            for one in after[other]:
                gain += 1 if beside > one else -1
        if beside < mine:
            present = gain
        if gain > best or (gain == best and beside < mine):  # Of equal places the nearest.
            best, best_place = gain, place
    return best_place if best > present else None

"""The order of the vertices in each layer of a layered drawing, so that few links cross."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Order = list[list[int]]
Near = dict[int, list[int]]
_ROUNDS = 8
_EFFORT = 1500
"""Links times orders to start from: with many links there are fewer starts."""
_STRIDES = (0, 389, 617, 241, 853, 151, 479, 733, 67, 557, 311, 911)
_MODULUS = 1009
_MANY_LINKS = 1500
"""From how many links on only medians order the layers: transposing costs too much."""


def best_order(layers: Sequence[Sequence[int]], links: Sequence[tuple[int, int]]) -> Order:
    """Return the layers, each ordered so that few links cross.

    Args:
        layers: The vertices of each layer.
        links: Each from a vertex to one of the next layer.
    """
    left: Near = {vertex: [] for layer in layers for vertex in layer}
    right: Near = {vertex: [] for vertex in left}
    for a, b in links:
        left[b].append(a)
        right[a].append(b)
    best = _start(layers, left, right, 0)
    fewest = count_crossings(best, links)
    for start in range(max(1, min(len(_STRIDES), _EFFORT // max(len(links), 1)))):
        for order in _improved(_start(layers, left, right, start), left, right, len(links)):
            if not fewest:
                return best
            found = count_crossings(order, links)
            if found < fewest:
                best, fewest = order, found
    return best


def _start(layers: Sequence[Sequence[int]], left: Near, right: Near, number: int) -> Order:
    """Return an order to start from: for 0 the given one, else one of no meaning."""
    stride = _STRIDES[number]
    # What has no links goes last, out of the way of what has.
    return [
        sorted(layer, key=lambda v: (not (left[v] or right[v]), v * stride % _MODULUS))
        for layer in layers
    ]


def _improved(order: Order, left: Near, right: Near, count: int) -> Iterator[Order]:
    """Yield better and better orders, for the most part: sweeps to and fro."""
    for turn in range(_ROUNDS):
        is_rightward = turn % 2 == 0
        order = [list(layer) for layer in order]
        indexes = range(1, len(order)) if is_rightward else range(len(order) - 2, -1, -1)
        for index in indexes:
            beside = order[index - 1] if is_rightward else order[index + 1]
            order[index] = _by_medians(order[index], beside, left if is_rightward else right)
        if count <= _MANY_LINKS:
            _transpose(order, left, right)
        yield order


def count_crossings(order: Sequence[Sequence[int]], links: Sequence[tuple[int, int]]) -> int:
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


def _by_medians(layer: Sequence[int], beside: Sequence[int], near: Near) -> list[int]:
    """Return *layer* by the median position of what each vertex is linked with; others stay."""
    position = {vertex: index for index, vertex in enumerate(beside)}
    wish = {v: median(position[other] for other in near[v]) for v in layer if near[v]}
    moving = iter(sorted(wish, key=wish.__getitem__))
    return [next(moving) if vertex in wish else vertex for vertex in layer]


def _transpose(order: Order, left: Near, right: Near) -> None:
    """Swap neighbours as long as that makes fewer crossings."""
    for _ in range(_ROUNDS):
        is_better = False
        for index, layer in enumerate(order):
            sides: list[dict[int, list[int]]] = []
            for beside, near in ((index - 1, left), (index + 1, right)):
                if 0 <= beside < len(order):
                    position = {vertex: i for i, vertex in enumerate(order[beside])}
                    sides.append({v: sorted(position[other] for other in near[v]) for v in layer})
            for at in range(len(layer) - 1):
                a, b = layer[at], layer[at + 1]
                gain = sum(_inversions(s[a], s[b]) - _inversions(s[b], s[a]) for s in sides)
                if gain > 0:
                    layer[at], layer[at + 1] = b, a
                    is_better = True
        if not is_better:
            break


def _inversions(upper: Sequence[int], lower: Sequence[int]) -> int:
    """Return how many links of the upper vertex cross links of the lower one."""
    return sum(bisect_left(lower, end) for end in upper)

"""How many links of a layered drawing cross."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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

"""The order of the vertices in each layer of a layered drawing, so that few links cross."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.viz.layout.crossings import count_crossings, gain_of_swap
from rungraph.viz.layout.sifting import sifted_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    Near = Sequence[Sequence[int]]

Order = list[list[int]]

_MOST_SIFTED = 40_000
"""Up to how many pairs of vertices in a layer, whole lines are moved about; it takes a second."""
_MOST_SWAPPED = 40_000
"""Up to how many links, neighbours are swapped: for more, that takes longer than all sweeps."""
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
    if sum(len(layer) ** 2 for layer in linked) // 2 <= _MOST_SIFTED:
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
        if sweep >= _SWEEPS - 2 and len(links) <= _MOST_SWAPPED:
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

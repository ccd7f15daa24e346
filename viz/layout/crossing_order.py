"""The order of the vertices in each layer of a layered drawing, so that few links cross."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from rungraph.viz.layout.crossings import count_crossings, gain_of_swap
from rungraph.viz.layout.sifting import Blocks, sifted_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    Near = Sequence[Sequence[int]]

Effort = Literal["auto", "best", "good", "quick"]
"""How long a layout may think: ``auto`` thinks as long as it hardly shows.

``best`` moves whole lines about until nothing helps any more (for hundreds of boxes), ``good``
moves single vertices (for thousands), ``quick`` only looks at the neighbours a few times.
"""
Order = list[list[int]]

_MOST_SIFTED = 40_000
"""Up to how many pairs of blocks that meet, whole lines are moved about."""
_MOST_SWAPPED = 40_000
"""Up to how many links, neighbours are swapped."""
_SWEEPS: dict[Effort, int] = {"best": 12, "good": 10, "quick": 4}
_PASSES = 8


def best_order(
    layers: Sequence[Sequence[int]],
    links: Sequence[tuple[int, int]],
    lanes: Sequence[Sequence[int]] = (),
    *,
    effort: Effort = "auto",
) -> Order:
    """Return the layers, each ordered so that few links cross. Equal input, equal order.

    What has no links goes last, out of the way of what has.

    Args:
        layers: The vertices of each layer: the numbers from 0 on, each once.
        links: Each from a vertex to one of the next layer.
        lanes: Vertices that stand for one line on its way through layers, first layer first.
        effort: How long to think.
    """
    count = sum(map(len, layers))
    left: list[list[int]] = [[] for _ in range(count)]
    right: list[list[int]] = [[] for _ in range(count)]
    for a, b in links:
        left[b].append(a)
        right[a].append(b)
    linked = [[v for v in layer if left[v] or right[v]] for layer in layers]
    blocks = Blocks.of(linked, links, lanes) if effort in ("auto", "best") else None
    if blocks is not None and (effort == "best" or blocks.meetings(_MOST_SIFTED) < _MOST_SIFTED):
        order = sifted_order(blocks, linked)
        _swap(order, left, right)
        other = _swept(linked, links, left, right, "best")
        order = min(order, other, key=lambda one: count_crossings(one, links))
    else:
        if effort == "auto":
            effort = "good" if len(links) <= _MOST_SWAPPED else "quick"
        order = _swept(linked, links, left, right, effort)
    alone = [[v for v in layer if not (left[v] or right[v])] for layer in layers]
    return [[*one, *other] for one, other in zip(order, alone, strict=True)]


def _swept(
    layers: Sequence[Sequence[int]],
    links: Sequence[tuple[int, int]],
    left: Near,
    right: Near,
    effort: Effort,
) -> Order:
    """Return the best of the orders that sweeps to and fro come to.

    Each layer goes by the mean position of what it is linked with in the layer before it, as
    Sugiyama, Tagawa and Toda (1981) do it; what is linked with nothing there stays.
    """
    order = [list(layer) for layer in layers]
    position = [0] * len(left)
    for layer in order:
        for index, vertex in enumerate(layer):
            position[vertex] = index
    best = [list(layer) for layer in order]
    fewest = count_crossings(best, links)
    for sweep in range(_SWEEPS[effort]):
        is_rightward = sweep % 2 == 0
        near = left if is_rightward else right
        for layer in order if is_rightward else reversed(order):
            _by_means(layer, near, position)
        if effort != "quick" and sweep >= _SWEEPS[effort] - 2:
            _swap(order, left, right)
            for layer in order:
                for index, vertex in enumerate(layer):
                    position[vertex] = index
        found = count_crossings(order, links)
        if found < fewest:
            best, fewest = [list(layer) for layer in order], found
    return best


def _by_means(layer: list[int], near: Near, position: list[int]) -> None:
    wish: dict[int, float] = {}
    for vertex in layer:
        others = near[vertex]
        if len(others) == 1:
            wish[vertex] = position[others[0]]
        elif others:
            wish[vertex] = sum(position[other] for other in others) / len(others)
    if wish:
        moving = iter(sorted(wish, key=wish.__getitem__))
        layer[:] = [next(moving) if vertex in wish else vertex for vertex in layer]
        for index, vertex in enumerate(layer):
            position[vertex] = index


def _swap(order: Order, left: Near, right: Near) -> None:
    """Swap neighbours as long as that makes fewer crossings, for some passes."""
    position = {vertex: index for layer in order for index, vertex in enumerate(layer)}
    stirred = set(range(len(order)))
    for _ in range(_PASSES):
        moved: set[int] = set()
        for index in sorted(stirred):
            layer = order[index]
            before = {v: sorted(position[other] for other in left[v]) for v in layer}
            after = {v: sorted(position[other] for other in right[v]) for v in layer}
            for at in range(len(layer) - 1):
                a, b = layer[at], layer[at + 1]
                if gain_of_swap(before[a], before[b]) + gain_of_swap(after[a], after[b]) > 0:
                    layer[at], layer[at + 1] = b, a
                    position[a], position[b] = at + 1, at
                    moved.add(index)
        if not moved:
            break
        stirred = {i for one in moved for i in (one - 1, one, one + 1) if 0 <= i < len(order)}

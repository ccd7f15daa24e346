"""How far down each vertex of a layered drawing stands, its order in its column being given."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.viz.layout.layered_graph import Net

_MOST_SWEEPS, _FEWEST_SWEEPS = 36, 6
_EFFORT = 200_000
"""How many vertices are looked at, about, before there are fewer sweeps."""
_LAST_SWEEPS = 3
"""One in so many sweeps, the last ones, looks to both sides."""
_BOX, _MIXED, _LANE = 1.0, 2.0, 8.0
"""How much links pull: a line on its way most, so that it is straight."""
_STRAIGHTENINGS = 3


def middles_of(order: Sequence[Sequence[int]], net: Net[Any], *, sweeps: int = 0) -> list[float]:
    """Return the y of each vertex: near those that it is linked with, in order, never too close.

    Sweeps to and fro move each column to the least-squares fit of what its vertices wish, which
    isotonic regression finds. Then the lanes of each line are brought to one height where there is
    room.

    Args:
        order: The vertices of each column, from the top.
        net: What they are.
        sweeps: How many sweeps; 0 for as many as the size allows.
    """
    count = len(net.heights)
    sweeps = sweeps or max(_FEWEST_SWEEPS, min(_MOST_SWEEPS, _EFFORT // max(count, 1)))
    offsets = [_offsets(layer, net) for layer in order]
    middles = [0.0] * count
    for layer, offset in zip(order, offsets, strict=True):
        for vertex, at in zip(layer, offset, strict=True):
            middles[vertex] = at - offset[-1] / 2
    left: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    right: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for a, b in net.links:
        weight = (_BOX, _MIXED, _LANE)[net.is_lane(a) + net.is_lane(b)]
        left[b].append((a, weight))
        right[a].append((b, weight))
    both = [one + other for one, other in zip(left, right, strict=True)]
    linked = [sum(1 for vertex in layer if both[vertex]) for layer in order]
    for sweep in range(sweeps):
        is_rightward = sweep % 2 == 0
        is_last = sweep >= sweeps - sweeps // _LAST_SWEEPS
        near = both if is_last else left if is_rightward else right
        for index in range(len(order)) if is_rightward else reversed(range(len(order))):
            _fit(order[index], offsets[index], linked[index], near, middles)
    for _ in range(_STRAIGHTENINGS):
        _straighten(order, net, middles)
    top = min((y - height / 2 for y, height in zip(middles, net.heights, strict=True)), default=0.0)
    return [y - top for y in middles]


def _offsets(layer: Sequence[int], net: Net[Any]) -> list[float]:
    offsets = [0.0]
    for a, b in pairwise(layer):
        offsets.append(offsets[-1] + net.gap(a, b))
    return offsets[: len(layer)]


def _fit(
    layer: Sequence[int],
    offsets: Sequence[float],
    linked: int,
    near: Sequence[Sequence[tuple[int, float]]],
    middles: list[float],
) -> None:
    """Move a column to where its vertices wish, those without links right below the others.

    Blocks of vertices that would come too close are pooled and stand at the mean of their wishes
    ("pool adjacent violators").
    """
    values: list[float] = []
    weights: list[float] = []
    counts: list[int] = []
    for index in range(linked):
        vertex = layer[index]
        total = wish = 0.0
        for other, pull in near[vertex]:
            total += pull
            wish += middles[other] * pull
        if total:
            value = wish / total - offsets[index]
        else:
            value, total = middles[vertex] - offsets[index], 0.01
        members = 1
        while values and values[-1] >= value:
            weight = weights.pop()
            value = (value * total + values.pop() * weight) / (total + weight)
            total += weight
            members += counts.pop()
        values.append(value)
        weights.append(total)
        counts.append(members)
    index = 0
    value = middles[layer[0]] - offsets[0] if layer and not linked else 0.0
    for value, members in zip(values, counts, strict=True):
        for at in range(index, index + members):
            middles[layer[at]] = value + offsets[at]
        index += members
    for at in range(index, len(layer)):
        middles[layer[at]] = value + offsets[at]


def _straighten(order: Sequence[Sequence[int]], net: Net[Any], middles: list[float]) -> None:
    """Bring the lanes of each line to one height, as far as their neighbours leave room."""
    above: dict[int, int] = {}
    below: dict[int, int] = {}
    for layer in order:
        for a, b in pairwise(layer):
            below[a], above[b] = b, a
    for lanes in net.lanes:
        run: list[int] = []
        low, high = float("-inf"), float("inf")
        for vertex in lanes:
            top, bottom = float("-inf"), float("inf")
            if vertex in above:
                top = middles[above[vertex]] + net.gap(above[vertex], vertex)
            if vertex in below:
                bottom = middles[below[vertex]] - net.gap(vertex, below[vertex])
            if max(low, top) > min(high, bottom):
                _level(run, low, high, middles)
                run, low, high = [], float("-inf"), float("inf")
            run.append(vertex)
            low, high = max(low, top), min(high, bottom)
        _level(run, low, high, middles)


def _level(run: Sequence[int], low: float, high: float, middles: list[float]) -> None:
    if len(run) > 1:
        mean = sum(middles[vertex] for vertex in run) / len(run)
        for vertex in run:
            middles[vertex] = min(max(mean, low), high)

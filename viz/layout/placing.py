"""How far down each vertex of a layered drawing stands, its order in its column being given."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.viz.layout.layered_graph import LayeredGraph

_MOST_SWEEPS, _FEWEST_SWEEPS = 36, 6
_EFFORT = 200_000
"""How many vertices are looked at, about, before there are fewer sweeps."""
_LAST_SWEEPS = 3
"""One in so many sweeps, the last ones, looks to both sides."""
_BOX, _MIXED, _LANE = 1.0, 2.0, 8.0
"""How much links pull: a line on its way most, so that it is straight."""
_STRAIGHTENINGS = 3


def middles_of(order: Sequence[Sequence[int]], graph: LayeredGraph[Any]) -> list[float]:
    """Return the y of each vertex: near those that it is linked with, in order, never too close.

    Sweeps to and fro move each column to the least-squares fit of what its vertices wish, which
    isotonic regression finds. Then the lanes of each line are brought to one height where there is
    room.

    Args:
        order: The vertices of each column, from the top.
        graph: What they are.
    """
    count = len(graph.heights)
    sweeps = max(_FEWEST_SWEEPS, min(_MOST_SWEEPS, _EFFORT // max(count, 1)))
    offsets = [
        list(accumulate((graph.gap(a, b) for a, b in pairwise(layer)), initial=0.0))
        for layer in order
    ]
    middles = [0.0] * count
    for layer, offset in zip(order, offsets, strict=True):
        for vertex, at in zip(layer, offset, strict=False):
            middles[vertex] = at - offset[-1] / 2
    left: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    right: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for a, b in graph.links:
        weight = (_BOX, _MIXED, _LANE)[graph.is_lane(a) + graph.is_lane(b)]
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
        _straighten(order, graph, middles)
    tops = (y - height / 2 for y, height in zip(middles, graph.heights, strict=True))
    top = min(tops, default=0.0)
    return [y - top for y in middles]


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
    pools: list[tuple[float, float, int]] = []  # The place of the first, the weight, how many.
    for vertex, offset in zip(layer[:linked], offsets, strict=False):
        weight = sum(pull for _, pull in near[vertex])
        if weight:
            wish = sum(middles[other] * pull for other, pull in near[vertex]) / weight
        else:
            wish, weight = middles[vertex], 0.01
        place, count = wish - offset, 1
        while pools and pools[-1][0] >= place:
            above, its_weight, its_count = pools.pop()
            place = (place * weight + above * its_weight) / (weight + its_weight)
            weight, count = weight + its_weight, count + its_count
        pools.append((place, weight, count))
    places = [place for place, _, count in pools for _ in range(count)]
    if not places and layer:
        places = [middles[layer[0]] - offsets[0]]
    places += places[-1:] * (len(layer) - len(places))
    for vertex, place, offset in zip(layer, places, offsets, strict=False):
        middles[vertex] = place + offset


def _straighten(
    order: Sequence[Sequence[int]], graph: LayeredGraph[Any], middles: list[float]
) -> None:
    """Bring the lanes of each line to one height, as far as their neighbours leave room."""
    above: dict[int, int] = {}
    below: dict[int, int] = {}
    for layer in order:
        for a, b in pairwise(layer):
            below[a], above[b] = b, a
    for lanes in graph.lanes:
        run: list[int] = []
        low, high = -math.inf, math.inf
        for vertex in lanes:
            top, bottom = -math.inf, math.inf
            if vertex in above:
                top = middles[above[vertex]] + graph.gap(above[vertex], vertex)
            if vertex in below:
                bottom = middles[below[vertex]] - graph.gap(vertex, below[vertex])
            if max(low, top) > min(high, bottom):
                _level(run, low, high, middles)
                run, low, high = [], -math.inf, math.inf
            run.append(vertex)
            low, high = max(low, top), min(high, bottom)
        _level(run, low, high, middles)


def _level(run: Sequence[int], low: float, high: float, middles: list[float]) -> None:
    if len(run) > 1:
        mean = sum(middles[vertex] for vertex in run) / len(run)
        for vertex in run:
            middles[vertex] = min(max(mean, low), high)

"""Walks over a graph by numbers: what can be reached, shortest paths, longest chains, circles."""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING

from rungraph.graph.query.syntax import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
    from typing import Any

    from rungraph.graph.query.index import Index, Links, NodeSet


def reached(index: Index, step: Sequence[Sequence[int]], start: NodeSet, levels: int) -> NodeSet:
    """Return the nodes of *start* and all that *step* leads to in at most *levels* steps."""
    seen = bytearray(index.marks_of(start))
    todo = [*compress(range(len(seen)), seen)]
    if levels == ALL:
        # Any order will do: a stack is the fastest.
        while todo:
            for number in step[todo.pop()]:
                if not seen[number]:
                    seen[number] = 1
                    todo.append(number)
    else:
        while todo and levels:
            layer, todo, levels = todo, [], levels - 1
            for one in layer:
                for number in step[one]:
                    if not seen[number]:
                        seen[number] = 1
                        todo.append(number)
    return int.from_bytes(seen, "little")


def shortest_path(
    links: Links, starts: Iterable[int], goals: Iterable[int], key: Callable[[int], Any]
) -> list[int]:
    """Return the shortest way from a start along what it needs to a goal; empty if there is none.

    Of several the first by the *key* of their nodes from left to right. Layers grow from both
    ends, the smaller one first, so that little of a large graph is looked at.
    """
    ahead, behind = [set(starts)], [set(goals)]
    seen_ahead, seen_behind = set(ahead[0]), set(behind[0])
    while not (meeting := ahead[-1] & behind[-1]):
        if not ahead[-1] or not behind[-1]:
            return []
        if len(ahead[-1]) <= len(behind[-1]):
            _grow(ahead, seen_ahead, links.needs)
        else:
            _grow(behind, seen_behind, links.needed_by)
    # Of the layers ahead only what leads to the meeting counts; all layers behind lead to a goal.
    layers = [meeting]
    for layer in reversed(ahead[:-1]):
        layers.append({one for node in layers[-1] for one in links.needed_by[node]} & layer)
    layers.reverse()
    layers += reversed(behind[:-1])
    path = [min(layers[0], key=key)]
    for layer in layers[1:]:
        path.append(min(layer.intersection(links.needs[path[-1]]), key=key))
    return path


def _grow(layers: list[set[int]], seen: set[int], step: Sequence[Sequence[int]]) -> None:
    layer = {one for node in layers[-1] for one in step[node]} - seen
    seen |= layer
    layers.append(layer)


def longest_chain(
    index: Index,
    links: Links,
    ends: NodeSet,
    weights: Mapping[int, float] | None,
    key: Callable[[int], Any],
) -> list[int]:
    """Return the heaviest chain of needs that begins with one of *ends*, the last to start first.

    Args:
        index: The numbers.
        links: The edges to follow.
        ends: Where the chain may end in time.
        weights: How much each node weighs; by default all weigh the same.
        key: What decides between chains of the same weight.
    """
    before = index.numbers_of(reached(index, links.needs, ends, ALL) & index.everything)
    if not before:
        return []
    generations = index.generations
    best: dict[int, float] = {}
    came_from: dict[int, int] = {}
    # Numbers follow the start order, so all that a node needs has been weighed before it; within
    # a circle, whose nodes share a generation, no chain goes on.
    for node in before:
        weight = 1.0 if weights is None else weights.get(node, 0.0)
        earlier = [one for one in links.needs[node] if generations[one] < generations[node]]
        if earlier:
            heaviest = max(best[one] for one in earlier)
            equals = [one for one in earlier if best[one] == heaviest]
            came_from[node] = equals[0] if len(equals) == 1 else min(equals, key=key)
            weight += heaviest
        best[node] = weight
    wanted = index.numbers_of(ends & index.everything)
    heaviest = max(best[node] for node in wanted)
    chain = [min((node for node in wanted if best[node] == heaviest), key=key)]
    while chain[-1] in came_from:
        chain.append(came_from[chain[-1]])
    return chain


def on_circles(links: Links) -> Collection[int]:
    """Return the numbers of the nodes that need themselves, directly or not."""
    count = len(links.needs)
    waiting = [len(needed) for needed in links.needs]
    todo = [node for node in range(count) if not waiting[node]]
    left = count
    while todo:
        left -= 1
        for node in links.needed_by[todo.pop()]:
            waiting[node] -= 1
            if not waiting[node]:
                todo.append(node)
    if not left:
        return ()
    import networkx as nx

    inner = {node for node in range(count) if waiting[node]}
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_edges_from(
        (node, one) for node in inner for one in links.needed_by[node] if one in inner
    )
    return [
        node
        for component in nx.strongly_connected_components(graph)
        for node in component
        if len(component) > 1 or node in links.needs[node]
    ]

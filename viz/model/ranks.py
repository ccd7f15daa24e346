"""In which column each box stands: by generation, and inside it by the way round a cycle."""

from __future__ import annotations

from collections import Counter
from math import isqrt
from typing import TYPE_CHECKING

import networkx as nx

from rungraph.graph.digraph import cyclic_sets, generations_of
from rungraph.viz.model.elements import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.viz.model.elements import Arrow, Box


def ranks_of_apis(boxes: Iterable[Address], arrows: Sequence[Arrow]) -> dict[Address, int]:
    """Return in which column the box of each API stands, so that no column is much taller.

    It is to the left of all that need it, and next to the first of them where most arrows leave it.
    A cycle shares a column. What no arrow reaches stands where there is most room.
    """
    between = [one for one in arrows if not one.is_dropped and one[0] != one[1]]
    drawn: nx.DiGraph[Address] = nx.DiGraph(one[:2] for one in between)
    ranks = {box: rank for rank, layer in enumerate(generations_of(drawn)) for box in layer}
    ranks = late_ranks(ranks, between)
    alone = sorted(set(boxes) - ranks.keys())
    heights = Counter(ranks.values())
    columns = range(max([isqrt(len(alone)), *(rank + 1 for rank in heights)]))
    for box in alone:
        ranks[box] = min(columns, key=lambda rank: (heights[rank], rank))
        heights[ranks[box]] += 1
    return ranks


def ranks_of_nodes(
    graph: RunGraph, boxes: Mapping[Address, Box], arrows: Iterable[Arrow]
) -> dict[Address, int]:
    """Return the generation of each box; a ghost's is where it would start, as far as is known."""
    ranks = {key: graph.generation_of(key) for key, box in boxes.items() if not box.is_ghost}
    ghosts = [key for key, box in boxes.items() if box.is_ghost]
    into: dict[Address, list[Address]] = {}
    for arrow in arrows:
        into.setdefault(arrow.dependent, []).append(arrow.dependency)
    for _ in ghosts:
        for key in ghosts:
            below = [ranks[one] for one in into.get(key, ()) if one in ranks and one != key]
            ranks[key] = min(max(below, default=-1) + 1, len(boxes))
    return ranks


def late_ranks(ranks: Mapping[Address, int], arrows: Iterable[Arrow]) -> dict[Address, int]:
    """Return *ranks* with what more arrows leave than enter moved next to what needs it.

    That makes the arrows shorter in all; none turns back.
    """
    late = dict(ranks)
    drawn: nx.DiGraph[Address] = nx.DiGraph(one[:2] for one in arrows if not one.is_dropped)
    back = [(a, b) for a, b in drawn.edges if ranks[a] >= ranks[b]]
    drawn.remove_edges_from(back)
    held = {end for ends in back for end in ends}  # On a cycle.
    movable = [
        node
        for node in sorted(drawn, key=lambda one: (-ranks[one], one))
        if drawn.out_degree(node) > drawn.in_degree(node) and node not in held
    ]
    for node in movable:  # What needs it has moved before.
        late[node] = max(late[node], min(late[one] for one in drawn.successors(node)) - 1)
    return late


def columns_of(
    boxes: Mapping[Address, Box],
    arrows: Iterable[Arrow],
    ranks: Mapping[Address, int],
    heading: str,
) -> tuple[Column, ...]:
    """Return the ranks as columns; boxes that need each other spread over several of their own."""
    level: nx.DiGraph[Address] = nx.DiGraph(
        one[:2] for one in arrows if not one.is_dropped and ranks[one[0]] == ranks[one[1]]
    )
    step: dict[Address, int] = {}
    for members in cyclic_sets(level):
        step |= _steps(members, level)
    found: dict[tuple[int, bool, int], list[Address]] = {}
    for key, box in boxes.items():
        found.setdefault((ranks[key], box.is_in_cycle, step.get(key, 0)), []).append(key)
    return tuple(
        Column(rank, tuple(keys), heading and ("cycle" if is_in_cycle else f"{heading} {rank}"))
        for (rank, is_in_cycle, _), keys in sorted(found.items())
    )


def _steps(members: Sequence[Address], level: nx.DiGraph[Address]) -> dict[Address, int]:
    """Return how many steps into its cycle each box is drawn, few arrows going back.

    The order is that of Eades, Lin and Smyth (1993), which networkx does not have: sinks last,
    sources first, and else the box that more arrows leave than enter.
    """
    left: nx.DiGraph[Address] = nx.DiGraph(level.subgraph(members))
    left.remove_edges_from(list(nx.selfloop_edges(left)))
    before = {node: list(left.predecessors(node)) for node in left}

    def place(node: Address) -> tuple[object, ...]:
        entering, leaving = left.in_degree(node), left.out_degree(node)
        return (leaving > 0, entering > 0, entering - leaving, node) if leaving else (False, node)

    first: list[Address] = []
    last: list[Address] = []
    while left:
        node = min(left, key=place)
        (first if left.out_degree(node) else last).append(node)
        left.remove_node(node)
    steps: dict[Address, int] = {}
    for node in (*first, *reversed(last)):
        steps[node] = max((steps[one] + 1 for one in before[node] if one in steps), default=0)
    return steps

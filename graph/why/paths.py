"""Paths from a node along what it needs to another: the shortest, some of them, how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.address import Address

    Needs = Mapping[Address, Sequence[Address]]
    """What each node needs or uses directly."""

MOST_COUNTED: Final = 10**15
"""Paths are counted up to here: a ladder of 200 rungs has 2^200."""
_LONGEST_DETOUR: Final = 4096
"""How many hops longer than the shortest path a listed path can be."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths between two nodes.

    Attributes:
        listed: The shortest ones, the shortest first; of equal length the first by its addresses.
        total: How many there are, at most `MOST_COUNTED`; with circles, how many are listed.
        has_circles: Whether circles lie between the two; then only the shortest is listed.
    """

    listed: tuple[tuple[Address, ...], ...]
    total: int
    has_circles: bool = False


def paths_between(needs: Needs, start: Address, goal: Address, most: int = 1) -> Paths:
    """Return at most *most* paths from *start* along *needs* to *goal*, and how many there are.

    Every path costs its own length; how many more there are costs nothing.

    Args:
        needs: What each node needs or uses.
        start: The node that needs.
        goal: The node that is needed.
        most: How many paths are listed.
    """
    distances = _distances(needs, start, goal)
    if start not in distances:
        return Paths((), 0)
    order = _goal_first(needs, distances)
    if order is None:
        return Paths((_shortest(needs, distances, start),), 1, has_circles=True)
    steps = {
        node: sorted((one for one in needs.get(node, ()) if one in distances), key=str)
        for node in order
        if node != goal
    }
    counts = {goal: 1}
    # Bit n of a node's detours says that some path from it is n hops longer than its shortest.
    detours = {goal: 1}
    for node in order:
        if node != goal:
            counts[node] = min(sum(counts[one] for one in steps[node]), MOST_COUNTED)
            found = 0
            for one in steps[node]:
                found |= detours[one] << (distances[one] + 1 - distances[node])
            detours[node] = found & ((1 << _LONGEST_DETOUR) - 1)
    listed: list[tuple[Address, ...]] = []
    for detour in range(detours[start].bit_length()):
        if detours[start] >> detour & 1:
            for path in _of_length(steps, distances, detours, start, detour):
                if len(listed) == most:
                    return Paths(tuple(listed), counts[start])
                listed.append(path)
    return Paths(tuple(listed), counts[start])


def _distances(needs: Needs, start: Address, goal: Address) -> dict[Address, int]:
    """Return the distance to *goal* of each node between *start* and *goal*."""
    ahead: dict[Address, list[Address]] = {}
    seen = {start}
    todo = [start]
    while todo:
        node = todo.pop()
        for one in needs.get(node, ()):
            ahead.setdefault(one, []).append(node)
            if one not in seen:
                seen.add(one)
                todo.append(one)
    distances = {goal: 0} if goal in seen else {}
    layer = [*distances]
    distance = 0
    while layer:
        distance += 1
        following: list[Address] = []
        for node in layer:
            for one in ahead.get(node, ()):
                if one not in distances:
                    distances[one] = distance
                    following.append(one)
        layer = following
    return distances


def _goal_first(needs: Needs, inside: Mapping[Address, int]) -> list[Address] | None:
    """Return the nodes *inside* so that each comes after all it needs; None if circles forbid."""
    needed_by: dict[Address, list[Address]] = {}
    waiting: dict[Address, int] = {}
    for node in inside:
        # A path ends at the goal, whatever the goal needs itself.
        some = [one for one in needs.get(node, ()) if one in inside] if inside[node] else []
        waiting[node] = len(some)
        for one in some:
            needed_by.setdefault(one, []).append(node)
    order = [node for node in inside if not waiting[node]]
    for node in order:
        for one in needed_by.get(node, ()):
            waiting[one] -= 1
            if not waiting[one]:
                order.append(one)
    return order if len(order) == len(inside) else None


def _shortest(
    needs: Needs, distances: Mapping[Address, int], start: Address
) -> tuple[Address, ...]:
    path = [start]
    while distance := distances[path[-1]]:
        nearer = (one for one in needs[path[-1]] if distances.get(one) == distance - 1)
        path.append(min(nearer, key=str))
    return tuple(path)


def _of_length(
    steps: Mapping[Address, Sequence[Address]],
    distances: Mapping[Address, int],
    detours: Mapping[Address, int],
    start: Address,
    detour: int,
) -> Iterator[tuple[Address, ...]]:
    """Yield the paths from *start* that are *detour* hops longer than the shortest, in order."""
    path = [start]
    branches = [iter(_branches(steps, distances, detours, start, detour))]
    if not distances[start]:
        yield (start,)
    while branches:
        step = next(branches[-1], None)
        if step is None:
            branches.pop()
            path.pop()
            continue
        node, left = step
        path.append(node)
        if not distances[node]:
            yield tuple(path)
            path.pop()
        else:
            branches.append(iter(_branches(steps, distances, detours, node, left)))


def _branches(
    steps: Mapping[Address, Sequence[Address]],
    distances: Mapping[Address, int],
    detours: Mapping[Address, int],
    node: Address,
    detour: int,
) -> Iterable[tuple[Address, int]]:
    """Return the nodes to go to from *node*, each with the detour that is left from there."""
    for one in steps.get(node, ()):
        left = detour - (distances[one] + 1 - distances[node])
        if left >= 0 and detours[one] >> left & 1:
            yield one, left

"""What is drawn around a selection."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph


def around(graph: RunGraph, select: Iterable[Address], depth: int) -> frozenset[Address]:
    """Return *select* and what is at most *depth* steps away, along arrows or against them.

    Along arrows it goes on along arrows, and against them against: what a neighbour needs for
    itself is not drawn.

    Raises:
        KeyError: If there is no such node; the text names the nearest address.
    """
    chosen = {graph[address].address for address in select}
    found = set(chosen)
    for step in (graph.dependencies_of, graph.dependents_of):
        edge = chosen
        seen = set(chosen)
        for _ in range(depth):
            edge = {other for address in edge for other in step(address)} - seen
            seen |= edge
        found |= seen
    return frozenset(found)

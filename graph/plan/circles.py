"""The circles of dependencies of a graph: those that are errors, and those that were opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.cycles import drop_soft_edges, hard_components
from rungraph.graph.digraph import new_digraph
from rungraph.graph.plan.parts import CyclePlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.graph.nodes import Edge

_HARD = ("G001", "G006")
"""The codes of circles through required edges."""


def cycle_plans(graph: RunGraph) -> tuple[CyclePlan, ...]:
    """Return the circles of *graph*, hard ones first, sorted by their nodes.

    They are looked for again only where the compiler has found some.
    """
    is_knotted = any(one.code in _HARD for one in graph.diagnostics)
    if not is_knotted and not graph.dropped:
        return ()
    whole = new_digraph(graph.name, graph.nodes.values(), (*graph.edges, *graph.dropped))
    knots = hard_components(whole) if is_knotted else ()
    found = [
        _cycle(cycle, knot.weakest, "hard", "error") for knot in knots for cycle in knot.cycles
    ]
    opened = drop_soft_edges(whole, knots)
    for edge in graph.dropped:
        path = opened.get(edge, (edge.dependent, edge.dependency))
        found.append(_cycle(path, edge, "soft", "dropped"))
    return tuple(sorted(found, key=lambda one: (one.strength, one.path, one.dependency)))


def _cycle(path: Sequence[Address], edge: Edge, strength: str, resolution: str) -> CyclePlan:
    start = path.index(min(path))
    return CyclePlan(
        dependency=str(edge.dependency),
        dependent=str(edge.dependent),
        path=tuple(map(str, (*path[start:], *path[:start]))),
        resolution=resolution,
        strength=strength,
    )

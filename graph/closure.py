"""What a change of some nodes of a running graph takes along; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.digraph import in_start_order
from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    import networkx as nx

    from rungraph.graph.address import Address


class Closure(NamedTuple):
    """What becomes of a graph when some of its nodes are replaced.

    Attributes:
        replaced: What is stopped and started, with the node because of which it is (itself, if it
            was asked for), in start order.
        kept: What goes on running and is handed a replaced dependency: by dependent.
    """

    replaced: dict[Address, Address]
    kept: dict[Address, tuple[Address, ...]]


def closure_of(
    graph: nx.DiGraph[Address],
    nodes: Collection[Address],
    can_keep: Callable[[Address, Address], bool],
) -> Closure:
    """Return what replacing *nodes* takes along.

    A dependent that needs a replaced node is replaced, too, unless it can be kept. One that only
    uses it goes on: it is handed the new one if it can take it, and else does without.

    Args:
        graph: The graph, as `RunGraph.nx` has it.
        nodes: What is to be replaced.
        can_keep: Whether a dependent can take another instance of a dependency while it runs.
    """
    replaced = {address: address for address in nodes}
    kept: dict[Address, list[Address]] = {}
    todo = in_start_order(graph, nodes)
    while todo:
        need = todo.pop(0)
        for dependent in sorted(graph.succ[need]):
            if dependent in replaced:
                continue
            is_needed = graph.edges[need, dependent]["strength"] == Strength.HARD
            if is_needed and not can_keep(dependent, need):
                replaced[dependent] = need
                kept.pop(dependent, None)
                todo.append(dependent)
            else:
                kept.setdefault(dependent, []).append(need)
    return Closure(
        {one: replaced[one] for one in in_start_order(graph, replaced)},
        {one: tuple(needs) for one, needs in sorted(kept.items())},
    )

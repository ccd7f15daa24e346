"""Where arrows go round in circles: which boxes do, and in what order they are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import networkx as nx

from rungraph.graph.digraph import cyclic_sets, generations_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rungraph.graph.address import Address

    Ends = tuple[Address, Address]


def knots_of(nodes: Iterable[Address], edges: Iterable[Ends]) -> list[tuple[Address, ...]]:
    """Return the sets of nodes that reach each other, each sorted; a loop makes a knot of one."""
    return cyclic_sets(_digraph(nodes, edges))


def ranks_of(nodes: Iterable[Address], edges: Iterable[Ends]) -> dict[Address, int]:
    """Return how far from those that need nothing each node is; a knot shares one rank."""
    layers = generations_of(_digraph(nodes, (ends for ends in edges if ends[0] != ends[1])))
    return {node: rank for rank, layer in enumerate(layers) for node in layer}


def _digraph(nodes: Iterable[Address], edges: Iterable[Ends]) -> nx.DiGraph[Address]:
    drawn: nx.DiGraph[Address] = nx.DiGraph()
    drawn.add_nodes_from(sorted(nodes))
    drawn.add_edges_from(sorted(edges))
    return drawn


def late_ranks(ranks: Mapping[Address, int], edges: Iterable[Ends]) -> dict[Address, int]:
    """Return *ranks* with what more arrows leave than enter moved next to what needs it.

    That makes the arrows shorter in all; none turns back.
    """
    late = dict(ranks)
    after: dict[Address, list[Address]] = {}
    balance: dict[Address, int] = {}
    held: set[Address] = set()
    for a, b in edges:
        if late[a] < late[b]:
            after.setdefault(a, []).append(b)
            balance[a] = balance.get(a, 0) + 1
            balance[b] = balance.get(b, 0) - 1
        else:
            held |= {a, b}  # On a cycle: what is needed is not later than what needs it.
    waiting = sorted(after, key=lambda one: (-ranks[one], one))
    is_settled = False
    while not is_settled:
        is_settled = True
        for node in waiting:
            latest = min(late[one] for one in after[node]) - 1
            if balance[node] > 0 and latest > late[node] and node not in held:
                late[node] = latest
                is_settled = False
    return late


def steps_of(knot: Sequence[Address], edges: Sequence[Ends]) -> dict[Address, int]:
    """Return how many steps into its knot each node is drawn, few edges going back.

    The order is that of Eades, Lin and Smyth (1993): sinks last, sources first, and else the node
    that more arrows leave than enter.
    """
    after: dict[Address, set[Address]] = {node: set() for node in knot}
    before: dict[Address, set[Address]] = {node: set() for node in knot}
    for a, b in edges:
        after[a].add(b)
        before[b].add(a)
    left = dict.fromkeys(knot)
    head: list[Address] = []
    tail: list[Address] = []
    while left:
        degrees = {
            node: (len(after[node] & left.keys()), len(before[node] & left.keys())) for node in left
        }
        sink = next((node for node in left if not degrees[node][0]), None)
        node = sink or min(
            left, key=lambda n: (degrees[n][1] > 0, degrees[n][1] - degrees[n][0], n)
        )
        (tail if node is sink else head).append(node)
        del left[node]
    steps: dict[Address, int] = {}
    for node in (*head, *reversed(tail)):
        steps[node] = max((steps[one] + 1 for one in before[node] if one in steps), default=0)
    return steps

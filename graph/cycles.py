"""Circles of dependencies: hard ones are errors, soft ones lose an edge by a rule of their own.

networkx is imported only where there is a circle: most configs have none, and importing it takes
as long as checking them.
"""

from __future__ import annotations

from collections import deque
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.nodes import Edge, Strength

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.place import Place

MOST_CYCLES = 10
"""How many cycles of one knot are written out."""
_MOST_SEARCHED = 64
"""From how many nodes of a knot short cycles are looked for: bounds the time for huge knots."""
_MOST_PEELED = 20
"""How many layers at both ends of a graph are taken off in search of circles."""


class Knot(NamedTuple):
    """Nodes that all depend on each other: a strongly connected component.

    Attributes:
        nodes: Its nodes, sorted.
        cycles: Elementary cycles in it, each in dependency order from its smallest node; all of
            them, or the shortest that were found when there are more than `MOST_CYCLES`.
        is_complete: Whether *cycles* is all of them.
        weakest: The edge on most of the cycles: removing it unties most.
    """

    nodes: tuple[Address, ...]
    cycles: tuple[tuple[Address, ...], ...]
    is_complete: bool
    weakest: Edge


def find_knots(nodes: Iterable[Address], edges: Collection[Edge]) -> tuple[Knot, ...]:
    """Return the knots of hard and member edges, sorted by their first node.

    The result depends on nothing but the graph: not on the order of *nodes* or *edges*, and not
    on the hash seed.
    """
    by_ends = {
        (edge.dependency, edge.dependent): edge
        for edge in _inner(edges)
        if edge.strength is not Strength.SOFT
    }
    return tuple(_knot(component, by_ends) for component in _components(nodes, by_ends))


def drop_soft_edges(
    nodes: Iterable[Address], edges: Collection[Edge], knots: Sequence[Knot]
) -> tuple[tuple[Edge, ...], dict[Edge, tuple[Address, ...]]]:
    """Return the edges to keep, and those dropped so that soft edges close no circle.

    Of each circle one soft edge goes: one into a router or a table before one into a provider,
    then the smallest by its ends. Soft edges between nodes of one hard knot are left alone; the
    knot is an error anyway.

    Args:
        nodes: All nodes.
        edges: All edges.
        knots: The hard knots among them, from `find_knots`.

    Returns:
        The edges that stay, in their order, and each dropped edge with the circle that it closed.
    """
    knot_of = {node: knot.nodes[0] for knot in knots for node in knot.nodes}
    outer: dict[tuple[Address, Address], list[Edge]] = {}
    for edge in _inner(edges):
        ends = (
            knot_of.get(edge.dependency, edge.dependency),
            knot_of.get(edge.dependent, edge.dependent),
        )
        if ends[0] != ends[1]:
            outer.setdefault(ends, []).append(edge)
    dropped: dict[Edge, tuple[Address, ...]] = {}
    todo = _components((knot_of.get(node, node) for node in nodes), outer)
    while todo:
        component = set(todo.pop())
        inside = {ends: outer[ends] for ends in outer if component.issuperset(ends)}
        soft = [
            (edge, ends)
            for ends, between in inside.items()
            for edge in between
            if edge.strength is Strength.SOFT
        ]
        edge, ends = min(soft, key=lambda item: _soft_order(item[0]))
        dropped[edge] = tuple(_shortest_path(ends[1], ends[0], _successors(inside)) or ends)
        outer[ends].remove(edge)
        if not outer[ends]:
            del outer[ends], inside[ends]
        todo.extend(_components(component, inside))
    kept = (edge for edge in edges if edge not in dropped) if dropped else edges
    return tuple(kept), dropped


def _inner(edges: Collection[Edge]) -> Iterator[Edge]:
    """Yield the edges out of nodes that have edges in: no other edge is part of a circle."""
    dependents = {edge.dependent for edge in edges}
    return (edge for edge in edges if edge.dependency in dependents)


def _soft_order(edge: Edge) -> tuple[bool, Edge]:
    return (edge.dependent.kind is NodeKind.PROVIDER, edge)


def _components(
    nodes: Iterable[Address], edges: Mapping[tuple[Address, Address], object]
) -> list[tuple[Address, ...]]:
    """Return the components of more than one node, or with a loop, sorted."""
    # Only nodes with an edge in and one out can lie on a circle. Most have not, and without those
    # most of the rest have not either; what remains goes to networkx.
    left: Collection[tuple[Address, Address]] = edges
    inner: set[Address] = set()
    for _ in range(_MOST_PEELED):
        inner = {a for a, _ in left} & {b for _, b in left}
        inside = [(a, b) for a, b in left if a in inner and b in inner]
        if len(inside) == len(left):
            break
        left = inside
    if not left:
        return []
    import networkx as nx

    graph: nx.DiGraph[Address] = nx.DiGraph()
    graph.add_nodes_from(sorted(node for node in nodes if node in inner))
    graph.add_edges_from(left)
    return sorted(
        tuple(sorted(component))
        for component in nx.strongly_connected_components(graph)
        if len(component) > 1 or any(graph.has_edge(node, node) for node in component)
    )


def _successors(ends: Iterable[tuple[Address, Address]]) -> dict[Address, list[Address]]:
    result: dict[Address, list[Address]] = {}
    for dependency, dependent in sorted(ends):
        result.setdefault(dependency, []).append(dependent)
    return result


def _knot(component: tuple[Address, ...], by_ends: Mapping[tuple[Address, Address], Edge]) -> Knot:
    members = set(component)
    inside = [ends for ends in by_ends if ends[0] in members and ends[1] in members]
    successors = _successors(inside)
    import networkx as nx

    # Numbers instead of addresses: networkx walks sets, and only numbers hash alike in every run.
    number = {node: index for index, node in enumerate(component)}
    graph: nx.DiGraph[int] = nx.DiGraph()
    graph.add_nodes_from(range(len(component)))
    graph.add_edges_from((number[a], number[b]) for a, b in sorted(inside))
    found = list(islice(nx.simple_cycles(graph), MOST_CYCLES + 1))
    is_complete = len(found) <= MOST_CYCLES
    if is_complete:
        cycles = {_rotated([component[index] for index in cycle]) for cycle in found}
    else:
        cycles = set()
        for node in component[:_MOST_SEARCHED]:
            for following in successors[node]:
                path = _shortest_path(following, node, successors)
                if path is not None:
                    cycles.add(_rotated(path))
    shortest = sorted(cycles, key=lambda cycle: (len(cycle), cycle))[:MOST_CYCLES]
    return Knot(component, tuple(shortest), is_complete, _weakest(shortest, by_ends))


def _weakest(
    cycles: Sequence[Sequence[Address]], by_ends: Mapping[tuple[Address, Address], Edge]
) -> Edge:
    counts: dict[Edge, int] = {}
    for cycle in cycles:
        for ends in hops(cycle):
            counts[by_ends[ends]] = counts.get(by_ends[ends], 0) + 1
    # A user can take a declared dependency away; a table's members and a router's table stay.
    return min(
        counts,
        key=lambda edge: (
            edge.strength is Strength.MEMBER,
            _is_built_in(edge),
            -counts[edge],
            edge[:2],
        ),
    )


def _is_built_in(edge: Edge) -> bool:
    return all(evidence.rule in ("pair", "member") for evidence in edge.evidence)


def _shortest_path(
    start: Address, goal: Address, successors: Mapping[Address, Sequence[Address]]
) -> list[Address] | None:
    """Return the shortest path from *start* to *goal*; of several the smallest."""
    came_from: dict[Address, Address | None] = {start: None}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        if node == goal:
            path = [node]
            while (previous := came_from[path[-1]]) is not None:
                path.append(previous)
            return path[::-1]
        for following in successors.get(node, ()):
            if following not in came_from:
                came_from[following] = node
                queue.append(following)
    return None


def _rotated(cycle: Sequence[Address]) -> tuple[Address, ...]:
    start = cycle.index(min(cycle))
    return (*cycle[start:], *cycle[:start])


def hops(cycle: Sequence[Address]) -> list[tuple[Address, Address]]:
    """Return the ends of each edge of a cycle, the closing one last."""
    return list(pairwise([*cycle, cycle[0]]))


def picture(
    cycle: Sequence[Address], edge_of: Mapping[tuple[Address, Address], Edge], weakest: Edge | None
) -> str:
    """Return a cycle drawn as an arrow box: each line a node, where it stands, what it needs.

    The arrow runs from each node to the one that it needs.
    """
    chain = [cycle[0], *reversed(cycle[1:])]
    width = max(len(str(node)) for node in chain)
    rows: list[tuple[str, str, str, bool]] = []
    for index, node in enumerate(chain):
        needed = chain[(index + 1) % len(chain)]
        edge = edge_of[needed, node]
        evidence = edge.evidence[0] if edge.evidence else None
        place = str(evidence.place) if evidence and evidence.place else f"({node.kind.value})"
        rows.append(
            (str(node), place, evidence.text if evidence else f"needs {needed}", edge == weakest)
        )
    place_width = max(len(place) for _, place, _, _ in rows)
    lines: list[str] = []
    for index, (name, place, text, is_weakest) in enumerate(rows):
        arrow = _arrow(index, len(rows))
        mark = "   <- weakest link" if is_weakest else ""
        lines.append(f"{arrow} {name:<{width}}  {place:<{place_width}}  {text}{mark}")
    return "\n".join(lines)


def _arrow(index: int, count: int) -> str:
    if count == 1:
        return "↻"
    if index == 0:
        return "╭─>─╮"
    return "╰─<─╯" if index == count - 1 else "│   ▼"


def knot_diagnostics(knots: Iterable[Knot], edges: Iterable[Edge]) -> Iterable[Diagnostic]:
    """Yield an error for each knot, with its cycles drawn."""
    edge_of = {
        (edge.dependency, edge.dependent): edge
        for edge in edges
        if edge.strength is not Strength.SOFT
    }
    for knot in knots:
        if len(knot.nodes) == 1:
            yield _self_dependency(knot, edge_of)
            continue
        pictures = [picture(cycle, edge_of, knot.weakest) for cycle in knot.cycles]
        if not knot.is_complete:
            pictures.append(
                f"and more: {len(knot.nodes)} nodes need each other; the shortest cycles are shown"
            )
        first = knot.cycles[0]
        count = (
            ""
            if len(knot.cycles) == 1
            else f", {len(knot.cycles) if knot.is_complete else f'more than {MOST_CYCLES}'} cycles"
        )
        yield Diagnostic(
            "G001",
            f"dependency cycle through required edges ({len(knot.nodes)} nodes{count})",
            Severity.ERROR,
            _place(knot.weakest)
            or next((p for ends in hops(first) if (p := _place(edge_of[ends]))), None),
            _way_out(knot.weakest),
            address=first[0],
            detail="\n\n".join(pictures),
        )


def _self_dependency(knot: Knot, edge_of: Mapping[tuple[Address, Address], Edge]) -> Diagnostic:
    (node,) = knot.nodes
    edge = edge_of[node, node]
    return Diagnostic(
        "G006",
        f"'{node}' depends on itself: {edge.evidence[0].text}",
        Severity.ERROR,
        _place(edge),
        (f"take '{node.api}' out of its dependencies",),
        address=node,
    )


def _place(edge: Edge) -> Place | None:
    return next((evidence.place for evidence in edge.evidence if evidence.place), None)


def _way_out(edge: Edge) -> tuple[str, ...]:
    rule = edge.evidence[0].rule if edge.evidence else ""
    if rule == "dependencies":
        optional = f"make the dependency of '{edge.dependent}' on {edge.dependency.api} optional"
        return (f"{optional}, or take '{edge.dependent}' out of the config",)
    return (f"take '{edge.dependency}' out of the config",)


def dropped_diagnostics(dropped: Mapping[Edge, Sequence[Address]]) -> Iterable[Diagnostic]:
    """Yield a note for each soft edge that was dropped: there is nothing to do about it."""
    for edge in sorted(dropped):
        circle = " -> ".join(str(node) for node in (edge.dependency, *dropped[edge]))
        yield Diagnostic(
            "G002",
            f"'{edge.dependent}' starts without '{edge.dependency}', which it uses if it is there: "
            "they need each other",
            Severity.NOTE,
            _place(edge),
            (f"nothing to do: '{edge.dependent}' is handed '{edge.dependency}' once both run",),
            address=edge.dependent,
            detail=f"circle: {circle}",
        )

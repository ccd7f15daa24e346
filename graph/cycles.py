"""Cycles of dependencies: hard ones are errors, soft ones lose an edge by a rule of their own."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

import networkx as nx

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.budgets import MOST_CYCLE_STARTS, MOST_CYCLES, MOST_WALKED
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.digraph import cyclic_sets, edges_on_cycles
from rungraph.graph.nodes import Edge, Strength
from rungraph.graph.reachability import Reachability

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.place import Place


class CyclicComponent(NamedTuple):
    """Nodes that all depend on each other: a strongly connected component.

    Attributes:
        nodes: Its nodes, sorted.
        cycles: Elementary cycles in it, each in dependency order from its smallest node; all of
            them, or the shortest that were found when there are more than `MOST_CYCLES`.
        is_complete: Whether *cycles* is all of them.
        weakest: The edge on most of the cycles: without it the fewest are left.
    """

    nodes: tuple[Address, ...]
    cycles: tuple[tuple[Address, ...], ...]
    is_complete: bool
    weakest: Edge


def hard_components(
    graph: nx.DiGraph[Address], edges: Iterable[Edge] | None = None
) -> tuple[CyclicComponent, ...]:
    """Return the cyclic components of hard and member edges, sorted by their first node.

    The result depends on nothing but the nodes and edges: not on the order in which they were
    added, and not on the hash seed.

    Args:
        graph: The graph.
        edges: Its edges on cycles, where they are known.
    """
    edges = edges_on_cycles(graph) if edges is None else edges
    hard: nx.DiGraph[Address] = nx.DiGraph(
        [edge[:2] for edge in edges if edge.strength is not Strength.SOFT]
    )
    return tuple(_component(nodes, graph, hard) for nodes in cyclic_sets(hard))


def drop_soft_edges(
    graph: nx.DiGraph[Address],
    components: Sequence[CyclicComponent],
    edges: Iterable[Edge] | None = None,
) -> dict[Edge, tuple[Address, ...]]:
    """Take soft edges out of *graph* so that none of them closes a cycle, and no more than that.

    Of each cycle one soft edge goes: one into a router or a table before one into a provider, then
    the smallest by its ends. That is: to the hard edges each soft one is added that closes no
    cycle with what is there, in the opposite order. Soft edges between nodes of one hard component
    stay; the component is an error anyway.

    Where so many nodes need each other that this takes too long (see `Reachability`), those of the
    edges that are left are dropped that lead back in the start order of what is there.

    Args:
        graph: The graph; it is changed.
        components: Its hard components, from `hard_components`.
        edges: Its edges on cycles, where they are known.

    Returns:
        Each edge that was taken out, with the shortest cycle that it closes with what is left.
    """
    first_of = _first_of(components)
    links: list[tuple[Address, Address, Edge]] = []
    for edge in edges_on_cycles(graph) if edges is None else edges:
        # A hard component counts as one node, so several edges can have the same ends.
        start, end = (first_of.get(one, one) for one in edge[:2])
        if start != end:
            links.append((start, end, edge))
    hard: nx.DiGraph[Address] = nx.DiGraph()
    hard.add_nodes_from(sorted({one for link in links for one in link[:2]}))
    hard.add_edges_from(one[:2] for one in links if one[2].strength is not Strength.SOFT)
    soft = [one for one in links if one[2].strength is Strength.SOFT]
    reached = Reachability(hard)
    dropped: list[Edge] = []
    for start, end, edge in sorted(soft, key=_dropping_order, reverse=True):
        if not reached.add(start, end):
            dropped.append(edge)
    dropped.reverse()
    graph.remove_edges_from([edge[:2] for edge in dropped])
    return cycles_closed(graph, dropped, components)


def cycles_closed(
    graph: nx.DiGraph[Address], dropped: Sequence[Edge], components: Sequence[CyclicComponent]
) -> dict[Edge, tuple[Address, ...]]:
    """Return each of the *dropped* edges that closes a cycle in *graph*, with the shortest one.

    A hard component counts as one node, its first. Of a part of a graph, some close none. Where
    looking for all takes too long, the others have nothing but their ends.
    """
    first_of = _first_of(components)
    found = graph
    if components:
        merged = {
            (first_of.get(start, start), first_of.get(end, end)) for start, end in graph.edges
        }
        # Added sorted, as the graph is, so that walks of networkx have one order.
        found = nx.DiGraph(sorted(ends for ends in merged if ends[0] != ends[1]))
    if len(dropped) * found.number_of_edges() > MOST_WALKED:
        ends = [(first_of.get(one[0], one[0]), first_of.get(one[1], one[1])) for one in dropped]
        found = _between(found, ends)
    size, walked = found.number_of_edges(), 0
    closed: dict[Edge, tuple[Address, ...]] = {}
    for edge in dropped:
        dependency, dependent = (first_of.get(one, one) for one in edge[:2])
        walked += size
        if walked > MOST_WALKED:
            closed[edge] = (dependent, dependency)
            continue
        with suppress(nx.NodeNotFound, nx.NetworkXNoPath):
            closed[edge] = tuple(nx.shortest_path(found, dependent, dependency))
    return closed


def _between(
    graph: nx.DiGraph[Address], dropped: Sequence[tuple[Address, Address]]
) -> nx.DiGraph[Address]:
    """Return what of an acyclic *graph* is on the cycles that the *dropped* edges close."""
    whole: nx.DiGraph[Address] = nx.DiGraph(graph.edges)
    whole.add_edges_from(dropped)
    set_of = {one: nodes[0] for nodes in cyclic_sets(whole) for one in nodes}
    inner: nx.DiGraph[Address] = nx.DiGraph()
    inner.add_edges_from(
        ends for ends in graph.edges if ends[0] in set_of and set_of[ends[0]] == set_of.get(ends[1])
    )
    return inner


def _first_of(components: Iterable[CyclicComponent]) -> dict[Address, Address]:
    """Return the node that each node of a hard component counts as."""
    return {node: one.nodes[0] for one in components for node in one.nodes}


def _dropping_order(link: tuple[Address, Address, Edge]) -> tuple[bool, Edge]:
    edge = link[2]
    return edge.dependent.kind is NodeKind.PROVIDER, edge


def _component(
    nodes: tuple[Address, ...], graph: nx.DiGraph[Address], hard: nx.DiGraph[Address]
) -> CyclicComponent:
    # Sorted, so that walks of networkx have one order: a view of some nodes may have another.
    inside: nx.DiGraph[Address] = nx.DiGraph(sorted(hard.subgraph(nodes).edges))
    found = list(islice(nx.simple_cycles(inside), MOST_CYCLES + 1))
    is_complete = len(found) <= MOST_CYCLES
    if is_complete:
        cycles = {_rotated(cycle) for cycle in found}
    else:
        cycles = {
            _rotated(nx.single_source_shortest_path(inside, following)[node])
            for node in nodes[:MOST_CYCLE_STARTS]
            for following in inside[node]
        }
    shortest = sorted(cycles, key=lambda cycle: (len(cycle), cycle))[:MOST_CYCLES]
    by_ends = {ends: graph.edges[ends]["edge"] for ends in inside.edges}
    return CyclicComponent(nodes, tuple(shortest), is_complete, _weakest(shortest, by_ends))


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
            all(one.rule in ("pair", "member") for one in edge.evidence),
            -counts[edge],
            edge[:2],
        ),
    )


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


def hard_cycle_diagnostics(
    components: Iterable[CyclicComponent], graph: nx.DiGraph[Address]
) -> Iterator[Diagnostic]:
    """Yield an error for each hard component of *graph*, with its cycles drawn."""
    for component in components:
        nodes, cycles, is_complete, weakest = component
        edge_of = {ends: graph.edges[ends]["edge"] for cycle in cycles for ends in hops(cycle)}
        if len(nodes) == 1:
            yield _self_dependency(edge_of[nodes[0], nodes[0]])
            continue
        drawn = [picture(cycle, edge_of, weakest) for cycle in cycles]
        if not is_complete:
            drawn.append(
                f"and more: {len(nodes)} nodes need each other; the shortest cycles are shown"
            )
        count = f", {len(cycles) if is_complete else f'more than {MOST_CYCLES}'} cycles"
        yield Diagnostic(
            "G001",
            f"dependency cycle through required edges ({len(nodes)} nodes"
            f"{'' if len(cycles) == 1 else count})",
            Severity.ERROR,
            _place(weakest)
            or next((p for ends in hops(cycles[0]) if (p := _place(edge_of[ends]))), None),
            _way_out(weakest),
            address=cycles[0][0],
            detail="\n\n".join(drawn),
        )


def _self_dependency(edge: Edge) -> Diagnostic:
    return Diagnostic(
        "G006",
        f"'{edge.dependent}' depends on itself: {edge.evidence[0].text}",
        Severity.ERROR,
        _place(edge),
        (f"take {edge.dependent.api} out of its dependencies",),
        address=edge.dependent,
    )


def _place(edge: Edge) -> Place | None:
    return next((evidence.place for evidence in edge.evidence if evidence.place), None)


def _way_out(edge: Edge) -> tuple[str, ...]:
    rule = edge.evidence[0].rule if edge.evidence else ""
    if rule == "dependencies":
        optional = f"make the dependency of {edge.dependent} on {edge.dependency.api} optional"
        return (f"{optional}, or take {_in_config(edge.dependent)} out of the config",)
    return (f"take {_in_config(edge.dependency)} out of the config",)


def _in_config(address: Address) -> str:
    """Return what to look for in the config: its ids stand there, addresses do not."""
    return f"the provider '{address.name}' of {address.api}" if address.name else str(address)


def dropped_diagnostics(dropped: Mapping[Edge, Sequence[Address]]) -> Iterable[Diagnostic]:
    """Yield a note for each soft edge that was dropped: there is nothing to do about it."""
    for edge in sorted(dropped):
        cycle = " -> ".join(str(node) for node in (edge.dependency, *dropped[edge]))
        yield Diagnostic(
            "G002",
            f"'{edge.dependent}' starts without '{edge.dependency}', which it uses if it is there: "
            "they need each other",
            Severity.NOTE,
            _place(edge),
            (f"nothing to do: '{edge.dependent}' is handed '{edge.dependency}' once both run",),
            address=edge.dependent,
            detail=f"cycle: {cycle}",
        )

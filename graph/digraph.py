"""Nodes and edges as networkx holds them; the one module that knows the attributes' names."""

from __future__ import annotations

from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, Any

import networkx as nx

from rungraph.graph.nodes import ProviderNode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.address import Address
    from rungraph.graph.nodes import Edge, Node


def new_digraph(
    name: str, nodes: Iterable[Node], edges: Iterable[Edge] = ()
) -> nx.DiGraph[Address]:
    """Return a graph of *nodes* and *edges* that can still be changed.

    Nodes and edges are added sorted, so every walk of networkx has one order. The attributes are
    those of `RunGraph.nx`, but for ``generation``.
    """
    graph: nx.DiGraph[Address] = nx.DiGraph(name=name)
    for node in sorted(nodes, key=attrgetter("address")):
        address = node.address
        attributes: dict[str, Any] = {"node": node, "kind": str(address.kind), "api": address.api}
        if isinstance(node, ProviderNode):
            attributes["provider_id"] = address.name
            attributes["provider_type"] = node.provider_type
        graph.add_node(address, **attributes)
    add_edges(graph, edges)
    return graph


def add_edges(graph: nx.DiGraph[Address], edges: Iterable[Edge]) -> None:
    """Add *edges* with the attributes of `RunGraph.nx`, sorted."""
    graph.add_edges_from(
        (
            edge.dependency,
            edge.dependent,
            {"edge": edge, "strength": str(edge.strength), "evidence": edge.evidence},
        )
        for edge in sorted(edges, key=itemgetter(0, 1))
    )


def acyclic_generations(graph: nx.DiGraph[Any]) -> list[list[Any]] | None:
    """Return the topological generations of *graph*, each sorted; None when it has a cycle."""
    try:
        return [sorted(layer) for layer in nx.topological_generations(graph)]
    except nx.NetworkXUnfeasible:
        return None


def generations_of(graph: nx.DiGraph[Any]) -> list[list[Any]]:
    """Return the topological generations of *graph*, each sorted.

    The nodes of a cycle share a generation.
    """
    layers = acyclic_generations(graph)
    if layers is None:
        condensed = nx.condensation(graph)
        layers = [
            sorted(node for one in layer for node in condensed.nodes[one]["members"])
            for layer in nx.topological_generations(condensed)
        ]
    return layers


def number_generations(graph: nx.DiGraph[Any], layers: Iterable[Iterable[Any]]) -> None:
    """Give each node of *graph* the number of its generation, and freeze it."""
    number_of = {node: number for number, layer in enumerate(layers) for node in layer}
    nx.set_node_attributes(graph, number_of, "generation")
    nx.freeze(graph)


def in_start_order(graph: nx.DiGraph[Address], nodes: Iterable[Address]) -> list[Address]:
    """Return *nodes* of *graph* by generation, each generation sorted."""
    return sorted(nodes, key=lambda one: (graph.nodes[one]["generation"], one))


def nodes_of(graph: nx.DiGraph[Address]) -> dict[Address, Node]:
    """Return the nodes by address, in the order of the graph."""
    return {address: attributes["node"] for address, attributes in graph.nodes(data=True)}


def edges_of(graph: nx.Graph[Address]) -> list[Edge]:
    """Return the edges, in the order of the graph."""
    return [attributes["edge"] for _, _, attributes in graph.edges(data=True)]


def edges_on_cycles(graph: nx.DiGraph[Address]) -> list[Edge]:
    """Return the edges between nodes that reach each other, sorted: most graphs have few."""
    set_of = {one: nodes[0] for nodes in cyclic_sets(graph) for one in nodes}
    found = [edge for edge in edges_of(graph) if edge.dependency in set_of]
    return sorted(edge for edge in found if set_of[edge.dependency] == set_of.get(edge.dependent))


def cyclic_sets(graph: nx.DiGraph[Any]) -> list[tuple[Any, ...]]:
    """Return the sets of nodes that reach each other, each sorted; a self-loop makes one of one."""
    return sorted(
        tuple(sorted(component))
        for component in nx.strongly_connected_components(graph)
        if len(component) > 1 or graph.has_edge(*(tuple(component) * 2))
    )

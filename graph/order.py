"""The order in a graph: its generations, what can be reached, and the same as a networkx graph.

networkx takes as long to import as all the rest; it is imported where it is needed first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.graph.address import NodeKind
from rungraph.graph.nodes import ProviderNode, Strength

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import networkx as nx

    from rungraph.graph.address import Address
    from rungraph.graph.nodes import Edge, Node

# An enum's ``value`` is a Python call, and a large graph asks for it all the time.
_TEXTS = {member: member.value for enum in (NodeKind, Strength) for member in enum}


def generations_of(
    nodes: Iterable[Address],
    predecessors: Mapping[Address, Sequence[Address]],
    successors: Mapping[Address, Sequence[Address]],
) -> tuple[tuple[Address, ...], ...]:
    """Return the topological generations of a graph, each sorted.

    The nodes of a circle share a generation.

    Args:
        nodes: All nodes, sorted.
        predecessors: What each node depends on; nodes that depend on nothing may be missing.
        successors: What depends on each node; nodes that nothing depends on may be missing.
    """
    # Kahn's algorithm by layers, as networkx.topological_generations, over plain dicts.
    waiting = {node: len(dependencies) for node, dependencies in predecessors.items()}
    every = list(nodes)
    layer = [node for node in every if not waiting.get(node)]
    layers: list[tuple[Address, ...]] = []
    placed = 0
    while layer:
        layers.append(tuple(layer))
        placed += len(layer)
        following: list[Address] = []
        for node in layer:
            for dependent in successors.get(node, ()):
                waiting[dependent] -= 1
                if not waiting[dependent]:
                    following.append(dependent)
        layer = sorted(following)
    return tuple(layers) if placed == len(every) else _condensed(every, successors)


def _condensed(
    nodes: Iterable[Address], successors: Mapping[Address, Sequence[Address]]
) -> tuple[tuple[Address, ...], ...]:
    import networkx as nx

    graph: nx.DiGraph[Address] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(
        (node, one) for node, dependents in successors.items() for one in dependents
    )
    condensed = nx.condensation(graph)
    return tuple(
        tuple(sorted(node for one in layer for node in condensed.nodes[one]["members"]))
        for layer in nx.topological_generations(condensed)
    )


def neighbours_of(
    pairs: Iterable[tuple[Address, Address]],
) -> dict[Address, tuple[Address, ...]]:
    """Return for each node that is first in some of *pairs* those that are second, in order."""
    found: dict[Address, list[Address]] = {}
    for node, other in pairs:
        found.setdefault(node, []).append(other)
    return {node: tuple(others) for node, others in found.items()}


def reached_from(start: Address, step: Mapping[Address, Sequence[Address]]) -> set[Address]:
    """Return all nodes that *step* leads to from *start*, once or many times; not *start*."""
    seen: set[Address] = set()
    todo = [start]
    while todo:
        for node in step.get(todo.pop(), ()):
            if node not in seen:
                seen.add(node)
                todo.append(node)
    seen.discard(start)
    return seen


def digraph_of(
    name: str,
    nodes: Mapping[Address, Node],
    edges: Iterable[Edge],
    generation_of: Mapping[Address, int],
) -> nx.DiGraph[Address]:
    """Return the frozen networkx graph that `RunGraph.nx` is."""
    import networkx as nx

    graph: nx.DiGraph[Address] = nx.DiGraph(name=name)
    graph.add_nodes_from(
        (address, _attributes_of(node, generation_of[address])) for address, node in nodes.items()
    )
    graph.add_edges_from(
        (
            edge.dependency,
            edge.dependent,
            {"strength": _TEXTS[edge.strength], "evidence": edge.evidence, "edge": edge},
        )
        for edge in edges
    )
    nx.freeze(graph)
    return graph


def _attributes_of(node: Node, generation: int) -> dict[str, Any]:
    address = node.address
    attributes: dict[str, Any] = {
        "kind": _TEXTS[address.kind],
        "api": address.api,
        "generation": generation,
        "node": node,
    }
    if isinstance(node, ProviderNode):
        attributes["provider_id"] = address.name
        attributes["provider_type"] = node.provider_type
    return attributes

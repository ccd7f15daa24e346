"""Random run graphs with cycles of every kind, which no catalog could ask for."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st

from rungraph.graph import Address, RoutedPair, RunGraph, compile_config
from rungraph.graph.address import NodeKind
from rungraph.graph.cycles import drop_soft_edges, hard_components
from rungraph.graph.digraph import new_digraph
from rungraph.graph.nodes import Edge, Node, ProviderNode, RouterNode, Strength, TableNode

EMPTY = compile_config({"apis": []}, environment={})
_PAIR = RoutedPair("router", "table", "resource", "resource_id", "x:R")
_STRENGTHS = (Strength.HARD, Strength.SOFT, Strength.SOFT, Strength.MEMBER)


@st.composite
def edges(draw: st.DrawFn, most: int = 7) -> tuple[list[Address], list[Edge]]:
    """Draw nodes of every kind and edges among them, some from a node to itself."""
    kinds = draw(st.lists(st.sampled_from("pppprt"), min_size=1, max_size=most))

    def node_of(kind: str, index: int) -> Address:
        if kind == "p":
            return Address.provider(f"api{index % 2}", f"n{index}")
        return Address.router(f"r{index}") if kind == "r" else Address.table(f"t{index}")

    nodes = [node_of(kind, index) for index, kind in enumerate(kinds)]
    ends = st.tuples(st.sampled_from(nodes), st.sampled_from(nodes))
    chosen = draw(st.lists(ends, max_size=3 * len(nodes), unique=True))
    return nodes, [Edge(*one, draw(st.sampled_from(_STRENGTHS))) for one in chosen]


def run_graph(nodes: list[Address], links: list[Edge]) -> RunGraph:
    """Return the graph of *nodes* and *links*, soft cycles opened as in compiling."""
    graph = new_digraph("", map(_node, nodes), links)
    dropped = drop_soft_edges(graph, hard_components(graph))
    return replace(EMPTY, nx=graph, dropped=tuple(sorted(dropped)), diagnostics=())


def _node(address: Address) -> Node:
    if address.kind is NodeKind.PROVIDER:
        return ProviderNode(address, "inline::x", None)
    return (RouterNode if address.kind is NodeKind.ROUTER else TableNode)(address, _PAIR)


@st.composite
def run_graphs(draw: st.DrawFn, most: int = 7) -> RunGraph:
    """Draw a graph with cycles of every kind."""
    return run_graph(*draw(edges(most)))

"""A graph as data for other programs: node-link JSON and GraphML, written by networkx."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Unpack

import networkx as nx

from rungraph.graph.address import NodeKind
from rungraph.graph.nodes import ProviderNode
from rungraph.graph.wording import printable
from rungraph.viz.model.diagram import diagram_of

if TYPE_CHECKING:
    from rungraph.graph.model import RunGraph
    from rungraph.viz.model.diagram import DiagramOptions
    from rungraph.viz.model.elements import Arrow, Box

FORMAT_VERSION = "1.0"
"""A new minor version adds keys; a new major breaks."""


def render_json(graph: RunGraph, **options: Unpack[DiagramOptions]) -> str:
    """Return *graph* as node-link JSON; equal graphs give equal bytes.

    ``networkx.node_link_graph(json.loads(text), edges="edges")`` reads it. Ids are addresses and
    edges go from a dependency to its dependent. Edges with ``"dropped": true`` are not part of the
    start order and can close a cycle. No config values are in it.

    Args:
        graph: Any graph, also one that cannot be run.
        options: Which part is written; by default every node and every edge.
    """
    found = nx.node_link_data(_plain_digraph(graph, options), edges="edges")
    head = {"kind": "node-link", "format_version": FORMAT_VERSION}
    return json.dumps(head | found, ensure_ascii=False, indent=2) + "\n"


def render_graphml(graph: RunGraph, **options: Unpack[DiagramOptions]) -> str:
    """Return *graph* as GraphML; equal graphs give equal bytes.

    It has what `render_json` has: text, whole numbers and booleans are typed, of a list there is
    one text with commas. What XML cannot hold is escaped. ``networkx.read_graphml`` reads it.

    Args:
        graph: Any graph, also one that cannot be run.
        options: Which part is written; by default every node and every edge.
    """
    digraph = nx.relabel_nodes(_plain_digraph(graph, options), printable)
    edges = (values for *_, values in digraph.edges(data=True))
    for values in (digraph.graph, *digraph.nodes.values(), *edges):
        for name, value in values.items():
            if isinstance(value, list | str):
                values[name] = printable(value if isinstance(value, str) else ", ".join(value))
    lines = nx.generate_graphml(digraph, prettyprint=True)
    return "\n".join(("<?xml version='1.0' encoding='utf-8'?>", *lines, ""))


def _plain_digraph(graph: RunGraph, options: DiagramOptions) -> nx.DiGraph[str]:
    """Return what is drawn of *graph*, its attributes plain values; those that are not so left out.

    A program wants all there is, not what can be read with ease.
    """
    wanted: DiagramOptions = {**options, "reduced": bool(options.get("reduced"))}
    if options.get("view", "auto") == "auto":
        wanted["view"] = "full"
    diagram = diagram_of(graph, **wanted)
    digraph: nx.DiGraph[str] = nx.DiGraph(
        name=diagram.title,
        about="; ".join((diagram.subtitle, *diagram.notes)),
        view=diagram.view,
        reduced=diagram.is_reduced,
    )
    for box in diagram.boxes.values():
        digraph.add_node(str(box.key), **_box_values(graph, box))
    for arrow in diagram.arrows:
        digraph.add_edge(str(arrow.dependency), str(arrow.dependent), **_arrow_values(arrow))
    return digraph


def _box_values(graph: RunGraph, box: Box) -> dict[str, Any]:
    node = graph.nodes.get(box.key)
    values: dict[str, Any] = {
        "kind": "api" if len({one.kind for one in box.addresses}) > 1 else box.kind.value,
        "api": box.api,
    }
    if not box.is_in_cycle:
        values["generation"] = box.generation
    if len(box.addresses) > 1:
        values["addresses"] = [str(address) for address in box.addresses]
    elif isinstance(node, ProviderNode):
        values |= {"provider_id": node.provider_id, "provider_type": node.provider_type}
        if node.tags:
            values["tags"] = node.masked_tags
        if node.place is not None and node.place.line:
            values["line"] = node.place.line
    elif box.kind is NodeKind.PROVIDER:
        values["provider_id"] = box.key.name
    if box.problems:
        values["problems"] = list(box.problems)
    if box.mark is not None:
        values |= {"mark": box.mark.role.value, "mark_text": box.mark.text}
    return values | _flags(in_cycle=box.is_in_cycle, ghost=box.is_ghost)


def _arrow_values(arrow: Arrow) -> dict[str, Any]:
    values = {"strength": arrow.strength.value}
    if arrow.mark is not None:
        values["mark"] = arrow.mark.role.value
    flags = _flags(dropped=arrow.is_dropped, in_cycle=arrow.is_in_cycle, ghost=arrow.is_ghost)
    return values | flags


def _flags(**flags: bool) -> dict[str, bool]:
    return {name: flag for name, flag in flags.items() if flag}

"""A graph as data for other programs: node-link JSON and GraphML, as networkx reads them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Unpack

from rungraph.graph.address import NodeKind
from rungraph.graph.nodes import ProviderNode
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.labels import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.model import RunGraph
    from rungraph.viz.formats.options import DiagramOptions
    from rungraph.viz.model.elements import Arrow, Box, Diagram

FORMAT_VERSION = "1.0"
"""A new minor version adds keys; a new major breaks."""


def render_json(graph: RunGraph, **options: Unpack[DiagramOptions]) -> str:
    """Return *graph* as node-link JSON; equal graphs give equal bytes.

    ``networkx.node_link_graph(json.loads(text), edges="edges")`` reads it. Ids are addresses and
    edges go from a dependency to its dependent. Edges with ``"dropped": true`` are not part of the
    start order and can close a circle. No config values are in it.

    Args:
        graph: Any graph, also one that cannot be run.
        options: Which part is written; by default every node and every edge.
    """
    diagram = _diagram_of(graph, options)
    found = {
        "kind": "node-link",
        "format_version": FORMAT_VERSION,
        "directed": True,
        "multigraph": False,
        "graph": _graph_values(diagram),
        "nodes": [
            {"id": str(box.key), **_box_values(graph, box)} for box in diagram.boxes.values()
        ],
        "edges": [
            {
                "source": str(arrow.dependency),
                "target": str(arrow.dependent),
                **_arrow_values(arrow),
            }
            for arrow in diagram.arrows
        ],
    }
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def render_graphml(graph: RunGraph, **options: Unpack[DiagramOptions]) -> str:
    """Return *graph* as GraphML; equal graphs give equal bytes.

    It has what `render_json` has: text, whole numbers and booleans are typed, of a list there is
    one text with commas. What XML cannot hold is replaced. ``networkx.read_graphml`` reads it.

    Args:
        graph: Any graph, also one that cannot be run.
        options: Which part is written; by default every node and every edge.
    """
    import networkx as nx

    diagram = _diagram_of(graph, options)
    digraph: nx.DiGraph[str] = nx.DiGraph()
    digraph.graph.update(_flat(_graph_values(diagram)))
    for box in diagram.boxes.values():
        digraph.add_node(printable(str(box.key)), **_flat(_box_values(graph, box)))
    for arrow in diagram.arrows:
        ends = (printable(str(arrow.dependency)), printable(str(arrow.dependent)))
        digraph.add_edges_from([(*ends, _flat(_arrow_values(arrow)))])
    lines = nx.generate_graphml(digraph, prettyprint=True)
    return "<?xml version='1.0' encoding='utf-8'?>\n" + "\n".join(lines) + "\n"


def _diagram_of(graph: RunGraph, options: DiagramOptions) -> Diagram:
    # A program wants all there is, not what can be read with ease.
    told: DiagramOptions = {**options, "reduced": bool(options.get("reduced"))}
    if options.get("view", "auto") == "auto":
        told["view"] = "full"
    return diagram_of(graph, **told)


def _graph_values(diagram: Diagram) -> dict[str, Any]:
    return {
        "name": diagram.title,
        "about": "; ".join((diagram.subtitle, *diagram.notes)),
        "view": diagram.view,
        "reduced": diagram.is_reduced,
    }


def _box_values(graph: RunGraph, box: Box) -> dict[str, Any]:
    node = graph.nodes.get(box.key)
    values: dict[str, Any] = {
        "kind": "api" if len({one.kind for one in box.addresses}) > 1 else box.kind.value,
        "api": box.api,
        "generation": box.generation,
    }
    if len(box.addresses) > 1:
        values["addresses"] = [str(address) for address in box.addresses]
    elif isinstance(node, ProviderNode):
        values |= {"provider_id": node.provider_id, "provider_type": node.provider_type}
        if node.tags:
            values["tags"] = list(node.tags)
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
    values: dict[str, Any] = {"strength": arrow.strength.value}
    if arrow.mark is not None:
        values["mark"] = arrow.mark.role.value
    return values | _flags(
        dropped=arrow.is_dropped, in_cycle=arrow.is_in_cycle, ghost=arrow.is_ghost
    )


def _flags(**flags: bool) -> dict[str, bool]:
    return {name: flag for name, flag in flags.items() if flag}


def _flat(values: Mapping[str, Any]) -> dict[str, str | int | bool]:
    """Return *values* as GraphML can hold them."""
    return {
        name: printable(", ".join(value) if isinstance(value, list) else value)
        if isinstance(value, list | str)
        else value
        for name, value in values.items()
    }

"""The nodes and edges of a graph that ``rungraph graph --format json`` wrote, to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rungraph.graph.address import Address
from rungraph.graph.diff.snapshot import Link, Snapshot, snapshot_of
from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.diff.facts import Facts
    from rungraph.graph.model import RunGraph

_KEPT: Final = ("provider_type", "tags")
"""The facts of a node that such JSON has."""


def snapshot_of_node_link(data: Mapping[str, Any]) -> Snapshot:
    """Return what node-link JSON says of a graph: nodes, types, tags and edges.

    Raises:
        ValueError: If it does not have every node by itself and every edge, or is none at all.
    """
    try:
        drawn = data["graph"]
        if drawn["view"] != "full" or drawn["reduced"]:
            msg = "it was drawn with boxes or without some edges: write it with --view full"
            raise ValueError(msg)
        shown = [one for one in data["nodes"] if not one.get("ghost")]
        links = [one for one in data["edges"] if not one.get("ghost")]
        nodes: dict[Address, Facts] = {
            Address.parse(one["id"]): {(key,): one[key] for key in _KEPT if key in one}
            for one in shown
        }
        edges = {
            (Address.parse(one["source"]), Address.parse(one["target"])): (
                Link(Strength(one["strength"]).value, bool(one.get("dropped"))),
            )
            for one in links
        }
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"it is no node-link JSON: {error!r}"
        raise ValueError(msg) from error
    return Snapshot(dict(sorted(nodes.items())), edges)


def as_node_link(graph: RunGraph | Snapshot) -> Snapshot:
    """Return of *graph* what node-link JSON would say of it."""
    whole = graph if isinstance(graph, Snapshot) else snapshot_of(graph)
    nodes = {
        address: {path: fact for path, fact in facts.items() if path[0] in _KEPT}
        for address, facts in whole.nodes.items()
    }
    return Snapshot(nodes, whole.edges)

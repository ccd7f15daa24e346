"""Facts about node-link JSON and GraphML."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import networkx as nx
from tests.unit.viz.graphs import graph_of

from rungraph.graph.model import RunGraph
from rungraph.viz import render_graphml, render_json
from rungraph.viz.model.overlay import status_overlay


def test_a_graph_as_a_whole() -> None:
    """Ids are addresses; what is not so is not said."""
    found = json.loads(render_json(graph_of({"inference": [("a", "inline::local")]})))
    assert found == {
        "kind": "node-link",
        "format_version": "1.0",
        "directed": True,
        "multigraph": False,
        "graph": {
            "name": "pictured",
            "about": "4 nodes, 3 generations; arrows run from what is needed to what needs it",
            "view": "full",
            "reduced": False,
        },
        "nodes": [
            {
                "id": "provider:inference/a",
                "kind": "provider",
                "api": "inference",
                "generation": 0,
                "provider_id": "a",
                "provider_type": "inline::local",
            },
            {
                "id": "provider:inspect/builtin",
                "kind": "provider",
                "api": "inspect",
                "generation": 0,
                "provider_id": "builtin",
                "provider_type": "inline::inspect",
            },
            {"id": "router:inference", "kind": "router", "api": "inference", "generation": 2},
            {"id": "table:models", "kind": "table", "api": "models", "generation": 1},
        ],
        "edges": [
            {"source": "provider:inference/a", "target": "table:models", "strength": "member"},
            {"source": "table:models", "target": "router:inference", "strength": "hard"},
        ],
    }


def _count_of(graph: nx.Graph[str], flag: str) -> int:
    """Return how many edges have a flag, as a boolean."""
    return sum(values.get(flag) is True for *_, values in graph.edges(data=True))


def _read(graph: RunGraph, **options: Any) -> tuple[nx.Graph[str], nx.Graph[str]]:
    data = json.loads(render_json(graph, **options))
    text = render_graphml(graph, **options).encode()
    return nx.node_link_graph(data, edges="edges"), nx.read_graphml(BytesIO(text))


def test_both_are_typed_and_say_what_a_box_stands_for(large: RunGraph) -> None:
    """Numbers and flags come back as such; a view that merges nodes says which."""
    for read in _read(large):
        assert _count_of(read, "dropped") == len(large.dropped) > 0
        assert {read.nodes[str(one)]["generation"] for one in large} == set(range(9))
    as_json, as_graphml = _read(large, view="factored")
    name = "provider:inference/tgi-00"
    assert len(as_json.nodes[name]["addresses"]) == 30
    assert as_graphml.nodes[name]["addresses"].startswith(f"{name}, provider:inference/tgi-01, ")
    whole, _ = _read(large, view="collapsed")
    assert whole.nodes["router:inference"]["kind"] == "api"


def test_cycles_problems_and_marks_are_values(knotted: RunGraph) -> None:
    """What a picture shows by colours and signs is in the data, too."""
    overlay = status_overlay(dict.fromkeys(knotted, "failed"))
    as_json, as_graphml = _read(knotted, overlay=overlay)
    assert as_json.nodes["provider:inference/guarded"]["problems"] == ["G001"]
    for read in (as_json, as_graphml):
        node = read.nodes["provider:inference/guarded"]
        assert (node["in_cycle"], node["mark"], node["mark_text"]) == (True, "failed", "failed")
        assert _count_of(read, "in_cycle") == 6


def test_graphml_escapes_what_xml_cannot_hold(long_names: RunGraph) -> None:
    """What is not a character is written as Python writes it in a string; JSON keeps it."""
    as_json, as_graphml = _read(long_names)
    assert "provider:inference/odd\uffff" in as_json
    assert r"provider:inference/odd\uffff" in as_graphml

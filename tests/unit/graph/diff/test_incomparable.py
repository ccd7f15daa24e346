"""What cannot be compared, because there are masks in place of secrets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rungraph.graph import Address, RunGraph, compile_config, graph_from_json, graph_to_json
from rungraph.graph.diff import diff_graphs, diff_to_json, diff_to_markdown, render_diff
from rungraph.graph.diff.node_link import snapshot_of_node_link


def _graph(key: str, url: str = "http://h") -> RunGraph:
    entry = {"provider_id": "a", "provider_type": "remote::openai"}
    config = {"base_url": url, "api_key": key, "model": "${env.X:=m}"}
    return compile_config({"providers": {"inference": [{**entry, "config": config}]}})


def test_a_mask_in_json_is_neither_equal_nor_different() -> None:
    """It is told which values nobody knows; of two configs, all is known."""
    read = graph_from_json(graph_to_json(_graph("first-1", "http://u:pw-1@h")))
    node = Address.provider("inference", "a")
    values = ((node, ("config", "api_key")), (node, ("config", "base_url")))
    assert diff_graphs(read, _graph("other-2", "http://u:pw-2@h")).not_comparable == values
    assert diff_graphs(_graph("other-2"), read).not_comparable == values[:1]
    known = diff_graphs(_graph("first-1"), _graph("other-2"))
    assert known.not_comparable == ()
    assert not known.is_empty


def test_a_masked_value_of_an_element_that_moved_is_told() -> None:
    """Elements are paired as in the difference: by their ids, wherever they stand."""

    def graph_with(*headers: dict[str, str]) -> RunGraph:
        entry = {"provider_id": "a", "provider_type": "remote::tgi"}
        config = {"url": "http://h", "headers": [*headers], "args": ["--token", "hidden-9"]}
        return compile_config({"providers": {"inference": [{**entry, "config": config}]}})

    held = {"name": "held", "api_key": "hidden-1"}
    read = graph_from_json(graph_to_json(graph_with(held, {"name": "x"})))
    diff = diff_graphs(read, graph_with({"name": "y"}, {"name": "x"}, held))
    node = Address.provider("inference", "a")
    assert diff.not_comparable == (
        (node, ("config", "args")),
        (node, ("config", "headers", 2, "api_key")),
    )


def test_the_difference_itself_tells_it() -> None:
    """In text, Markdown and JSON, of settings too; nothing is called equal that need not be."""
    config = {"metadata_store": {"type": "redis", "password": "hidden-1"}, "providers": {}}
    graph = compile_config(config, environment={})
    diff = diff_graphs(graph, graph_from_json(graph_to_json(graph)))
    assert diff.is_empty
    assert render_diff(diff) == (
        "old → new\n\n"
        "not comparable, because a mask stands where the secret stood\n"
        "    metadata_store.password\n\n"
        "no differences in what can be compared; 1 value not comparable\n"
    )
    assert diff_to_markdown(diff) == (
        "### `old` → `new`\n\n"
        "**no differences in what can be compared; 1 value not comparable**\n\n"
        "not comparable, because a mask stands where the secret stood:\n\n"
        "- `metadata_store.password`\n"
    )
    assert json.loads(diff_to_json(diff))["not_comparable"] == [
        {"address": None, "path": "metadata_store.password"}
    ]


def test_a_pasted_mask_is_equal_to_nothing() -> None:
    """The config that has it has an error that the other one has not, and another value.

    What masks hid that are in both, nobody knows; of all else of these, the difference is told.
    """
    found = diff_graphs(_graph("first-1"), _graph("********"))
    assert [one.code for one in found.problems_added] == ["C041"]
    [[fact]] = [one.facts for one in found.nodes]
    assert (fact.path, fact.is_secret) == (("config", "api_key"), True)
    node, path = Address.provider("inference", "a"), ("config", "api_key")
    both = diff_graphs(_graph("********", "http://u:pw-1@h"), _graph("********", "http://u:pw-2@h"))
    assert both.not_comparable == ((node, path),)
    assert [fact.path for one in both.nodes for fact in one.facts] == [("config", "base_url")]
    assert diff_graphs(_graph("first-1"), _graph("********")).not_comparable == ()
    login = diff_graphs(_graph("k", "http://u:pw-1@h"), _graph("k", "http://u:********@h"))
    assert [fact.path for one in login.nodes for fact in one.facts] == [("config", "base_url")]
    stores: list[Any] = [
        {"metadata_store": {"password": key}, "providers": {}} for key in ("hidden-1", "********")
    ]
    [setting] = diff_graphs(*(compile_config(one, environment={}) for one in stores)).settings
    assert setting.path == ("metadata_store", "password")
    pasted = [compile_config(stores[1], environment={}) for _ in range(2)]
    assert diff_graphs(*pasted).not_comparable == ((None, setting.path),)


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ({"keys": ["********", "hidden-1"]}, "keys"),
        ({"api_key": "${env.KEY:=********}"}, "api_key"),
        ({"api_key": "*********"}, "api_key"),
    ],
)
def test_a_mask_amid_what_is_masked_is_equal_to_nothing(written: Any, path: str) -> None:
    """In a list of secrets, as the default of a variable, and as part of a secret as well."""
    entry = {"provider_id": "a", "provider_type": "remote::openai", "config": written}
    graphs = [compile_config({"providers": {"inference": [entry]}}) for _ in range(2)]
    assert diff_graphs(*graphs).not_comparable == (
        (Address.provider("inference", "a"), ("config", path)),
    )


def test_ids_with_credentials_are_not_comparable() -> None:
    """They are masked as they are read, so nobody can tell later whether one has changed."""

    def graph_with(name: str) -> RunGraph:
        entry = {"provider_id": name, "provider_type": "remote::openai"}
        return compile_config({"providers": {"inference": [entry]}})

    one, other, pasted = (graph_with(f"http://u:{word}@h") for word in ("pw-1", "pw-2", "********"))
    named = Address.provider("inference", "http://u:********@h")
    for new in (other, pasted, graph_from_json(graph_to_json(other))):
        assert diff_graphs(one, new).not_comparable == ((named, ("provider_id",)),)
    assert diff_graphs(one, graph_with("a")).not_comparable == ()


def test_secrets_in_queries_are_compared() -> None:
    """A selector or a check with another secret in it is another one; neither is shown."""

    def graph_with(word: str) -> RunGraph:
        query = f"attr(config.url, 'http://u:{word}@h', *)"
        checks = [{"name": "c", "query": query, "expect": "empty"}]
        return compile_config({"providers": {}, "selectors": {"s": query}, "checks": checks})

    one, other = graph_with("pw-1"), graph_with("pw-2")
    assert diff_graphs(one, graph_with("pw-1")).is_empty
    found = diff_graphs(one, other)
    assert [(*fact.path, fact.is_secret) for fact in found.settings] == [
        ("checks", "c", True),
        ("selectors", "s", True),
    ]
    assert "pw-" not in render_diff(found)
    pasted = graph_with("********")
    assert len(diff_graphs(pasted, graph_with("********")).not_comparable) == 2
    assert len(diff_graphs(one, pasted).settings) == 2


def test_a_pasted_key_is_another_than_a_secret_one() -> None:
    """Of two configs one knows the key: the node has changed."""

    def graph_with(key: str) -> RunGraph:
        config = {"users": {key: "me"}}
        entry = {"provider_id": "a", "provider_type": "remote::openai", "config": config}
        return compile_config({"providers": {"inference": [entry]}})

    keys = ("********", "sk-abcdefghijklmnop1234567")
    [node] = diff_graphs(*map(graph_with, keys)).nodes
    [fact] = node.facts
    assert (fact.path, fact.is_secret) == (("config", "users", "********"), True)


def test_the_strength_of_an_edge_is_one_of_those_there_are() -> None:
    """JSON of a drawn graph with any other value there is refused."""
    ends = {"source": "table:models", "target": "router:inference"}
    drawn = {"graph": {"view": "full", "reduced": False}, "nodes": []}
    with pytest.raises(ValueError, match="'x' is not a valid Strength"):
        snapshot_of_node_link({**drawn, "edges": [{**ends, "strength": "x"}]})

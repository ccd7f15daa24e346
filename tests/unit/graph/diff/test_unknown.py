"""What cannot be compared, because one side is JSON that has masks."""

from __future__ import annotations

from rungraph.graph import RunGraph, compile_config, graph_from_json, graph_to_json
from rungraph.graph.diff import diff_graphs
from rungraph.graph.diff.unknown import not_comparable


def _graph(key: str, url: str = "http://h") -> RunGraph:
    entry = {"provider_id": "a", "provider_type": "remote::openai"}
    config = {"base_url": url, "api_key": key, "model": "${env.X:=m}"}
    return compile_config({"providers": {"inference": [{**entry, "config": config}]}})


def test_a_mask_in_json_is_neither_equal_nor_different() -> None:
    """It is told which values nobody knows; of two configs, all is known."""
    read = graph_from_json(graph_to_json(_graph("first-1", "http://u:pw-1@h")))
    values = ("provider:inference/a config.api_key", "provider:inference/a config.base_url")
    assert not_comparable(read, _graph("other-2", "http://u:pw-2@h")) == values
    assert not_comparable(_graph("other-2"), read) == values[:1]
    assert not_comparable(_graph("first-1"), _graph("other-2")) == ()
    assert not diff_graphs(_graph("first-1"), _graph("other-2")).is_empty


def test_a_pasted_mask_is_equal_to_no_secret() -> None:
    """The config that has it has an error that the other one has not."""
    found = diff_graphs(_graph("first-1"), _graph("********"))
    assert [one.code for one in found.problems_added] == ["C041"]

"""Tags that are secrets: elsewhere in the file, or by their looks."""

from __future__ import annotations

import json

import pytest

from rungraph.graph import RunGraph, compile_config
from rungraph.graph.diff import diff_graphs, render_diff
from rungraph.graph.diff.diff_json import diff_to_json
from rungraph.graph.plan import make_plan
from rungraph.graph.plan.explain_masking import explain_masking
from rungraph.graph.plan.graph_json import graph_of_plan
from rungraph.graph.plan.plan_json import load_plan, plan_to_json
from rungraph.graph.query import QueryError, query
from rungraph.graph.query.rendering import Shown, selection_to_dict

SECRETS = ("Zq8vKx2LmW9rT4", "ghp_zqxhidden8910111213endzqxa1b2c3d4e5f6")


def graph_with(*tags: str) -> RunGraph:
    """Return the graph of a provider with *tags* and the first of the secrets in its config."""
    config = {"url": "http://h/v1", "api_key": SECRETS[0]}
    entry = {"provider_id": "a", "provider_type": "remote::tgi", "tags": [*tags], "config": config}
    return compile_config({"providers": {"inference": [entry]}})


@pytest.mark.parametrize("secret", SECRETS)
def test_a_tag_that_is_a_secret_is_masked(secret: str) -> None:
    """In plans, answers, differences and queries, which would find it out letter by letter."""
    graph = graph_with("gpu", secret)
    selection = query(graph, "tag:gpu")
    for asked in (f"tag:{secret[:4]}*", f"'tag:{secret}'"):
        with pytest.raises(QueryError, match=r"there is \*\*\*\*\*\*\*\*, gpu"):
            query(graph, asked)
    answer = selection_to_dict(Shown(graph, selection.addresses), (), selection)
    diff = diff_graphs(graph_with("gpu"), graph)
    plan = plan_to_json(make_plan(graph))
    shown = (plan, json.dumps(answer), diff_to_json(diff), render_diff(diff), repr(graph.nodes))
    assert not [one for one in shown if secret in one]
    assert answer["nodes"][0]["tags"] == ["********", "gpu"]
    assert "\n  tags[0]: it" in explain_masking(graph)


def test_another_tag_that_is_a_secret_is_a_difference() -> None:
    """Of two configs; JSON does not say which tag there was."""
    old, new = (graph_with(f"{SECRETS[1]}{end}") for end in "xy")
    (node,) = diff_graphs(old, new).nodes
    assert [(fact.path, fact.is_secret) for fact in node.facts] == [(("tags",), True)]
    assert diff_graphs(old, old).is_empty
    read = graph_of_plan(load_plan(plan_to_json(make_plan(old))))
    assert not diff_graphs(read, new).nodes
    assert diff_graphs(read, new).not_comparable

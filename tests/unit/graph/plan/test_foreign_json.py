"""A plan's JSON that something else than rungraph has written, or changed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rungraph.graph import compile_config, graph_from_json, graph_to_json
from rungraph.graph.diff import diff_graphs, render_diff
from rungraph.graph.nodes import ProviderNode
from rungraph.graph.plan import PlanError, make_plan, plan_to_markdown, render_plan
from rungraph.graph.wording import has_controls
from rungraph.viz import render_html

_CONFIG = """
providers:
  inference: [{provider_id: a, provider_type: "remote::openai", config: {base_url: "http://h"}}]
"""
_HOSTILE = "\u202e\x1b[31m"


def _changed(path: str, value: Any) -> str:
    data = json.loads(graph_to_json(compile_config(_CONFIG, environment={})))
    *steps, last = (int(one) if one.isdigit() else one for one in path.split("."))
    inner = data
    for step in steps:
        inner = inner[step]
    inner[last] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    "path",
    [
        *("config.catalog.name", "config.catalog.release", "config.catalog.told_by"),
        *("config.files.0", "nodes.0.place.file", "nodes.0.provider_type"),
        *("kind", "format_version", "nodes.0.address", "edges.0.strength", "name"),
    ],
)
def test_no_text_of_it_is_shown_raw(path: str) -> None:
    """Nor when it is refused because of that text."""
    try:
        graph = graph_from_json(_changed(path, _HOSTILE), {})
    except PlanError as error:
        shown = [str(error)]
    else:
        plan = make_plan(graph)
        diff = diff_graphs(compile_config(_CONFIG, environment={}), graph)
        shown = [render_plan(plan), plan_to_markdown(plan), render_diff(diff), render_html(graph)]
    assert [one for text in shown for one in text.split("\n") if has_controls(one)] == []


def test_a_limit_of_a_later_version_is_passed_over() -> None:
    """A minor version may add one."""
    graph = graph_from_json(_changed("nodes.0.limits", {"later": 5, "call_timeout": 7}), {})
    (node, _) = (one for one in graph.nodes.values() if isinstance(one, ProviderNode))
    assert node.limits.given() == {"call_timeout": 7}

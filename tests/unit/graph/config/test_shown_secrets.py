"""Texts that every output shows: the value of a secret variable is not filled in there."""

from __future__ import annotations

import pytest

from rungraph.graph import Level, compile_config, graph_to_json, render_diagnostics
from rungraph.graph.diff import diff_graphs, diff_to_json, render_diff
from rungraph.graph.plan import make_plan, render_plan
from rungraph.graph.query.config_checks import ask
from rungraph.graph.rules.checklist import checklist

VALUE = "Zq7x-of-a-variable"
CONFIG = """
version: VERSION
image_name: NAME
apis: [inference, API]
selectors: {far: SELECTOR}
checks: [{name: CHECK, query: QUERY, expect: EXPECT}]
models: [{model_id: MODEL, provider_id: ID}]
providers:
  inference:
  - {provider_id: ID, provider_type: TYPE, module: MODULE, tags: [TAG], restart: RESTART,
     config_class: CLASS, dependencies: [NEED], config: {base_url: "http://h"}}
"""
USUAL = {
    "VERSION": "'2'", "NAME": "n", "API": "telemetry", "SELECTOR": "'type:remote::*'",
    "CHECK": "n", "QUERY": "'*'", "EXPECT": "nonempty", "MODEL": "m", "ID": "a",
    "TYPE": "remote::openai", "MODULE": "os", "TAG": "one", "RESTART": "never", "CLASS": "os:X",
    "NEED": "safety",
}  # fmt: skip


def _config(**other: str) -> str:
    text = CONFIG
    for name, usual in USUAL.items():
        text = text.replace(name, other.get(name, usual))
    return text


@pytest.mark.parametrize("where", USUAL)
def test_a_secret_variable_is_not_filled_in_where_all_is_shown(where: str) -> None:
    """Whoever may write a config, in a pull request, cannot have the environment printed."""
    text = _config(**{where: '"x${env.A_TOKEN}"'})
    assert text != _config()
    graph = compile_config(text, environment={"A_TOKEN": VALUE})
    plan = make_plan(graph, Level.ENV)
    checked = checklist(graph, Level.ENV, answers=ask(graph))
    diff = diff_graphs(compile_config(_config(), environment={}), graph)
    shown = (
        render_diagnostics(graph.diagnostics), render_plan(plan), graph_to_json(graph),
        render_diff(diff), diff_to_json(diff), repr(checked),
    )  # fmt: skip
    assert not any(VALUE in one for one in shown)
    assert any(one.code == "E005" for one in graph.diagnostics)


@pytest.mark.parametrize("query", ["'attr(''tag'', ''sk-proj-{}'', *)'", "'type:{}*'"])
def test_a_secret_in_a_query_is_not_shown(query: str) -> None:
    """Neither what looks like one nor what is one elsewhere in the file; it is asked as written."""
    value = "qV7zWk93xTTb2LmQ0nR"

    def config(end: str) -> str:
        written = query.format(f"{value}{end}")
        text = _config(SELECTOR=written, QUERY=written, EXPECT="'1'")
        both = f'api_key: "{value}", api_token: "{value}{end}"'
        return text.replace('base_url: "http://h"', f'base_url: "http://h", {both}')

    graph = compile_config(config("S"), environment={})
    plan = make_plan(graph, Level.ENV)
    answers = ask(graph)
    states = (one.states for one in checklist(graph, Level.ENV, answers=answers))
    told = graph.with_diagnostics(found for one in answers for found in one.diagnostics)
    diff = diff_graphs(compile_config(config("T"), environment={}), graph)
    shown = (
        render_diagnostics(told.diagnostics), render_plan(plan), graph_to_json(graph),
        render_diff(diff), diff_to_json(diff), *states,
    )  # fmt: skip
    assert not any(value in one for one in shown)

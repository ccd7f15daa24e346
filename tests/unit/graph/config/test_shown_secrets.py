"""Texts that every output shows: neither secret variables nor credentials stand in them."""

from __future__ import annotations

import pytest

from rungraph.graph import (
    Level,
    compile_config,
    graph_from_json,
    graph_to_json,
    render_diagnostics,
)
from rungraph.graph.diff import diff_graphs, diff_to_json, render_diff
from rungraph.graph.plan import make_plan, render_plan
from rungraph.graph.plan.plan_json import plan_to_json
from rungraph.graph.query.config_checks import ask
from rungraph.graph.resources import KnownResources
from rungraph.graph.rules.checklist import checklist

VALUE = "Zq7x-of-a-variable"
CONFIG = """
version: VERSION
image_name: NAME
apis: [inference, memory, API]
selectors: {far: SELECTOR}
checks: [{name: CHECK, query: QUERY, expect: EXPECT}]
models: [{model_id: MODEL, provider_id: ID}]
memory_banks: [{memory_bank_id: bank, provider_id: m, embedding_model: EMBEDDED}]
providers:
  OTHER: [{provider_id: o, provider_type: inline::other}]
  memory: [{provider_id: m, provider_type: inline::faiss, config: {KEY: 1}}]
  inference:
  - {provider_id: own, provider_type: "inline::llama-cpp", config: {model: OFFERED}}
  - {provider_id: null, provider_type: DISABLED}
  - {provider_id: ID, provider_type: TYPE, module: MODULE, tags: [TAG], restart: RESTART,
     config_class: CLASS, dependencies: [NEED], config: {base_url: "http://h"}}
"""
USUAL = {
    "VERSION": "'2'", "NAME": "n", "API": "telemetry", "SELECTOR": "'type:remote::*'",
    "CHECK": "n", "QUERY": "'*'", "EXPECT": "nonempty", "MODEL": "m", "ID": "a",
    "TYPE": "remote::openai", "MODULE": "os", "TAG": "one", "RESTART": "never", "CLASS": "os:X",
    "NEED": "safety", "EMBEDDED": "m", "OTHER": "safety", "KEY": "k", "OFFERED": "own",
    "DISABLED": "remote::tgi",
}  # fmt: skip
UNTOLD = {"OTHER", "KEY", "OFFERED", "DISABLED"}
"""Where no variable is filled in, or where what is shown is only derived."""


def _config(**other: str) -> str:
    text = CONFIG
    for name, usual in USUAL.items():
        text = text.replace(name, other.get(name, usual))
    return text


@pytest.mark.parametrize(
    "written",
    [
        "x${env.A_TOKEN}", "${env.UNSET:=${env.A_TOKEN}}", "${env.UNSET:=${env.B:=${env.A_TOKEN}}}",
        "${env.SET:+${env.A_TOKEN}}", "${env.A_TOKEN:+${env.A_TOKEN}}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", USUAL)
def test_a_secret_variable_is_not_filled_in_where_all_is_shown(where: str, written: str) -> None:
    """Whoever may write a config, in a pull request, cannot have the environment printed.

    Nor by way of the word of another variable.
    """
    text = _config(**{where: f'"{written}"'})
    assert text != _config()
    graph = compile_config(text, environment={"A_TOKEN": VALUE, "SET": "s"})
    plan = make_plan(graph, Level.ENV)
    checked = checklist(graph, Level.ENV, answers=ask(graph))
    diff = diff_graphs(compile_config(_config(), environment={}), graph)
    shown = (
        render_diagnostics(graph.diagnostics), render_plan(plan), graph_to_json(graph),
        render_diff(diff), diff_to_json(diff), repr(checked),
        repr(KnownResources(graph.nodes).needs),
    )  # fmt: skip
    assert not any(VALUE in one for one in shown)
    assert where in UNTOLD or any(one.code == "E005" for one in graph.diagnostics)


def test_a_graph_of_json_shows_no_secret_variable_either() -> None:
    """A name in it that means another resource is not filled in, wherever the JSON comes from."""
    text = graph_to_json(compile_config(_config(), environment={}))
    written = text.replace('"embedding_model": "m"', '"embedding_model": "${env.A_TOKEN}"')
    assert written != text
    graph = graph_from_json(written, environment={"A_TOKEN": VALUE})
    assert VALUE not in render_plan(make_plan(graph, Level.ENV)) + graph_to_json(graph)


CREDENTIALS = (
    f"https://u:{VALUE}@h.example/x", f"git+https://u:{VALUE}@h.example/x.git",
    f"u:{VALUE}@h.example:80", f"https://h.example/x?token={VALUE}", f"sk-proj-{VALUE}q7zWk93xTb",
    f"${{env.A_URL:=https://u:{VALUE}@h.example/x}}", "${env.URL_OF_ALL}",
    f"${{env.OFF:+https://u:{VALUE}@h.example/x}}", f"${{env.A_TOKEN:={VALUE}}}",
    f"glpat-{VALUE}", f"//u:{VALUE}@h.example",
)  # fmt: skip


@pytest.mark.parametrize("written", CREDENTIALS)
@pytest.mark.parametrize("where", USUAL)
def test_credentials_in_a_name_are_not_shown(where: str, written: str) -> None:
    """An id, a type or a name that holds some is told of at its place, and masked everywhere."""
    text = _config(**{where: f'"{written}"'})
    graph = compile_config(text, environment={"URL_OF_ALL": f"https://u:{VALUE}@h.example/x"})
    plan = make_plan(graph, Level.ENV)
    diff = diff_graphs(compile_config(_config(), environment={}), graph)
    shown = (
        render_diagnostics(graph.diagnostics), render_plan(plan), graph_to_json(graph),
        plan_to_json(plan), render_diff(diff), diff_to_json(diff), repr(graph),
        repr(KnownResources(graph.nodes).needs),
    )  # fmt: skip
    assert not any(VALUE in one for one in shown)
    is_name = where in {"NAME", "MODEL", "ID", "TYPE", "MODULE", "CLASS", "NEED", "EMBEDDED"}
    if is_name and ":+" not in written:
        assert any(one.code == "E005" for one in graph.diagnostics)


@pytest.mark.parametrize(
    "name",
    [
        "https://h.example:8080/x?model=a", "git+https://h.example/x.git@v2",
        "ft:gpt-4o:org::9ABcd",
        "arn:aws:bedrock:us-east-1:1:application-inference-profile/q7zwk93xtb2lq0n4rf8v",
        "registry:5000/model:8b@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b8",
        "llama3:8b@eu", "team@h.example", "models/claude@20240620", "password policy2 guard",
        "fw_llama_v3p1_405b_instruct", "sk-learn-classifier-model-3b-v2", "gsk_drug_model_v2p1x",
        "nvapi-proxy-llama-3-1-70b", "Token classification-v2", "basic model-8b answers",
        "org/llama3@gpu.example:8000/v1",
    ],
)  # fmt: skip
def test_a_name_without_credentials_stays(name: str) -> None:
    """A URL, a digest or a random id is no secret where names stand."""
    graph = compile_config(_config(NAME=f'"{name}"', MODEL=f'"{name}"'), environment={})
    assert graph.name == name
    assert not any(one.code == "E005" for one in graph.diagnostics)


def test_a_name_is_read_again_as_it_was_read_before() -> None:
    """It is the text of its own file each time, not one that is remembered from another."""
    text = _config(MODULE="some.module1x2", NEED="telemetry")
    graphs = [compile_config(text, environment={}) for _ in range(3)]
    assert {graph.lost for graph in graphs} == {frozenset()}
    assert len({graph_to_json(graph) for graph in graphs}) == 1


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

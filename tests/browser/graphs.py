"""Graphs to look at in a browser."""

from __future__ import annotations

from tests.unit.viz.graphs import CATALOG, graph_of

from rungraph.graph import RunGraph, compile_config

CONFIG = """\
version: "2"
image_name: looked at
providers:
  inference:
  - provider_id: small
    provider_type: remote::tgi
    config: {url: "http://a:8080", api_token: tok-4711-abcdef}
  - {provider_id: large, provider_type: "remote::tgi", config: {url: "http://b:8080"}}
  - {provider_id: local, provider_type: "inline::local"}
  memory:
  - {provider_id: faiss, provider_type: "inline::faiss"}
  safety:
  - {provider_id: guard, provider_type: "inline::guard"}
  agents:
  - {provider_id: assistant, provider_type: "inline::agents"}
  telemetry:
  - {provider_id: otel, provider_type: "inline::otel", confg: {}}
models:
- {model_id: tiny, provider_id: small, provider_model_id: org/tiny}
"""


def looked_at() -> RunGraph:
    """Return a graph of nine APIs, with a warning."""
    graph = compile_config(CONFIG, catalog=CATALOG, environment={})
    return graph.subgraph([address for address in graph if address.api != "inspect"])


def knotted() -> RunGraph:
    """Return a graph with a cycle, and nodes that are not on it."""
    return graph_of(
        {
            "inference": [("guarded", "inline::guarded"), ("plain", "remote::tgi")],
            "safety": [("guard", "inline::guard")],
            "telemetry": [("otel", "inline::otel")],
        }
    )


def late() -> RunGraph:
    """Return a graph in which telemetry and inference use each other: one edge is bound late."""
    return graph_of(
        {
            "inference": [("local", "inline::local"), ("plain", "remote::tgi")],
            "telemetry": [("hub", "inline::hub")],
            "scoring": [("judge", "inline::judge")],
        }
    )


HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "' onfocus='alert(1)' autofocus='",
    "javascript:alert(1)",
    "with spaces & ampersands",
    "a\u2028b",
)
WIDE = (
    "日本語のモデルを提供するプロバイダー",
    "模型服务提供商-生产环境",
    "مزود النماذج اللغوية الكبيرة",
    "ספק מודלים",
    "🦙🚀🔥-emoji",
    "nvidia-nim-llama-3.3-nemotron-super-49b-v1-eu-central-1-production-and-more-of-it",
    "W" * 80,
)

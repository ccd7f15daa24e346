"""Graphs to look at in a browser."""

from __future__ import annotations

from collections.abc import Sequence

from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RoutedPair, RunGraph, compile_config

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

_APIS = (
    *("inference", "models", "memory", "memory_banks", "safety", "shields"),
    *("telemetry", "agents", "scoring"),
)


def _spec(api: str, kind: str, *needs: str, uses: Sequence[str] = ()) -> ProviderSpec:
    return ProviderSpec(api, kind, "x", dependencies=needs, optional_dependencies=tuple(uses))


CATALOG = Catalog.of(
    apis=[*(ApiSpec(name, f"x:{name}") for name in _APIS)],
    pairs=[
        RoutedPair("inference", "models", "model", "model", "x:M"),
        RoutedPair("memory", "memory_banks", "memory_bank", "bank_id", "x:B"),
        RoutedPair("safety", "shields", "shield", "shield_type", "x:S"),
    ],
    providers=[
        _spec("inference", "remote::tgi"),
        _spec("inference", "inline::local", uses=("telemetry",)),
        _spec("inference", "inline::guarded", "safety"),
        _spec("memory", "inline::faiss", "inference"),
        _spec("safety", "inline::guard", "inference"),
        _spec("telemetry", "inline::otel"),
        _spec("telemetry", "inline::hub", uses=("inference",)),
        _spec("agents", "inline::agents", "inference", "memory", "safety", uses=("telemetry",)),
        _spec("scoring", "inline::judge", "inference"),
    ],
)


def looked_at() -> RunGraph:
    """Return a graph of nine APIs, with a warning."""
    return compile_config(CONFIG, catalog=CATALOG, environment={})


def knotted() -> RunGraph:
    """Return a graph with a cycle, and nodes that are not on it."""
    return named_graph(
        {
            "inference": [("guarded", "inline::guarded"), ("plain", "remote::tgi")],
            "safety": [("guard", "inline::guard")],
            "telemetry": [("otel", "inline::otel")],
        }
    )


def late() -> RunGraph:
    """Return a graph in which telemetry and inference use each other: one edge is bound late."""
    return named_graph(
        {
            "inference": [("local", "inline::local"), ("plain", "remote::tgi")],
            "telemetry": [("hub", "inline::hub")],
            "scoring": [("judge", "inline::judge")],
        }
    )


def named_graph(providers: dict[str, list[tuple[str, str]]]) -> RunGraph:
    """Return the graph of ``{api: [(provider id, provider type), ...]}``."""
    config = {
        "version": "2",
        "providers": {
            api: [{"provider_id": name, "provider_type": kind} for name, kind in listed]
            for api, listed in providers.items()
        },
    }
    return compile_config(config, catalog=CATALOG, environment={})


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

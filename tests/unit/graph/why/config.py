"""A config in which nearly everything has happened to some provider."""

from __future__ import annotations

from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RoutedPair

CATALOG = Catalog.of(
    apis=[
        *(ApiSpec(name, f"x:{name}") for name in ("inference", "models", "memory", "banks")),
        *(ApiSpec(name, f"x:{name}") for name in ("agents", "telemetry", "safety", "shields")),
        ApiSpec("inspect", "x:inspect", builtin="inline::inspect"),
    ],
    pairs=[
        RoutedPair("inference", "models", "model", "model", "x:M"),
        RoutedPair("memory", "banks", "bank", "bank", "x:B"),
        RoutedPair("safety", "shields", "shield", "shield", "x:S"),
    ],
    providers=[
        ProviderSpec("inference", "remote::tgi", "x"),
        ProviderSpec(
            "memory", "inline::faiss", "x", dependencies=("inference",), origin="the-package"
        ),
        ProviderSpec(
            *("agents", "inline::ref", "x"),
            dependencies=("memory", "inference"),
            optional_dependencies=("telemetry",),
        ),
        ProviderSpec(
            "telemetry", "inline::otel", "x", optional_dependencies=("agents", "inference")
        ),
        ProviderSpec("safety", "inline::guard", "x"),
        ProviderSpec("inspect", "inline::inspect", "x"),
    ],
)

CONFIG = """\
apis: [agents, telemetry]
providers:
  inference:
  - {provider_id: foo, provider_type: "remote::tgi"}
  - {provider_id: bar, provider_type: "remote::tgi"}
  - {provider_id: "${env.URL:+tgi}", provider_type: "remote::tgi"}
  - {provider_id: __disabled__, provider_type: "remote::tgi"}
  - {provider_id: foo, provider_type: "remote::tgi", config: {second: true}}
  - {provider_id: half}
  - {provider_id: odd, provider_type: "remote::tgii"}
  memory:
  - {provider_id: faiss, provider_type: "inline::faiss"}
  agents:
  - {provider_id: ref, provider_type: "inline::ref"}
  telemetry:
  - {provider_id: otel, provider_type: "inline::otel"}
  safety:
  - {provider_id: guard, provider_type: "inline::guard"}
  models:
  - {provider_id: mine, provider_type: "remote::tgi"}
"""

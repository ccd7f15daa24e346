"""A config in which nearly everything has happened to some provider."""

from __future__ import annotations

from tests.builders import builtin, catalog_of

from rungraph.graph import Catalog, ProviderSpec

CATALOG = (
    catalog_of(
        *("inference/models", "memory/banks", "safety/shields"),
        "inference remote::tgi",
        "agents inline::ref memory inference ?telemetry",
        "telemetry inline::otel ?agents ?inference",
        "safety inline::guard",
    )
    .merged(
        Catalog.of(
            providers=[
                ProviderSpec(
                    *("memory", "inline::faiss", "x"),
                    dependencies=("inference",),
                    origin="the-package",
                )
            ]
        )
    )
    .merged(builtin("inspect", "inline::inspect"))
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

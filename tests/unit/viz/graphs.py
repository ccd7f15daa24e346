"""Graphs to draw, compiled from run configs with a catalog of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.builders import builtin, catalog_of

from rungraph.graph import RunGraph, compile_config

CATALOG = catalog_of(
    *("inference/models ?telemetry", "memory/memory_banks", "safety/shields"),
    "inference remote::tgi",
    "inference inline::local ?telemetry",
    "inference inline::guarded safety",
    "memory inline::faiss inference",
    "safety inline::guard inference",
    "safety inline::wary inference ?models",
    "safety inline::regex",
    "telemetry inline::otel",
    "telemetry inline::mirror telemetry",
    "telemetry inline::hub ?inference",
    "agents inline::agents inference memory safety ?telemetry",
    "scoring inline::judge inference agents",
    "eval inline::bench scoring models",
).merged(builtin("inspect", "inline::inspect"))


def graph_of(providers: Mapping[str, Sequence[tuple[str, str]]]) -> RunGraph:
    """Compile ``{api: [(provider id, provider type), ...]}``."""
    entries = {
        api: [{"provider_id": name, "provider_type": kind} for name, kind in listed]
        for api, listed in providers.items()
    }
    config = {"version": "2", "image_name": "pictured", "providers": entries}
    return compile_config(config, catalog=CATALOG, environment={})

"""Graphs to draw, compiled from run configs with a catalog of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RoutedPair, RunGraph, compile_config

_NAMES = (
    *("inference", "models", "memory", "memory_banks", "safety", "shields"),
    *("telemetry", "agents", "scoring", "eval"),
)


def _spec(api: str, provider_type: str, *needs: str, uses: tuple[str, ...] = ()) -> ProviderSpec:
    return ProviderSpec(
        api, provider_type, "somewhere", dependencies=needs, optional_dependencies=uses
    )


CATALOG = Catalog.of(
    apis=(
        *(ApiSpec(name, f"protocols:{name}") for name in _NAMES),
        ApiSpec("inspect", "protocols:inspect", builtin="inline::inspect"),
    ),
    pairs=(
        RoutedPair("inference", "models", "model", optional_dependencies=("telemetry",)),
        RoutedPair("memory", "memory_banks", "memory_bank"),
        RoutedPair("safety", "shields", "shield"),
    ),
    providers=(
        _spec("inference", "remote::tgi"),
        _spec("inference", "inline::local", uses=("telemetry",)),
        _spec("inference", "inline::guarded", "safety"),
        _spec("memory", "inline::faiss", "inference"),
        _spec("safety", "inline::guard", "inference"),
        _spec("safety", "inline::wary", "inference", uses=("models",)),
        _spec("safety", "inline::regex"),
        _spec("telemetry", "inline::otel"),
        _spec("telemetry", "inline::mirror", "telemetry"),
        _spec("telemetry", "inline::hub", uses=("inference",)),
        _spec("agents", "inline::agents", "inference", "memory", "safety", uses=("telemetry",)),
        _spec("scoring", "inline::judge", "inference", "agents"),
        _spec("eval", "inline::bench", "scoring", "models"),
        _spec("inspect", "inline::inspect"),
    ),
)


def graph_of(providers: Mapping[str, Sequence[tuple[str, str]]]) -> RunGraph:
    """Compile ``{api: [(provider id, provider type), ...]}``."""
    entries = {
        api: [{"provider_id": name, "provider_type": kind} for name, kind in listed]
        for api, listed in providers.items()
    }
    config = {"version": "2", "image_name": "pictured", "providers": entries}
    return compile_config(config, catalog=CATALOG, environment={})

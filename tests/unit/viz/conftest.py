"""Graphs to draw, compiled from run configs with a catalog of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import pytest

from rungraph.graph.catalog.specs import ApiSpec, Catalog, ProviderSpec, RoutedPair
from rungraph.graph.compile import compile_config
from rungraph.graph.model import RunGraph

Compile = Callable[[Mapping[str, Sequence[tuple[str, str]]]], RunGraph]

_NAMES = (
    *("inference", "models", "memory", "memory_banks", "safety", "shields"),
    *("telemetry", "agents", "scoring", "eval"),
)


def _spec(api: str, provider_type: str, *needs: str, uses: tuple[str, ...] = ()) -> ProviderSpec:
    return ProviderSpec(
        api, provider_type, "somewhere", dependencies=needs, optional_dependencies=uses
    )


_CATALOG = Catalog.of(
    apis=(
        *(ApiSpec(name, f"protocols:{name}") for name in _NAMES),
        ApiSpec("inspect", "protocols:inspect", builtin="inline::inspect"),
    ),
    pairs=(
        RoutedPair(
            "inference",
            "models",
            "model",
            "model",
            "types:Model",
            optional_dependencies=("telemetry",),
        ),
        RoutedPair("memory", "memory_banks", "memory_bank", "bank_id", "types:Bank"),
        RoutedPair("safety", "shields", "shield", "shield_type", "types:Shield"),
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


@pytest.fixture
def graph_of() -> Compile:
    """Compile ``{api: [(provider id, provider type), ...]}``."""

    def compile_providers(providers: Mapping[str, Sequence[tuple[str, str]]]) -> RunGraph:
        config = {
            "version": "2",
            "image_name": "pictured",
            "providers": {
                api: [{"provider_id": name, "provider_type": kind} for name, kind in listed]
                for api, listed in providers.items()
            },
        }
        return compile_config(config, catalog=_CATALOG, environment={})

    return compile_providers


@pytest.fixture
def small(graph_of: Compile) -> RunGraph:
    """Two inference providers, memory and telemetry."""
    return graph_of(
        {
            "inference": [("llm", "inline::local"), ("embed", "remote::tgi")],
            "memory": [("faiss", "inline::faiss")],
            "telemetry": [("otel", "inline::otel")],
        }
    )


@pytest.fixture
def knotted(graph_of: Compile) -> RunGraph:
    """Inference that needs safety that needs inference, and agents on top."""
    return graph_of(
        {
            "inference": [("guarded", "inline::guarded"), ("plain", "remote::tgi")],
            "memory": [("faiss", "inline::faiss")],
            "safety": [("guard", "inline::guard")],
            "telemetry": [("otel", "inline::otel")],
            "agents": [("assistant", "inline::agents")],
        }
    )


@pytest.fixture
def large(graph_of: Compile) -> RunGraph:
    """60 providers, most of them alike, and a soft circle between telemetry and inference."""
    return graph_of(
        {
            "inference": [(f"tgi-{index:02}", "remote::tgi") for index in range(30)]
            + [(f"local-{index:02}", "inline::local") for index in range(12)],
            "memory": [(f"bank-{index}", "inline::faiss") for index in range(9)],
            "safety": [("guard", "inline::guard"), ("regex", "inline::regex")],
            "telemetry": [("hub", "inline::hub")],
            "agents": [("assistant", "inline::agents")],
            "scoring": [("judge", "inline::judge")],
            "eval": [("bench", "inline::bench")],
        }
    )


@pytest.fixture
def long_names(graph_of: Compile) -> RunGraph:
    """Ids as people write them when nobody stops them."""
    return graph_of(
        {
            "inference": [
                (
                    "nvidia-nim-llama-3.3-nemotron-super-49b-v1-eu-central-1-production",
                    "remote::tgi",
                ),
                ("x" * 140, "remote::tgi"),
                ("日本語のモデルを提供するプロバイダー", "inline::local"),
                ('cost_$5_per_$10 <b>&"quoted"</b>', "remote::tgi"),
                ("odd\uffff", "remote::tgi"),
            ],
            "memory": [("faiss", "inline::faiss")],
            "telemetry": [("otel", "inline::otel")],
        }
    )

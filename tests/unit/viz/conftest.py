"""The graphs that most tests draw."""

from __future__ import annotations

import pytest
from tests.unit.viz.graphs import graph_of

from rungraph.graph import RunGraph


@pytest.fixture
def small() -> RunGraph:
    """Two inference providers, memory and telemetry."""
    return graph_of(
        {
            "inference": [("llm", "inline::local"), ("embed", "remote::tgi")],
            "memory": [("faiss", "inline::faiss")],
            "telemetry": [("otel", "inline::otel")],
        }
    )


@pytest.fixture
def knotted() -> RunGraph:
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
def large() -> RunGraph:
    """60 providers, most of them alike, and a soft cycle between telemetry and inference."""
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
def long_names() -> RunGraph:
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

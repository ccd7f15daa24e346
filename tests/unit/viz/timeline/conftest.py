"""Starts to draw."""

from __future__ import annotations

import pytest

from rungraph.graph.address import Address
from rungraph.viz.timeline import Schedule, Span

A = Address.provider("inference", "a")
B = Address.provider("telemetry", "b")
T = Address.table("models")
R = Address.router("inference")


@pytest.fixture
def start() -> Schedule:
    """Two providers, then their table, which waited for its turn, then its router."""
    spans = (
        Span(A, 0, "inference", "ready", 0.0, 0.0, 1.0, 0.0),
        Span(B, 0, "telemetry", "ready", 0.0, 0.0, 0.25, 1.5),
        Span(T, 1, "inference", "ready", 1.0, 1.5, 1.75, 0.25),
        Span(R, 2, "inference", "ready", 1.75, 1.75, 2.0, 0.0),
    )
    return Schedule("demo", spans, 2.0, (A, T, R), 1.5)


@pytest.fixture
def failed() -> Schedule:
    """A provider that fails, and a table that is skipped because of it."""
    spans = (
        Span(A, 0, "inference", "failed", 0.0, 0.0, 0.5, detail="OSError: refused\nby the server"),
        Span(T, 1, "inference", "skipped", 0.5, None, 0.5, detail=f"because of {A}"),
    )
    return Schedule("demo", spans, 0.5)

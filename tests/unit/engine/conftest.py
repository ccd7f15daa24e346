"""Graphs of providers made up on the spot, and telemetry."""

from __future__ import annotations

from functools import partial

import pytest
from tests.unit.engine import fakes
from tests.unit.engine.fakes import GraphOf, Telemetry


@pytest.fixture
def telemetry() -> Telemetry:
    """A provider of telemetry that keeps the spans that it is sent."""
    return Telemetry()


@pytest.fixture
def graph_of(monkeypatch: pytest.MonkeyPatch) -> GraphOf:
    """What makes a graph with one provider, ``one``, for each API that is named."""
    return partial(fakes.graph_of, monkeypatch)

"""Graphs of providers made up on the spot, and telemetry."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from tests.unit.engine import fakes
from tests.unit.engine.fakes import GraphOf, Telemetry
from tests.unit.engine.run.models import install


@pytest.fixture
def telemetry() -> Telemetry:
    """A provider of telemetry that keeps the spans that it is sent."""
    return Telemetry()


@pytest.fixture(autouse=True)
def _made_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Stacks keep what they keep in a folder of the test; graphs of `FakeModel` can be made."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    install(monkeypatch)


@pytest.fixture
def graph_of(monkeypatch: pytest.MonkeyPatch) -> GraphOf:
    """What makes a graph with one provider, ``one``, for each API that is named."""
    return partial(fakes.graph_of, monkeypatch)

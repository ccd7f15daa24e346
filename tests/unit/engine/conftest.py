"""Graphs of providers made up on the spot, and telemetry."""

from __future__ import annotations

import sys
from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path

import pytest
from tests.unit.engine import fakes
from tests.unit.engine.fakes import GraphOf, Modules, Telemetry
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


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Generator[Modules]:
    """What writes modules by their paths, importable until the end of the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = {*sys.modules}

    def write(files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    yield write
    for name in {*sys.modules} - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]

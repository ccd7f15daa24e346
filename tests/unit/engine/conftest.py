"""Telemetry for the tests of tracing."""

from __future__ import annotations

import pytest
from tests.unit.engine.fakes import Telemetry


@pytest.fixture
def telemetry() -> Telemetry:
    """A provider of telemetry that keeps the spans that it is sent."""
    return Telemetry()

"""The graph that queries are asked of."""

from __future__ import annotations

import pytest
from tests.unit.graph.query.stack import small_stack

from rungraph.graph import RunGraph


@pytest.fixture
def graph() -> RunGraph:
    """Two inference providers, a guard, telemetry in a soft cycle with both, and agents."""
    return small_stack()

"""A config in which nearly everything has happened to some provider."""

from __future__ import annotations

import pytest
from tests.unit.graph.why.config import CATALOG, CONFIG

from rungraph.graph import RunGraph, compile_config


@pytest.fixture
def graph() -> RunGraph:
    """A config in which nearly everything has happened to some provider."""
    return compile_config(CONFIG, catalog=CATALOG, environment={})

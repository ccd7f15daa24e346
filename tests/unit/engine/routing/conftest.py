"""What the tests of routing share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.unit.engine.routing.bench import Bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Yield a maker of tables."""
    made = Bench(tmp_path / "registrations.sqlite")
    yield made
    await made.aclose()

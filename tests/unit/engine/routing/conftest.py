"""What the tests of routing share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.unit.engine.routing.bench import Bench

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Yield a maker of tables."""
    made = Bench(tmp_path / "registrations.sqlite")
    yield made
    await made.aclose()

"""Every input that is kept goes through its target, as once it broke something or nearly did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fuzz.targets import CORPUS, TARGETS, servers

INPUTS = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.fixture(scope="module", autouse=True)
def _no_stack_is_left() -> Iterator[None]:
    """What other tests say of this process is not about a stack of these."""
    with servers:
        yield


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_breaks(path: Path) -> None:
    """No exception but the target's own errors."""
    TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_inputs_to_start_from() -> None:
    """And none is kept for a target that is gone."""
    assert {path.parent.name for path in INPUTS} == TARGETS.keys()

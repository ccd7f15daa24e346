"""Every input that is kept goes through its target, as once it broke something or nearly did."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fuzz.targets import CORPUS, TARGETS

INPUTS = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_nothing_breaks(path: Path) -> None:
    """No exception but the target's own errors."""
    TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_inputs_to_start_from() -> None:
    """And none is kept for a target that is gone."""
    assert {path.parent.name for path in INPUTS} == TARGETS.keys()

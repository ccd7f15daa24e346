"""Whatever is started, broken, restarted, reloaded, cancelled and killed when: no law is broken."""

from __future__ import annotations

import pytest
from tests.property.schedules import run_schedule

from rungraph.engine.events import NodeGivenUp, NodeRestarting, NodeSkipped, NodeStopFailed

_COUNT = 300


@pytest.mark.parametrize("first", range(0, _COUNT, 50))
def test_no_schedule_breaks_a_law(first: int) -> None:
    """Each is a graph, its faults, its reloads and its end; the laws are in the harness."""
    for seed in range(first, first + 50):
        run_schedule(seed)


@pytest.mark.parametrize("seed", [17368, 18870, 19546, 26600, 28419])
def test_a_reload_that_fails_leaves_nothing_behind(seed: int) -> None:
    """What was skipped before it starts when it can, and what runs again is not given up."""
    run_schedule(seed)


def test_the_schedules_have_what_they_are_for() -> None:
    """Among the first are restarts, nodes that are given up, skipped, and that stop badly."""
    seen = {type(event) for seed in range(60) for event in run_schedule(seed)}
    assert {NodeRestarting, NodeGivenUp, NodeSkipped, NodeStopFailed} <= seen

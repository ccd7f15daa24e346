"""Whatever is started, broken, restarted, reloaded, cancelled and killed when: no law is broken."""

from __future__ import annotations

import pytest
from tests.property.scheduled_nodes import BREAKS, FAULTS, plan_of
from tests.property.schedules import run_schedule
from tests.property.served import ANSWERS

from rungraph.engine.events import (
    NodeGivenUp,
    NodeKilled,
    NodeNotBound,
    NodeRestarting,
    NodeSkipped,
    NodeStopFailed,
    NodeTaskFailed,
    NodeUpdated,
    RefreshFailed,
)

_COUNT = 300


@pytest.mark.parametrize("first", range(0, _COUNT, 50))
def test_no_schedule_breaks_a_law(first: int) -> None:
    """Each is a graph, its faults, its reloads and its end; the laws are in the harness."""
    for seed in range(first, first + 50):
        run_schedule(seed)


@pytest.mark.parametrize("seed", [3644, 17368, 18870, 19546, 26600, 28419])
def test_a_reload_that_fails_leaves_nothing_behind(seed: int) -> None:
    """What was skipped before it starts when it can, and what runs again is not given up."""
    run_schedule(seed)


@pytest.mark.parametrize("seed", [13363, 17509])
def test_what_is_cut_off_because_of_others_is_skipped(seed: int) -> None:
    """Also where its start does not end, so that it is left behind."""
    run_schedule(seed)


def test_of_two_changes_at_a_time_one_leaves_to_the_other_what_needs_its_nodes() -> None:
    """It started that again and again, for as long as the other took."""
    run_schedule(2807)


def test_the_schedules_have_what_they_are_for() -> None:
    """Among the first are restarts, nodes that are given up, skipped, and that stop badly.

    There are more than twenty kinds of fault, and each happens.
    """
    seen = {type(event) for seed in (*range(60), 112) for event in run_schedule(seed)}
    assert {NodeRestarting, NodeGivenUp, NodeSkipped, NodeStopFailed} <= seen
    assert {NodeTaskFailed, RefreshFailed, NodeNotBound, NodeUpdated, NodeKilled} <= seen
    plans = [plan_of(seed)[0] for seed in range(_COUNT)]
    planned = {kind for plan in plans for kind in plan.answers.values()}
    planned |= {f"start: {kind}" for plan in plans for kind in plan.starts.values()}
    planned |= {what for plan in plans for what, _ in plan.breaks.values()}
    assert planned == {*ANSWERS, *BREAKS, *(f"start: {kind}" for kind in FAULTS)}


@pytest.mark.parametrize("seed", [8056, 8599])
def test_nothing_is_handed_what_ends_before_that_begins(seed: int) -> None:
    """Neither a provider nor a table: a task is begun although it was cancelled before."""
    run_schedule(seed)

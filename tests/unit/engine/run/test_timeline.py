"""The timeline: own time apart from waiting, the critical path, what failed and why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rungraph.engine.events import (
    Event,
    NodeDegraded,
    NodeFailed,
    NodeKilled,
    NodeReady,
    NodeRestarting,
    NodeSkipped,
    NodeStarting,
    NodeStopFailed,
    NodeStopped,
    NodeStopping,
    NodeWaiting,
    StackReady,
    StackStarting,
    StackStopping,
    State,
)
from rungraph.engine.run.timeline import timeline
from rungraph.graph.address import Address

A = Address.provider("inference", "a")
B = Address.provider("inference", "b")
T = Address.table("models")
R = Address.router("inference")


def _started(address: Address, begin: float, end: float) -> list[Event]:
    ready = NodeReady(end, address, duration=end - begin, waited=begin)
    return [NodeStarting(begin, address), ready]


RUN: list[Event] = [
    StackStarting(0.0, 3),
    NodeWaiting(0.0, A, (), 0),
    NodeWaiting(0.0, B, (), 0),
    NodeWaiting(0.0, T, (A, B), 1),
    NodeWaiting(0.0, R, (T,), 2),
    *_started(A, 0.0, 1.0),
    *_started(B, 1.0, 4.0),
    *_started(T, 4.5, 5.0),
    *_started(R, 5.0, 5.25),
    StackReady(6.0),
]


def test_own_time_is_apart_from_waiting() -> None:
    """A node's own time begins with its own start, whatever it waited for before."""
    table = timeline(RUN).nodes[T]
    assert (table.own, table.waited_for_needs, table.waited_for_turn) == (0.5, 4.0, 0.5)
    second = timeline(RUN).nodes[B]
    assert (second.own, second.waited_for_needs, second.waited_for_turn) == (3.0, 0.0, 1.0)


def test_the_critical_path_is_the_longest_chain_of_own_times() -> None:
    """It counts what nodes take themselves, not waiting for a place; any node has its chain."""
    times = timeline(RUN)
    assert times.critical_path == (B, T, R)
    assert times.critical_time == pytest.approx(3.75)
    assert times.chain_to(T) == (B, T)
    assert times.chain_to(A) == (A,)
    with pytest.raises(KeyError):
        times.chain_to(Address.table("shields"))
    nothing = timeline([])
    assert (dict(nothing.nodes), nothing.total, nothing.critical_path) == ({}, 0.0, ())


def test_slack_is_how_much_later_a_node_could_have_been_ready() -> None:
    """Reckoned from the stack's readiness, or the last node's; what was never ready has none."""
    times = timeline(RUN[:-1])
    assert (times.total, timeline(RUN).total) == (5.25, 6.0)
    assert times.slacks() == {A: 3.5, B: 0.5, T: 0.0, R: 0.0}
    assert timeline(RUN).slacks()[R] == 0.75
    run = [*RUN[:5], *_started(B, 0.0, 1.0), NodeStarting(0.0, A), NodeFailed(2.0, A, OSError())]
    assert timeline([*run, NodeSkipped(2.0, T, (A,))]).slacks() == {B: 1.0}


@given(st.permutations([*RUN, NodeStopping(7.0, R), NodeStopped(7.0, R, duration=0.0)]))
def test_the_order_of_the_lines_does_not_count(shuffled: list[Event]) -> None:
    """The same events in another order are the same start, also where they happened at once."""
    times = timeline(shuffled)
    assert times == timeline([*RUN, NodeStopping(7.0, R), NodeStopped(7.0, R, duration=0.0)])
    assert [*times.nodes] == [A, B, T, R]


def test_failures_are_told_with_their_causes() -> None:
    """A failed node has its error, a skipped one the failures behind it."""
    error = ConnectionError("refused")
    run = [
        *RUN[:5],
        *_started(B, 0.0, 1.0),
        NodeStarting(0.0, A),
        NodeFailed(2.0, A, error),
        NodeSkipped(2.0, T, (A,)),
    ]
    times = timeline(run)
    assert times.nodes[A].error is error
    assert times.nodes[A].own == 2.0
    assert times.nodes[T].root_causes == (A,)
    assert times.nodes[T].own == 0.0
    assert times.nodes[T].waited_for_turn == 0.0
    assert [times.nodes[one].state for one in (A, T)] == [State.FAILED, State.SKIPPED]
    assert times.nodes[R].settled is None
    assert times.critical_path == (A,)


def test_the_end_of_a_node_is_told_too() -> None:
    """Stops have their times and their errors, and a report changes the state alone."""
    error = OSError("disk full")
    ends = [
        NodeDegraded(6.5, A, "worker died"),
        NodeStopping(7.0, R),
        NodeStopped(8.0, R, duration=1.0),
        NodeStopping(8.0, T),
        NodeStopFailed(9.0, T, error),
        NodeStopping(9.0, B),
        NodeKilled(10.0, B, error),
    ]
    times = timeline([*RUN, *ends]).nodes
    assert (times[R].stopping, times[R].stopped, times[R].state) == (7.0, 8.0, State.STOPPED)
    assert (times[T].stopped, times[T].error, times[T].state) == (9.0, error, State.STOP_FAILED)
    assert (times[B].stopped, times[B].state) == (10.0, State.KILLED)
    assert (times[A].state, times[A].ready) == (State.DEGRADED, 1.0)


CRASH: list[Event] = [
    NodeStopping(7.0, T),
    NodeFailed(7.0, T, OSError("gone")),
    NodeRestarting(7.0, T, "gone", 0.5),
]
STOP: list[Event] = [NodeStopping(7.0, T), NodeStopped(7.0, T, duration=0.0)]
WAITING = {at: NodeWaiting(at, T, (A, B), 1) for at in (7.0, 7.5)}


@given(
    st.permutations([*RUN, *CRASH, WAITING[7.5], *_started(T, 7.5, 9.0)])
    | st.permutations([*RUN, *STOP, WAITING[7.0], *_started(T, 7.0, 7.0)])
)
def test_a_restart_is_no_part_of_the_start(shuffled: list[Event]) -> None:
    """A node that runs again is ready and nothing else, and its start is that of the stack."""
    assert timeline(shuffled).nodes[T] == timeline(RUN).nodes[T]


@given(st.permutations([*RUN, *STOP, NodeStopping(8.0, B), NodeStopped(8.0, B, duration=0.0)]))
def test_what_the_stack_stops_while_it_runs_does_not_last(shuffled: list[Event]) -> None:
    """A reload has removed it; with the stack it stops as what it was."""
    times = timeline([*shuffled, StackStopping(7.5)]).nodes
    assert (times[T].lasting, times[T].state) == (State.STOPPED, State.STOPPED)
    assert (times[B].lasting, times[B].state) == (State.READY, State.STOPPED)


def test_a_node_that_breaks_down_has_failed() -> None:
    """It was stopped before, but does not stop; nor does it start when that fails at once."""
    table = timeline([*RUN, *CRASH[:2]]).nodes[T]
    assert (table.state, table.lasting, table.ready) == (State.FAILED, State.FAILED, 5.0)
    assert timeline([*RUN, *CRASH]).nodes[T].state is State.RESTARTING
    again = [WAITING[7.5], NodeStarting(7.5, T), NodeFailed(7.5, T, OSError("no"))]
    assert timeline([*RUN, *CRASH, *again]).nodes[T].state is State.FAILED

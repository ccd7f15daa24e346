"""The event log: order, states, subscribers."""

from __future__ import annotations

import logging

import pytest

from rungraph.engine.events import (
    Event,
    EventLog,
    NodeBound,
    NodeDegraded,
    NodeReady,
    NodeRecovered,
    NodeStarting,
    StackStopped,
    State,
)
from rungraph.graph.address import Address

A, B = Address.provider("inference", "a"), Address.provider("inference", "b")


def test_the_log_keeps_events_in_order() -> None:
    """Iterating over the log gives the events as they were appended."""
    log = EventLog()
    events: list[Event] = [NodeStarting(0.0, A), NodeStarting(0.1, B), StackStopped(0.2)]
    for event in events:
        log.append(event)
    assert list(log) == events
    assert len(log) == 3


def test_a_state_is_that_of_the_last_event_that_has_one() -> None:
    """Events that say nothing of what a node is doing leave its state as it is."""
    log = EventLog()
    log.append(NodeStarting(0.0, A))
    log.append(NodeReady(1.0, A, duration=1.0, waited=0.0))
    log.append(NodeBound(1.0, A, "telemetry"))
    assert log.states == {A: State.READY}
    log.append(NodeDegraded(2.0, A, "worker died"))
    assert log.states == {A: State.DEGRADED}
    log.append(NodeRecovered(3.0, A))
    assert log.states == {A: State.READY}


def test_states_are_a_copy() -> None:
    """What was read of the states does not change afterwards."""
    log = EventLog()
    before = log.states
    log.append(NodeStarting(0.0, A))
    assert before == {}


def test_states_outlive_forgotten_events() -> None:
    """The log forgets its oldest events at its limit, but never a state."""
    log = EventLog(limit=2)
    log.append(NodeStarting(0.0, A))
    for _ in range(3):
        log.append(NodeStarting(1.0, B))
    assert len(log) == 2
    assert log.states[A] is State.STARTING


def test_subscribers_get_every_event_from_then_on_in_order() -> None:
    """A subscriber sees what comes after its subscription, and nothing after its end."""
    log, seen = EventLog(), list[Event]()
    log.append(NodeStarting(0.0, A))
    unsubscribe = log.subscribe(seen.append)
    log.append(NodeStarting(1.0, B))
    unsubscribe()
    unsubscribe()
    log.append(StackStopped(2.0))
    assert seen == [NodeStarting(1.0, B)]


def test_a_subscriber_that_raises_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """What a subscriber raises is logged; the event is kept and others still get it."""
    log, seen = EventLog(), list[Event]()

    def fail(event: Event) -> None:
        raise ValueError(event)

    log.subscribe(fail)
    log.subscribe(seen.append)
    with caplog.at_level(logging.ERROR):
        log.append(StackStopped(0.0))
    assert seen == list(log) == [StackStopped(0.0)]
    assert "a subscriber failed on StackStopped" in caplog.text


def test_a_subscriber_may_unsubscribe_itself() -> None:
    """A subscriber that ends its subscription while called does not make others miss the event."""
    log, seen = EventLog(), list[Event]()

    def once(event: Event) -> None:
        unsubscribe()

    unsubscribe = log.subscribe(once)
    log.subscribe(seen.append)
    log.append(StackStopped(0.0))
    assert seen == [StackStopped(0.0)]

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
    ResourceAdded,
    StackStopped,
    State,
)
from rungraph.graph.address import Address

A, B = Address.provider("inference", "a"), Address.provider("inference", "b")
T = Address.table("models")


def test_the_log_forgets_resources_and_no_node() -> None:
    """At its limit it forgets the oldest of what can go on without end; the order stays."""
    log = EventLog(limit=2)
    before = log.states
    added = [ResourceAdded(0.1, T, str(number), "a", "listed") for number in range(5)]
    events: list[Event] = [NodeStarting(0.0, A), *added, NodeDegraded(0.2, A, "slow")]
    events.append(StackStopped(0.3))
    for event in events:
        log.append(event)
    assert list(log) == [events[0], added[-1], *events[-2:]]
    assert len(log) == 4
    assert log.states == {A: State.DEGRADED}
    assert before == {}
    assert log.since(5) == ([(6, added[-1]), (7, events[-2]), (8, events[-1])], True)
    assert log.since(4) == (log.since(5)[0], False)  # The fifth event is forgotten.
    assert [number for number, _ in log.since(0)[0]] == [1, 6, 7, log.last]


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


def test_subscribers_get_every_event_from_then_on_in_order() -> None:
    """From its subscription to its end, also when it ends itself while it is called."""
    log, seen, once = EventLog(), list[Event](), list[Event]()
    log.append(NodeStarting(0.0, A))

    def end(event: Event) -> None:
        once.append(event)
        stop()

    stop, unsubscribe = log.subscribe(end), log.subscribe(seen.append)
    log.append(NodeStarting(1.0, B))
    unsubscribe()
    unsubscribe()
    log.append(StackStopped(2.0))
    assert seen == once == [NodeStarting(1.0, B)]


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

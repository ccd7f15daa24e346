"""Events become lines for people, without secrets."""

from __future__ import annotations

import pytest

from rungraph.cli.output.event_lines import line_of
from rungraph.engine.errors import KilledError
from rungraph.engine.events import (
    Event,
    NodeBound,
    NodeDegraded,
    NodeFailed,
    NodeKilled,
    NodeNotBound,
    NodeReady,
    NodeRecovered,
    NodeSkipped,
    NodeStarting,
    NodeStopFailed,
    NodeStopped,
    NodeStopping,
    NodeWaiting,
    RefreshFailed,
    ResourceAdded,
    ResourceRemoved,
    RollbackEnded,
    RollbackStarted,
    StackReady,
    StackStarting,
)
from rungraph.graph import Address
from rungraph.graph.diagnostic_text import plain

A = Address.provider("inference", "a")
TABLE = Address.table("models")


def scrub(text: str) -> str:
    """Mask the one secret."""
    return text.replace("hidden", "****")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (NodeStarting(1.0, A), "starting   provider:inference/a"),
        (NodeReady(1.0, A, 0.5, 0.5), "ready      provider:inference/a  0.50 s"),
        (
            NodeFailed(1.0, A, RuntimeError("no hidden")),
            "failed     provider:inference/a  RuntimeError: no ****",
        ),
        (
            NodeSkipped(1.0, TABLE, (A,)),
            "skipped    table:models  because of provider:inference/a",
        ),
        (NodeSkipped(1.0, TABLE, ()), "skipped    table:models  the start was cancelled"),
        (NodeDegraded(1.0, A, "hidden gone"), "degraded   provider:inference/a  **** gone"),
        (NodeRecovered(1.0, A), "recovered  provider:inference/a"),
        (NodeBound(1.0, A, "safety"), "bound      provider:inference/a  was handed safety"),
        (
            NodeNotBound(1.0, A, "safety", "no"),
            "not bound  provider:inference/a  goes on without safety: no",
        ),
        (NodeStopping(1.0, A), "stopping   provider:inference/a"),
        (NodeStopped(1.0, A, 0.25), "stopped    provider:inference/a  0.25 s"),
        (
            NodeStopFailed(1.0, A, RuntimeError("no")),
            "failed     provider:inference/a  while stopping: RuntimeError: no",
        ),
        (NodeKilled(1.0, A, KilledError("late")), "cut short  provider:inference/a  late"),
        (RollbackStarted(1.0, (A,)), "stopping   what has started"),
        (
            ResourceAdded(1.0, TABLE, "small", "a", "listed"),
            "added      table:models  small on a (listed)",
        ),
        (
            ResourceRemoved(1.0, TABLE, "small", "a", "gone"),
            "removed    table:models  small on a (gone)",
        ),
        (
            RefreshFailed(1.0, TABLE, "a", RuntimeError("no")),
            "not asked  table:models  a did not say what it serves: RuntimeError: no",
        ),
    ],
)
def test_an_event_is_a_line(event: Event, words: str) -> None:
    """The time comes first, then what happened, to whom, and what there is to add."""
    assert line_of(event, scrub, plain) == f"    1.00 s  {words}"


@pytest.mark.parametrize(
    "event", [StackStarting(0.0, 2), StackReady(1.0), RollbackEnded(1.0), NodeWaiting(0, A, (), 0)]
)
def test_what_says_nothing_new_is_no_line(event: Event) -> None:
    """The progress says these in words of its own, or not at all."""
    assert line_of(event, scrub, plain) is None

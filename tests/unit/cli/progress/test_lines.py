"""Events become lines for people, without secrets."""

from __future__ import annotations

import pytest
from tests.builders import scrub

from rungraph.cli.progress.lines import line_of
from rungraph.engine import events
from rungraph.engine.errors import KilledError
from rungraph.graph import Address
from rungraph.graph.diagnostic_text import plain

A = Address.provider("inference", "a")
TABLE = Address.table("models")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (events.NodeStarting(1.0, A), "starting   provider:inference/a"),
        (events.NodeReady(1.0, A, 0.5, 0.5), "ready      provider:inference/a  0.50 s"),
        (events.NodeFailed(1.0, A, RuntimeError("no hidden")),
         "failed     provider:inference/a  RuntimeError: no ****"),
        (events.NodeSkipped(1.0, TABLE, (A,)),
         "skipped    table:models  because of provider:inference/a"),
        (events.NodeSkipped(1.0, TABLE, ()), "skipped    table:models  the start was cancelled"),
        (events.NodeDegraded(1.0, A, "hidden gone"), "degraded   provider:inference/a  **** gone"),
        (events.NodeRecovered(1.0, A), "recovered  provider:inference/a"),
        (events.NodeBound(1.0, A, "safety"), "bound      provider:inference/a  was handed safety"),
        (events.NodeNotBound(1.0, A, "safety", "no"),
         "not bound  provider:inference/a  goes on without safety: no"),
        (events.NodeStopping(1.0, A), "stopping   provider:inference/a"),
        (events.NodeStopped(1.0, A, 0.25), "stopped    provider:inference/a  0.25 s"),
        (events.NodeStopFailed(1.0, A, RuntimeError("no")),
         "failed     provider:inference/a  while stopping: RuntimeError: no"),
        (events.NodeKilled(1.0, A, KilledError("late")), "cut short  provider:inference/a  late"),
        (events.RollbackStarted(1.0, (A,)), "stopping   what has started"),
        (events.ResourceAdded(1.0, TABLE, "small", "a", "listed"),
         "added      table:models  small on a (listed)"),
        (events.ResourceRemoved(1.0, TABLE, "small", "a", "gone"),
         "removed    table:models  small on a (gone)"),
        (events.RefreshFailed(1.0, TABLE, "a", RuntimeError("no")),
         "not asked  table:models  a did not say what it serves: RuntimeError: no"),
    ],
)  # fmt: skip
def test_an_event_is_a_line(event: events.Event, words: str) -> None:
    """The time comes first, then what happened, to whom, and what there is to add."""
    assert line_of(event, scrub, plain) == f"    1.00 s  {words}"


def test_no_escape_of_a_provider_reaches_a_terminal() -> None:
    """What is not printable is escaped; line breaks stay."""
    event = events.NodeFailed(1.0, A, RuntimeError("\x1b[31mred\nnext"))
    line = line_of(event, scrub, plain)
    assert line == f"    1.00 s  failed     {A}  RuntimeError: \\x1b[31mred\n{' ' * 12}next"


@pytest.mark.parametrize(
    "event",
    [
        events.StackStarting(0.0, 2),
        events.StackReady(1.0),
        events.RollbackEnded(1.0),
        events.NodeWaiting(0, A, (), 0),
    ],
)
def test_what_says_nothing_new_is_no_line(event: events.Event) -> None:
    """The progress says these in words of its own, or not at all."""
    assert line_of(event, scrub, plain) is None

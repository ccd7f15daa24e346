"""The trace of a start: spans at the nodes' own times, harming nothing."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.unit.engine.fakes import Telemetry

from rungraph.engine.apis.telemetry import SpanStatus
from rungraph.engine.events import (
    NodeFailed,
    NodeReady,
    NodeStarting,
    NodeWaiting,
    StackReady,
    StackStarting,
)
from rungraph.engine.run.start_trace import trace_start
from rungraph.engine.run.timeline import timeline
from rungraph.graph.address import Address

FOO = Address.provider("inference", "foo")
TABLE = Address.table("models")
WAITING = (NodeWaiting(0.0, FOO, (), 0), NodeWaiting(0.0, TABLE, (FOO,), 1))
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


async def test_a_start_is_one_trace(telemetry: Telemetry) -> None:
    """Each node has a span at its own times, within one root from beginning to end."""
    times = timeline(
        [
            StackStarting(0.0, 2),
            *WAITING,
            NodeStarting(0.25, FOO),
            NodeReady(1.0, FOO, 0.75, 0.25),
            NodeStarting(1.0, TABLE),
            NodeFailed(1.5, TABLE, ValueError("secret")),
        ]
    )
    trace_id = await trace_start(times, telemetry, began=BEGAN)
    root = telemetry.named("start")
    foo, table = telemetry.named(f"start {FOO}"), telemetry.named(f"start {TABLE}")
    assert {span.trace_id for span in telemetry.spans.values()} == {trace_id}
    assert (root.parent, foo.parent, table.parent) == (None, root.span_id, root.span_id)
    assert (root.start, root.end) == (BEGAN, BEGAN + timedelta(seconds=1.5))
    assert (foo.start - BEGAN, table.start - BEGAN) == (
        timedelta(seconds=0.25),
        timedelta(seconds=1),
    )
    assert foo.end == BEGAN + timedelta(seconds=1)
    assert (root.status, foo.status, table.status) == (
        SpanStatus.ERROR,
        SpanStatus.OK,
        SpanStatus.ERROR,
    )
    assert table.end_attributes == {"error": "ValueError"}
    assert foo.attributes == {
        "address": "provider:inference/foo",
        "kind": "provider",
        "api": "inference",
        "provider_id": "foo",
    }
    assert "provider_id" not in table.attributes


async def test_only_the_start_is_told(telemetry: Telemetry) -> None:
    """What fails after it ran, and what has not ended its start, is no part of it."""
    times = timeline(
        [
            *WAITING,
            NodeStarting(0.0, FOO),
            NodeReady(1.0, FOO, 1.0, 0.0),
            NodeStarting(1.0, TABLE),
            StackReady(9.0),
            NodeFailed(9.5, FOO, ValueError()),
        ]
    )
    before = datetime.now(UTC)
    await trace_start(times, telemetry)
    after = datetime.now(UTC)
    assert set(telemetry.spans) == {
        telemetry.named("start").span_id,
        telemetry.named(f"start {FOO}").span_id,
    }
    assert telemetry.named("start").status is SpanStatus.OK
    assert before <= telemetry.named("start").start + timedelta(seconds=9) <= after


async def test_telemetry_that_fails_or_hangs_does_not_hold_a_start_up(telemetry: Telemetry) -> None:
    """The trace is lost, the stack runs."""
    times = timeline([*WAITING, NodeStarting(0.0, FOO), NodeReady(1.0, FOO, 1.0, 0.0)])
    telemetry.failure = RuntimeError("no")
    assert len(await trace_start(times, telemetry)) == 32
    telemetry.gate = asyncio.Event()
    assert len(await trace_start(times, telemetry, patience=0.01)) == 32
    assert asyncio.all_tasks() == {asyncio.current_task()}


class _Canceller(Telemetry):
    """Cancels whoever tells it something."""

    async def log_event(self, event: object) -> None:
        """Cancel."""
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)


async def test_telemetry_that_cancels_who_tells_it_fails_no_start() -> None:
    """What is left of the trace is lost."""
    times = timeline([*WAITING, NodeStarting(0.0, FOO), NodeReady(1.0, FOO, 1.0, 0.0)])
    assert len(await trace_start(times, _Canceller())) == 32


class _Busy(Telemetry):
    """Takes no event until it may, and may not even end when it is cut off."""

    def __init__(self, *, is_deaf: bool) -> None:
        super().__init__()
        self.is_deaf = is_deaf
        self.may, self.begun = asyncio.Event(), asyncio.Event()

    async def log_event(self, event: object) -> None:
        """Wait."""
        self.begun.set()
        while not self.may.is_set():
            try:
                await self.may.wait()
            except asyncio.CancelledError:
                if not self.is_deaf:
                    raise


@pytest.mark.parametrize("is_deaf", [False, True])
async def test_a_start_that_is_cancelled_meanwhile_leaves_nothing(*, is_deaf: bool) -> None:
    """Not even if telemetry ignores that it is cut off."""
    times = timeline([*WAITING, NodeStarting(0.0, FOO), NodeReady(1.0, FOO, 1.0, 0.0)])
    telemetry = _Busy(is_deaf=is_deaf)
    telling = asyncio.create_task(trace_start(times, telemetry))
    await telemetry.begun.wait()
    telling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await telling
    assert asyncio.all_tasks() == {asyncio.current_task()}
    telemetry.may.set()

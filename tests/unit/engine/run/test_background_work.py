"""Instances that hold something open, and what they report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import anyio
import pytest
from tests.property.strategies_graphs import run_virtually
from tests.unit.engine.fakes import told
from tests.unit.engine.run.chains import (
    A,
    B,
    Chain,
    break_down,
    error_of,
    forever,
    hold_groups,
    lifecycle_of,
    run,
    spawn,
    up_and_down,
)

from rungraph.engine.errors import StartError, StopError
from rungraph.engine.events import (
    EventLog,
    NodeDegraded,
    NodeEvent,
    NodeFailed,
    NodeRecovered,
    State,
)
from rungraph.engine.provider import ProviderReport
from rungraph.engine.run.lifecycle import Lifecycle

GROUPS = pytest.mark.parametrize("enter", [anyio.create_task_group, asyncio.TaskGroup])


def _with_group(enter: Callable[[], Any] = asyncio.TaskGroup) -> tuple[Chain, list[Any]]:
    """Return a chain whose root holds a task group open for as long as it lives."""
    chain = Chain({A: (), B: (A,)})
    return chain, hold_groups(chain, A, enter=enter)[A]


@GROUPS
def test_a_node_may_hold_a_task_group_open(enter: Callable[[], Any]) -> None:
    """A task group is entered and left in one task, whichever library it is of."""
    chain, groups = _with_group(enter)

    async def block(_: Lifecycle) -> None:
        done = asyncio.Event()

        async def work() -> None:
            done.set()

        spawn(groups[0], work)
        await done.wait()

    log, _ = run(chain, block=block)
    assert log.states == {A: State.STOPPED, B: State.STOPPED}


@GROUPS
def test_background_work_that_crashes_fails_its_node(enter: Callable[[], Any]) -> None:
    """The crash is told when it happens, and raised, with its cause, when the stack stops."""
    chain, groups = _with_group(enter)
    log = EventLog()

    async def block(lifecycle: Lifecycle) -> None:
        break_down(groups[0])
        await asyncio.sleep(1)
        assert log.states == {A: State.FAILED, B: State.DEGRADED}
        assert lifecycle.instance_of(A) is None

    run(chain, block=block, log=log)
    assert isinstance(chain.error, StopError)
    assert "ConnectionError: lost" in str(chain.error)
    assert chain.did == ["+n00", "+n01", "-n00", "-n01"]
    assert [event.address for event in told(log, NodeFailed)] == [A]


def test_a_crash_whose_clean_up_hangs_is_cut_short() -> None:
    """A node that has broken down has as long to clean up as any node has to stop."""
    chain, groups = _with_group()
    chain.closing[A] = asyncio.Event().wait
    log = EventLog()

    async def block(_: Lifecycle) -> None:
        break_down(groups[0])
        await asyncio.sleep(2)
        assert log.states[A] is State.STOPPING
        await asyncio.sleep(2)
        assert log.states[A] is State.FAILED

    run(chain, block=block, log=log)
    assert isinstance(chain.error, StopError)
    assert "its background work has ended" in str(chain.error)


def test_a_crash_during_a_cancelled_stop_is_not_waited_out() -> None:
    """A cancel scope that cancels again and again ends its node, whoever else is cancelled."""
    chain, groups = _with_group(anyio.create_task_group)

    async def slow() -> None:
        break_down(groups[0])
        await asyncio.sleep(2)

    async def main() -> None:
        task = asyncio.ensure_future(up_and_down(lifecycle_of(chain), forever))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(StopError, match="ConnectionError"):
            await task

    chain.closing[B] = slow
    run_virtually(main())
    assert chain.did == ["+n00", "+n01", "-n01", "-n00"]


def test_a_crash_while_others_start_ends_the_start() -> None:
    """A node that breaks down before the stack is ready is a culprit of the start."""
    chain, groups = _with_group()

    async def slow() -> None:
        break_down(groups[0])
        await asyncio.sleep(2)

    chain.opening[B] = slow
    error = error_of(chain)
    assert isinstance(error, StartError)
    assert [failure.address for failure in error.failures] == [A]


def test_what_a_start_sets_in_its_context_stays_there() -> None:
    """A node sees its own context and the caller's, never another node's."""
    variable: ContextVar[str] = ContextVar("variable", default="caller's")
    seen: list[str] = []

    async def setting() -> None:
        variable.set("node's")

    async def looking() -> None:
        seen.append(variable.get())

    run(Chain({A: (), B: (A,)}, opening={A: setting, B: looking}, closing={A: looking}))
    assert seen == ["caller's", "node's"]


def test_reports_become_events_when_they_change_something() -> None:
    """The same report twice is told once; those of a node that has stopped are not told."""
    chain = Chain({A: ()})
    reporters: list[Callable[[ProviderReport], None]] = []

    async def block(lifecycle: Lifecycle) -> None:
        report = lifecycle.reporter(A)
        reporters.append(report)
        report(ProviderReport("ready"))
        for _ in range(2):
            report(ProviderReport("degraded", "worker died"))
        report(ProviderReport("ready", "worker is back"))
        await asyncio.sleep(1)

    log, _ = run(chain, block=block)
    reporters[0](ProviderReport("degraded", "too late"))
    assert told(log, NodeDegraded | NodeRecovered) == [
        NodeDegraded(0.0, A, "worker died"),
        NodeRecovered(0.0, A, "worker is back"),
    ]


def test_a_report_from_a_thread_arrives() -> None:
    """A provider may report from any of its threads."""
    chain = Chain({A: ()})
    log = EventLog()

    async def main() -> None:
        lifecycle = lifecycle_of(chain, log=log)
        await lifecycle.start()
        report = lifecycle.reporter(A)
        await asyncio.to_thread(report, ProviderReport("degraded", "worker died"))
        await asyncio.sleep(0)
        assert lifecycle.trouble_of(A) == "worker died"
        await lifecycle.stop()

    asyncio.run(main())
    assert [event.detail for event in told(log, NodeDegraded)] == ["worker died"]


def test_a_report_during_the_start_is_told_after_it() -> None:
    """A node that is not well from the beginning is first ready, then degraded."""
    lifecycles: list[Lifecycle] = []

    async def opening() -> None:
        lifecycles[0].reporter(A)(ProviderReport("degraded", "one of two workers"))
        await asyncio.sleep(1)

    log = EventLog()
    lifecycles.append(lifecycle_of(Chain({A: ()}, opening={A: opening}), log=log))
    run_virtually(up_and_down(lifecycles[0]))
    states = [event.state for event in told(log, NodeEvent)]
    assert states[:4] == [State.WAITING, State.STARTING, State.READY, State.DEGRADED]

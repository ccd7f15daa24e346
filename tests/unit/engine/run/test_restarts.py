"""What happens to a node that breaks while the stack runs, and to those around it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from tests.property.strategies_graphs import run_virtually
from tests.unit.engine.fakes import told
from tests.unit.engine.run.chains import (
    QUICK,
    A,
    B,
    C,
    Chain,
    D,
    after,
    break_down,
    hold_groups,
    run,
)

from rungraph.engine.errors import StopError, describe
from rungraph.engine.events import (
    EventLog,
    NodeBound,
    NodeDegraded,
    NodeFailed,
    NodeGivenUp,
    NodeRestarting,
    State,
)
from rungraph.engine.run.errors import RunError
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.settings import StackSettings
from rungraph.graph.address import Address
from rungraph.graph.nodes import Strength

PATIENT = replace(QUICK, restart_seed=1, restart_delay=1, restart_limit=2, on_failure="degrade")


def _supervised(
    chain: Chain,
    block: Callable[[EventLog], Awaitable[object]],
    settings: StackSettings = PATIENT,
) -> EventLog:
    """Run *block* while *chain* is supervised; return what is told."""
    log = EventLog()

    async def supervised(lifecycle: Lifecycle) -> None:
        lifecycle.supervise()
        await block(log)

    run(chain, settings, supervised, log)
    return log


def test_what_breaks_is_started_again_with_what_needs_it() -> None:
    """Dependents stop first and start last; what does not depend on it goes on undisturbed."""
    chain = Chain({A: (), B: (A,), C: ()}, restarts="on-failure")
    groups = hold_groups(chain)

    async def block(log: EventLog) -> None:
        chain.did.clear()
        break_down(groups[A][0])
        await asyncio.sleep(5)
        assert chain.did == ["-n00", "-n01", "+n00", "+n01"]
        assert log.states == {A: State.READY, B: State.READY, C: State.READY}

    log = _supervised(chain, block)
    assert chain.error is None
    assert chain.lost == [
        "'provider:test/n00' has failed",
        "'provider:test/n00' is being restarted; retry after 854 ms",
        "'provider:test/n01' is being restarted; retry after 1.00 s",
    ]
    first, second = told(log, NodeRestarting)
    lost = "ExceptionGroup: ConnectionError: lost"
    assert (first.address, first.reason, round(first.delay, 2)) == (A, lost, 0.85)
    assert (second.address, second.reason) == (B, f"'{A}' is restarted, which it needs")


def test_what_can_be_bound_goes_on_and_is_handed_the_new_one() -> None:
    """A dependent that can take another instance is not restarted, nor is what depends on it."""
    chain = Chain({A: (), B: (A,), C: (B,)}, restarts="on-failure", binds=frozenset({B}))
    groups = hold_groups(chain)

    async def block(log: EventLog) -> None:
        chain.did.clear()
        break_down(groups[A][0])
        await asyncio.sleep(0.1)
        assert log.states == {A: State.RESTARTING, B: State.DEGRADED, C: State.DEGRADED}
        await asyncio.sleep(5)
        assert chain.did == ["-n00", "+n00", "n01<n00"]
        assert log.states == {A: State.READY, B: State.READY, C: State.READY}

    assert [event.address for event in told(_supervised(chain, block), NodeBound)] == [B]
    assert chain.error is None


def test_what_breaks_again_and_again_stays_failed() -> None:
    """Each pause is longer; after so many restarts the node is given up, and named at the end."""
    chain = Chain({A: (), B: (A,)}, restarts="on-failure")
    groups = hold_groups(chain)

    async def block(log: EventLog) -> None:
        for _ in range(3):
            break_down(groups[A][-1])
            await asyncio.sleep(10)
        assert log.states == {A: State.FAILED, B: State.DEGRADED}

    log = _supervised(chain, block)
    assert isinstance(chain.error, StopError)
    assert "ConnectionError: lost" in str(chain.error)
    short, long = (event.delay for event in told(log, NodeRestarting) if event.address == A)
    assert short < long
    (given_up,) = told(log, NodeGivenUp)
    assert given_up.reason == f"'{A}' has failed again after 2 restarts within 300 s"


def test_what_others_have_started_meanwhile_is_told_when_it_breaks_again() -> None:
    """It waited for its restart then, and is not said to stay failed until that would be due."""
    chain = Chain({A: (), B: (A,)}, restarts="on-failure")
    groups = hold_groups(chain)

    async def block(log: EventLog) -> None:
        break_down(groups[B][0])
        await asyncio.sleep(5)
        break_down(groups[B][1])
        break_down(groups[A][0])
        await asyncio.sleep(1.5)
        assert log.states == {A: State.READY, B: State.READY}
        break_down(groups[B][2])
        await asyncio.sleep(0.1)
        assert log.states == {A: State.READY, B: State.RESTARTING}
        await asyncio.sleep(9)
        assert log.states == {A: State.READY, B: State.READY}

    log = _supervised(chain, block, replace(PATIENT, restart_limit=9))
    assert chain.error is None
    delays = [round(one.delay) for one in told(log, NodeRestarting) if one.address == B]
    assert delays == sorted(delays)


@pytest.mark.parametrize(("restarts", "starts"), [("never", 1), ("on-failure", 1), ("always", 2)])
def test_what_ends_by_itself_is_started_again_only_if_that_is_said(
    restarts: str, starts: int
) -> None:
    """A node that ends without an error is no failure."""
    tasks: list[Any] = []

    async def opening() -> None:
        tasks.append(asyncio.current_task())

    async def block(_: EventLog) -> None:
        tasks[0].cancel()
        await asyncio.sleep(10)
        assert chain.did.count("+n00") == starts

    chain = Chain({A: ()}, opening={A: opening}, restarts=restarts)
    _supervised(chain, block)
    assert ("its background work has ended" in str(chain.error)) is (starts == 1)
    assert isinstance(chain.error, StopError) is (starts == 1)


class _Panic(BaseException):
    pass


_PANIC = BaseExceptionGroup("of tasks", [_Panic("no"), SystemExit(3)])


@pytest.mark.parametrize("error", [_Panic("no"), SystemExit(3), GeneratorExit("no"), _PANIC])
def test_whatever_its_shutdown_raises_what_has_broken_is_started_again(
    error: BaseException,
) -> None:
    """It has failed then, and has neither just been stopped nor ended by itself."""
    chain = Chain({A: ()}, restarts="on-failure")
    groups = hold_groups(chain)
    leave = chain.closing[A]

    async def closing() -> None:
        with suppress(ExceptionGroup):
            await leave()
        if len(groups[A]) == 1:
            raise error

    async def block(log: EventLog) -> None:
        break_down(groups[A][0])
        await asyncio.sleep(5)
        assert log.states == {A: State.READY}

    chain.closing[A] = closing
    (failed,) = told(_supervised(chain, block), NodeFailed)
    assert str(failed.error) == f"it raised {describe(error)}"
    assert chain.error is None


def test_what_breaks_and_does_not_shut_down_in_time_is_started_again() -> None:
    """What would have said why it ended was cut off: it has not ended by itself."""
    chain = Chain({A: ()}, restarts="on-failure")
    groups = hold_groups(chain)
    leave = chain.closing[A]

    async def closing() -> None:
        if len(groups[A]) == 1:
            await asyncio.sleep(60)
        await leave()

    async def block(log: EventLog) -> None:
        break_down(groups[A][0])
        await asyncio.sleep(20)
        assert log.states == {A: State.READY}

    chain.closing[A] = closing
    (failed,) = told(_supervised(chain, block), NodeFailed)
    assert str(failed.error) == "its background work has ended, and it did not stop within 3 s"


def test_a_start_that_fails_is_tried_again_with_degrade() -> None:
    """What was skipped because of it starts as soon as it is up."""
    left = [OSError("not yet"), OSError("still not")]

    async def opening() -> None:
        if left:
            raise left.pop(0)

    async def block(log: EventLog) -> None:
        assert log.states == {A: State.FAILED, B: State.SKIPPED}
        await asyncio.sleep(10)
        assert chain.did == ["+n00", "+n01"]

    chain = Chain({A: (), B: (A,)}, opening={A: opening}, restarts="on-failure")
    log = _supervised(chain, block)
    assert log.states == {A: State.STOPPED, B: State.STOPPED}
    assert len(told(log, NodeFailed)) == 2


@pytest.mark.parametrize("seconds", [0.5, 0.9, 1.5])
def test_a_stop_breaks_off_a_restart(seconds: float) -> None:
    """Whether it waits or starts: everything ends, and nothing starts afterwards."""
    chain = Chain({A: (), B: (A,)}, restarts="on-failure")
    groups = hold_groups(chain)

    async def block(_: EventLog) -> None:
        chain.opening[A] = after(1)
        break_down(groups[A][0])
        await asyncio.sleep(seconds)

    log = _supervised(chain, block)  # It asserts that no task is left.
    assert "ConnectionError: lost" in str(chain.error)
    assert chain.did.count("+n01") == chain.did.count("-n01") == 1
    assert State.READY not in log.states.values()


def test_what_stays_failed_ends_a_stack_that_is_all_or_nothing() -> None:
    """The error names the node; with ``degrade`` the rest runs on."""
    chain = Chain({A: (), B: ()}, restarts="never")
    groups = hold_groups(chain)
    dooms: list[RunError] = []

    async def main(settings: StackSettings) -> None:
        lifecycle = Lifecycle(chain.nx, chain, settings, EventLog().append, doom=dooms.append)
        await lifecycle.start()
        lifecycle.supervise()
        break_down(groups[A][-1])
        await asyncio.sleep(1)
        with pytest.raises(StopError):
            await lifecycle.stop()

    run_virtually(main(PATIENT))
    assert dooms == []
    run_virtually(main(QUICK))
    assert str(dooms[0]) == (
        "the stack ended: 'provider:test/n00' has failed and is not to be restarted\n"
        "  provider:test/n00 (run.yaml:1:5): ExceptionGroup: ConnectionError: lost"
    )


def test_what_runs_is_degraded_as_long_as_it_lacks_what_has_failed() -> None:
    """Also what was starting meanwhile or starts later, and not because of another failure."""
    chain = Chain({A: (), B: (A,), C: (B,), D: ()})
    log, groups = EventLog(), hold_groups(chain, A, D)

    async def opening() -> None:
        await asyncio.sleep(0.5)
        break_down(groups[A][0])
        await asyncio.sleep(0.5)

    chain.opening[B] = opening

    async def block(_: Lifecycle) -> None:
        break_down(groups[D][0])
        await asyncio.sleep(1)

    run(chain, replace(QUICK, on_failure="degrade"), block, log)
    degraded = [(event.address, event.detail) for event in told(log, NodeDegraded)]
    assert degraded == [(one, f"it needs '{A}', which failed") for one in (B, C)]


@pytest.mark.parametrize("back", [A, B])
def test_what_needs_any_of_several_lacks_none_when_one_is_back(back: Address) -> None:
    """Whichever of them had failed first."""
    chain = Chain({A: (), B: (), C: (A, B)}, strength=Strength.MEMBER, binds=frozenset({C}))
    log, groups = EventLog(), hold_groups(chain, A, B)
    states: list[State] = []

    async def block(lifecycle: Lifecycle) -> None:
        for one in (A, B):
            break_down(groups[one][0])
            await asyncio.sleep(1)
            states.append(log.states[C])
        await lifecycle.replace([back])
        states.append(log.states[C])

    run(chain, QUICK, block, log)
    assert states == [State.READY, State.DEGRADED, State.READY]

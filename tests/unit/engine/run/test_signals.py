"""A stack that signals end."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest
from tests.unit.engine.fakes import GraphOf, Offer, Pinger, create_pinger, making

from rungraph.engine.events import StackReady, State
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.engine.run.until_signal import run_until_signal
from rungraph.graph import Address

A, B = Address.provider("a", "one"), Address.provider("b", "one")
QUICK = StackSettings(start_timeout=5, stop_timeout=5, cancel_timeout=1, health_timeout=0.05)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_the_first_signal_stops_in_order(
    graph_of: GraphOf, number: signal.Signals, code: int
) -> None:
    """A signal ends a running stack as if its block had ended; handlers are put back."""
    before = signal.getsignal(number)
    stack = Stack(graph_of(a=Offer(), b=Offer(needs=("a",))), QUICK)
    stack.events.subscribe(
        lambda event: os.kill(os.getpid(), number) if isinstance(event, StackReady) else None
    )
    assert await run_until_signal(stack) == code
    assert set(stack.status().values()) == {State.STOPPED}
    assert signal.getsignal(number) is before


async def test_a_signal_during_the_start_rolls_back(graph_of: GraphOf) -> None:
    """Starting is given up at the first signal."""

    async def create(config: object, deps: object) -> Pinger:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
        raise AssertionError

    stack = Stack(graph_of(a=Offer(), b=Offer(create, needs=("a",))), QUICK)
    assert await run_until_signal(stack) == 130
    assert stack.status()[A] is State.STOPPED
    assert stack.status()[B] is State.SKIPPED


async def test_the_second_signal_kills(graph_of: GraphOf) -> None:
    """A stop that hangs is cut short by another signal."""

    class Stuck(Pinger):
        async def shutdown(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()

    stack = Stack(graph_of(a=Offer(making(Stuck))), QUICK)

    async def work(stack: Stack) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()

    assert await run_until_signal(stack, work) == 130
    assert stack.status()[A] is State.KILLED


async def test_without_a_signal_the_work_is_done(graph_of: GraphOf) -> None:
    """The exit code is 0 when nothing ended the stack from outside."""
    stack = Stack(graph_of(a=Offer(create_pinger)), QUICK)
    seen: list[str] = []

    async def work(stack: Stack) -> None:
        seen.append(await stack["a"].ping())

    assert await run_until_signal(stack, work) == 0
    assert seen == ["pong"]


@pytest.mark.parametrize("is_swallowed", [True, False])
async def test_after_a_signal_nothing_else_is_cancelled(
    graph_of: GraphOf, is_swallowed: bool
) -> None:
    """What follows the watched block goes on, also when the block has dealt with the signal."""
    stack = Stack(graph_of(a=Offer()), QUICK)
    owner = asyncio.current_task()
    assert owner is not None
    async with stack.signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not is_swallowed:
                raise
    await asyncio.sleep(0)
    assert signals.exit_code == 143
    assert owner.cancelling() == 0


async def test_a_cancellation_from_elsewhere_goes_through_the_watch(graph_of: GraphOf) -> None:
    """Only cancellations that a signal caused end at the watched block."""
    stack = Stack(graph_of(a=Offer()), QUICK)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), stack.signals(), stack:
            await asyncio.Event().wait()

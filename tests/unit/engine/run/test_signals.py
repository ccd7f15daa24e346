"""A stack that signals end, and who is left alone; `test_run_command` has whole processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping

import pytest
from tests.unit.engine.fakes import QUICK, GraphOf, Offer, Pinger, create_pinger, raised_by
from tests.unit.engine.run.models import until

from rungraph.engine.errors import StartError
from rungraph.engine.events import StackReady, State
from rungraph.engine.run.signals import SignalWatch, in_forks
from rungraph.engine.run.stack import Stack


def _exit(*_: object) -> None:
    sys.exit(3)


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
    async with stack.signals() as signals, stack:
        await asyncio.Event().wait()
    assert signals.exit_code == code
    assert set(stack.status().values()) == {State.STOPPED}
    assert signal.getsignal(number) is before


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
async def test_what_a_provider_forks_has_signals_of_its_own(graph_of: GraphOf) -> None:
    """Whoever has forked it can end it, and the stack goes on."""
    stack = Stack(graph_of(a=Offer()), QUICK)
    begun, tell = os.pipe()
    async with stack.signals() as signals, stack:
        if not (forked := os.fork()):
            os.write(tell, b".")
            os._exit(bool(signal.sigtimedwait([], 5)))
        os.read(begun, 1)
        os.kill(forked, signal.SIGTERM)
        _, status = await asyncio.to_thread(os.waitpid, forked, 0)
        assert os.waitstatus_to_exitcode(status) == -signal.SIGTERM
    assert signals.received is None


async def test_a_stack_that_nohup_started_outlives_its_terminal(graph_of: GraphOf) -> None:
    """SIGHUP stays ignored where it was."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        async with Stack(graph_of(a=Offer()), QUICK).signals() as signals:
            for number in (signal.SIGHUP, signal.SIGTERM):
                os.kill(os.getpid(), number)
            await asyncio.Event().wait()
        assert signals.received is signal.SIGTERM
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


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


async def test_only_the_main_thread_has_signals(graph_of: GraphOf) -> None:
    """In another one, nothing is taken and nothing is left."""

    async def watch() -> None:
        async with Stack(graph_of(a=Offer()), QUICK).signals():
            pass

    with pytest.raises(RuntimeError, match="within a task of the main thread"):
        await asyncio.to_thread(asyncio.run, watch())
    assert not in_forks


async def test_a_provider_gives_no_signal(graph_of: GraphOf) -> None:
    """Where Ctrl-C is watched, a KeyboardInterrupt is the failure of whoever raises it."""

    async def create(config: object, deps: object) -> object:
        raise KeyboardInterrupt

    async with Stack(graph_of(a=Offer()), QUICK).signals() as signals:
        error = await raised_by(Stack(graph_of(a=Offer(create)), QUICK), StartError)
    assert "it raised KeyboardInterrupt" in str(error)
    assert signals.received is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("handler", [_exit, signal.SIG_IGN, signal.SIG_DFL])
async def test_a_signal_that_a_provider_takes_for_itself_ends_the_stack(
    graph_of: GraphOf, number: signal.Signals, handler: Callable[..., object] | signal.Handlers
) -> None:
    """Wherever the signal comes, be it amid the stack's own work."""

    async def create(config: object, deps: Mapping[str, object]) -> Pinger:
        signal.signal(number, handler)
        return await create_pinger(config, deps)

    stack = Stack(graph_of(a=Offer(create)), QUICK)
    async with stack.signals() as signals, stack:
        signal.raise_signal(number)
        await asyncio.sleep(5)
    assert signals.received is number
    assert set(stack.status().values()) == {State.STOPPED}


async def test_who_takes_a_signal_late_is_called_as_well(graph_of: GraphOf) -> None:
    """A handler of the event loop, of which it has one for a signal, gives way."""
    called: list[int] = []

    def theirs(number: int, _: object) -> None:
        called.append(number)
        raise SystemExit

    stack = Stack(graph_of(a=Offer()), QUICK)
    async with stack.signals() as signals, stack:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, called.append, 0)
        signal.signal(signal.SIGINT, theirs)
        await until(lambda: signal.getsignal(signal.SIGINT) is not theirs)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.raise_signal(number)
        await asyncio.sleep(5)
    assert signals.received is signal.SIGTERM
    assert called == [signal.SIGINT]


async def test_a_stack_that_is_over_leaves_signals_to_the_one_around_it(graph_of: GraphOf) -> None:
    """And whoever has a signal that no stack takes has it meanwhile, too."""
    loop, other = asyncio.get_running_loop(), asyncio.Event()
    outer, inner = (Stack(graph_of(a=Offer()), QUICK) for _ in range(2))
    loop.add_signal_handler(signal.SIGUSR1, other.set)
    async with outer.signals() as of_outer:
        async with inner.signals() as of_inner:
            await asyncio.sleep(0.15)  # Both have looked who has the signals.
            signal.raise_signal(signal.SIGUSR1)
            await asyncio.wait_for(other.wait(), 5)
            busy = time.process_time()
            await asyncio.sleep(0.2)  # It is handed on but once.
            assert time.process_time() - busy < 0.1
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(5)
        assert (of_inner.received, of_outer.received) == (signal.SIGTERM, None)
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(5)
    assert of_outer.received is signal.SIGINT
    other.clear()
    signal.raise_signal(signal.SIGUSR1)
    await asyncio.wait_for(other.wait(), 5)
    loop.remove_signal_handler(signal.SIGUSR1)


async def test_of_stacks_that_overlap_the_one_that_is_left_has_the_signals(
    graph_of: GraphOf,
) -> None:
    """Also when it is not the one that began first; and after it, all is as it was before."""
    before = signal.getsignal(signal.SIGTERM)
    first, second = (Stack(graph_of(a=Offer()), QUICK).signals() for _ in range(2))

    async def last() -> SignalWatch:
        async with second as watch:
            begun.set()
            await is_left.wait()
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(5)
        return watch

    begun, is_left = asyncio.Event(), asyncio.Event()
    async with first as watch:
        task = asyncio.create_task(last())
        await begun.wait()
    is_left.set()
    assert (await task).received is signal.SIGTERM
    assert watch.received is None
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.set_wakeup_fd(-1) == -1
    assert not in_forks

"""Who holds the event loop beyond a deadline is interrupted, as nothing else could end that."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from threading import Timer
from types import FunctionType
from typing import Any, cast

import pytest
from tests.contract.command_line import run
from tests.unit.engine.fakes import GraphOf, Offer, Pinger, making, raised_by
from tests.unit.engine.run.models import instance, models_graph, quick, until

from rungraph.engine.errors import StartError, StopError
from rungraph.engine.events import NodeReady, RefreshFailed
from rungraph.engine.interruption import LoopHeldError
from rungraph.engine.routing.errors import CallTimeoutError
from rungraph.engine.run import loop_watch
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.engine.waiting import abandon, watches
from rungraph.graph import RunGraph
from rungraph.graph.address import Address

_FOR_GOOD = 5.0
"""Seconds that count as for ever; who is interrupted does not get there."""
_SHORT = StackSettings(start_timeout=0.3, stop_timeout=0.3, cancel_timeout=0.3)
_A, _B = Address.provider("a", "one"), Address.provider("b", "one")
_over: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ends_by_itself() -> Any:
    """What blocks is cut off, in every test here, and the signal is whose it was before."""
    _over.clear()
    before = signal.getsignal(signal.SIGURG)
    yield
    assert not _over
    assert signal.getsignal(signal.SIGURG) in {before, signal.SIG_DFL}


def _sleep(_self: object = None) -> None:
    time.sleep(_FOR_GOOD)
    _over.append("slept")


def _spin() -> None:
    end = time.monotonic() + _FOR_GOOD
    while time.monotonic() < end:
        pass
    _over.append("spun")


def _try_again() -> None:
    """Go on whatever fails, as code that waits for a server does; an order to end is no failure."""
    end = time.monotonic() + _FOR_GOOD
    while time.monotonic() < end:
        with suppress(Exception):
            time.sleep(_FOR_GOOD)
    _over.append("tried")


async def _in_a_task(block: Any) -> None:
    async def work() -> None:
        block()

    await asyncio.create_task(work())


@pytest.mark.parametrize("block", [_sleep, _spin, _try_again])
@pytest.mark.parametrize("in_a_task", [False, True])
async def test_a_start_ends_in_time(graph_of: GraphOf, block: Any, in_a_task: bool) -> None:
    """Its neighbour starts, and the error says what happened."""

    async def create(config: object, deps: object) -> Pinger:
        await _in_a_task(block) if in_a_task else block()
        return Pinger()

    stack = Stack(graph_of(a=Offer(create), b=Offer()), _SHORT)
    error = await raised_by(stack, StartError)
    assert str(error).endswith(
        "did not start within 0.3 s: it held the event loop, so nothing else could run"
    )


def test_a_task_ends_in_time_in_a_loop_that_is_not_pythons_own(graph_of: GraphOf) -> None:
    """Whose it is is known, though the frames of such a loop do not tell."""
    uvloop: Any = pytest.importorskip("uvloop")

    async def create(config: object, deps: object) -> Pinger:
        await _in_a_task(_sleep)
        return Pinger()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        error = runner.run(raised_by(Stack(graph_of(a=Offer(create)), _SHORT), StartError))
    assert "did not start within 0.3 s" in str(error)


async def test_a_stop_ends_in_time(graph_of: GraphOf) -> None:
    """What stops beside it is not blamed."""

    class Holding(Pinger):
        async def shutdown(self) -> None:
            _sleep()

    with pytest.raises(StopError, match=r"did not stop within 0\.3 s: it held the event loop"):
        async with Stack(graph_of(a=Offer(making(Holding)), b=Offer()), _SHORT):
            pass


@pytest.mark.parametrize("as_callback", [False, True])
async def test_the_background_of_a_provider_holds_up_no_end(
    graph_of: GraphOf, as_callback: bool
) -> None:
    """It has no deadline as long as everything runs, but it has none of its own at the end."""
    loop = asyncio.get_running_loop()

    async def work() -> None:
        _sleep()

    async def create(config: object, deps: object) -> Pinger:
        made = Pinger()
        if as_callback:
            loop.call_later(0.2, _sleep)
        else:
            loop.call_later(0.2, lambda: setattr(made, "task", asyncio.create_task(work())))
        return made

    stack = Stack(graph_of(a=Offer(create), b=Offer(needs=("a",))), _SHORT)
    order = Timer(0.5, os.kill, (os.getpid(), signal.SIGTERM))
    async with stack.signals() as signals, stack:
        order.start()
        await asyncio.Event().wait()
    assert signals.received is signal.SIGTERM


class Holding:
    """What a provider asks itself before it answers: it holds the event loop.

    It is code of the provider's own module, by which a call that nobody watches is known.
    """

    wait = values = FunctionType(
        _sleep.__code__, {**globals(), "__name__": "rungraph_fake_models"}, None, (None,)
    )


async def test_a_call_ends_in_time() -> None:
    """The caller is told so, and is not cancelled."""
    async with Stack(models_graph("foo", limits={"call_timeout": 0.3}), quick()) as stack:
        instance("foo").answers = cast("Any", Holding())
        late = r"^'provider:inference/foo' did not answer within 0.3 s$"
        with pytest.raises(CallTimeoutError, match=late):
            await stack["inference"].chat_completion("foo-model", [])


@pytest.mark.skipif(sys.version_info < (3, 12), reason="no task begins at once")
async def test_a_task_that_begins_at_once_ends_in_time() -> None:
    """Whoever waits for it says for how long before it begins."""
    limits = {"call_timeout": 0.3}
    stack = Stack(models_graph("foo", limits=limits), quick(start_timeout=0.6, health_timeout=0.3))
    async with stack:
        asyncio.get_running_loop().set_task_factory(vars(asyncio)["eager_task_factory"])
        instance("foo").answers = instance("foo").served = cast("Any", Holding())
        with pytest.raises(CallTimeoutError):
            await stack["inference"].chat_completion("foo-model", [])
        await stack["models"].refresh()
        (failed,) = (one for one in stack.events if isinstance(one, RefreshFailed))
        assert isinstance(failed.error, TimeoutError)


@pytest.mark.parametrize("limits", [{}, {"call_timeout": 60}])
async def test_a_call_is_cut_off_at_the_end(limits: dict[str, float]) -> None:
    """It has no deadline of its own that is over; whoever waits for it is told why it failed."""
    stack = Stack(models_graph("foo", limits=limits), quick(stop_timeout=0.3))
    order = Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM))
    async with stack.signals() as signals, stack:
        instance("foo").answers = cast("Any", Holding())
        order.start()
        call = asyncio.create_task(stack["inference"].chat_completion("foo-model", []))
        await asyncio.Event().wait()
    assert signals.received is signal.SIGTERM
    why = r"^'provider:inference/foo' held the event loop for longer than it may$"
    with pytest.raises(LoopHeldError, match=why):
        await call


async def test_a_question_of_a_table_ends_in_time() -> None:
    """Its provider stays, and what is known of it."""
    settings = quick(start_timeout=0.6, refresh_interval=0.05)
    async with Stack(models_graph("foo", "bar"), settings) as stack:
        foo = instance("foo")
        served, foo.served = foo.served, cast("Any", Holding())
        await until(lambda: any(isinstance(one, RefreshFailed) for one in stack.events))
        foo.served = served
        assert await stack["inference"].chat_completion("foo-model", []) == 1


async def test_whose_signal_it_becomes_has_it_alone(graph_of: GraphOf) -> None:
    """A program may begin to use the signal while a stack runs."""
    taken: list[int] = []

    async def create(config: object, deps: object) -> Pinger:
        signal.signal(signal.SIGURG, lambda number, _: taken.append(number))
        time.sleep(0.6)  # noqa: ASYNC251  (that is what it is for)
        return Pinger()

    try:
        await raised_by(Stack(graph_of(a=Offer(create)), _SHORT), StartError)
    finally:
        signal.signal(signal.SIGURG, signal.SIG_DFL)
    assert not taken


async def test_whose_signal_it_is_keeps_it(graph_of: GraphOf) -> None:
    """A program that uses the signal goes on to; then a provider holds the loop as before."""

    async def create(config: object, deps: object) -> Pinger:
        time.sleep(0.6)  # noqa: ASYNC251  (that is what it is for)
        return Pinger()

    taken: list[int] = []
    before = signal.signal(signal.SIGURG, lambda number, _: taken.append(number))
    try:
        await raised_by(Stack(graph_of(a=Offer(create)), _SHORT), StartError)
        assert not taken
        os.kill(os.getpid(), signal.SIGURG)
        assert len(taken) == 1
    finally:
        signal.signal(signal.SIGURG, before)


async def test_what_is_not_overdue_is_let_be(graph_of: GraphOf) -> None:
    """A long hold that nobody waits for ends by itself."""

    async def create(config: object, deps: object) -> Pinger:
        time.sleep(0.6)  # noqa: ASYNC251  (that is what it is for)
        return Pinger()

    stack = Stack(graph_of(a=Offer(create)), StackSettings(start_timeout=5))
    async with stack:
        os.kill(os.getpid(), signal.SIGURG)  # From anybody: nobody is condemned.
        assert any(isinstance(event, NodeReady) for event in stack.events)


async def test_a_subscriber_is_cut_off_and_hurts_nobody(graph_of: GraphOf) -> None:
    """It holds up the start of others, but is no provider."""

    async def create(config: object, deps: object) -> Pinger:
        await asyncio.sleep(0.1)
        return Pinger()

    def take(event: object) -> None:
        if isinstance(event, NodeReady) and event.address.api == "a":
            _sleep()

    stack = Stack(graph_of(a=Offer(), b=Offer(create)), _SHORT)
    stack.events.subscribe(take)
    async with stack:
        assert await stack["a"].ping() == "pong"


_PROVIDER = """
import time
async def get_provider_impl(config, deps):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            time.sleep(20)
        except BaseException:
            pass
"""


def test_who_cannot_be_interrupted_ends_the_process_of_the_command_line(tmp_path: Any) -> None:
    """Nothing can end in order then; the exit code is that of a failed start."""
    (tmp_path / "holding.py").write_text(_PROVIDER)
    entry = "{provider_id: it, provider_type: inline::holding, module: ./holding.py}"
    (path := tmp_path / "run.yaml").write_text(f"providers:\n  telemetry:\n  - {entry}\n")
    ended = run(path, "--start-timeout", "0.5")
    assert ended.code == 1
    assert ended.err.endswith(
        "error: 'provider:telemetry/it' holds the event loop beyond its deadline and cannot be"
        " interrupted: the process ends without stopping what else runs\n"
    )
    assert loop_watch.beyond_help == []


@pytest.mark.parametrize("pause", [0.0, 0.2])
def test_a_loop_that_is_closed_without_a_stop_is_watched_no_more(
    graph_of: GraphOf, pause: float
) -> None:
    """Neither a thread nor the stack is left, even if the loop was not turned for a while."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(Stack(graph_of(a=Offer()), _SHORT).__aenter__())
    (watch,) = watches
    time.sleep(pause)
    for task in asyncio.all_tasks(loop):
        abandon(task)
    loop.close()
    end = time.monotonic() + _FOR_GOOD
    while watches and time.monotonic() < end:
        time.sleep(0.01)
    assert watch not in watches
    asyncio.run(_start_and_stop(graph_of(a=Offer())))  # The signal is free again.


async def _start_and_stop(graph: RunGraph) -> None:
    async with Stack(graph, _SHORT):
        pass

"""Who is interrupted has failed, all others go on, and nobody is blamed for what another held."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import replace
from types import FunctionType
from typing import Any, cast

import pytest
from tests.unit.engine.fakes import GraphOf, Offer, Pinger, making, raised_by, told
from tests.unit.engine.run.models import until

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.errors import StartError
from rungraph.engine.events import (
    Event,
    NodeHeldLoop,
    NodeStopped,
    NodeStopping,
    NodeTaskFailed,
    State,
)
from rungraph.engine.interruption import LoopHeldError
from rungraph.engine.run import loop_watch
from rungraph.engine.run.runner import NodeRunner
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.graph import RunGraph
from rungraph.graph.address import Address

_SHORT = StackSettings(start_timeout=0.3, stop_timeout=0.3, cancel_timeout=0.3)
_A, _B = Address.provider("a", "one"), Address.provider("b", "one")


def _sleep() -> None:
    time.sleep(5)


def _of(api: str, function: Any) -> Any:
    """Return *function* as code of the provider of *api*, by which it is known."""
    known = function.__globals__ | {"__name__": f"rungraph_fake_{api}"}
    return FunctionType(function.__code__, known, closure=function.__closure__)


class Slow(Pinger):
    """Takes its time to stop, and answers in many steps."""

    async def ping(self) -> str:
        for _ in range(10):
            await asyncio.sleep(0.01)
        return "pong"

    async def health(self) -> HealthResponse:
        return HealthResponse(status=HealthStatus.OK, message=await self.ping())

    async def shutdown(self) -> None:
        await asyncio.sleep(0.1)


def _reloaded(graph_of: GraphOf, first: Offer) -> tuple[RunGraph, RunGraph]:
    """Return two graphs, of which the second has another config of what is slow to stop."""
    before, after = (Offer(making(Slow), config={"version": one}) for one in (1, 2))
    return graph_of(a=first, b=before), graph_of(a=first, b=after)


async def _sleep_for_ping(_: object) -> None:
    time.sleep(5)  # noqa: ASYNC251  (that is what it is for)


async def _sleep_in_a_library(_: object) -> None:
    async def work() -> None:
        time.sleep(5)  # noqa: ASYNC251  (that is what it is for)

    await asyncio.create_task(_library(work))


async def _library(work: Any) -> None:
    await work()


@pytest.mark.parametrize("ping", [_sleep_for_ping, _sleep_in_a_library])
async def test_who_calls_is_not_cancelled(graph_of: GraphOf, ping: Any) -> None:
    """Nobody has cancelled the caller: the call has failed, and says whose fault it is."""

    class Calling(Pinger):
        pass

    Calling.ping = _of("a", ping)  # type: ignore[method-assign]
    graph, other = _reloaded(graph_of, Offer(making(Calling)))
    async with Stack(graph, _SHORT) as stack:
        reload = asyncio.create_task(stack.apply(other))
        await until(lambda: stack.status()[_B] is State.STOPPING)
        error = r"^'provider:a/one' held the event loop for longer than it may$"
        with pytest.raises(LoopHeldError, match=error):
            await stack["a"].ping()
        assert cast("asyncio.Task[Any]", asyncio.current_task()).cancelling() == 0
        await reload


@pytest.mark.parametrize("step", [NodeStopping, NodeStopped])
async def test_background_work_that_is_cut_off_has_failed(
    graph_of: GraphOf, step: type[Event]
) -> None:
    """Its provider does not go on without it: it is told, and started again.

    It is cut off while a node of a reload stops, and where the next step waits for its turn.
    """
    made: list[Pinger] = []
    begins = asyncio.Event()

    async def create(config: object, deps: object) -> Pinger:
        made.append(one := Pinger())
        cast("Any", one).task = asyncio.create_task(work(is_first=len(made) == 1))
        return one

    async def work(*, is_first: bool) -> None:
        await begins.wait()
        if is_first:
            _sleep()

    graph, other = _reloaded(graph_of, Offer(create))
    stack = Stack(graph, replace(_SHORT, restart_delay=0))
    stack.events.subscribe(lambda event: begins.set() if isinstance(event, step) else None)
    async with stack:
        await stack.apply(other)
        await until(lambda: len(made) == 2 and stack.status()[_A] is State.READY)
    [failed] = told(stack.events, NodeTaskFailed)
    assert str(failed.error) == "'provider:a/one' held the event loop for longer than it may"


async def test_the_program_itself_is_let_be(graph_of: GraphOf) -> None:
    """What it calls of a provider's module is its own affair, however long that takes."""
    graph, other = _reloaded(graph_of, Offer())
    async with Stack(graph, _SHORT) as stack:
        reload = asyncio.create_task(stack.apply(other))
        await until(lambda: stack.status()[_B] is State.STOPPING)
        _of("a", _hold_shortly)()
        await reload


def _hold_shortly() -> None:
    time.sleep(0.8)


async def test_an_order_to_end_is_over_with_what_it_ended(graph_of: GraphOf) -> None:
    """Another stack of the same event loop goes on, and may hold that as long as before."""

    class Calling(Pinger):
        ping = _of("a", _hold_for_ping)

    async with Stack(graph_of(a=Offer(making(Calling))), _SHORT) as stack:
        other = Stack(graph_of(b=Offer()), _SHORT)
        async with other.signals(), other:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
        await stack["a"].ping()


async def test_each_of_many_lets_go(graph_of: GraphOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who holds the loop after another was interrupted has not ignored that."""
    monkeypatch.setattr(loop_watch, "_GRACE", 0.2)
    ended: list[Address] = []

    async def work() -> None:
        await asyncio.sleep(0)
        _sleep()

    async def create(config: object, deps: object) -> Pinger:
        await asyncio.gather(*(work() for _ in range(10)))
        return Pinger()

    loop_watch.beyond_help.append(ended.append)
    try:
        await raised_by(Stack(graph_of(a=Offer(create)), _SHORT), StartError)
    finally:
        loop_watch.beyond_help.remove(ended.append)
    assert not ended


async def test_neighbours_have_all_their_time(graph_of: GraphOf) -> None:
    """While another holds the loop, nobody else's deadline comes nearer."""

    class Calling(Pinger):
        ping = _of("a", _hold_for_ping)

    graph = graph_of(a=Offer(making(Calling)), b=Offer(making(Slow)))
    async with Stack(graph, replace(_SHORT, stop_timeout=2, health_timeout=0.3)) as stack:
        asked = asyncio.create_task(stack.health([_B]))
        await asyncio.sleep(0.02)
        await stack["a"].ping()
        assert (await asked)[_B].message == "pong"


async def _hold_for_ping(_: object) -> None:
    time.sleep(0.6)  # noqa: ASYNC251  (that is what it is for)


async def test_nobody_is_looked_at_before_anything_runs(
    graph_of: GraphOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the stack itself takes until then, on a busy machine, ends no watching."""

    def slow(*args: Any) -> Any:
        time.sleep(0.3)
        return NodeRunner(*args)

    monkeypatch.setattr("rungraph.engine.run.lifecycle.NodeRunner", slow)

    class Holding(Pinger):
        async def ping(self) -> str:
            time.sleep(1)  # noqa: ASYNC251  (that is what it is for)
            return "pong"

    async with Stack(graph_of(a=Offer(making(Holding))), StackSettings()) as stack:
        await asyncio.create_task(stack["a"].ping(), name=str(_A))
        await until(lambda: told(stack.events, NodeHeldLoop))


async def test_a_timeout_of_its_own_is_not_taken_for_ours(graph_of: GraphOf) -> None:
    """What a provider says of itself is told as it says it."""

    class Ill(Pinger):
        async def health(self) -> HealthResponse:
            msg = "the GPU is silent"
            raise TimeoutError(msg)

    async with Stack(graph_of(a=Offer(making(Ill))), _SHORT) as stack:
        assert (await stack.health([_A]))[_A].message == "TimeoutError: the GPU is silent"

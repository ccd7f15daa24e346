"""A whole stack whose providers crash, fall ill, hang and block, and what its callers are told."""

from __future__ import annotations

import asyncio
import ctypes
import sys
import time
from contextlib import suppress
from typing import Any

import pytest
from tests.unit.engine.fakes import GraphOf, Offer, Pinger, making, raised_by
from tests.unit.engine.run.models import (
    FOO,
    FakeModel,
    instance,
    models_graph,
    offered,
    quick,
    state_is,
    until,
)

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.apis.models import Model
from rungraph.engine.errors import (
    NotRunningError,
    RestartingError,
    StartError,
    StopError,
    UnavailableResourceError,
)
from rungraph.engine.events import NodeGivenUp, NodeHeldLoop, NodeNotBound, NodeReady, State
from rungraph.engine.run import health, loop_watch
from rungraph.engine.run.errors import RunError
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.engine.waiting import awaited
from rungraph.graph import Address


def _stack(**settings: Any) -> Stack:
    """Return a stack of two providers of one model each."""
    return Stack(models_graph("foo", "bar"), quick(**settings))


async def test_a_crashed_provider_comes_back_with_its_registrations() -> None:
    """Callers of the same router are told to wait, and then reach the new instance."""
    async with _stack() as stack:
        call = stack["inference"].chat_completion
        await stack["models"].register_model(Model(identifier="mine", provider_id="foo"))
        assert await call("foo-model", []) == await call("mine", [])
        old = instance("foo")
        old.crash()
        await state_is(stack, FOO, State.RESTARTING)
        for name in ("foo-model", "mine", "foo/mine"):
            with pytest.raises(UnavailableResourceError, match=r"which is being restarted; retry"):
                await call(name, [])
        with pytest.raises(RestartingError, match=r"is being restarted; retry after \d"):
            _ = stack[FOO]
        assert await call("bar-model", []) == 0
        await state_is(stack, FOO, State.READY)
        new = instance("foo")
        await until(lambda: "mine" in offered(stack))
        assert new is not old
        assert await call("foo-model", []) == await call("mine", []) == 2
        assert offered(stack) == {"foo-model", "bar-model", "mine"}


async def test_from_a_crash_to_its_replacement_every_call_is_told_to_come_again() -> None:
    """Also while it shuts down, while it starts, and while nobody knows yet what it serves."""
    slow = models_graph("foo", foo={"serves": "foo-model", "takes": 0.05})
    reasons: list[str] = []
    waits: list[float | None] = []
    async with Stack(slow, quick()) as stack:
        instance("foo").crash()
        await state_is(stack, FOO, State.STOPPING)
        with pytest.raises(RestartingError, match=r"retry after 1\.00 s"):
            _ = stack[FOO]
        answer = None
        while answer is None:
            try:
                answer = await stack["inference"].chat_completion("foo-model", [])
            except UnavailableResourceError as error:
                reasons.append(error.reason.partition("; retry after ")[0])
                waits.append(error.retry_after)
            await asyncio.sleep(0.005)
    assert answer == 1
    assert None not in waits
    assert list(dict.fromkeys(reasons)) == [
        "is on 'foo', which is being restarted",
        "is on 'foo', which is starting",
        "is on 'foo', which is being asked what it serves",
    ]


async def test_what_is_unhealthy_is_not_offered_until_it_is_well() -> None:
    """Bad answers in a row take what a provider serves out of the table, good ones back in."""
    async with _stack(health_interval=0.01, health_failures=2) as stack:
        kept = stack[FOO]
        instance("foo").status = HealthStatus.ERROR
        await state_is(stack, FOO, State.DEGRADED)
        with pytest.raises(UnavailableResourceError, match="'foo', which is unhealthy: no GPU"):
            await stack["inference"].chat_completion("foo-model", [])
        assert [one.provider_id for one in await stack["models"].list_models()] == ["bar"]
        instance("foo").status = HealthStatus.OK
        await state_is(stack, FOO, State.READY)
        await until(lambda: len(offered(stack)) == 2)
        assert await stack["inference"].chat_completion("foo-model", []) == 1
    with pytest.raises(NotRunningError, match=r"^'provider:inference/foo' has stopped$"):
        await kept.chat_completion("foo-model", [])


async def test_what_is_unhealthy_is_asked_more_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is offered again by the time that callers who are told to come again do."""
    monkeypatch.setattr(health, "_ILL_SECONDS", 0.001)
    often = {"health_interval": 1.0, "health_failures": 1, "health_successes": 100}
    async with asyncio.timeout(60), _stack(**often) as stack:
        instance("foo").status = HealthStatus.ERROR
        await state_is(stack, FOO, State.DEGRADED)
        instance("foo").status = HealthStatus.OK
        await state_is(stack, FOO, State.READY)


async def test_what_comes_up_late_is_asked_how_it_is_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that failed with the start of the stack counts from when it runs."""
    module = sys.modules["rungraph_fake_models"]
    create, tries = vars(module)["get_provider_impl"], iter(range(9))

    async def create_in_vain_at_first(config: Any, deps: object) -> Any:
        if config["serves"] == "foo-model" and next(tries) == 0:
            raise ConnectionError
        return await create(config, deps)

    monkeypatch.setattr(module, "get_provider_impl", create_in_vain_at_first)
    stack = _stack(on_failure="degrade", health_interval=0.01, health_failures=1)
    with suppress(StopError):  # Which tells of the first failure.
        async with stack:
            assert stack.status()[FOO] is not State.READY
            await state_is(stack, FOO, State.READY)
            instance("foo").status = HealthStatus.ERROR
            await state_is(stack, FOO, State.DEGRADED)
            assert stack.unhealthy == {FOO: "no GPU"}


async def test_a_question_that_ignores_being_given_up_holds_up_no_stop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long a provider may take to say how it is."""
    asked = asyncio.Event()

    async def health_of(self: FakeModel) -> HealthResponse:
        asked.set()
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()

    monkeypatch.setattr(FakeModel, "health", health_of)
    async with asyncio.timeout(60), _stack(health_interval=0.01, health_timeout=600):
        await asked.wait()


async def test_how_a_provider_was_is_nothing_to_the_one_in_its_place() -> None:
    """Nothing is known of a new instance until it is asked, whoever has made it."""
    async with _stack(health_interval=0.3, health_failures=1) as stack:
        instance("foo").status = HealthStatus.ERROR
        await state_is(stack, FOO, State.DEGRADED)
        assert stack.unhealthy == {FOO: "no GPU"}
        await stack.apply(models_graph("foo", "bar", foo={"serves": "other-model"}))
        assert (stack.unhealthy, offered(stack)) == ({}, {"other-model", "bar-model"})


async def test_what_waits_for_a_restart_says_so_and_what_waits_in_vain_says_that(
    graph_of: GraphOf,
) -> None:
    """What needs a provider is told of by how that is; what it has been handed stays good."""
    starts = iter([True, False, True, False])
    groups: list[asyncio.TaskGroup] = []

    async def create(config: object, deps: Any) -> Any:
        if not next(starts):
            raise ConnectionError
        groups.append(await asyncio.TaskGroup().__aenter__())
        return Closing(config, deps)

    class Closing(Pinger):
        async def shutdown(self) -> None:
            await groups[-1].__aexit__(None, None, None)

    async def crash() -> None:
        raise ConnectionError

    async def check_refused(kind: type[Exception], text: str) -> None:
        for call in (lambda: stack["b"], kept.ping):
            with pytest.raises(kind, match=f"b/one' {text}"):
                await awaited(call())

    graph = graph_of(a=Offer(create), b=Offer(needs=("a",)), user=Offer(uses=("a",)))
    settings = quick(restart_delay=0.2, restart_limit=3, on_failure="degrade")
    a, b = Address.provider("a", "one"), Address.provider("b", "one")
    stack = await Stack(graph, settings).__aenter__()
    kept = stack["b"]
    groups[-1].create_task(crash())
    await state_is(stack, b, State.SKIPPED)
    await state_is(stack, a, State.RESTARTING)
    await check_refused(RestartingError, "is being restarted; retry after")
    health = (await stack.health([b]))[b].message
    assert health == "'provider:b/one' does not run: it is being restarted"
    await state_is(stack, b, State.READY)
    assert await kept.ping() == await stack["user"].deps["a"].ping() == "pong"
    assert not [one for one in stack.events if isinstance(one, NodeNotBound)]
    groups[-1].create_task(crash())
    await until(lambda: any(isinstance(one, NodeGivenUp) for one in stack.events))
    await check_refused(NotRunningError, "does not run: it needs 'provider:a/one', which failed")
    with pytest.raises(StopError):
        await stack.__aexit__(None, None, None)


CALLEES = pytest.mark.parametrize("callee", ["inference", FOO], ids=str)
"""Who is called: the router, or the provider itself."""


@CALLEES
async def test_calls_that_run_may_end_before_their_provider_stops(callee: Any) -> None:
    """A stop waits for them; no new ones come in, whoever has kept what it calls."""
    async with _stack(stop_timeout=20) as stack:
        foo, kept = instance("foo"), stack[callee]
        foo.answers.clear()
        call = asyncio.create_task(kept.chat_completion("foo-model", []))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.05, foo.answers.set)
    assert await call == 1
    assert foo.shutdowns == 1
    with pytest.raises(NotRunningError, match=r"' has stopped$"):
        await kept.chat_completion("foo-model", [])


@CALLEES
@pytest.mark.parametrize("is_limited", [False, True])
async def test_calls_that_do_not_end_are_ended_with_the_truth(
    callee: Any, is_limited: bool
) -> None:
    """After the drain, or what is left of it, all raise that their provider was stopped."""
    patience = {"drain_timeout": 600 if is_limited else 0.05, "stop_timeout": 2000}
    async with _stack(**patience) as stack:
        foo, chat = instance("foo"), stack[callee].chat_completion
        stream, idle = [await chat("foo-model", [], stream=True) for _ in range(2)]
        foo.answers.clear()
        assert await anext(stream) == await anext(idle) == 1
        call = asyncio.create_task(chat("foo-model", []))
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        if is_limited:
            stack.limit_drain(-1)
    for work in (call, step, anext(idle)):
        with pytest.raises(NotRunningError, match="foo' was stopped before the call had ended"):
            await work
    assert call.cancelling() == 0


@pytest.mark.parametrize("limits", [None, {"concurrent_calls": 1}])
async def test_a_kill_ends_the_calls_too(limits: Any) -> None:
    """Those that run fail at once, and so do all to come, whoever has kept what it calls."""
    stack = Stack(models_graph("foo", limits=limits), quick())
    await stack.__aenter__()
    kept = [stack["inference"], stack[FOO]]
    instance("foo").answers.clear()
    calls = [asyncio.ensure_future(one.chat_completion("foo-model", [])) for one in kept]
    await asyncio.sleep(0.01)
    stack.kill()
    with pytest.raises(StopError):
        await stack.__aexit__(None, None, None)
    calls += [asyncio.ensure_future(one.chat_completion("foo-model", [])) for one in kept]
    done, running = await asyncio.wait(calls, timeout=5)
    assert not running
    assert {type(one.exception()) for one in done} == {NotRunningError}


async def test_a_crash_right_after_a_restart_is_restarted_like_any() -> None:
    """Also while the restart still hands the new instance to others."""
    async with _stack(restart_delay=0, restart_limit=50) as stack:
        for _ in range(5):
            before = instance("foo")
            before.crash()
            while instance("foo") is before or stack.status()[FOO] is not State.READY:  # noqa: ASYNC110
                await asyncio.sleep(0)
        assert stack.status()[FOO] is State.READY


async def test_a_provider_that_stays_failed_ends_the_stack() -> None:
    """The block is cancelled, and the error names the provider instead."""

    async def run() -> None:
        async with _stack(restart_limit=0):
            instance("foo").crash()
            await asyncio.sleep(60)

    with pytest.raises(RunError, match="foo' has failed again after 0 restarts") as caught:
        await run()
    assert caught.value.failure.address == FOO
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


class Blocking(Pinger):
    """Holds the event loop when it stops."""

    async def shutdown(self) -> None:
        time.sleep(1)  # noqa: ASYNC251  (that is what it is for)


async def _blocking(config: object, deps: object) -> Pinger:
    time.sleep(1)  # noqa: ASYNC251  (that is what it is for)
    return Pinger()


async def _keeping_all(config: object, deps: object) -> Pinger:
    ctypes.PyDLL(None).usleep(1_000_000)
    return Pinger()


async def _slow(config: object, deps: object) -> Pinger:
    await asyncio.sleep(0.1)
    return Pinger()


@pytest.mark.parametrize("create", [_blocking, _keeping_all])
async def test_who_holds_the_loop_is_named_and_nobody_else(graph_of: GraphOf, create: Any) -> None:
    """A neighbour whose deadline passed while it could not run is given the time back.

    So it is when not even the thread that watches could run.
    """
    graph = graph_of(a=Offer(create), b=Offer(_slow))
    settings = StackSettings(start_timeout=0.5)
    stack = Stack(graph, settings)
    error = await raised_by(stack, StartError)
    a = Address.provider("a", "one")
    assert [failure.address for failure in error.failures] == [a]
    held = "did not start within 0.5 s: it held the event loop, so nothing else could run"
    assert held in str(error)
    assert {event.address for event in stack.events if isinstance(event, NodeHeldLoop)} <= {a}


async def test_who_holds_the_loop_is_named_while_it_goes_on(
    graph_of: GraphOf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It may never let go; until it does, no event can tell."""
    monkeypatch.setattr(loop_watch, "_WORTH_WARNING", 0.2)
    named: list[str] = []

    async def create(config: object, deps: object) -> Pinger:
        time.sleep(1)  # noqa: ASYNC251  (that is what it is for)
        named.extend(caplog.messages)
        return Pinger()

    async with Stack(graph_of(a=Offer(create)), quick()):
        assert named[0].startswith("provider:a/one has held the event loop for 0 s")
        assert len(named) < 5  # Of some twenty looks.


async def test_a_stop_that_blocks_beyond_its_deadline_is_no_good_stop(graph_of: GraphOf) -> None:
    """Nobody could cut it short, but it is named; what stops beside it is not."""
    graph = graph_of(a=Offer(making(Blocking)), b=Offer(making(Pinger)))
    stack = Stack(graph, StackSettings(stop_timeout=0.5))
    with pytest.raises(StopError) as caught:
        async with stack:
            assert any(isinstance(event, NodeReady) for event in stack.events)
    assert [str(failure.address) for failure in caught.value.failures] == ["provider:a/one"]
    assert stack.status()[Address.provider("a", "one")] is State.STOP_FAILED

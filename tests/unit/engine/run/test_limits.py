"""Calls end in time, so many run at a time, and whoever comes too late is told so at once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from tests.unit.engine.run.models import FakeModel, instance, models_graph, quick, until

from rungraph.engine.errors import BackgroundError, NotRunningError
from rungraph.engine.routing import limited
from rungraph.engine.routing.errors import BusyError, CallTimeoutError
from rungraph.engine.run.stack import Stack
from rungraph.engine.server.failures import failure_of
from rungraph.graph import compile_config
from rungraph.graph.limits import Limits
from rungraph.graph.reload import Action


def _stack(**limits: float) -> Stack:
    return Stack(models_graph("foo", limits=limits), quick())


async def _chat(stack: Stack, **more: Any) -> Any:
    return await stack["inference"].chat_completion("foo-model", [], **more)


def _headers(error: Exception) -> tuple[int, dict[bytes, bytes]]:
    failure = failure_of(error, "req_1", str)
    return failure.status, dict(failure.headers)


class Deaf(FakeModel):
    """Ignores being cancelled."""

    async def chat_completion(self, model: str, messages: Any, **more: Any) -> Any:
        while not self.answers.is_set():
            try:
                await self.answers.wait()
            except asyncio.CancelledError:
                continue
        return "late"


class DeafStream(FakeModel):
    """Ignores being cancelled once its stream has begun."""

    async def stream(self) -> Any:
        yield 1
        while not self.answers.is_set():
            with suppress(asyncio.CancelledError):
                await self.answers.wait()


class UndeterredStream(FakeModel):
    """Goes on with its stream after it has been cancelled."""

    async def stream(self) -> Any:
        yield 1
        while True:
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            yield 2


async def test_a_call_ends_in_time_whatever_its_provider_does() -> None:
    """Also one that ignores being cancelled; a stream that has begun is no such call."""
    async with _stack(call_timeout=0.05) as stack:
        foo = instance("foo")
        assert await _chat(stack) == 0
        foo.answers.clear()
        late = r"^'provider:inference/foo' did not answer within 0.05 s$"
        with pytest.raises(CallTimeoutError, match=late) as caught:
            await _chat(stack)
        assert _headers(caught.value)[0] == 504
        foo.__class__ = Deaf
        with pytest.raises(CallTimeoutError, match=late):
            await _chat(stack)


async def test_a_stream_ends_in_time_whatever_its_provider_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its caller has waited for as long as was said, and waits for no end of it on top."""
    monkeypatch.setattr(limited, "_GRACE_SECONDS", 3600)
    async with _stack(idle_timeout=0.05) as stack:
        foo = instance("foo")
        foo.__class__ = DeafStream
        stream = await _chat(stack, stream=True)
        assert await anext(stream) == 1
        foo.answers.clear()
        with pytest.raises(CallTimeoutError, match="did not send more of its stream within"):
            async with asyncio.timeout(60):
                await anext(stream)
        foo.answers.set()


async def _cancelled() -> None:
    (gone := asyncio.get_running_loop().create_future()).cancel()
    await gone


@pytest.mark.parametrize("limits", [{}, {"call_timeout": 5}])
async def test_a_call_that_its_provider_cancels_has_failed(
    limits: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for it is not cancelled: nobody has cancelled them."""
    async with _stack(**limits) as stack:
        monkeypatch.setattr(instance("foo").answers, "wait", _cancelled)
        why = r"^the call has failed: 'provider:inference/foo' cancelled it$"
        with pytest.raises(BackgroundError, match=why):
            await _chat(stack)
        task = asyncio.create_task(_chat(stack))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_stream_has_limits_for_its_first_chunk_and_its_pauses() -> None:
    """Its whole length has none, unless it is given."""
    limits = {"first_chunk_timeout": 0.05, "idle_timeout": 0.06}
    async with _stack(**limits) as stack:
        foo = instance("foo")
        foo.answers.clear()
        with pytest.raises(CallTimeoutError, match=r"did not begin its stream within 0.05 s$"):
            await _chat(stack, stream=True)
        foo.answers.set()
        stream = await _chat(stack, stream=True)
        assert [await anext(stream) for _ in range(100)] == [1] * 100
        foo.answers.clear()
        with pytest.raises(CallTimeoutError, match=r"send more of its stream within 0.06 s$"):
            await anext(stream)
    async with _stack(stream_timeout=0.05, idle_timeout=5) as stack:
        stream = await _chat(stack, stream=True)
        with pytest.raises(CallTimeoutError, match=r"did not end its stream within 0.05 s$"):
            [item async for item in stream]


async def test_calls_wait_for_their_turn_and_no_more_than_so_many() -> None:
    """The first that finds the queue full is refused; all others have their turn in order."""
    async with _stack(concurrent_calls=2, queued_calls=1) as stack:
        foo = instance("foo")
        foo.answers.clear()
        calls = [asyncio.create_task(_chat(stack)) for _ in range(4)]
        await until(calls[3].done)
        error = calls[3].exception()
        assert isinstance(error, BusyError)
        assert str(error) == "'provider:inference/foo' is busy: 2 running, 1 waiting"
        assert _headers(error) == (429, {b"x-should-retry": b"true", b"retry-after": b"1"})
        foo.answers.set()
        assert await asyncio.gather(*calls[:3]) == [0, 0, 0]


async def test_a_refusal_tells_how_long_one_would_wait() -> None:
    """It is known once a call has ended."""
    async with _stack(concurrent_calls=1, queued_calls=0) as stack:
        await _chat(stack)
        instance("foo").answers.clear()
        call = asyncio.create_task(_chat(stack))
        await asyncio.sleep(0.01)
        with pytest.raises(BusyError, match=r"1 running, 0 waiting; retry after .* m?s$"):
            await _chat(stack)
        call.cancel()
    known = BusyError("p", 1, 0, retry_after=41.2)
    assert _headers(known)[1][b"retry-after"] == b"42"


async def test_a_call_that_waits_too_long_for_its_turn_is_refused() -> None:
    """The provider is not blamed for what it never got."""
    async with _stack(concurrent_calls=1, first_chunk_timeout=0.05) as stack:
        instance("foo").answers.clear()
        call = asyncio.create_task(_chat(stack))
        await asyncio.sleep(0.01)
        with pytest.raises(BusyError, match=r"1 running, 1 waiting$"):
            await _chat(stack, stream=True)
        instance("foo").answers.set()
        assert await call == 0
        assert await _chat(stack) == 0


@pytest.mark.parametrize("leave", ["close", "forget", "never begin"])
async def test_a_stream_that_nobody_reads_any_more_gives_its_place_free(leave: str) -> None:
    """Closed, left in the middle, or not begun at all."""
    async with _stack(concurrent_calls=1) as stack:
        stream = await _chat(stack, stream=True)
        if leave != "never begin":
            assert await anext(stream) == 1
        if leave == "close":
            await stream.aclose()
        del stream
        async with asyncio.timeout(10):
            assert await _chat(stack) == 0


async def test_a_call_that_is_given_up_gives_its_place_free() -> None:
    """While it runs, and while it waits for its turn."""
    async with _stack(concurrent_calls=1) as stack:
        foo = instance("foo")
        foo.answers.clear()
        running, waiting = (asyncio.create_task(_chat(stack)) for _ in range(2))
        await asyncio.sleep(0.01)
        waiting.cancel()
        running.cancel()
        await asyncio.wait([running, waiting])
        foo.answers.set()
        async with asyncio.timeout(10):
            assert await _chat(stack) == 0


async def test_calls_with_limits_are_drained_and_ended_like_others() -> None:
    """Running ones, waiting ones and streams raise that their provider was stopped."""
    graph = models_graph("foo", limits={"concurrent_calls": 2})
    async with Stack(graph, quick(drain_timeout=0.05)) as stack:
        stream = await _chat(stack, stream=True)
        assert await anext(stream) == 1
        instance("foo").answers.clear()
        calls = [asyncio.create_task(_chat(stack)) for _ in range(2)]
        await asyncio.sleep(0.01)
    for work in (*calls, anext(stream)):
        with pytest.raises(NotRunningError, match="foo' was stopped before the call had ended"):
            await work


async def test_other_limits_are_taken_without_a_restart() -> None:
    """None, then some, then none: each call has those that there are when it begins."""
    async with Stack(models_graph("foo"), quick()) as stack:
        foo = instance("foo")
        steps = await stack.apply(models_graph("foo", limits={"call_timeout": 0.05}))
        assert Action.RESTART not in {step.action for step in steps.values()}
        foo.answers.clear()
        with pytest.raises(CallTimeoutError):
            await _chat(stack)
        await stack.apply(models_graph("foo"))
        call = asyncio.create_task(_chat(stack))
        asyncio.get_running_loop().call_later(0.1, foo.answers.set)
        assert await call == 0
        assert instance("foo") is foo


def test_a_provider_has_its_own_limits_and_those_of_its_api() -> None:
    """What the provider says counts more."""
    entry = {"provider_id": "w", "provider_type": "inline::wordllama"}
    own = {**entry, "provider_id": "v", "limits": {"call_timeout": 60, "concurrent_calls": 2}}
    limits = {"inference": {"call_timeout": 30, "idle_timeout": 9.5}}
    graph = compile_config(
        {"limits": limits, "providers": {"inference": [entry, own]}}, environment={}
    )
    found = {one.name: getattr(node, "limits", None) for one, node in graph.nodes.items()}
    assert found["w"] == Limits(call_timeout=30, idle_timeout=9.5)
    assert found["v"] == Limits(call_timeout=60, idle_timeout=9.5, concurrent_calls=2)


async def test_a_reload_lets_those_run_that_wait() -> None:
    """At once, not when a call ends that may take for ever."""
    async with _stack(concurrent_calls=1) as stack:
        foo = instance("foo")
        foo.answers.clear()
        long = asyncio.create_task(_chat(stack))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(_chat(stack))
        await asyncio.sleep(0.01)
        foo.answers = asyncio.Event()
        foo.answers.set()
        assert not waiting.done()
        await stack.apply(models_graph("foo", limits={"concurrent_calls": 2}))
        assert await waiting == 0
        assert not long.done()
        long.cancel()


def test_limits_that_make_no_sense_are_told() -> None:
    """Each with what would."""
    wrong = {
        "call_timeout": 0,
        "idle_timeout": float("nan"),
        "concurrent_calls": 0,
        "stream_timeout": "long",
        "queued_call": 1,
    }
    entry = {"provider_id": "w", "provider_type": "inline::wordllama"}
    alone = {**entry, "provider_id": "v", "limits": {"queued_calls": 3}}
    graph = compile_config(
        {
            "limits": {"inferense": {}},
            "providers": {"inference": [{**entry, "limits": wrong}, alone]},
        },
        environment={},
    )
    at = "'providers.inference[0].limits"
    assert sorted(one.message for one in graph.diagnostics if one.code != "R001") == [
        f"{at}.call_timeout' must be a number from 0.001 to 1000000000",
        f"{at}.concurrent_calls' must be an integer from 1 to 1000000000",
        f"{at}.idle_timeout' must be a number from 0.001 to 1000000000",
        f"{at}.stream_timeout' must be a number, not text",
        "'queued_calls' does nothing without 'concurrent_calls'",
        "unknown key 'inferense'",
        "unknown key 'queued_call'",
    ]


async def test_a_stream_that_goes_on_after_its_caller_has_gone_gives_its_place_back() -> None:
    """Nobody asks it for more, so nothing else would end it."""
    async with _stack(concurrent_calls=1, idle_timeout=0.05) as stack:
        instance("foo").__class__ = UndeterredStream
        for _ in range(2):
            async with asyncio.timeout(10):
                stream = await _chat(stack, stream=True)
            assert await anext(stream) == 1
            with pytest.raises(CallTimeoutError):
                await anext(stream)

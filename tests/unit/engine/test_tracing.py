"""Tracing: spans of calls and starts, told through the telemetry API, harming nothing."""

from __future__ import annotations

import asyncio
import gc
import inspect
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest
from tests.unit.engine.fakes import Telemetry
from tests.unit.engine.routing.routed import Table, router_of
from tests.unit.engine.run.models import until

from rungraph.engine.apis.inference import Inference
from rungraph.engine.apis.telemetry import (
    SpanEndPayload,
    SpanStartPayload,
    SpanStatus,
    StructuredLogEvent,
)
from rungraph.engine.errors import UnknownResourceError
from rungraph.engine.provider import SpanEvent
from rungraph.engine.tracing import Tracer, current_trace_id, traced


class Provider:
    """A provider of inference that says in which trace it was called."""

    def __init__(self) -> None:
        self.trace_ids: list[str | None] = []
        self.nested: Any = None

    async def embeddings(self, model: str, contents: Any) -> Any:
        self.trace_ids.append(current_trace_id())
        if not contents:
            msg = "nothing to embed: secret"
            raise ValueError(msg)
        return model, contents

    async def completion(self, model: str, content: str, stream: Any = False, **_: Any) -> Any:
        if stream:
            return self.letters(content)
        return await self.nested.embeddings(model="small", contents=[model, content])

    async def letters(self, content: str) -> AsyncGenerator[str, str | None]:
        for letter in content:
            self.trace_ids.append(current_trace_id())
            if letter == "!":
                msg = "lost"
                raise ConnectionError(msg)
            sent = yield letter
            if sent is not None:
                yield sent


@pytest.fixture
def provider() -> Provider:
    """A provider of inference."""
    return Provider()


def traced_router(provider: Provider, dependencies: dict[str, object]) -> Any:
    """Return a router of one model, ``small``, of *provider*."""
    table = Table(foo=provider)
    table.serve("small", "foo", "org/small")
    return router_of(table, dependencies=dependencies)


@pytest.fixture
def router(provider: Provider, telemetry: Telemetry) -> Any:
    """A traced router of that provider."""
    return traced_router(provider, {"telemetry": telemetry})


async def test_a_call_is_a_span(router: Any, provider: Provider, telemetry: Telemetry) -> None:
    """It has the call's name, what it was about, and covers the provider's code."""
    assert await router.embeddings("foo/small", ["x"]) == ("org/small", ["x"])
    await router.shutdown()
    span = telemetry.named("inference.embeddings")
    assert span.attributes == {
        "api": "inference",
        "method": "embeddings",
        "resource": "small",
        "provider_id": "foo",
        "route": "router:inference > provider:inference/foo",
    }
    assert span.parent is None
    assert span.status is SpanStatus.OK
    assert span.end is not None
    assert span.start <= span.end
    assert provider.trace_ids == [span.trace_id]
    assert current_trace_id() is None
    assert (len(span.trace_id), len(span.span_id)) == (32, 16)


async def test_a_traced_router_still_looks_like_its_protocol(router: Any) -> None:
    """Signature, route and kind of function are the method's."""
    assert list(inspect.signature(router.embeddings).parameters) == ["model", "contents"]
    assert router.embeddings.__route__ == Inference.embeddings.__route__  # type: ignore[attr-defined]
    assert inspect.iscoroutinefunction(router.embeddings)


async def test_without_telemetry_nothing_is_wrapped(provider: Provider) -> None:
    """Binding another API changes nothing; binding telemetry traces from then on."""
    router = traced_router(provider, {"x": 1})
    plain = router.embeddings
    router.bind("safety", object())
    assert router.embeddings is plain
    await router.embeddings("small", ["x"])
    assert provider.trace_ids == [None]
    router.bind("telemetry", Telemetry())
    await router.embeddings("small", ["x"])
    assert provider.trace_ids[1] is not None
    await router.shutdown()


@pytest.mark.parametrize(
    ("model", "error", "text"),
    [("small", ValueError, "nothing to embed"), ("tiny", UnknownResourceError, "'tiny' is not")],
)
async def test_a_failed_call_is_a_failed_span(
    router: Any, telemetry: Telemetry, model: str, error: type[Exception], text: str
) -> None:
    """The error is the caller's as it was; the span has its type, not its text, and the name."""
    with pytest.raises(error, match=text):
        await router.embeddings(model=model, contents=[])
    await router.shutdown()
    span = telemetry.named("inference.embeddings")
    assert (span.status, span.attributes["resource"]) == (SpanStatus.ERROR, model)
    assert span.end_attributes == {"error": error.__name__}


async def test_nested_calls_are_one_trace(
    router: Any, provider: Provider, telemetry: Telemetry
) -> None:
    """A call that a provider makes while it is called is a child of that call's span."""
    provider.nested = router
    await asyncio.gather(router.completion("small", "a"), router.completion("small", "b"))
    await router.shutdown()
    outer = [span for span in telemetry.spans.values() if span.name == "inference.completion"]
    inner = [span for span in telemetry.spans.values() if span.name == "inference.embeddings"]
    assert len({span.trace_id for span in outer}) == 2
    assert {(span.trace_id, span.parent) for span in inner} == {
        (span.trace_id, span.span_id) for span in outer
    }


async def test_the_span_of_a_stream_ends_with_the_stream(
    router: Any, provider: Provider, telemetry: Telemetry
) -> None:
    """It is open while chunks come, and covers the provider's code between them."""
    stream = await router.completion("small", "abc", stream=True)
    assert await anext(stream) == "a"
    assert await stream.asend("sent") == "sent"
    await asyncio.sleep(0.01)
    span = telemetry.named("inference.completion")
    assert span.status is None
    assert current_trace_id() is None
    assert [letter async for letter in stream] == ["b", "c"]
    await router.shutdown()
    assert span.status is SpanStatus.OK
    assert set(provider.trace_ids) == {span.trace_id}


async def drain(stream: Any) -> None:
    """Take one chunk, and the one that fails."""
    assert await anext(stream) == "a"
    with pytest.raises(ConnectionError):
        await anext(stream)
    await stream.aclose()


async def close(stream: Any) -> None:
    """Have enough before the first chunk."""
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def close_midway(stream: Any) -> None:
    """Have enough after one chunk."""
    await anext(stream)
    await close(stream)


async def leave(stream: Any) -> None:
    """Leave the loop, and drop the stream."""
    async for _ in stream:
        break


async def throw(stream: Any) -> None:
    """Throw an error into the provider's generator."""
    await anext(stream)
    with pytest.raises(LookupError):
        await stream.athrow(LookupError("x"))


@pytest.mark.parametrize(
    ("use", "status"),
    [(drain, "error"), (close, "ok"), (close_midway, "ok"), (leave, "ok"), (throw, "error")],
)
async def test_however_a_stream_ends_so_does_its_span(
    router: Any, telemetry: Telemetry, use: Callable[[Any], Awaitable[None]], status: str
) -> None:
    """Who has enough, or leaves it, has made no error; what fails has."""
    await use(await router.completion("small", "a!", stream=True))
    gc.collect()
    await asyncio.sleep(0)
    await router.shutdown()
    assert telemetry.named("inference.completion").status == SpanStatus(status)


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (RuntimeError("disk full"), "RuntimeError: disk full"),
        (SystemExit(3), "it raised SystemExit: 3"),
        (asyncio.CancelledError(), "it cancelled itself"),
    ],
)
async def test_failing_telemetry_hurts_no_call(
    router: Any,
    telemetry: Telemetry,
    caplog: pytest.LogCaptureFixture,
    failure: BaseException,
    why: str,
) -> None:
    """What telemetry raises, whatever it is, is logged once."""
    telemetry.failure = failure
    for _ in range(3):
        assert await router.embeddings("small", ["x"]) == ("org/small", ["x"])
    with caplog.at_level(logging.WARNING):
        await router.shutdown()
    assert [record.getMessage() for record in caplog.records] == [
        f"telemetry does not take all spans: {why}"
    ]


def untold(_args: object, _kwargs: object) -> dict[str, Any]:
    """Return no attributes."""
    return {}


async def test_hanging_telemetry_holds_no_call_up(telemetry: Telemetry) -> None:
    """Calls go on, and closing takes no longer than said."""
    telemetry.gate = asyncio.Event()
    tracer = Tracer(telemetry, patience=0.01)

    async def work() -> int:
        return 1

    call = traced(work, tracer, name="work", attributes=untold, is_coroutine=True)
    assert [await call() for _ in range(10)] == [1] * 10
    await tracer.aclose()
    assert telemetry.spans == {}
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_event_that_telemetry_does_not_take_in_time_is_lost() -> None:
    """The next ones are told all the same."""
    told = asyncio.Event()

    class HangingOnce(Telemetry):
        hung = False

        async def log_event(self, event: Any) -> None:
            if not self.hung:
                self.hung = True
                await asyncio.Event().wait()
            await super().log_event(event)
            if isinstance(event.payload, SpanEndPayload):
                told.set()

    telemetry = HangingOnce()
    tracer = Tracer(telemetry, patience=0.01)
    tracer.start("lost", {})
    tracer.start("told", {}).end()
    await asyncio.wait_for(told.wait(), 5)
    await tracer.aclose()
    assert telemetry.named("told").status is SpanStatus.OK


async def test_telemetry_may_take_spans_as_they_are() -> None:
    """Then nobody makes events of them; one that it refuses is lost alone."""
    taken: list[SpanEvent] = []

    class Direct(Telemetry):
        def take_span(self, event: SpanEvent) -> None:
            taken.append(event)
            if len(taken) == 1:
                raise ValueError

    telemetry = Direct()
    tracer = Tracer(telemetry)
    span = tracer.start("work", {"api": "inference"})
    span.end(TimeoutError())
    await tracer.aclose()
    began, ended = (StructuredLogEvent(**event._asdict()) for event in taken)
    assert began.payload == SpanStartPayload(name="work")
    assert began.attributes == {"api": "inference"}
    assert ended.payload == SpanEndPayload(status=SpanStatus.ERROR)
    assert {(one.trace_id, one.span_id) for one in (began, ended)} == {span.position[:2]}
    assert telemetry.spans == {}


async def test_spans_from_outside_of_the_loop_are_told(telemetry: Telemetry) -> None:
    """A span of another thread waits for the loop, at the latest for the tracer's end."""
    tracer = Tracer(telemetry)
    await asyncio.to_thread(lambda: tracer.start("elsewhere", {}).end())
    await tracer.aclose()
    assert telemetry.named("elsewhere").status is SpanStatus.OK


async def test_spans_that_telemetry_does_not_take_are_not_kept_for_ever(
    telemetry: Telemetry,
) -> None:
    """Only so many wait; of the others, neither beginning nor end is told."""
    telemetry.gate = asyncio.Event()
    tracer = Tracer(telemetry, limit=10)
    spans = [tracer.start("work", {}) for _ in range(50)]
    telemetry.gate.set()
    await until(lambda: len(telemetry.spans) == 10)
    for span in spans:
        span.end()
    await until(lambda: all(span.status is SpanStatus.OK for span in telemetry.spans.values()))
    tracer.start("later", {}).end()
    await tracer.aclose()
    assert telemetry.ends_of_nothing == 0
    assert len(telemetry.spans) == 11
    assert telemetry.named("later").status is SpanStatus.OK


async def test_what_telemetry_calls_makes_no_spans(provider: Provider) -> None:
    """A provider of telemetry that uses a router itself does not trace its own work."""

    class Nested(Telemetry):
        router: Any = None

        async def log_event(self, event: Any) -> None:
            await super().log_event(event)
            await self.router.embeddings("small", ["x"])

    telemetry = Nested()
    router = traced_router(provider, {"telemetry": telemetry})
    telemetry.router = router
    await router.embeddings("small", ["x"])
    await router.shutdown()
    assert len(telemetry.spans) == 1
    assert len(provider.trace_ids) == 3


async def test_plain_functions_are_traced_too(telemetry: Telemetry) -> None:
    """A method that returns a value, an awaitable or an async generator at once has its span."""

    async def later(value: int) -> int:
        return value

    async def many(value: int) -> AsyncGenerator[int, None]:
        yield value

    def calls(value: int) -> Any:
        if value < 0:
            raise ValueError(value)
        return value

    tracer = Tracer(telemetry)
    options: Any = {"attributes": untold, "is_coroutine": False}
    assert await traced(later, tracer, name="later", **options)(1) == 1
    assert [item async for item in traced(many, tracer, name="many", **options)(1)] == [1]
    assert traced(calls, tracer, name="calls", **options)(1) == 1
    with pytest.raises(ValueError, match="-1"):
        traced(calls, tracer, name="fails", **options)(-1)
    await tracer.aclose()
    assert {name: telemetry.named(name).status for name in ("later", "many", "calls", "fails")} == {
        "later": SpanStatus.OK,
        "many": SpanStatus.OK,
        "calls": SpanStatus.OK,
        "fails": SpanStatus.ERROR,
    }

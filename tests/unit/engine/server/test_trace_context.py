"""W3C trace context: taken from callers, handed on to upstreams, in both lanes."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from tests.asgi import app_of, ask
from tests.builders import entry
from tests.unit.engine.fakes import Telemetry
from tests.wire import Reply, Request, Wire, serve

from rungraph.engine.run.stack import Stack
from rungraph.engine.server.app import ServerSettings
from rungraph.engine.tracing import begin_call, current_trace_id, headers_of_trace
from rungraph.graph import compile_config

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
USER = [{"role": "user", "content": "hi"}]
ANSWER = {"choices": [{"message": {"role": "assistant", "content": "ho"}, "finish_reason": "stop"}]}


def parent(flags: str = "01") -> dict[str, str]:
    """Return the header of a caller that is in a trace."""
    return {"traceparent": f"00-{TRACE}-{SPAN}-{flags}"}


@pytest.fixture
async def wire() -> AsyncGenerator[Wire]:
    """An upstream that records what it is asked."""

    def answer(request: Request) -> Reply:
        return Reply() if request.method == "GET" else Reply(ANSWER)

    async with serve(answer) as found:
        yield found


@pytest.fixture
def stack(wire: Wire) -> Stack:
    """A stack with a model of that upstream; not started yet."""
    provider = entry("far", "remote::openai", base_url=wire.base_url)
    model = {"model_id": "mine", "provider_id": "far", "provider_model_id": "small"}
    config = {"version": "2", "providers": {"inference": [provider]}, "models": [model]}
    graph = compile_config(config, environment={})
    return Stack(graph)


async def called(
    stack: Stack, path: str, headers: dict[str, str], ratio: float = 1.0, **more: Any
) -> None:
    """Chat once through a server of *stack*."""
    app = app_of(stack, ServerSettings(trace_ratio=ratio))
    asked = {"model": "mine", "messages": USER}
    answered = await ask(app, "POST", path, asked, headers=headers, **more)
    assert answered.status == 200, answered.body


OTHER = [("via", "1.1 other")]
"""Some that a request comes through write a header of their own."""
LANES = pytest.mark.parametrize("path", ["/v1/chat/completions", "/inference/chat_completion"])


@LANES
async def test_an_upstream_is_told_the_span_of_the_call(
    stack: Stack, wire: Wire, path: str
) -> None:
    """Telemetry gets one span below the caller's, with its route; the upstream is below that."""
    telemetry = Telemetry()
    async with stack:
        stack["inference"].bind("telemetry", telemetry)
        await called(stack, path, {**parent(), "tracestate": "a=1"}, again=[("tracestate", "b=2")])
    (span,) = telemetry.spans.values()
    assert (span.trace_id, span.parent) == (TRACE, SPAN)
    assert span.attributes["route"] == "router:inference > provider:inference/far"
    sent = wire.requests[-1].headers
    assert sent["traceparent"] == f"00-{TRACE}-{span.span_id}-01"
    assert sent["tracestate"] == "a=1, b=2"


@LANES
@pytest.mark.parametrize(
    ("headers", "ratio", "spans"),
    [(parent("00"), 1.0, 0), (parent("01"), 0.0, 1), ({}, 0.0, 0), ({}, 1.0, 1)],
)
async def test_callers_and_a_ratio_decide_what_is_traced(
    stack: Stack, wire: Wire, path: str, headers: dict[str, str], ratio: float, spans: int
) -> None:
    """A caller's flag counts, and the ratio where there is none; upstreams are told the same."""
    telemetry = Telemetry()
    async with stack:
        stack["inference"].bind("telemetry", telemetry)
        await called(stack, path, headers, ratio)
    assert len(telemetry.spans) == spans
    sent = wire.requests[-1].headers.get("traceparent", "00")
    assert sent.endswith("01" if spans else "00")


@LANES
async def test_without_telemetry_the_context_is_handed_on(
    stack: Stack, wire: Wire, path: str
) -> None:
    """The caller and the upstream are still one trace; who sends nothing starts none."""
    async with stack:
        await called(stack, path, parent())
        assert wire.requests[-1].headers["traceparent"] == parent()["traceparent"]
        await called(stack, path, {})
    assert "traceparent" not in wire.requests[-1].headers


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
    ],
)
async def test_a_context_that_is_none_is_passed_over(header: str) -> None:
    """Then the call is the beginning of a trace of its own."""
    begin_call(header)
    assert (current_trace_id(), headers_of_trace()) == (None, {})


async def test_a_later_version_is_understood() -> None:
    """What a version adds at the end is passed over, and not handed on."""
    begin_call(f"01-{TRACE}-{SPAN}-03-more", "a=1")
    told: dict[str, Any] = headers_of_trace()
    assert re.fullmatch(f"00-{TRACE}-{SPAN}-01", told["traceparent"])
    begin_call()


async def test_a_request_that_comes_round_is_refused(stack: Stack, wire: Wire) -> None:
    """An upstream hears through which server a call has come; that server takes it once."""
    async with stack:
        app = app_of(stack)
        body = {"model": "mine", "messages": USER}
        await ask(app, "POST", "/v1/chat/completions", body, headers={"via": "1.1 proxy"})
        via = {name.lower(): value for name, value in wire.requests[-1].headers.items()}["via"]
        assert re.fullmatch("1.1 proxy, 1.1 rungraph-[0-9a-f]{16}", via)
        answered = await ask(
            app, "POST", "/v1/chat/completions", body, headers={"via": via}, again=OTHER
        )
    assert answered.status == 508
    assert answered.error == {
        "message": "this stack is behind itself: a call would never end",
        "type": "server_error",
        "param": None,
        "code": None,
    }

"""``remote::openai`` against servers that refuse, break off, fall silent or are gone."""

from __future__ import annotations

import asyncio

import pytest
from tests.contract.openai_calls import ANSWER, HELLO, answering, chat, piece, stream, take
from tests.wire import Reply, Request, serve, sse

from rungraph.engine.apis.common import HealthStatus
from rungraph.engine.errors import RateLimitError
from rungraph.engine.providers.openai_client import OpenAIClient
from rungraph.engine.providers.remote.openai.config import OpenAIConfig
from rungraph.engine.providers.remote.openai.provider import OpenAIProvider, get_adapter_impl


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ValueError),
        (404, ValueError),
        (408, TimeoutError),
        (413, ValueError),
        (422, ValueError),
        (429, ConnectionError),
        (500, ConnectionError),
        (501, NotImplementedError),
        (503, ConnectionError),
        (504, TimeoutError),
    ],
)
async def test_http_errors(status: int, error: type[Exception], *, streaming: bool) -> None:
    """A refusal is the fitting error, raised by the call itself, with the server's own words."""
    reply = Reply({"error": {"message": "the model says no"}}, status)
    async with answering(lambda _: reply) as (provider, wire):
        with pytest.raises(error) as caught:
            await provider.chat_completion("small", HELLO, stream=streaming)
    assert str(caught.value) == f"{wire.base_url}: the model says no ({status})"


@pytest.mark.parametrize("body", [b"<html>oops", b"[]", b'{"choices": 3}', b'{"choices": []}'])
async def test_answer_that_is_none(body: bytes) -> None:
    """An answer that makes no sense is an error of the connection that shows it."""
    async with answering(lambda _: Reply(body)) as (provider, _):
        with pytest.raises(ConnectionError, match="says what is not understood"):
            await chat(provider)


@pytest.mark.parametrize(
    ("reply", "told", "before"),
    [
        (sse(piece("hi"), "{not json"), "says what is not understood", "hi"),
        (sse(piece("hi"), {"choices": [{"delta": 3}]}), "says what is not understood", "hi"),
        (sse(piece("hi"), done=False), "the stream ended before the answer did", "hi"),
        (sse(piece("hi")), "the stream ended before the answer did", "hi"),
        (
            sse(piece("hi"), {"error": {"code": 500, "message": "out of memory"}}, done=False),
            r"out of memory \(500\)",
            "hi",
        ),
        (Reply(ANSWER), "the connection broke: .*text/event-stream", ""),
        (
            Reply(
                sse(piece("hi"), done=False).content,
                headers={"Content-Type": "text/event-stream", "Content-Length": "9999"},
            ),
            "the connection broke",
            "hi",
        ),
    ],
    ids=["not-json", "no-chunk", "cut-off", "no-end", "error-event", "no-stream", "broken"],
)
async def test_errors_in_a_stream(reply: Reply, told: str, before: str) -> None:
    """What goes wrong midway is raised where it happens; what came before it was given."""
    async with answering(lambda _: reply) as (provider, _):
        chunks = await stream(provider)
        got: list[str] = []
        with pytest.raises(ConnectionError, match=told):
            await take(chunks, got)
        assert [chunk async for chunk in chunks] == []
    assert "".join(got) == before
    # An error that comes as an event is the error that its status stands for.
    event = {"error": {"code": 400, "message": "the context is too long"}}
    async with answering(lambda _: sse(event)) as (provider, _):
        chunks = await stream(provider)
        with pytest.raises(ValueError, match=r"the context is too long \(400\)"):
            [chunk async for chunk in chunks]


async def test_a_server_that_falls_silent_in_a_whole_answer() -> None:
    """It is a timeout, as in a stream."""
    nothing = Reply(b"{", hang=True)
    async with answering(lambda _: nothing, timeout_seconds=0.2) as (provider, _):
        with pytest.raises(TimeoutError, match="silent for too long"):
            await chat(provider)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("begun", [False, True])
async def test_the_wait_for_the_first_chunk_is_a_setting_of_its_own(
    *, streaming: bool, begun: bool
) -> None:
    """A model that loads may be silent for longer than an answer in its middle, but not for ever.

    Whether the server sends the head of its answer before it loads makes no difference.
    """

    async def said(provider: OpenAIProvider) -> str:
        if not streaming:
            return str((await chat(provider)).completion_message.content)
        return "".join([str(one.event.delta) async for one in await stream(provider)])

    whole = sse(piece("hi", finish="stop")) if streaming else Reply(ANSWER)
    patience = {"timeout_seconds": 0.05, "first_chunk_timeout_seconds": 60}
    loading = Reply(whole.content, headers=whole.headers, pause=0.2, begun=begun)
    async with answering(lambda _: loading, **patience) as (provider, _):
        assert await said(provider) == "hi"
    impatience = {"timeout_seconds": 60, "first_chunk_timeout_seconds": 0.05}
    async with answering(lambda _: loading, **impatience) as (provider, _):
        with pytest.raises(TimeoutError, match="silent for too long"):
            await said(provider)


@pytest.mark.parametrize("body", [b"", b"404 page not found", {"detail": "Not Found"}, {}])
@pytest.mark.parametrize("status", [404, 405])
async def test_a_route_that_is_not_there(status: int, body: object) -> None:
    """It is named, and the base_url is only doubted where it does not end as it usually does."""
    async with answering(lambda _: Reply(body, status)) as (provider, wire):
        with pytest.raises(NotImplementedError) as caught:
            await provider.embeddings("small", ["one"])
    assert str(caught.value) == f"{wire.base_url}: the server has no route 'embeddings' ({status})"
    async with serve(lambda _: Reply(body, status)) as wire:
        url = wire.base_url.removesuffix("/v1")
        with pytest.raises(NotImplementedError) as caught:
            await get_adapter_impl(OpenAIConfig(base_url=url), {})
    assert str(caught.value).splitlines() == [
        f"{url}: the server has no route 'models' ({status})",
        "help: base_url usually ends in '/v1'",
    ]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_retries(status: int) -> None:
    """A server that is busy is asked again, when it says so, and only so often."""
    replies = [Reply(b"busy", status, {"Retry-After": "0"})] * 2 + [Reply(ANSWER)]
    async with answering(lambda _: replies.pop(0), max_retries=2) as (provider, wire):
        answer = await chat(provider)
    assert answer.completion_message.content == "hi"
    assert [request.path for request in wire.requests[1:]] == ["/v1/chat/completions"] * 3
    reply = Reply(b"busy", status, {"Retry-After": "0"})
    async with answering(lambda _: reply, max_retries=1) as (provider, wire):
        with pytest.raises((ConnectionError, TimeoutError), match=rf"busy \({status}\)"):
            await chat(provider)
    assert len(wire.requests) == 3


@pytest.mark.parametrize(("said", "known"), [("17", 17.0), ("soon", None)])
async def test_a_server_says_how_long_it_is_busy(said: str, known: float | None) -> None:
    """The error hands on the pause that the server asks for, if it is one."""
    reply = Reply(b"busy", 429, {"Retry-After": said})
    async with answering(lambda _: reply, max_retries=0) as (provider, _):
        with pytest.raises(RateLimitError) as caught:
            await chat(provider)
    assert caught.value.retry_after == known


@pytest.mark.parametrize("taken", [0, 1, 2])
async def test_early_close(taken: int) -> None:
    """Closing a stream ends the connection, whether or not any of it was taken."""
    endless = sse(piece("hi"), done=False, hang=True)
    async with answering(lambda _: endless) as (provider, wire):
        chunks = await stream(provider)
        for _ in range(taken):
            await anext(chunks)
        await chunks.aclose()
        async with asyncio.timeout(5):
            await wire.left.wait()


async def test_cancelled_call() -> None:
    """Cancelling a call ends its connection."""
    asked = asyncio.Event()

    def hang(_: Request) -> Reply:
        asked.set()
        return Reply(b"{", hang=True)

    async with answering(hang) as (provider, wire):
        call = asyncio.create_task(chat(provider))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        async with asyncio.timeout(5):
            await wire.left.wait()


async def test_health_of_a_dead_server() -> None:
    """Health is bad, with the reason, once the server is gone; nothing is raised."""
    async with serve(lambda _: Reply()) as wire:
        provider = await get_adapter_impl(OpenAIConfig(base_url=wire.base_url, max_retries=0), {})
        assert (await provider.health()).status is HealthStatus.OK
    health = await provider.health()
    await provider.shutdown()
    assert health.status is HealthStatus.ERROR
    assert health.message is not None
    assert "cannot connect" in health.message


@pytest.mark.parametrize("passed_by", ["", "far.example"])
async def test_a_proxy_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, passed_by: str
) -> None:
    """What ``HTTP_PROXY`` names is asked, with its login, unless ``NO_PROXY`` has the host."""
    async with serve(lambda _: Reply({"data": [{"id": "small"}]})) as wire:
        proxy = wire.base_url.removesuffix("/v1").replace("http://", "http://me:secret@")
        monkeypatch.setenv("http_proxy", proxy)
        monkeypatch.setenv("no_proxy", passed_by)
        client = OpenAIClient("http://far.example/v1", max_retries=0, timeout=2)
        try:
            if passed_by:
                with pytest.raises((ConnectionError, TimeoutError)):
                    await client.get("models")
                assert wire.requests == []
            else:
                await client.get("models")
                (request,) = wire.requests
                assert request.path == "http://far.example/v1/models"
                assert request.headers["proxy-authorization"] == "Basic bWU6c2VjcmV0"
        finally:
            await client.close()

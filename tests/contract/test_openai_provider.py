"""``remote::openai`` against servers that misbehave, and against a real one in another process."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr, ValidationError
from tests.real import LlamaServer, serve_llama
from tests.wire import Reply, Request, Wire, serve, sse

from rungraph.engine.apis import (
    ChatCompletionResponse,
    ChatCompletionResponseStreamChunk,
    HealthStatus,
    Message,
    Model,
    SamplingParams,
    StopReason,
    ToolCall,
    ToolCallDelta,
    ToolDefinition,
    ToolParamDefinition,
    UserMessage,
)
from rungraph.engine.providers.remote.openai.config import OpenAIConfig
from rungraph.engine.providers.remote.openai.provider import OpenAIProvider, get_adapter_impl

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

KEY = "sk-very-secret-key"
HELLO: list[Message] = [UserMessage(content="Say hi")]
STORY: list[Message] = [UserMessage(content="Write a long story about a sailor.")]
SHORT = SamplingParams(max_tokens=6)
ANSWER = {"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}


@asynccontextmanager
async def provider_of(base_url: str, **config: Any) -> AsyncGenerator[OpenAIProvider]:
    """Run a provider of the server at *base_url*."""
    options: dict[str, Any] = {"api_key": SecretStr(KEY), "max_retries": 0, **config}
    provider = await get_adapter_impl(OpenAIConfig(base_url=base_url, **options), {})
    try:
        yield provider
    finally:
        await provider.shutdown()


@asynccontextmanager
async def answering(
    answer: Callable[[Request], Reply], **config: Any
) -> AsyncGenerator[tuple[OpenAIProvider, Wire]]:
    """Run a provider and a server that answers it with what *answer* returns."""

    def models_or(request: Request) -> Reply:
        return Reply() if request.path == "/v1/models" else answer(request)

    async with serve(models_or) as wire, provider_of(wire.base_url, **config) as provider:
        yield provider, wire


async def chat(provider: OpenAIProvider, **more: Any) -> ChatCompletionResponse:
    """Return a whole answer."""
    answer = await provider.chat_completion("small", HELLO, **more)
    assert isinstance(answer, ChatCompletionResponse)
    return answer


async def stream(
    provider: OpenAIProvider, messages: Any = HELLO, **more: Any
) -> AsyncGenerator[ChatCompletionResponseStreamChunk, None]:
    """Return an answer that comes in chunks."""
    answer = await provider.chat_completion("small", messages, stream=True, **more)
    assert not isinstance(answer, ChatCompletionResponse)
    return answer


async def take(
    chunks: AsyncGenerator[ChatCompletionResponseStreamChunk, None], got: list[str]
) -> None:
    """Add the text of *chunks* to *got* as it comes."""
    async for chunk in chunks:
        got.append(str(chunk.event.delta))


def piece(content: str | None = None, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """Return one event of a streamed chat."""
    return {"choices": [{"delta": {"content": content, **delta}, "finish_reason": finish}]}


# --- starting ----------------------------------------------------------------------------------


async def test_dead_server() -> None:
    """A server that is not there is a failure to start, which names it."""
    async with serve(lambda _: Reply()) as wire:
        pass
    with pytest.raises(ConnectionError, match=f"{wire.base_url}: cannot connect"):
        async with provider_of(wire.base_url):
            pass


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_key(status: int) -> None:
    """A refused key is a failure to start; the key is not told, even if the server does."""
    refusal = Reply({"error": {"message": f"Incorrect API key: {KEY}"}}, status)
    async with serve(lambda _: refusal) as wire:
        with pytest.raises(PermissionError) as caught:
            async with provider_of(wire.base_url):
                pass
    assert str(caught.value).splitlines() == [
        f"{wire.base_url}: Incorrect API key: *** ({status})",
        "help: check the api_key of this provider",
    ]
    assert wire.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_wrong_path() -> None:
    """A server that has no such API is a failure to start, which tells how URLs usually end."""
    async with serve(lambda _: Reply(b"not here", 404)) as wire:
        with pytest.raises(ValueError, match=r"usually ends in '/v1'"):
            async with provider_of(wire.base_url):
                pass


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("localhost:8080/v1", "must be an http:// or https:// URL"),
        ("ftp://localhost/v1", "must be an http:// or https:// URL"),
        ("http://user:very-secret@localhost/v1", "must not hold credentials"),
        ("http://localhost/v1?key=very-secret", "must not have a query"),
    ],
)
def test_bad_url(url: str, told: str) -> None:
    """A URL that cannot be the start of a path is refused, and credentials in it are not told."""
    with pytest.raises(ValidationError, match=told) as caught:
        OpenAIConfig(base_url=url)
    assert "very-secret" not in str(caught.value)


def test_empty_key() -> None:
    """An empty key, as an unset variable leaves it, is none."""
    config = OpenAIConfig.model_validate({"base_url": "http://localhost/v1", "api_key": ""})
    assert config.api_key is None


# --- models ------------------------------------------------------------------------------------


async def test_models() -> None:
    """What the server serves is listed by name, aliases too; embedding models as configured."""
    models = {"data": [{"id": "vectors"}, {"id": "big", "aliases": ["big", "large"]}]}
    async with (
        serve(lambda _: Reply(models)) as wire,
        provider_of(wire.base_url, embedding_models=("vectors",)) as provider,
    ):
        listed = await provider.list_models()
    assert [(model.identifier, model.model_type) for model in listed] == [
        ("big", "llm"),
        ("large", "llm"),
        ("vectors", "embedding"),
    ]


async def test_allowed_models() -> None:
    """Models that are not allowed are neither listed nor registered."""
    models = {"data": [{"id": "big"}, {"id": "small"}]}
    async with (
        serve(lambda _: Reply(models)) as wire,
        provider_of(wire.base_url, allowed_models=("small",)) as provider,
    ):
        assert [model.identifier for model in await provider.list_models()] == ["small"]
        with pytest.raises(ValueError, match="serves no 'big'"):
            await provider.register_model(Model(identifier="big"))


async def test_registered_model() -> None:
    """A model can get another name, and is listed by it for as long as the server serves it."""
    served = ["small"]
    async with (
        serve(lambda _: Reply({"data": [{"id": name} for name in served]})) as wire,
        provider_of(wire.base_url) as provider,
    ):
        mine = Model(identifier="mine", provider_resource_id="small")
        assert await provider.register_model(mine) == mine
        assert [model.identifier for model in await provider.list_models()] == ["mine", "small"]
        served[:] = ["other"]
        assert [model.identifier for model in await provider.list_models()] == ["other"]
        await provider.unregister_model(mine)
        served[:] = ["small"]
        assert [model.identifier for model in await provider.list_models()] == ["small"]


async def test_model_that_is_not_served() -> None:
    """A model that the server does not serve is refused, with the nearest that it does."""
    async with answering(lambda _: Reply()) as (provider, wire):
        with pytest.raises(ValueError, match="serves no") as caught:
            await provider.register_model(Model(identifier="smal"))
    assert str(caught.value).splitlines() == [
        f"{wire.base_url} serves no 'smal'",
        "served: 'small'",
        "help: did you mean 'small'?",
    ]


# --- answers -----------------------------------------------------------------------------------


async def test_native_tools() -> None:
    """Tools go to the server in its own form, and its calls come back as ours."""
    call = {"id": "c1", "function": {"name": "add", "arguments": '{"a": 2, "b": 3}'}}
    message = {"content": None, "tool_calls": [call]}
    body = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
    tool = ToolDefinition(
        tool_name="add",
        description="Adds.",
        parameters={
            "a": ToolParamDefinition(param_type="int", description="one"),
            "b": ToolParamDefinition(param_type="integer", required=False, default=0),
        },
    )
    async with answering(lambda _: Reply(body)) as (provider, wire):
        answer = await chat(provider, tools=[tool], tool_choice="add")
    assert answer.completion_message.stop_reason is StopReason.END_OF_MESSAGE
    assert answer.completion_message.tool_calls == [
        ToolCall(call_id="c1", tool_name="add", arguments={"a": 2, "b": 3})
    ]
    sent = wire.requests[-1].body
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "add"}}
    assert sent["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "add",
                "description": "Adds.",
                "parameters": {
                    "type": "object",
                    "properties": {
                        "a": {"type": "integer", "description": "one"},
                        "b": {"type": "integer", "default": 0},
                    },
                    "required": ["a"],
                    "additionalProperties": False,
                },
            },
        }
    ]


async def test_streamed_tool_calls() -> None:
    """Tool calls that come in pieces are given whole in the end, each as what it is."""
    events = [
        piece(tool_calls=[{"index": 0, "id": "c1", "function": {"name": "add", "arguments": ""}}]),
        piece(tool_calls=[{"index": 0, "function": {"arguments": '{"a":'}}]),
        piece(tool_calls=[{"index": 0, "function": {"arguments": " 2}"}}]),
        piece(tool_calls=[{"index": 1, "function": {"name": "add", "arguments": '{"a": '}}]),
        piece(finish="tool_calls"),
    ]
    async with answering(lambda _: sse(*events)) as (provider, _):
        chunks = [chunk.event async for chunk in await stream(provider)]
    deltas = [each.delta for each in chunks if isinstance(each.delta, ToolCallDelta)]
    assert [(delta.content, delta.parse_status.value) for delta in deltas] == [
        ("", "started"),
        ('{"a":', "in_progress"),
        (" 2}", "in_progress"),
        ('{"a": ', "started"),
        (ToolCall(call_id="c1", tool_name="add", arguments={"a": 2}), "success"),
        ('add({"a": )', "failure"),
    ]
    assert chunks[-1].stop_reason is StopReason.END_OF_MESSAGE


async def test_embeddings() -> None:
    """Vectors are given in the order of the texts, whatever order the server sends."""
    body = {"data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]}
    async with answering(lambda _: Reply(body)) as (provider, wire):
        found = await provider.embeddings("small", ["one", "two"])
        assert found.embeddings == [[1.0], [2.0]]
        assert wire.requests[-1].body == {"model": "small", "input": ["one", "two"]}
        with pytest.raises(ConnectionError, match="2 vectors for 1 texts"):
            await provider.embeddings("small", ["one"])


# --- errors ------------------------------------------------------------------------------------


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


async def test_refusal_in_a_stream() -> None:
    """An error that comes as an event is the error that its status stands for."""
    event = {"error": {"code": 400, "message": "the context is too long"}}
    async with answering(lambda _: sse(event)) as (provider, _):
        chunks = await stream(provider)
        with pytest.raises(ValueError, match=r"the context is too long \(400\)"):
            [chunk async for chunk in chunks]


async def test_silent_server() -> None:
    """A server that says nothing for too long is a timeout, before and in a stream."""
    quiet = sse(piece("hi"), done=False, hang=True)
    async with answering(lambda _: quiet, timeout_seconds=0.2) as (provider, wire):
        chunks = await stream(provider)
        with pytest.raises(TimeoutError, match=f"{wire.base_url}: the server is silent"):
            [chunk async for chunk in chunks]
    nothing = Reply(b"{", hang=True)
    async with answering(lambda _: nothing, timeout_seconds=0.2) as (provider, _):
        with pytest.raises(TimeoutError, match="silent for too long"):
            await chat(provider)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_retries(status: int) -> None:
    """A server that is busy is asked again, when it says so."""
    replies = [Reply(b"busy", status, {"Retry-After": "0"})] * 2 + [Reply(ANSWER)]
    async with answering(lambda _: replies.pop(0), max_retries=2) as (provider, wire):
        answer = await chat(provider)
    assert answer.completion_message.content == "hi"
    assert [request.path for request in wire.requests[1:]] == ["/v1/chat/completions"] * 3


async def test_retries_end() -> None:
    """After so many tries the server's refusal is the answer."""
    reply = Reply(b"busy", 503, {"Retry-After": "0"})
    async with answering(lambda _: reply, max_retries=1) as (provider, wire):
        with pytest.raises(ConnectionError, match=r"busy \(503\)"):
            await chat(provider)
    assert len(wire.requests) == 3


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


# --- a real server -----------------------------------------------------------------------------


@asynccontextmanager
async def provider_for(server: LlamaServer, **config: Any) -> AsyncGenerator[OpenAIProvider]:
    """Run a provider of a real server."""
    key = SecretStr(server.api_key)
    async with provider_of(server.base_url, api_key=key, **config) as provider:
        yield provider


@pytest.mark.real
async def test_real_refusals(llama_server: LlamaServer) -> None:
    """A real server's refusals are the fitting errors."""
    with pytest.raises(PermissionError, match="Invalid API Key"):
        async with provider_of(llama_server.base_url):
            pass
    async with provider_for(llama_server) as provider:
        with pytest.raises(ValueError, match="exceeds the available context size"):
            await stream(provider, [UserMessage(content="word " * 2100)])
        with pytest.raises(NotImplementedError, match="does not support embeddings"):
            await provider.embeddings("small", ["one"])


@pytest.mark.real
async def test_real_cancel(llama_server: LlamaServer) -> None:
    """A real server stops generating when a stream is closed early."""
    async with provider_for(llama_server) as provider:
        chunks = await stream(provider, STORY, sampling_params=SamplingParams(max_tokens=1900))
        await anext(chunks)
        await anext(chunks)
        await chunks.aclose()
        # The server has one slot: it answers only once it has let go of the story, which
        # would take it half a minute.
        async with asyncio.timeout(10):
            await chat(provider, sampling_params=SamplingParams(max_tokens=1))


@pytest.mark.real
async def test_two_real_servers(llama_server: LlamaServer, weights: Path) -> None:
    """Two providers of two servers each list and answer for their own."""
    with serve_llama(weights, ["other"], api_key="another-key") as second:
        async with provider_for(llama_server) as one, provider_for(second) as two:
            assert [model.identifier for model in await one.list_models()] == ["small", "tiny"]
            assert [model.identifier for model in await two.list_models()] == ["other"]
            answers = await asyncio.gather(
                one.completion("small", "The sky is", SHORT),
                two.completion("other", "The sky is", SHORT),
            )
    assert answers[0] == answers[1]

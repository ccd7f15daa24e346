"""``remote::openai``: starting, models and answers; `test_inference` has real servers."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import ValidationError
from tests.contract.openai_calls import KEY, answering, chat, piece, provider_of, stream
from tests.wire import Reply, Request, serve, sse

from rungraph.engine.apis.common import (
    StopReason,
    ToolCall,
    ToolDefinition,
    ToolParamDefinition,
    Usage,
)
from rungraph.engine.apis.inference import ToolCallDelta
from rungraph.engine.apis.models import Model
from rungraph.engine.providers.remote.openai.config import OpenAIConfig

# --- starting ----------------------------------------------------------------------------------


async def test_no_such_server() -> None:
    """A server that is not there, or has no such API, is a failure to start that names it."""
    async with serve(lambda _: Reply(b"not here", 404)) as wire:
        with pytest.raises(NotImplementedError, match="the server has no route 'models'"):
            async with provider_of(wire.base_url):
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
        "help: check the key in this provider's config",
    ]
    assert wire.requests[0].headers["authorization"] == f"Bearer {KEY}"


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
    # An empty key, as an unset variable leaves it, is none.
    config = OpenAIConfig.model_validate({"base_url": "http://localhost/v1", "api_key": ""})
    assert config.api_key is None


# --- models ------------------------------------------------------------------------------------


async def test_models() -> None:
    """By name, aliases too, embedding models as configured; only those that are allowed."""
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
    async with (
        serve(lambda _: Reply(models)) as wire,
        provider_of(wire.base_url, allowed_models=("large",)) as provider,
    ):
        assert [model.identifier for model in await provider.list_models()] == ["large"]
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
        with pytest.raises(ValueError, match="serves no") as caught:
            await provider.register_model(Model(identifier="smal"))
        assert str(caught.value).splitlines() == [
            f"{wire.base_url} serves no 'smal'",
            "served: 'small'",
            "help: did you mean 'small'?",
        ]
        assert [model.identifier for model in await provider.list_models()] == ["small"]


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


async def test_a_stream_tells_its_tokens() -> None:
    """A server tells them to those who ask, after the end, which is last here all the same."""
    told = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    text = {"choices": [{"text": "so", "finish_reason": "stop"}]}

    def answer(request: Request) -> Reply:
        said = piece("so", "stop") if "chat" in request.path else text
        asks = request.body.get("stream_options") == {"include_usage": True}
        return sse(said, told) if asks else sse(said)

    async with answering(answer) as (provider, _):
        *_, last = [chunk.event async for chunk in await stream(provider)]
        completion: Any = await provider.completion("small", "a", stream=True)
        *_, end = [chunk async for chunk in completion]
    for one in (last, end):
        assert one.usage == Usage(prompt_tokens=3, completion_tokens=2)
        assert one.stop_reason is StopReason.END_OF_TURN


async def test_no_text_of_a_completion_waits_for_its_tokens() -> None:
    """All comes at once, though the server says an empty reason with each piece but the last."""
    pieces = [(" is", ""), (" Pa", ""), ("ris", "stop")]
    events = [{"choices": [{"text": text, "finish_reason": end}]} for text, end in pieces]
    silent = sse(*events, done=False, hang=True)
    async with answering(lambda _: silent) as (provider, _):
        chunks: Any = await provider.completion("small", "a", stream=True)
        async with aclosing(chunks), asyncio.timeout(10):
            assert [(await anext(chunks)).delta for _ in events] == [" is", " Pa", "ris"]


async def test_embeddings() -> None:
    """Vectors are given in the order of the texts, whatever order the server sends."""
    body = {"data": [{"index": 1, "embedding": [2.0]}, {"index": 0, "embedding": [1.0]}]}
    async with answering(lambda _: Reply(body)) as (provider, wire):
        found = await provider.embeddings("small", ["one", "two"])
        assert found.embeddings == [[1.0], [2.0]]
        assert wire.requests[-1].body == {"model": "small", "input": ["one", "two"]}
        with pytest.raises(ConnectionError, match="2 vectors for 1 texts"):
            await provider.embeddings("small", ["one"])

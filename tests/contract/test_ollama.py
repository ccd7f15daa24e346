"""``remote::ollama``: models that come and go, and what its own routes can say."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.inference_providers import KINDS
from tests.counterparts import serve_counterpart
from tests.wire import Reply, Request, serve

from rungraph.engine.apis.common import (
    CompletionMessage,
    ImageMedia,
    Message,
    SamplingParams,
    StopReason,
    ToolCall,
    ToolDefinition,
    ToolResponseMessage,
    UserMessage,
)
from rungraph.engine.apis.models import Model
from rungraph.engine.provider import ProviderReport

(OLLAMA,) = (kind for kind in KINDS if kind.provider_type == "remote::ollama")
TAGS = {"models": [{"name": "small:latest", "digest": "1"}]}
CALL = {"function": {"name": "add", "arguments": {"a": 2}}}


def native(reply: Reply) -> Any:
    """Return what answers as Ollama does, and a chat with *reply*."""

    def answer(request: Request) -> Reply:
        match request.path:
            case "/api/tags":
                return Reply(TAGS)
            case "/api/show":
                return Reply({"capabilities": ["completion", "tools"]})
            case _:
                return reply

    return answer


@pytest.fixture(scope="module")
def url(weights: Path) -> Generator[str]:
    """Return the URL of a server."""
    with serve_counterpart("ollama", "small") as at:
        yield at


@pytest.mark.real
async def test_a_name_without_a_tag_is_the_latest(url: str) -> None:
    """Both names are listed, as one model of the server; embeddings are told from chat."""
    async with OLLAMA.provider(url) as provider:
        listed = await provider.list_models()
        assert [(one.identifier, one.native_id, one.model_type) for one in listed] == [
            ("e5", "e5:latest", "embedding"),
            ("e5:latest", "e5:latest", "embedding"),
            ("small", "small:latest", "llm"),
            ("small:latest", "small:latest", "llm"),
        ]


@pytest.mark.real
async def test_a_missing_model_is_pulled_where_the_config_says_so(url: str) -> None:
    """Its progress is told; without that setting, or without such a model, it is refused."""
    other = Model(identifier="mine", provider_resource_id="other")
    async with OLLAMA.provider(url) as provider:
        with pytest.raises(ValueError, match="serves no 'other'"):
            await provider.register_model(other)
    told: list[ProviderReport] = []
    async with OLLAMA.provider(url, pull="missing") as provider:
        provider.report_to(told.append)
        await provider.register_model(other)
        assert {"mine", "other"} <= {one.identifier for one in await provider.list_models()}
        with pytest.raises(ValueError, match="file does not exist"):
            await provider.register_model(Model(identifier="nope"))
    assert {one.state for one in told} == {"working"}
    details = [one.detail for one in told]
    assert details[:2] == ["other: pulling manifest", "other: pulling abc 0%"]
    assert {"other: pulling abc 100%", "other: success"} < {*details}


async def test_a_pull_that_breaks_off() -> None:
    """It is no success."""
    reply = Reply(b'{"status": "pulling"}\n', headers={"Content-Type": "application/x-ndjson"})
    async with serve(native(reply)) as wire:
        at = wire.base_url.removesuffix("/v1")
        async with OLLAMA.provider(at, pull="missing") as provider:
            with pytest.raises(ConnectionError, match="ended before the answer did"):
                await provider.register_model(Model(identifier="nope"))


async def test_what_is_sent() -> None:
    """Options, images and the results of tools go in Ollama's form; its calls come back."""
    said = {"message": {"content": "", "tool_calls": [CALL]}, "done": True, "done_reason": "stop"}
    messages: list[Message] = [
        UserMessage(content=["look", ImageMedia(image="data:image/png;base64,AAAA")]),
        CompletionMessage(
            content="",
            stop_reason=StopReason.END_OF_MESSAGE,
            tool_calls=[ToolCall(call_id="c1", tool_name="add", arguments={"a": 1})],
        ),
        ToolResponseMessage(call_id="c1", tool_name="add", content="1"),
    ]
    async with serve(native(Reply(said))) as wire:
        at = wire.base_url.removesuffix("/v1")
        async with OLLAMA.provider(at, num_ctx=4096, keep_alive="10m") as provider:
            answer = await provider.chat_completion(
                "small", messages, SamplingParams(max_tokens=5, seed=1, repetition_penalty=1.1),
                tools=[ToolDefinition(tool_name="add")],
            )  # fmt: skip
            with pytest.raises(NotImplementedError, match="tool_choice 'required'"):
                await provider.chat_completion(
                    "small", messages, tools=[ToolDefinition(tool_name="add")],
                    tool_choice="required",
                )  # fmt: skip
            far = UserMessage(content=[ImageMedia(image="http://host/a.png")])
            with pytest.raises(ValueError, match="images as data: URLs alone"):
                await provider.chat_completion("small", [far])
    assert answer.completion_message.tool_calls == [
        ToolCall(call_id="call_0", tool_name="add", arguments={"a": 2})
    ]
    sent = json.loads(json.dumps(wire.requests[-1].body))
    assert sent["options"] == {
        "temperature": 0.0,
        "num_predict": 5,
        "seed": 1,
        "repeat_penalty": 1.1,
        "num_ctx": 4096,
    }
    assert (sent["keep_alive"], sent["truncate"], len(sent["tools"])) == ("10m", False, 1)
    assert sent["messages"] == [
        {"role": "user", "content": "look", "images": ["AAAA"]},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"function": {"name": "add", "arguments": {"a": 1}}}],
        },
        {"role": "tool", "content": "1", "tool_name": "add"},
    ]

"""The inference API with a real model: in a worker of our own, and on another's server."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from tests.real import LlamaServer

from rungraph.engine.apis.common import (
    HealthStatus,
    JsonSchemaResponseFormat,
    LogProbConfig,
    SamplingParams,
    StopReason,
    UserMessage,
)
from rungraph.engine.apis.inference import ChatCompletionResponse, CompletionResponse, EventType
from rungraph.engine.apis.models import Model
from rungraph.engine.providers.inline.llama_cpp import provider as llama_cpp
from rungraph.engine.providers.inline.llama_cpp.config import LlamaCppConfig
from rungraph.engine.providers.remote.openai import provider as openai
from rungraph.engine.providers.remote.openai.config import OpenAIConfig

Provider = llama_cpp.LlamaCppProvider | openai.OpenAIProvider

pytestmark = pytest.mark.real

SHORT = SamplingParams(max_tokens=6)


@pytest.fixture(params=["inline::llama-cpp", "remote::openai"])
async def provider(
    request: pytest.FixtureRequest, weights: Path, llama_server: LlamaServer
) -> AsyncGenerator[Provider]:
    """Yield a provider that serves the model as ``small`` and as ``tiny``."""
    if request.param == "inline::llama-cpp":
        config = LlamaCppConfig(model=str(weights), model_id="small", aliases=("tiny",))
        provider: Provider = await llama_cpp.get_provider_impl(config, {})
    else:
        key = SecretStr(llama_server.api_key)
        remote = OpenAIConfig(base_url=llama_server.base_url, api_key=key, max_retries=0)
        provider = await openai.get_adapter_impl(remote, {})
    yield provider
    await provider.shutdown()


async def chat(provider: Provider, text: str, **more: Any) -> ChatCompletionResponse:
    """Return a whole answer."""
    answer = await provider.chat_completion("small", [UserMessage(content=text)], **more)
    assert isinstance(answer, ChatCompletionResponse)
    return answer


async def complete(provider: Provider, content: str, **more: Any) -> CompletionResponse:
    """Return a whole completion."""
    answer = await provider.completion("small", content, **more)
    assert isinstance(answer, CompletionResponse)
    return answer


async def test_chat(provider: Provider) -> None:
    """The model answers under each of its names, and says the same in chunks."""
    assert (await provider.health()).status is HealthStatus.OK
    whole = await chat(provider, "Say hi", sampling_params=SHORT)
    assert whole.completion_message.stop_reason is StopReason.OUT_OF_TOKENS
    assert whole.completion_message.content
    streamed = await provider.chat_completion(
        "tiny", [UserMessage(content="Say hi")], SHORT, stream=True
    )
    assert not isinstance(streamed, ChatCompletionResponse)
    chunks = [chunk.event async for chunk in streamed]
    assert whole.completion_message.content == "".join(str(each.delta) for each in chunks)
    kinds = [each.event_type for each in chunks]
    assert kinds == [EventType.START, *[EventType.PROGRESS] * (len(kinds) - 2), EventType.COMPLETE]
    assert [each.stop_reason for each in chunks[-2:]] == [None, StopReason.OUT_OF_TOKENS]


async def test_completion(provider: Provider) -> None:
    """The model goes on from a text, and says the same in chunks."""
    whole = await complete(provider, "The sky is", sampling_params=SHORT)
    streamed = await provider.completion("tiny", "The sky is", SHORT, stream=True)
    assert not isinstance(streamed, CompletionResponse)
    chunks = [chunk async for chunk in streamed]
    assert whole.completion_message.content == "".join(chunk.delta for chunk in chunks)
    assert [chunk.stop_reason for chunk in chunks[-2:]] == [None, StopReason.OUT_OF_TOKENS]


async def test_schema(provider: Provider) -> None:
    """The model answers as a JSON Schema says, in chat and in completion."""
    schema = {
        "type": "object",
        "properties": {"color": {"enum": ["red", "blue"]}},
        "required": ["color"],
        "additionalProperties": False,
    }
    options: dict[str, Any] = {
        "sampling_params": SamplingParams(max_tokens=30),
        "response_format": JsonSchemaResponseFormat(json_schema=schema),
    }
    for ask, text in ((chat, "Which color?"), (complete, "A color:")):
        answer = await ask(provider, text, **options)
        content = answer.completion_message.content
        assert isinstance(content, str)
        assert json.loads(content)["color"] in {"red", "blue"}


async def test_logprobs(provider: Provider) -> None:
    """The model gives the probabilities of its tokens, in chat and in completion."""
    options: dict[str, Any] = {
        "sampling_params": SamplingParams(max_tokens=3),
        "logprobs": LogProbConfig(top_k=2),
    }
    for ask in (chat, complete):
        answer = await ask(provider, "The sky is", **options)
        assert answer.logprobs is not None
        assert [len(token.logprobs_by_token) for token in answer.logprobs] == [2, 2, 2]


async def test_models(provider: Provider) -> None:
    """The model can get more names; another model, or embeddings, are refused."""

    async def names() -> list[str]:
        return [model.identifier for model in await provider.list_models()]

    mine = Model(identifier="mine", provider_resource_id="small")
    assert await provider.register_model(mine) == mine
    assert await names() == ["mine", "small", "tiny"]
    await provider.unregister_model(mine)
    assert await names() == ["small", "tiny"]
    with pytest.raises(ValueError, match=r"no .*'smal'\nserved: 'small', 'tiny'\nhelp: did"):
        await provider.register_model(Model(identifier="smal"))
    with pytest.raises(NotImplementedError, match="embedding"):
        await provider.embeddings("small", ["one"])

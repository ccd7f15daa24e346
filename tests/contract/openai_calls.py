"""Calls of ``remote::openai``, and servers that answer as a test says."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pydantic import SecretStr
from tests.wire import Reply, Request, Wire, serve

from rungraph.engine.apis.common import Message, SamplingParams, UserMessage
from rungraph.engine.apis.inference import ChatCompletionResponse, ChatCompletionResponseStreamChunk
from rungraph.engine.providers.remote.openai.config import OpenAIConfig
from rungraph.engine.providers.remote.openai.provider import OpenAIProvider, get_adapter_impl

KEY = "sk-very-secret-key"
HELLO: list[Message] = [UserMessage(content="Say hi")]
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

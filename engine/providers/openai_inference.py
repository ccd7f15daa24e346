"""The inference API on a server that speaks the OpenAI API; what several providers share."""

from __future__ import annotations

import re
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from pydantic import ValidationError

from rungraph.engine.apis.common import ToolChoice, ToolPromptFormat
from rungraph.engine.apis.inference import CompletionResponseStreamChunk
from rungraph.engine.providers import openai_answers as answers
from rungraph.engine.providers import openai_requests as requests
from rungraph.engine.server_events import EVENTS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

    from rungraph.engine.apis.common import (
        InterleavedContent,
        LogProbConfig,
        Message,
        ResponseFormat,
        SamplingParams,
        StopReason,
        ToolDefinition,
        Usage,
    )
    from rungraph.engine.apis.inference import (
        ChatCompletionResponse,
        ChatCompletionResponseStreamChunk,
        CompletionResponse,
        EmbeddingsResponse,
    )
    from rungraph.engine.providers.openai_client import OpenAIClient

_Read = TypeVar("_Read")
_Chunk = TypeVar("_Chunk")
_CHAT = "chat/completions"
_COMPLETION = "completions"
_FIRST_EVENT = re.compile(rb"(?:^|\n)data: ?(.*?)\r?\n\r?\n", re.DOTALL)
_MOST_HEAD = 65_536
_MOST_BEFORE_ERROR = 200
"""Bytes of a stream that are held back to see its first event."""


class OpenAIInference:
    """Answers calls of the inference API by asking a server.

    A streamed call returns when the server has accepted the request, so whatever it refuses is
    raised by the call itself; closing the generator closes the connection.
    """

    prefix: ClassVar[str] = ""
    """What the paths of the OpenAI API begin with, below the client's URL."""

    def __init__(self, client: OpenAIClient) -> None:
        self._client = client

    async def served(self) -> tuple[str, ...]:
        """Return the names of the models that the server serves now, sorted."""
        listed = await self._client.get(f"{self.prefix}models")
        return self._read(answers.served_models, listed)

    async def chat_completion(
        self,
        model: str,
        messages: list[Message],
        sampling_params: SamplingParams | None = None,
        response_format: ResponseFormat | None = None,
        tools: list[ToolDefinition] | None = None,
        tool_choice: ToolChoice | str = ToolChoice.AUTO,
        tool_prompt_format: ToolPromptFormat = ToolPromptFormat.JSON,
        stream: bool = False,
        logprobs: LogProbConfig | None = None,
    ) -> ChatCompletionResponse | AsyncGenerator[ChatCompletionResponseStreamChunk, None]:
        """Return the model's next message; the server has its own form for tools."""
        body = requests.chat_request(
            model,
            messages,
            sampling_params=sampling_params,
            response_format=response_format,
            tools=tools,
            tool_choice=tool_choice,
            stream=stream,
            logprobs=logprobs,
        )
        if stream:
            return await self._opened(self._chat_chunks, body)
        return self._read(answers.chat_answer, await self._post(_CHAT, body))

    async def completion(
        self,
        model: str,
        content: InterleavedContent,
        sampling_params: SamplingParams | None = None,
        response_format: ResponseFormat | None = None,
        stream: bool = False,
        logprobs: LogProbConfig | None = None,
    ) -> CompletionResponse | AsyncGenerator[CompletionResponseStreamChunk, None]:
        """Return how the model goes on from *content*."""
        body = requests.completion_request(
            model,
            content,
            sampling_params=sampling_params,
            response_format=response_format,
            stream=stream,
            logprobs=logprobs,
        )
        if stream:
            return await self._opened(self._completion_chunks, body)
        return self._read(answers.completion_answer, await self._post(_COMPLETION, body))

    async def embeddings(
        self, model: str, contents: list[InterleavedContent]
    ) -> EmbeddingsResponse:
        """Return one vector for each of *contents*."""
        body = requests.embeddings_request(model, contents)
        found = self._read(answers.embeddings_answer, await self._post("embeddings", body))
        if len(found.embeddings) != len(contents):
            msg = f"{len(found.embeddings)} vectors for {len(contents)} texts"
            raise ConnectionError(self._client.not_understood(msg))
        return found

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to *body*; both are what the OpenAI API has at *path*.

        A server with routes of its own is asked there, by a subclass that translates.
        """
        return await self._client.post(f"{self.prefix}{path}", body)

    def _events(
        self, path: str, body: dict[str, Any]
    ) -> AsyncGenerator[dict[str, Any] | None, None]:
        """Yield None once *body* is accepted, then the events of the answer, as `_post` has it."""
        return self._client.events(f"{self.prefix}{path}", body)

    async def _opened(
        self,
        chunks: Callable[[dict[str, Any]], AsyncGenerator[_Chunk | None, None]],
        body: dict[str, Any],
    ) -> AsyncGenerator[_Chunk, None]:
        """Return the stream that *body* asks for; its tokens are not told where none can be."""
        try:
            return await opened(chunks(body))
        except (ValueError, NotImplementedError) as error:  # From servers before these options.
            if not requests.drop_options(body, error):
                raise
        return await opened(chunks(body))

    async def _chat_chunks(
        self, body: dict[str, Any]
    ) -> AsyncGenerator[ChatCompletionResponseStreamChunk | None, None]:
        stream = answers.ChatStream()
        has_begun = False
        async with aclosing(self._events(_CHAT, body)) as events:
            async for event in events:
                if event is None:
                    yield None
                    continue
                if not has_begun:  # Not before: until the model says something, others may.
                    yield stream.begin()
                    has_begun = True
                for chunk in self._read(lambda data: list(stream.take(data)), event):
                    yield chunk
            if not stream.is_whole:
                raise self._broken_off()
            for chunk in stream.end():
                yield chunk

    async def _completion_chunks(
        self, body: dict[str, Any]
    ) -> AsyncGenerator[CompletionResponseStreamChunk | None, None]:
        stop: StopReason | None = None
        usage: Usage | None = None
        async with aclosing(self._events(_COMPLETION, body)) as events:
            async for event in events:
                if event is None:
                    yield None
                    continue
                chunk = self._read(answers.completion_chunk, event)
                # The tokens come after the end, which waits for them; no text does.
                stop, usage = chunk.stop_reason or stop, chunk.usage or usage
                if chunk.delta or chunk.logprobs:
                    yield chunk.model_copy(update={"stop_reason": None}) if stop else chunk
            if stop is None:
                raise self._broken_off()
            yield CompletionResponseStreamChunk(delta="", stop_reason=stop, usage=usage)

    def _read(self, read: Callable[[dict[str, Any]], _Read], body: dict[str, Any]) -> _Read:
        try:
            return read(body)
        except (ValidationError, ValueError) as error:
            raise ConnectionError(self._client.not_understood(body)) from error

    def _broken_off(self) -> ConnectionError:
        return ConnectionError(f"{self._client.name}: the stream ended before the answer did")


class OpenAIRelay(OpenAIInference):
    """Also hands on what a server of the OpenAI API says itself."""

    async def relay_openai(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """Return the server's own answer to *body*, in pieces.

        What the first event of a stream says is wrong is raised: nothing is answered yet.
        """
        path = f"{self.prefix}{path}"
        if body.get("stream") is not True:
            return _only(self._answer(path, await self._client.content("POST", path, body)))
        return await opened(self._unless_refused(path, body))

    def _answer(self, path: str, content: bytes) -> bytes:
        """Return a whole answer, which is read only where it may be none."""
        if not content.startswith(b"{") or b'"error"' in content[:_MOST_BEFORE_ERROR]:
            self._client.accepted(content, path)
        return content

    async def _unless_refused(
        self, path: str, body: Mapping[str, Any]
    ) -> AsyncGenerator[bytes | None, None]:
        """Yield None and the server's stream, once its first event is there and no error."""
        async with aclosing(self._client.raw_stream(path, body, media=EVENTS)) as content:
            yield await anext(content)
            head = b""
            while (first := _FIRST_EVENT.search(head)) is None and len(head) < _MOST_HEAD:
                if (piece := await anext(content, None)) is None:
                    break
                head += piece
            if first is not None and b'"error"' in first[1]:
                self._client.accepted(first[1], path)
            if head:
                yield head
            async for piece in content:
                yield piece


async def _only(content: bytes) -> AsyncGenerator[bytes, None]:
    yield content


async def opened(
    chunks: AsyncGenerator[_Chunk | None, None],
) -> AsyncGenerator[_Chunk, None]:
    """Start *chunks*, whose first item is None, and return it for the others.

    A generator that never ran does not clean up when it is closed; one that was started does. So
    the caller may close what it gets at once, and what goes wrong at the start is raised here.
    """
    await anext(chunks)
    return cast("AsyncGenerator[_Chunk, None]", chunks)

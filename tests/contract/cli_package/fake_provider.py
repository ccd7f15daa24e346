"""An inference provider that follows the script of its config, for tests of whole processes."""

from __future__ import annotations

import asyncio
import atexit
import ctypes
import logging
import os
import sys
import threading
import time
import warnings
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel

from rungraph.engine.apis.common import (
    CompletionMessage,
    InterleavedContent,
    Message,
    StopReason,
    ToolCall,
    Usage,
    text_of,
)
from rungraph.engine.apis.inference import (
    ChatCompletionResponse,
    ChatCompletionResponseEvent,
    ChatCompletionResponseStreamChunk,
    CompletionResponse,
    CompletionResponseStreamChunk,
    EmbeddingsResponse,
    EventType,
    ToolCallDelta,
    ToolCallParseStatus,
)
from rungraph.engine.apis.models import Model
from rungraph.engine.request import provider_data


class CallersKey(BaseModel):
    """What callers may send for the provider."""

    told_key: str


class FakeProvider:
    """Repeats the last message; see `get_provider_impl` for what a config can ask of it."""

    provider_data_validator = CallersKey

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config

    async def list_models(self) -> list[Model]:
        return [Model(identifier=self._config.get("model", "echo"))]

    async def register_model(self, model: Model) -> Model:
        if model.identifier == self._config.get("refuse"):
            msg = "there is no such model here"
            raise ValueError(msg)
        return model

    async def unregister_model(self, model: Model) -> None:
        """Do nothing."""

    async def chat_completion(
        self,
        model: str,
        messages: list[Message],
        sampling_params: Any = None,
        response_format: Any = None,
        tools: Any = None,
        tool_choice: Any = "auto",
        tool_prompt_format: Any = "json",
        stream: bool = False,
        logprobs: Any = None,
    ) -> ChatCompletionResponse | AsyncGenerator[ChatCompletionResponseStreamChunk, None]:
        """Repeat the last message: word by word when asked for a stream."""
        text = text_of(messages[-1].content)
        if text == "fail":
            msg = f"refused with {self._config.get('api_key')}"
            raise RuntimeError(msg)
        if text == "whose key":
            sent = provider_data(self)
            text = "nobody's" if sent is None else sent.told_key
        if text == "exit":
            sys.exit(4)
        if text == "cancel":
            raise asyncio.CancelledError
        if text == "cancel me" and (caller := asyncio.current_task()):
            caller.cancel()
            await asyncio.sleep(0)
        if text == "fail with my key":
            msg = f"refused with {provider_data(self).told_key}"
            raise RuntimeError(msg)
        if text == "die":
            os._exit(1)
        if text == "hang":
            await self._hang(text)
        if text == "deaf":
            await _deaf()
        if tool_choice == "required":
            call = ToolCall(call_id="c1", tool_name=tools[0].tool_name, arguments={"seats": 2})
            return self._call(call, is_stream=stream)
        if stream:
            return self._stream(text)
        reason = StopReason.OUT_OF_TOKENS if text == "count" else StopReason.END_OF_TURN
        message = CompletionMessage(content=text, stop_reason=reason)
        return ChatCompletionResponse(completion_message=message)

    async def _stream(self, text: str) -> AsyncGenerator[ChatCompletionResponseStreamChunk, None]:
        if text == "refuse":
            msg = "nothing is said to that"
            raise ValueError(msg)
        yield chunk_of(EventType.START, "")
        for word in text.split(" "):
            if word == "break":
                msg = "broke off"
                raise RuntimeError(msg)
            if word == "pause":
                await self._hang(text)
            yield chunk_of(EventType.PROGRESS, f"{word} ")
        tokens = self._config.get("tokens")
        usage = Usage(prompt_tokens=1, completion_tokens=tokens) if tokens else None
        yield chunk_of(EventType.COMPLETE, "", usage=usage)

    def _call(
        self, call: ToolCall, *, is_stream: bool
    ) -> ChatCompletionResponse | AsyncGenerator[ChatCompletionResponseStreamChunk, None]:
        if is_stream:
            return self._call_stream(call)
        message = CompletionMessage(
            content="", stop_reason=StopReason.END_OF_MESSAGE, tool_calls=[call]
        )
        return ChatCompletionResponse(completion_message=message)

    async def _call_stream(
        self, call: ToolCall
    ) -> AsyncGenerator[ChatCompletionResponseStreamChunk, None]:
        yield chunk_of(EventType.START, "")
        yield chunk_of(
            EventType.PROGRESS,
            ToolCallDelta(
                content="",
                parse_status=ToolCallParseStatus.STARTED,
                call_id=call.call_id,
                tool_name=call.tool_name,
            ),
        )
        for status, content in (
            (ToolCallParseStatus.IN_PROGRESS, '{"seats"'),
            (ToolCallParseStatus.IN_PROGRESS, ": 2}"),
            (ToolCallParseStatus.SUCCESS, call),
        ):
            delta = ToolCallDelta(content=content, parse_status=status)
            yield chunk_of(EventType.PROGRESS, delta)
        yield chunk_of(EventType.COMPLETE, "", StopReason.END_OF_MESSAGE)

    def _note(self, text: str) -> None:
        # Who waits for the file finds all of it.
        note = Path(self._config["cancelled"])
        written = note.with_suffix(".new")
        written.write_text(text, encoding="utf-8")
        written.replace(note)

    async def _hang(self, text: str) -> None:
        """Wait for ever; write *text* to the file ``cancelled`` when the call is cancelled."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if "cancelled" in self._config:
                self._note(text)
            raise

    async def completion(
        self,
        model: str,
        content: InterleavedContent,
        sampling_params: Any = None,
        response_format: Any = None,
        stream: bool = False,
        logprobs: Any = True,
    ) -> CompletionResponse | AsyncGenerator[CompletionResponseStreamChunk, None]:
        if stream:
            return self._completion_stream(text_of(content))
        reason = StopReason.OUT_OF_TOKENS if logprobs is None else StopReason.END_OF_TURN
        message = CompletionMessage(content=content, stop_reason=reason)
        return CompletionResponse(completion_message=message)

    async def _completion_stream(
        self, text: str
    ) -> AsyncGenerator[CompletionResponseStreamChunk, None]:
        for word in text.split(" "):
            yield CompletionResponseStreamChunk(delta=f"{word} ")
        yield CompletionResponseStreamChunk(delta="", stop_reason=StopReason.END_OF_TURN)

    async def embeddings(
        self,
        model: str,
        contents: list[InterleavedContent],
    ) -> EmbeddingsResponse:
        return EmbeddingsResponse(embeddings=[[1.0] for _ in contents])

    async def shutdown(self) -> None:
        match self._config.get("stop"):
            case "fail":
                msg = f"stop refused with {self._config.get('api_key')}"
                raise RuntimeError(msg)
            case "hang":
                await asyncio.Event().wait()
            case "thread":
                await asyncio.to_thread(time.sleep, 3600)
            case "block":
                time.sleep(3600)  # noqa: ASYNC251  that is the point
            case _:
                pass


def chunk_of(
    kind: EventType,
    delta: str | ToolCallDelta,
    reason: StopReason = StopReason.END_OF_TURN,
    usage: Usage | None = None,
) -> ChatCompletionResponseStreamChunk:
    """Return one chunk of a chat; the last one has the reason."""
    event = ChatCompletionResponseEvent(
        event_type=kind,
        delta=delta,
        stop_reason=reason if kind is EventType.COMPLETE else None,
        usage=usage,
    )
    return ChatCompletionResponseStreamChunk(event=event)


def _fail_with(text: object) -> None:
    msg = f"\x1b[31mrefused with {text}"
    raise RuntimeError(msg)


left: set[asyncio.Task[None]] = set()


class _Slow(ModuleType):
    def __del__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        sleep(3600)


async def _deaf() -> None:
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def get_provider_impl(config: Mapping[str, Any], deps: Mapping[str, Any]) -> FakeProvider:
    """Return a provider; ``start`` and ``stop`` can be ``fail`` or ``hang``, and more."""
    if config.get("log"):
        logging.getLogger("fake").warning("the key is %s", config.get("api_key"))
        warnings.warn(f"\x1b[31mold: {config.get('api_key')}", DeprecationWarning, stacklevel=1)
        thread = threading.Thread(target=_fail_with, args=(config.get("api_key"),))
        thread.start()
        thread.join()
    if "at_exit" in config:
        atexit.register(Path(config["at_exit"]).touch)
    match config.get("start"):
        case "fail":
            msg = f"start refused with {config.get('api_key')}"
            raise RuntimeError(msg)
        case "hang":
            await asyncio.Event().wait()
        case "thread":
            await asyncio.to_thread(time.sleep, 3600)
        case "deaf":
            await _deaf()
        case "leave a task":
            left.add(asyncio.create_task(_deaf()))
        case "leave a thread":
            threading.Thread(target=time.sleep, args=(3600,)).start()
        case "leave a function":
            atexit.register(time.sleep, 3600)
        case "leave a lock":
            atexit.register(ctypes.PyDLL(None).sleep, 3600)  # Which no other thread gets.
        case "leave a destructor":
            sys.modules["slow"] = _Slow("slow")
        case "wait":
            await asyncio.to_thread(Path(config["until"]).read_bytes)
        case _:
            pass
    return FakeProvider(config)


get_adapter_impl = get_provider_impl
"""The same for a provider type that is called remote."""

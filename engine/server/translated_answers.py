"""Answers of the inference API as the OpenAI API has them. Pure: values in, values out."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from typing import TYPE_CHECKING, Any, cast

from rungraph.engine.apis.common import StopReason, ToolCall, Usage
from rungraph.engine.apis.inference import EventType, ToolCallDelta, ToolCallParseStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rungraph.engine.apis.common import InterleavedContent, TokenLogProbs
    from rungraph.engine.apis.inference import (
        ChatCompletionResponse,
        ChatCompletionResponseStreamChunk,
        CompletionResponse,
        CompletionResponseStreamChunk,
        EmbeddingsResponse,
    )
    from rungraph.engine.server.translation import EmbeddingsRequest


def chat_answer(answer: ChatCompletionResponse, head: dict[str, Any]) -> dict[str, Any]:
    """Return *answer* as a chat completion; *head* is its ``id``, ``created`` and ``model``."""
    said = answer.completion_message
    message: dict[str, Any] = {"role": "assistant", "content": _text(said.content), "refusal": None}
    if said.tool_calls:
        message["content"] = message["content"] or None
        message["tool_calls"] = [_call(call) for call in said.tool_calls]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": _logprobs(_text(said.content), answer.logprobs),
        "finish_reason": _finish(said.stop_reason, calls=bool(said.tool_calls)),
    }
    return {
        **head,
        "object": "chat.completion",
        "choices": [choice],
        **_usage(answer.usage),
    }


def completion_answer(answer: CompletionResponse, head: dict[str, Any]) -> dict[str, Any]:
    """Return *answer* as a completion."""
    said = answer.completion_message
    choice = {
        "index": 0,
        "text": _text(said.content),
        "logprobs": _old_logprobs(_text(said.content), answer.logprobs),
        "finish_reason": _finish(said.stop_reason, calls=False),
    }
    return {**head, "object": "text_completion", "choices": [choice], **_usage(answer.usage)}


def completion_chunk(
    chunk: CompletionResponseStreamChunk, head: dict[str, Any], *, with_usage: bool
) -> Iterator[dict[str, Any]]:
    """Yield the events that one chunk of a completion makes."""
    finish = None if chunk.stop_reason is None else _finish(chunk.stop_reason, calls=False)
    choice = {
        "index": 0,
        "text": chunk.delta,
        "logprobs": _old_logprobs(chunk.delta, chunk.logprobs),
        "finish_reason": finish,
    }
    yield {**head, "object": "text_completion", "choices": [choice]}
    if with_usage and chunk.usage is not None:
        yield {**head, "object": "text_completion", "choices": [], **_usage(chunk.usage)}


def embeddings_answer(answer: EmbeddingsResponse, request: EmbeddingsRequest) -> dict[str, Any]:
    """Return *answer* in the encoding that *request* asks for."""
    packed = request.encoding_format == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(one) if packed else one}
        for index, one in enumerate(answer.embeddings)
    ]
    # Clients with a strict schema take no answer without it; zeros where it is not known.
    usage = _usage(answer.usage or Usage(prompt_tokens=0, completion_tokens=0))
    return {"object": "list", "model": request.model, "data": data, **usage}


def _packed(vector: Sequence[float]) -> str:
    return b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


class ChatEvents:
    """Turns the chunks of a streamed chat into events of the OpenAI API.

    Args:
        head: The ``id``, ``created`` and ``model`` of every event.
        with_usage: Whether an event with the tokens comes last, where they are known.
    """

    def __init__(self, head: dict[str, Any], *, with_usage: bool) -> None:
        self._head = {**head, "object": "chat.completion.chunk"}
        self._with_usage = with_usage
        self._calls = 0
        self._has_begun_call = False

    def take(self, chunk: ChatCompletionResponseStreamChunk) -> Iterator[dict[str, Any]]:
        """Yield the events that one chunk makes."""
        event = chunk.event
        match event.event_type:
            case EventType.START:
                yield self._event({"role": "assistant", "content": ""})
            case EventType.PROGRESS if isinstance(event.delta, ToolCallDelta):
                yield from self._take_call(event.delta)
            case EventType.PROGRESS:
                text = cast("str", event.delta)
                yield self._event({"content": text}, logprobs=_logprobs(text, event.logprobs))
            case EventType.COMPLETE:
                if event.delta and isinstance(event.delta, str):
                    yield self._event({"content": event.delta})
                reason = event.stop_reason or StopReason.END_OF_TURN
                yield self._event({}, finish=_finish(reason, calls=self._calls > 0))
                if self._with_usage and event.usage is not None:
                    yield {**self._head, "choices": [], **_usage(event.usage)}

    def _take_call(self, delta: ToolCallDelta) -> Iterator[dict[str, Any]]:
        """Yield the pieces of a call, or all of it where the provider tells its name last."""
        match delta.parse_status, delta.content:
            case ToolCallParseStatus.STARTED, text if delta.tool_name is not None:
                self._has_begun_call = True
                call_id = delta.call_id or f"call_{self._calls}"
                function = {"name": delta.tool_name, "arguments": text}
                yield self._piece({"id": call_id, "type": "function", "function": function})
                self._calls += 1
            case ToolCallParseStatus.IN_PROGRESS, str() as text if self._has_begun_call:
                yield self._piece({"function": {"arguments": text}}, self._calls - 1)
            case ToolCallParseStatus.SUCCESS, ToolCall() as call if not self._has_begun_call:
                yield self._piece(_call(call))
                self._calls += 1
            case ToolCallParseStatus.FAILURE, str() as text if not self._has_begun_call:
                yield self._event({"content": text})
            case _:
                pass

    def _piece(self, piece: dict[str, Any], index: int | None = None) -> dict[str, Any]:
        index = self._calls if index is None else index
        return self._event({"tool_calls": [{"index": index, **piece}]})

    def _event(
        self, delta: dict[str, Any], *, finish: str | None = None, logprobs: Any = None
    ) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return {**self._head, "choices": [choice]}


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.tool_name, "arguments": json.dumps(call.arguments)}
    return {"id": call.call_id, "type": "function", "function": function}


def _text(content: InterleavedContent) -> str:
    parts = content if isinstance(content, list) else [content]
    return "".join(part for part in parts if isinstance(part, str))


def _finish(reason: StopReason, *, calls: bool) -> str:
    if calls:
        return "tool_calls"
    return "length" if reason is StopReason.OUT_OF_TOKENS else "stop"


def _usage(usage: Usage | None) -> dict[str, Any]:
    """Return the tokens, where they are known: nobody is told zeros that are not true."""
    if usage is None:
        return {}
    total = usage.prompt_tokens + usage.completion_tokens
    return {"usage": {**usage.model_dump(), "total_tokens": total}}


def _chosen(text: str, logprobs: Sequence[TokenLogProbs]) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the token that was chosen at each position, with those considered there."""
    for one in logprobs:
        considered = one.logprobs_by_token
        fitting = [token for token in considered if token and text.startswith(token)]
        likeliest = max(considered, key=considered.__getitem__, default="")
        token = max(fitting, key=len, default=likeliest)
        text = text.removeprefix(token)
        yield token, considered


def _logprobs(text: str, logprobs: Sequence[TokenLogProbs] | None) -> dict[str, Any] | None:
    if logprobs is None:
        return None
    content = [
        {
            **_token(token, considered.get(token, 0.0)),
            "top_logprobs": [_token(*one) for one in considered.items()],
        }
        for token, considered in _chosen(text, logprobs)
    ]
    return {"content": content, "refusal": None}


def _token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def _old_logprobs(text: str, logprobs: Sequence[TokenLogProbs] | None) -> dict[str, Any] | None:
    if logprobs is None:
        return None
    chosen = list(_chosen(text, logprobs))
    return {
        "tokens": [token for token, _ in chosen],
        "token_logprobs": [considered.get(token) for token, considered in chosen],
        "top_logprobs": [considered for _, considered in chosen],
    }

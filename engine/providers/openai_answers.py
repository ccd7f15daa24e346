"""Answers of the OpenAI API as the inference API has them. Pure: JSON in, values out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ConfigDict, Field

from rungraph.engine.apis.common import (
    CompletionMessage,
    StopReason,
    TokenLogProbs,
    ToolCall,
    Usage,
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

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Wire(BaseModel):
    """Base of what is read from the wire: fields that we do not need may come and go."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Token(_Wire):
    token: str
    logprob: float
    top_logprobs: list[_Token] = Field(default_factory=list["_Token"])


class _LogProbs(_Wire):
    # Chat (and llama.cpp everywhere) has the first form, the older completions route the others.
    content: list[_Token] | None = None
    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float] | None] | None = None

    def by_token(self) -> list[TokenLogProbs]:
        if self.content is not None:
            return [
                TokenLogProbs(
                    logprobs_by_token={
                        each.token: each.logprob for each in (*token.top_logprobs, token)
                    }
                )
                for token in self.content
            ]
        tokens = self.tokens or []
        chosen = self.token_logprobs or [None] * len(tokens)
        others = self.top_logprobs or [None] * len(tokens)
        return [
            TokenLogProbs(
                logprobs_by_token={**(top or {}), **({} if one is None else {token: one})}
            )
            for token, one, top in zip(tokens, chosen, others, strict=False)
        ]


class _Function(_Wire):
    name: str | None = None
    arguments: str | None = None


class _Call(_Wire):
    index: int | None = None
    id: str | None = None
    function: _Function = _Function()


class CallNumbers:
    """Tells to which tool call of a stream each piece belongs.

    Its index says so, or else its id. Some servers leave out either, give all calls one index or
    each piece an id of its own: so a name begins another call, with another id or without an index.
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._latest: dict[int | None, int] = {}

    def number_of(self, piece: _Call) -> int:
        """Return the number of the call that *piece* goes on with or begins; they begin with 0."""
        number = self._latest.get(piece.index)
        if piece.id and piece.index is None and piece.id in self._ids:
            number = self._ids.index(piece.id)
        elif (
            piece.function.name
            and number is not None
            and (self._ids[number] not in {"", piece.id} if piece.id else piece.index is None)
        ):
            number = None
        if number is None:
            number = len(self._ids)
            self._ids.append("")
        self._ids[number] = self._ids[number] or piece.id or ""
        self._latest[piece.index] = self._latest[None] = number
        return number


class Message(_Wire):
    """What the model says, or a piece of it."""

    content: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(_Wire):
    message: Message = Message()
    delta: Message | None = None
    text: str = ""
    finish_reason: str | None = None
    logprobs: _LogProbs | None = None

    @property
    def token_logprobs(self) -> list[TokenLogProbs] | None:
        return None if self.logprobs is None else self.logprobs.by_token()


class _Usage(_Wire):
    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    prompt_tokens_details: dict[str, Any] | None = None
    completion_tokens_details: dict[str, Any] | None = None


class _Counted(_Wire):
    usage: _Usage | None = None

    @property
    def tokens(self) -> Usage | None:
        if (told := self.usage) is None:
            return None
        return Usage(prompt_tokens=told.prompt_tokens, completion_tokens=told.completion_tokens)


class Answer(_Counted):
    """A chat or a completion, or a chunk of one.

    Attributes:
        choices: What the model said; at the beginning or the end of a stream there may be none.
    """

    choices: list[_Choice]


class _Vector(_Wire):
    index: int
    embedding: list[float]


class _Vectors(_Counted):
    data: list[_Vector]


class _ServedModel(_Wire):
    id: str
    aliases: list[str] = Field(default_factory=list[str])


class _ServedModels(_Wire):
    data: list[_ServedModel]


def chat_answer(body: dict[str, Any]) -> ChatCompletionResponse:
    """Return the answer that the *body* of a chat completion holds."""
    answer = Answer.model_validate(body)
    choice = _first(answer)
    calls = [
        _whole_call(call, number) for number, call in enumerate(choice.message.tool_calls or ())
    ]
    # What is no call of a tool is shown as the model wrote it.
    texts = [choice.message.content or "", *(call for call in calls if isinstance(call, str))]
    found = [call for call in calls if isinstance(call, ToolCall)]
    message = CompletionMessage(
        content="\n".join(text for text in texts if text),
        stop_reason=_stop_reason(choice.finish_reason, calls=bool(found)),
        tool_calls=found,
    )
    return ChatCompletionResponse(
        completion_message=message, logprobs=choice.token_logprobs, usage=answer.tokens
    )


def completion_answer(body: dict[str, Any]) -> CompletionResponse:
    """Return the answer that the *body* of a completion holds."""
    answer = Answer.model_validate(body)
    choice = _first(answer)
    message = CompletionMessage(
        content=choice.text, stop_reason=_stop_reason(choice.finish_reason, calls=False)
    )
    return CompletionResponse(
        completion_message=message, logprobs=choice.token_logprobs, usage=answer.tokens
    )


def embeddings_answer(body: dict[str, Any]) -> EmbeddingsResponse:
    """Return the vectors that *body* holds, in the order of the texts."""
    answer = _Vectors.model_validate(body)
    vectors = sorted(answer.data, key=lambda vector: vector.index)
    return EmbeddingsResponse(
        embeddings=[vector.embedding for vector in vectors], usage=answer.tokens
    )


def served_models(body: dict[str, Any]) -> tuple[str, ...]:
    """Return the names that the *body* of a list of models holds, aliases too, sorted."""
    models = _ServedModels.model_validate(body).data
    return tuple(sorted({name for model in models for name in (model.id, *model.aliases)}))


@dataclass(slots=True)
class _Growing:
    """A tool call of which pieces have come."""

    id: str | None = None
    name: str = ""
    arguments: str = ""


class ChatStream:
    """Turns the events of a streamed chat completion into chunks."""

    def __init__(self) -> None:
        self._numbers = CallNumbers()
        self._calls: dict[int, _Growing] = {}
        self._stop: str | None = None
        self._usage: Usage | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the server has said why it stopped."""
        return self._stop is not None

    def begin(self) -> ChatCompletionResponseStreamChunk:
        """Return the first chunk."""
        return _chunk(EventType.START, "")

    def take(self, body: dict[str, Any]) -> Iterator[ChatCompletionResponseStreamChunk]:
        """Yield the chunks that one event makes."""
        answer = Answer.model_validate(body)
        self._usage = answer.tokens or self._usage
        for choice in answer.choices[:1]:
            delta = choice.delta or Message()
            if delta.content or choice.logprobs is not None:
                yield _chunk(EventType.PROGRESS, delta.content or "", choice.token_logprobs)
            for piece in delta.tool_calls or ():
                yield self._grow(piece)
            self._stop = choice.finish_reason or self._stop

    def end(self) -> Iterator[ChatCompletionResponseStreamChunk]:
        """Yield the last chunks: the tool calls, now that they are whole, and the end."""
        calls = False
        for number, growing in sorted(self._calls.items()):
            function = _Function(name=growing.name, arguments=growing.arguments)
            call = _whole_call(_Call(id=growing.id, function=function), number)
            good = isinstance(call, ToolCall)
            calls = calls or good
            status = ToolCallParseStatus.SUCCESS if good else ToolCallParseStatus.FAILURE
            yield _chunk(EventType.PROGRESS, ToolCallDelta(content=call, parse_status=status))
        event = ChatCompletionResponseEvent(
            event_type=EventType.COMPLETE,
            delta="",
            stop_reason=_stop_reason(self._stop, calls=calls),
            usage=self._usage,
        )
        yield ChatCompletionResponseStreamChunk(event=event)

    def _grow(self, piece: _Call) -> ChatCompletionResponseStreamChunk:
        number = self._numbers.number_of(piece)
        begun = number in self._calls
        call = self._calls.setdefault(number, _Growing())
        call.id = call.id or piece.id
        call.name += piece.function.name or ""
        text = piece.function.arguments or ""
        call.arguments += text
        if begun:
            status = ToolCallParseStatus.IN_PROGRESS
            return _chunk(EventType.PROGRESS, ToolCallDelta(content=text, parse_status=status))
        delta = ToolCallDelta(
            content=text,
            parse_status=ToolCallParseStatus.STARTED,
            call_id=call.id,
            tool_name=call.name or None,
        )
        return _chunk(EventType.PROGRESS, delta)


def completion_chunk(body: dict[str, Any]) -> CompletionResponseStreamChunk:
    """Return what one event of a streamed completion tells: text, the end, tokens, or nothing."""
    answer = Answer.model_validate(body)
    choice = next(iter(answer.choices), _Choice())
    ended = bool(choice.finish_reason)  # Some servers have an empty one until then.
    return CompletionResponseStreamChunk(
        delta=choice.text,
        stop_reason=_stop_reason(choice.finish_reason, calls=False) if ended else None,
        logprobs=choice.token_logprobs,
        usage=answer.tokens,
    )


def _first(answer: Answer) -> _Choice:
    if not answer.choices:
        msg = "an answer without choices"
        raise ValueError(msg)
    return answer.choices[0]


def _whole_call(call: _Call, number: int) -> ToolCall | str:
    """Return the tool call, or what the model wrote when it is none."""
    name, text = call.function.name, call.function.arguments or "{}"
    try:
        arguments = json.loads(text)
    except ValueError:
        arguments = None
    if not name or not isinstance(arguments, dict):
        return f"{name or ''}({text})"
    return ToolCall(
        call_id=call.id or f"call_{number}",
        tool_name=name,
        arguments=cast("dict[str, Any]", arguments),
    )


def _stop_reason(finish_reason: str | None, *, calls: bool) -> StopReason:
    if finish_reason == "length":
        return StopReason.OUT_OF_TOKENS
    return StopReason.END_OF_MESSAGE if calls else StopReason.END_OF_TURN


def _chunk(
    event_type: EventType, delta: str | ToolCallDelta, logprobs: list[TokenLogProbs] | None = None
) -> ChatCompletionResponseStreamChunk:
    return ChatCompletionResponseStreamChunk(
        event=ChatCompletionResponseEvent(event_type=event_type, delta=delta, logprobs=logprobs)
    )

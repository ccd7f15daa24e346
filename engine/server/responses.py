"""The responses API as chats: what is asked, answered and streamed. Pure: values in, values out.

Nothing is kept between two requests, so callers send the whole conversation each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError

from rungraph.engine.providers.openai_answers import Answer, CallNumbers
from rungraph.engine.server.failures import RequestError
from rungraph.engine.server.translation import Sent, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.engine.apis.common import Usage
    from rungraph.engine.providers.openai_answers import Message

_KEPT = ("model", "temperature", "top_p", "parallel_tool_calls", "user", "stream")
"""What a chat calls by the same name."""
_NEEDS_STORAGE = ("previous_response_id", "conversation", "background", "prompt")
_WITHOUT_EFFECT = frozenset({"store", "include", "truncation", "metadata", "service_tier"})
NOT_UNDERSTOOD = "the server of the model says what is not understood"
_IN_PROGRESS, _COMPLETED = "in_progress", "completed"
_CUT_SHORT = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why a response is not complete, by what the chat says of its end."""


class _Part(Sent):
    type: Literal["input_text", "output_text", "text", "refusal", "input_image"]
    text: str = ""
    refusal: str = ""
    image_url: str | None = None
    detail: str = "auto"


class _MessageItem(Sent):
    type: Literal["message"] = "message"
    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[_Part]


class _CallItem(Sent):
    type: Literal["function_call"]
    call_id: str
    name: str
    arguments: str


class _OutputItem(Sent):
    type: Literal["function_call_output"]
    call_id: str
    output: str | list[_Part]


class _ReasoningItem(Sent):
    type: Literal["reasoning"]


_Item = (
    Annotated[_CallItem | _OutputItem | _ReasoningItem, Field(discriminator="type")] | _MessageItem
)


class _Tool(Sent):
    type: Literal["function"]
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class _Choice(Sent):
    type: Literal["function"]
    name: str


class _Format(Sent):
    type: Literal["text", "json_object", "json_schema"] = "text"


class _Text(Sent):
    format: _Format = Field(default_factory=_Format)


class _Reasoning(Sent):
    effort: str | None = None


class ResponseRequest(Sent):
    """The body of a request to ``/v1/responses``."""

    model: str
    input: str | list[_Item]
    instructions: str | None = None
    tools: list[_Tool] = Field(default_factory=list[_Tool])
    tool_choice: Literal["none", "auto", "required"] | _Choice | None = None
    text: _Text = Field(default_factory=_Text)
    reasoning: _Reasoning | None = None
    max_output_tokens: int | None = None
    stream: bool | None = None


def chat_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the chat that the *body* of a request for a response means.

    Raises:
        RequestError: If it is not valid, or needs what is not kept here.
    """
    for name in _NEEDS_STORAGE:
        if body.get(name):
            text = f"{name}: nothing is kept between requests here; send the whole input instead"
            raise RequestError(400, text, name, "unsupported_parameter")
    asked = read(
        ResponseRequest, {key: body[key] for key in ResponseRequest.model_fields if key in body}
    )
    # What is not known may mean something to the model's own server.
    known = {*ResponseRequest.model_fields, *_NEEDS_STORAGE, *_WITHOUT_EFFECT} - {*_KEPT}
    chat = {name: value for name, value in body.items() if name not in known}
    chat["messages"] = list(_messages(asked))
    if asked.max_output_tokens is not None:
        chat["max_tokens"] = asked.max_output_tokens
    if asked.tools:
        chat["tools"] = [
            {"type": "function", "function": one.model_dump(exclude={"type"}, exclude_none=True)}
            for one in asked.tools
        ]
    if isinstance(asked.tool_choice, _Choice):
        chat["tool_choice"] = {"type": "function", "function": {"name": asked.tool_choice.name}}
    elif asked.tool_choice is not None:
        chat["tool_choice"] = asked.tool_choice
    if asked.text.format.type == "json_schema":
        schema = asked.text.format.model_dump(exclude={"type"})
        chat["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif asked.text.format.type == "json_object":
        chat["response_format"] = {"type": "json_object"}
    if asked.reasoning is not None and asked.reasoning.effort:
        chat["reasoning_effort"] = asked.reasoning.effort
    if asked.stream:
        chat["stream_options"] = {"include_usage": True}
    return chat


def _messages(asked: ResponseRequest) -> Iterator[dict[str, Any]]:
    if asked.instructions:
        yield {"role": "system", "content": asked.instructions}
    if isinstance(asked.input, str):
        yield {"role": "user", "content": asked.input}
        return
    calls: list[dict[str, Any]] = []
    for item in asked.input:
        if isinstance(item, _CallItem):
            function = {"name": item.name, "arguments": item.arguments}
            calls.append({"id": item.call_id, "type": "function", "function": function})
            continue
        if calls:
            yield {"role": "assistant", "content": None, "tool_calls": calls}
            calls = []
        if isinstance(item, _OutputItem):
            content = _content(item.output)
            yield {"role": "tool", "tool_call_id": item.call_id, "content": content}
        elif isinstance(item, _MessageItem):
            yield {"role": item.role, "content": _content(item.content)}
    if calls:
        yield {"role": "assistant", "content": None, "tool_calls": calls}


def _content(content: str | list[_Part]) -> str | list[dict[str, Any]]:
    if isinstance(content, str):
        return content
    if all(part.type != "input_image" for part in content):
        return "".join(part.text or part.refusal for part in content)
    return [
        {"type": "image_url", "image_url": {"url": part.image_url, "detail": part.detail}}
        if part.type == "input_image"
        else {"type": "text", "text": part.text}
        for part in content
    ]


class Answering:
    """Makes a response of the chat that answers it, whole or chunk by chunk.

    Args:
        body: The request.
        name: What tells the ids of this response from those of others.
        created: When it was made, in seconds of the epoch.

    Attributes:
        usage: The tokens, once the chat has told them.
    """

    def __init__(self, body: Mapping[str, Any], name: str, created: int) -> None:
        self._name = name
        self._response: dict[str, Any] = {
            "id": f"resp_{name}",
            "object": "response",
            "created_at": created,
            "status": _IN_PROGRESS,
            "error": None,
            "incomplete_details": None,
            "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"),
            "metadata": body.get("metadata") or {},
            "model": body["model"],
            "output": [],
            "parallel_tool_calls": body.get("parallel_tool_calls", True),
            "previous_response_id": None,
            "store": False,
            "temperature": body.get("temperature"),
            "text": body.get("text") or {"format": {"type": "text"}},
            "tool_choice": body.get("tool_choice") or "auto",
            "tools": body.get("tools") or [],
            "top_p": body.get("top_p"),
            "truncation": "disabled",
            "usage": None,
        }
        self.usage: Usage | None = None
        self._message: dict[str, Any] | None = None  # The text that grows.
        self._calls: dict[int, dict[str, Any]] = {}
        self._numbers = CallNumbers()
        self._number = 0
        self._finish = ""

    def whole(self, chat: Mapping[str, Any]) -> dict[str, Any]:
        """Return the response that *chat*, a whole completion, makes."""
        *_, last = (*self.take(chat), *self.end())
        return last["response"]  # type: ignore[no-any-return]

    def _begin(self) -> Iterator[dict[str, Any]]:
        if self._number == 0:  # Not before: what fails until then is no stream yet.
            yield self._event("response.created", response=dict(self._response))
            yield self._event("response.in_progress", response=dict(self._response))

    def take(self, chunk: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the events that one chunk of the chat makes.

        Raises:
            ConnectionError: If it is no chunk of a chat.
        """
        try:
            answer = Answer.model_validate(chunk)
        except ValidationError as error:
            raise ConnectionError(NOT_UNDERSTOOD) from error
        yield from self._begin()
        self._take_usage(answer)
        for choice in answer.choices:
            yield from self._take_delta(choice.delta or choice.message)
            # What is no stream is whole, whether or not it says why it ended.
            whole = "stop" if choice.delta is None else ""
            self._finish = choice.finish_reason or self._finish or whole

    def end(self) -> Iterator[dict[str, Any]]:
        """Yield the events after the last chunk.

        Raises:
            ConnectionError: If the chat has said nothing, or not that it is at its end.
        """
        if not self._finish:
            msg = "the server of the model ended its answer without saying why"
            raise ConnectionError(msg)
        yield from self._end_message()
        yield from self._end_calls()
        reason = _CUT_SHORT.get(self._finish)
        if reason is not None:
            self._response["incomplete_details"] = {"reason": reason}
        self._response["status"] = status = _COMPLETED if reason is None else "incomplete"
        yield self._event(f"response.{status}", response=self._response)

    def _take_delta(self, delta: Message) -> Iterator[dict[str, Any]]:
        if text := delta.content:
            if (item := self._message) is None:
                item = self._new_item("msg", "message", role="assistant", content=[])
                yield self._event("response.output_item.added", item, item=dict(item))
                part: dict[str, Any] = {"type": "output_text", "text": "", "annotations": []}
                told = {"content_index": 0, "part": dict(part)}
                yield self._event("response.content_part.added", item, **told)
                item["content"] = [part]
                self._message = item
            item["content"][0]["text"] += text
            told = {"delta": text, "content_index": 0, "logprobs": []}
            yield self._event("response.output_text.delta", item, **told)
        for call in delta.tool_calls or ():
            yield from self._end_message()
            number = self._numbers.number_of(call)
            if (item := self._calls.get(number)) is None:
                call_id = call.id or f"call_{len(self._response['output'])}"
                named = {"call_id": call_id, "name": call.function.name or "", "arguments": ""}
                item = self._calls[number] = self._new_item("fc", "function_call", **named)
                yield self._event("response.output_item.added", item, item=dict(item))
            if arguments := call.function.arguments:
                item["arguments"] += arguments
                yield self._event("response.function_call_arguments.delta", item, delta=arguments)

    def _new_item(self, prefix: str, kind: str, **fields: Any) -> dict[str, Any]:
        output = self._response["output"]
        name = f"{prefix}_{self._name}{len(output)}"
        output.append({"id": name, "type": kind, **fields, "status": _IN_PROGRESS})
        return output[-1]  # type: ignore[no-any-return]

    def _end_message(self) -> Iterator[dict[str, Any]]:
        """Yield the events that end the text that grows."""
        item, self._message = self._message, None
        if item is not None:
            (part,) = item["content"]
            told = {"content_index": 0, "text": part["text"], "logprobs": []}
            yield self._event("response.output_text.done", item, **told)
            yield self._event("response.content_part.done", item, content_index=0, part=part)
            yield self._done(item)

    def _end_calls(self) -> Iterator[dict[str, Any]]:
        """Yield the events that end the calls: more can come of each until the chat ends."""
        for item in self._calls.values():
            told = {"name": item["name"], "arguments": item["arguments"]}
            yield self._event("response.function_call_arguments.done", item, **told)
            yield self._done(item)

    def _done(self, item: dict[str, Any]) -> dict[str, Any]:
        item["status"] = _COMPLETED
        return self._event("response.output_item.done", item, item=item)

    def _take_usage(self, answer: Answer) -> None:
        if (told := answer.usage) is None:
            return
        self.usage = answer.tokens
        read, written = told.prompt_tokens_details or {}, told.completion_tokens_details or {}
        self._response["usage"] = {
            "input_tokens": told.prompt_tokens,
            "input_tokens_details": {"cached_tokens": read.get("cached_tokens") or 0},
            "output_tokens": told.completion_tokens,
            "output_tokens_details": {"reasoning_tokens": written.get("reasoning_tokens") or 0},
            "total_tokens": told.prompt_tokens + told.completion_tokens,
        }

    def _event(self, kind: str, of: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
        """Return an event; one *of* an item names the item."""
        if of is not None:
            fields["output_index"] = self._response["output"].index(of)
            if "item" not in fields:
                fields["item_id"] = of["id"]
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return event

"""Tool calls as JSON, for models that have no form of their own."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from tests.contract.cli_package.fake_provider import chunk_of

from rungraph.engine.apis.common import (
    CompletionMessage,
    JsonSchemaResponseFormat,
    Message,
    StopReason,
    SystemMessage,
    ToolCall,
    ToolDefinition,
    ToolParamDefinition,
    ToolResponseMessage,
    UserMessage,
    text_of,
)
from rungraph.engine.apis.inference import (
    ChatCompletionResponse,
    ChatCompletionResponseStreamChunk,
    EventType,
    ToolCallDelta,
)
from rungraph.engine.providers.inline.llama_cpp.json_tools import ask, read, read_stream

WEATHER = ToolDefinition(
    tool_name="weather",
    description="The weather in a city.",
    parameters={"city": ToolParamDefinition(param_type="str")},
)
CLOCK = ToolDefinition(tool_name="clock")
HELLO: list[Message] = [UserMessage(content="hi")]


def options(choice: str, response_format: JsonSchemaResponseFormat | None = None) -> list[str]:
    """Return what the model may write: the tools' names, and ``answer`` with its type."""
    schema = ask(HELLO, [WEATHER, CLOCK], choice, response_format).response_format.json_schema
    found: list[str] = []
    for option in schema.get("anyOf", [schema]):
        properties: dict[str, Any] = option["properties"]
        if "answer" in properties:
            found.append(f"answer:{properties['answer']['type']}")
        else:
            found.append(properties["tool_name"]["const"])
    return found


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        ("auto", ["weather", "clock", "answer:string"]),
        ("required", ["weather", "clock"]),
        ("clock", ["clock"]),
    ],
)
def test_choices(choice: str, found: list[str]) -> None:
    """The schema allows what the choice allows, an answer in the form that is asked for."""
    assert options(choice) == found
    wanted = JsonSchemaResponseFormat(json_schema={"type": "integer"})
    assert options(choice, wanted) == [one.replace(":string", ":integer") for one in found]
    with pytest.raises(ValueError, match="'wether' is none of"):
        ask(HELLO, [WEATHER], "wether")


def test_tools_are_told() -> None:
    """The model is told of the tools in the system message, after what stands there."""
    messages = [SystemMessage(content="Be brief."), *HELLO]
    system, user = ask(messages, [WEATHER], "auto").messages
    assert isinstance(system, SystemMessage)
    assert text_of(system.content).splitlines() == [
        "Be brief.",
        "",
        "You can call these tools:",
        '* weather - The weather in a city. Arguments: {"city": {"type": "string"}}',
        'To call a tool, write {"tool_name": "...", "arguments": {...}}.',
        'When no tool is needed, write {"answer": ...}.',
    ]
    assert user == HELLO[0]


def test_history_in_plain_words() -> None:
    """Earlier calls and their results are told in words that every template knows."""
    call = ToolCall(call_id="1", tool_name="clock", arguments={})
    history: list[Message] = [
        *HELLO,
        CompletionMessage(content="", stop_reason=StopReason.END_OF_MESSAGE, tool_calls=[call]),
        ToolResponseMessage(call_id="1", tool_name="clock", content="noon"),
    ]
    _, _, called, result = ask(history, [CLOCK], "auto").messages
    assert called.content == '{"tool_name": "clock", "arguments": {}}'
    assert result == UserMessage(content="Result of clock: noon")


def whole(text: str, stop_reason: StopReason = StopReason.END_OF_TURN) -> ChatCompletionResponse:
    """Return a model's answer that says *text*."""
    return ChatCompletionResponse(
        completion_message=CompletionMessage(content=text, stop_reason=stop_reason)
    )


def test_reading_a_call() -> None:
    """A call becomes a tool call with an id of its own, and the model waits for its result."""
    text = '{"tool_name": "clock", "arguments": {"a": 1}}'
    message, other = (read(whole(text)).completion_message for _ in range(2))
    (call,) = message.tool_calls
    assert call.call_id != other.tool_calls[0].call_id
    assert (call.tool_name, call.arguments) == ("clock", {"a": 1})
    assert (message.content, message.stop_reason) == ("", StopReason.END_OF_MESSAGE)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('{"answer": "it is \\"noon\\""}', 'it is "noon"'),
        ('{"answer": {"hour": 12}}', '{"hour": 12}'),
        ('{"answer": "it is no', '{"answer": "it is no'),
    ],
    ids=["text", "form", "cut-off"],
)
def test_reading_an_answer(text: str, content: str) -> None:
    """An answer is what stands in the JSON; one that is cut off is given as it is."""
    message = read(whole(text, StopReason.OUT_OF_TOKENS)).completion_message
    assert (message.content, message.stop_reason) == (content, StopReason.OUT_OF_TOKENS)


class Source:
    """A stream of *text* in two pieces that knows whether it was closed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.is_closed = False

    async def chunks(self) -> AsyncGenerator[ChatCompletionResponseStreamChunk, None]:
        """Yield the stream."""
        half = len(self.text) // 2
        try:
            yield chunk_of(EventType.START, "")
            yield chunk_of(EventType.PROGRESS, self.text[:half])
            yield chunk_of(EventType.PROGRESS, self.text[half:])
            yield chunk_of(EventType.COMPLETE, "")
        finally:
            self.is_closed = True


async def events_of(text: str) -> list[tuple[str, object, StopReason | None]]:
    """Return the events of a stream that spells *text*."""
    found: list[tuple[str, object, StopReason | None]] = []
    async for chunk in read_stream(Source(text).chunks()):
        if chunk is not None:
            event = chunk.event
            found.append((event.event_type.value, event.delta, event.stop_reason))
    return found


async def test_streamed_call() -> None:
    """A streamed call is begun and then given whole."""
    start, begun, call, end = await events_of('{"tool_name": "clock", "arguments": {}}')
    assert start == ("start", "", None)
    assert isinstance(begun[1], ToolCallDelta)
    assert begun[1].parse_status.value == "started"
    assert isinstance(call[1], ToolCallDelta)
    assert isinstance(call[1].content, ToolCall)
    assert call[1].parse_status.value == "success"
    assert end == ("complete", "", StopReason.END_OF_MESSAGE)


async def test_streamed_answer() -> None:
    """A streamed answer is given as text."""
    assert await events_of(json.dumps({"answer": "noon"})) == [
        ("start", "", None),
        ("progress", "noon", None),
        ("complete", "", StopReason.END_OF_TURN),
    ]


async def test_closing_early() -> None:
    """Closing the stream closes the model's."""
    source = Source('{"answer": "noon"}')
    stream = read_stream(source.chunks())
    assert await anext(stream) is None
    assert await anext(stream) is not None
    await stream.aclose()
    assert source.is_closed

"""Tool calls by a model that has no form of its own for them: as JSON that a schema enforces.

The model is told of the tools in its system message, and the server lets it write nothing but a
call of one of them or an answer. Pure but for :func:`read_stream`, which reads another stream.
"""

from __future__ import annotations

import json
import uuid
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from rungraph.engine.apis.common import (
    CompletionMessage,
    JsonSchemaResponseFormat,
    StopReason,
    SystemMessage,
    ToolCall,
    ToolChoice,
    ToolResponseMessage,
    UserMessage,
    text_of,
)
from rungraph.engine.apis.inference import (
    ChatCompletionResponse,
    ChatCompletionResponseEvent,
    ChatCompletionResponseStreamChunk,
    EventType,
    ToolCallDelta,
    ToolCallParseStatus,
)
from rungraph.engine.providers.openai_requests import check_tool_choice, parameters_schema

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from rungraph.engine.apis.common import Message, ResponseFormat, ToolDefinition


class Question(NamedTuple):
    """What to ask the model in place of a request with tools."""

    messages: list[Message]
    response_format: ResponseFormat


def ask(
    messages: Sequence[Message],
    tools: Sequence[ToolDefinition],
    tool_choice: ToolChoice | str,
    response_format: ResponseFormat | None = None,
) -> Question:
    """Return the question that makes a model call one of *tools*, or answer where it may.

    Args:
        messages: The conversation.
        tools: What may be called.
        tool_choice: ``required`` and a tool's name forbid an answer, ``auto`` allows it.
        response_format: The form of an answer; None means text.

    Raises:
        ValueError: If *tool_choice* names no tool.
    """
    check_tool_choice(tool_choice, tools)
    named = [tool for tool in tools if tool.tool_name == tool_choice]
    callable_tools = named or tools
    may_answer = not named and tool_choice != ToolChoice.REQUIRED
    options = [_call_schema(tool) for tool in callable_tools]
    if may_answer:
        answer = response_format.json_schema if response_format is not None else {"type": "string"}
        options.append(_object({"answer": answer}))
    schema = options[0] if len(options) == 1 else {"anyOf": options}
    told = _instructions(callable_tools, may_answer=may_answer)
    return Question(_with_system(messages, told), JsonSchemaResponseFormat(json_schema=schema))


def read(response: ChatCompletionResponse) -> ChatCompletionResponse:
    """Return *response* to a question with its tool call or its answer taken out of the JSON."""
    message = response.completion_message
    return response.model_copy(
        update={"completion_message": _message(text_of(message.content), message.stop_reason)}
    )


async def read_stream(
    chunks: AsyncGenerator[ChatCompletionResponseStreamChunk, None],
) -> AsyncGenerator[ChatCompletionResponseStreamChunk | None, None]:
    """Yield None, then the chunks of the answer that *chunks* spell as JSON.

    Whether it is a call or an answer shows only when the JSON is whole, so all of it comes in one
    chunk before the last. Closing the generator closes *chunks*.
    """
    text = ""
    async with aclosing(chunks):
        yield None
        async for chunk in chunks:
            event = chunk.event
            if event.event_type is EventType.START:
                yield chunk
            elif event.event_type is EventType.PROGRESS:
                text += event.delta if isinstance(event.delta, str) else ""
            else:
                message = _message(text, event.stop_reason or StopReason.END_OF_TURN)
                for delta in _deltas(message):
                    yield _chunk(EventType.PROGRESS, delta)
                yield _chunk(EventType.COMPLETE, "", message.stop_reason)


def _message(text: str, stop_reason: StopReason) -> CompletionMessage:
    try:
        found: object = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        # Cut off by a limit: what there is may still be of use to someone.
        return CompletionMessage(content=text, stop_reason=stop_reason)
    fields = cast("dict[str, Any]", found)
    if "tool_name" in fields:
        call = ToolCall(
            call_id=f"call_{uuid.uuid4().hex[:12]}",
            tool_name=fields["tool_name"],
            arguments=fields["arguments"],
        )
        return CompletionMessage(
            content="", stop_reason=StopReason.END_OF_MESSAGE, tool_calls=[call]
        )
    answer = fields["answer"]
    content = answer if isinstance(answer, str) else json.dumps(answer)
    return CompletionMessage(content=content, stop_reason=stop_reason)


def _deltas(message: CompletionMessage) -> list[str | ToolCallDelta]:
    if not message.tool_calls:
        return [text_of(message.content)]
    (call,) = message.tool_calls
    return [
        ToolCallDelta(content="", parse_status=ToolCallParseStatus.STARTED),
        ToolCallDelta(content=call, parse_status=ToolCallParseStatus.SUCCESS),
    ]


def _chunk(
    event_type: EventType, delta: str | ToolCallDelta, stop_reason: StopReason | None = None
) -> ChatCompletionResponseStreamChunk:
    return ChatCompletionResponseStreamChunk(
        event=ChatCompletionResponseEvent(
            event_type=event_type, delta=delta, stop_reason=stop_reason
        )
    )


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _call_schema(tool: ToolDefinition) -> dict[str, Any]:
    return _object({"tool_name": {"const": tool.tool_name}, "arguments": parameters_schema(tool)})


def _instructions(tools: Sequence[ToolDefinition], *, may_answer: bool) -> str:
    lines = ["You can call these tools:"]
    for tool in tools:
        about = f" - {tool.description}" if tool.description else ""
        properties = json.dumps(parameters_schema(tool)["properties"])
        lines.append(f"* {tool.tool_name}{about} Arguments: {properties}")
    lines.append('To call a tool, write {"tool_name": "...", "arguments": {...}}.')
    if may_answer:
        lines.append('When no tool is needed, write {"answer": ...}.')
    return "\n".join(lines)


def _with_system(messages: Sequence[Message], told: str) -> list[Message]:
    """Return *messages* with *told* in the system message, in words that any template knows."""
    if messages and isinstance(first := messages[0], SystemMessage):
        told = f"{text_of(first.content)}\n\n{told}"
        messages = messages[1:]
    return [SystemMessage(content=told), *map(_plain, messages)]


def _plain(message: Message) -> Message:
    if isinstance(message, ToolResponseMessage):
        return UserMessage(content=f"Result of {message.tool_name}: {text_of(message.content)}")
    if isinstance(message, CompletionMessage) and message.tool_calls:
        calls = [
            json.dumps({"tool_name": call.tool_name, "arguments": call.arguments})
            for call in message.tool_calls
        ]
        texts = [text_of(message.content), *calls]
        return CompletionMessage(
            content="\n".join(text for text in texts if text), stop_reason=message.stop_reason
        )
    return message

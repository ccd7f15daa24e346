"""Requests of the inference API as the OpenAI API writes them. Pure: values in, JSON out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rungraph.engine.apis.common import (
    CompletionMessage,
    ImageMedia,
    SamplingStrategy,
    SystemMessage,
    ToolChoice,
    ToolResponseMessage,
    UserMessage,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.engine.apis.common import (
        InterleavedContent,
        LogProbConfig,
        Message,
        ResponseFormat,
        SamplingParams,
        ToolDefinition,
        ToolParamDefinition,
    )

_JSON_TYPES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "list": "array",
    "dict": "object",
}
_KNOWN_TYPES = frozenset({*_JSON_TYPES.values(), "null"})

_OPTIONS = "stream_options"


def chat_request(
    model: str,
    messages: Sequence[Message],
    *,
    sampling_params: SamplingParams | None = None,
    response_format: ResponseFormat | None = None,
    tools: Sequence[ToolDefinition] | None = None,
    tool_choice: ToolChoice | str = ToolChoice.AUTO,
    stream: bool = False,
    logprobs: LogProbConfig | None = None,
) -> dict[str, Any]:
    """Return the body of a request to ``/chat/completions``."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in messages],
        **_streaming(stream=stream),
        **_sampling(sampling_params),
    }
    if response_format is not None:
        body["response_format"] = _response_format(response_format)
    if tools:
        body["tools"] = [_tool(tool) for tool in tools]
        body["tool_choice"] = _tool_choice(tool_choice, tools)
    if logprobs is not None:
        body |= {"logprobs": True, "top_logprobs": logprobs.top_k}
    return body


def completion_request(
    model: str,
    content: InterleavedContent,
    *,
    sampling_params: SamplingParams | None = None,
    response_format: ResponseFormat | None = None,
    stream: bool = False,
    logprobs: LogProbConfig | None = None,
) -> dict[str, Any]:
    """Return the body of a request to ``/completions``."""
    body: dict[str, Any] = {
        "model": model,
        "prompt": text_of(content),
        **_streaming(stream=stream),
        **_sampling(sampling_params),
    }
    if response_format is not None:
        # This older route has no standard form for it: vLLM reads one key, llama.cpp the other.
        body["response_format"] = _response_format(response_format)
        body["json_schema"] = response_format.json_schema
    if logprobs is not None:
        body["logprobs"] = max(logprobs.top_k, 1)
    return body


def embeddings_request(model: str, contents: Sequence[InterleavedContent]) -> dict[str, Any]:
    """Return the body of a request to ``/embeddings``."""
    return {"model": model, "input": [text_of(content) for content in contents]}


def parameters_schema(tool: ToolDefinition) -> dict[str, Any]:
    """Return the JSON Schema of the arguments of *tool*."""
    if tool.json_schema is not None:
        return tool.json_schema
    parameters = tool.parameters or {}
    return {
        "type": "object",
        "properties": {name: _parameter(each) for name, each in parameters.items()},
        "required": [name for name, each in parameters.items() if each.required],
        "additionalProperties": False,
    }


def check_tool_choice(choice: ToolChoice | str, tools: Sequence[ToolDefinition]) -> None:
    """Raise an error when *choice* is neither a choice nor one of *tools*.

    Raises:
        ValueError: If so.
    """
    names = [tool.tool_name for tool in tools]
    general = [each.value for each in ToolChoice]
    if choice not in names and choice not in general:
        known = ", ".join(map(repr, [*general, *sorted(names)]))
        msg = f"tool_choice {str(choice)!r} is none of {known}"
        raise ValueError(msg)


def drop_options(body: dict[str, Any], refusal: Exception) -> bool:
    """Take the options of a stream out of *body* if a server refuses them; return whether."""
    return _OPTIONS in str(refusal) and body.pop(_OPTIONS, None) is not None


def _streaming(*, stream: bool) -> dict[str, Any]:
    # Of a stream, servers tell the tokens to those who ask for them alone.
    return {"stream": stream, **({_OPTIONS: {"include_usage": True}} if stream else {})}


def _sampling(params: SamplingParams | None) -> dict[str, Any]:
    if params is None:
        return {"temperature": 0.0}
    body: dict[str, Any] = {}
    if params.temperature is not None:
        body["temperature"] = params.temperature
    elif params.strategy is SamplingStrategy.GREEDY:
        body["temperature"] = 0.0
    if params.strategy is SamplingStrategy.TOP_P and params.top_p is not None:
        body["top_p"] = params.top_p
    if params.strategy is SamplingStrategy.TOP_K and params.top_k is not None:
        body["top_k"] = params.top_k
    if params.max_tokens:
        body["max_tokens"] = params.max_tokens
    if params.stop:
        body["stop"] = params.stop
    if params.seed is not None:
        body["seed"] = params.seed
    if params.repetition_penalty not in {None, 1.0}:
        # No part of OpenAI's own API: vLLM and TGI read one name, llama.cpp the other.
        body["repetition_penalty"] = params.repetition_penalty
        body["repeat_penalty"] = params.repetition_penalty
    return body


def _response_format(response_format: ResponseFormat) -> dict[str, Any]:
    schema = {"name": "answer", "schema": response_format.json_schema, "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _message(message: Message) -> dict[str, Any]:
    match message:
        case SystemMessage():
            return {"role": "system", "content": _content(message.content)}
        case UserMessage(context=None):
            return {"role": "user", "content": _content(message.content)}
        case UserMessage():
            both = [*_items(message.content), *_items(message.context or "")]
            return {"role": "user", "content": _content(both)}
        case ToolResponseMessage():
            content = _content(message.content)
            return {"role": "tool", "tool_call_id": message.call_id, "content": content}
        case CompletionMessage():
            return _assistant(message)


def _assistant(message: CompletionMessage) -> dict[str, Any]:
    body: dict[str, Any] = {"role": "assistant", "content": _content(message.content)}
    if message.tool_calls:
        body["tool_calls"] = [
            {
                "id": call.call_id,
                "type": "function",
                "function": {"name": call.tool_name, "arguments": json.dumps(call.arguments)},
            }
            for call in message.tool_calls
        ]
    return body


def _items(content: InterleavedContent) -> list[str | ImageMedia]:
    return content if isinstance(content, list) else [content]


def _content(content: InterleavedContent) -> str | list[dict[str, Any]]:
    items = _items(content)
    if all(isinstance(item, str) for item in items):
        return text_of(content)
    return [
        {"type": "text", "text": item}
        if isinstance(item, str)
        else {"type": "image_url", "image_url": {"url": item.image}}
        for item in items
    ]


def _tool(tool: ToolDefinition) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.tool_name, "parameters": parameters_schema(tool)}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": function}


def _parameter(parameter: ToolParamDefinition) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    # A type by another name, such as "list[str]", is left open rather than refused.
    name = _JSON_TYPES.get(parameter.param_type, parameter.param_type)
    if name in _KNOWN_TYPES:
        schema["type"] = name
    if parameter.description:
        schema["description"] = parameter.description
    if parameter.default is not None:
        schema["default"] = parameter.default
    return schema


def _tool_choice(choice: ToolChoice | str, tools: Sequence[ToolDefinition]) -> Any:
    check_tool_choice(choice, tools)
    if any(tool.tool_name == choice for tool in tools):
        return {"type": "function", "function": {"name": str(choice)}}
    return str(choice)

"""Requests and answers of the inference API as the OpenAI API writes them."""

from __future__ import annotations

from typing import Any

import pytest

from rungraph.engine.apis.common import (
    CompletionMessage,
    ImageMedia,
    JsonSchemaResponseFormat,
    LogProbConfig,
    Message,
    SamplingParams,
    SamplingStrategy,
    StopReason,
    SystemMessage,
    ToolCall,
    ToolDefinition,
    ToolParamDefinition,
    ToolResponseMessage,
    UserMessage,
)
from rungraph.engine.providers.openai_answers import (
    chat_answer,
    completion_answer,
    completion_chunk,
)
from rungraph.engine.providers.openai_requests import (
    chat_request,
    completion_request,
    parameters_schema,
)

HELLO: list[Message] = [UserMessage(content="hi")]


@pytest.mark.parametrize(
    ("params", "sent"),
    [
        (None, {"temperature": 0.0}),
        (SamplingParams(), {"temperature": 0.0}),
        (SamplingParams(temperature=0.7), {"temperature": 0.7}),
        (SamplingParams(max_tokens=5), {"temperature": 0.0, "max_tokens": 5}),
        (SamplingParams(max_tokens=0), {"temperature": 0.0}),
        (SamplingParams(strategy=SamplingStrategy.TOP_P, top_p=0.9, top_k=5), {"top_p": 0.9}),
        (SamplingParams(strategy=SamplingStrategy.TOP_K, top_p=0.9, top_k=5), {"top_k": 5}),
        (
            SamplingParams(repetition_penalty=1.1),
            {"temperature": 0.0, "repetition_penalty": 1.1, "repeat_penalty": 1.1},
        ),
        (SamplingParams(repetition_penalty=1.0), {"temperature": 0.0}),
    ],
)
def test_sampling(params: SamplingParams | None, sent: dict[str, Any]) -> None:
    """Of the sampling parameters, what was chosen and fits the strategy is sent."""
    body = chat_request("m", HELLO, sampling_params=params)
    rest = {key: value for key, value in body.items() if key not in {"model", "messages", "stream"}}
    assert rest == sent


def test_messages() -> None:
    """Every kind of message has its form, with its tool calls and images."""
    messages: list[Message] = [
        SystemMessage(content="be brief"),
        UserMessage(content=["look", ImageMedia(image="http://host/a.png")], context="on a map"),
        UserMessage(content="hi", context="there"),
        CompletionMessage(
            content="",
            stop_reason=StopReason.END_OF_MESSAGE,
            tool_calls=[ToolCall(call_id="c1", tool_name="add", arguments={"a": 1})],
        ),
        ToolResponseMessage(call_id="c1", tool_name="add", content="2"),
    ]
    assert chat_request("m", messages)["messages"] == [
        {"role": "system", "content": "be brief"},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "http://host/a.png"}},
                {"type": "text", "text": "on a map"},
            ],
        },
        {"role": "user", "content": "hi\nthere"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "add", "arguments": '{"a": 1}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "2"},
    ]


def test_response_format() -> None:
    """A schema is sent as the standard has it and, where it has none, as servers read it."""
    wanted = JsonSchemaResponseFormat(json_schema={"type": "object"})
    standard = {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
    }
    assert chat_request("m", HELLO, response_format=wanted)["response_format"] == standard
    body = completion_request("m", "hi", response_format=wanted)
    assert (body["response_format"], body["json_schema"]) == (standard, {"type": "object"})


def test_logprobs_requests() -> None:
    """Probabilities are asked for in each route's own way."""
    wanted = LogProbConfig(top_k=3)
    body = chat_request("m", HELLO, logprobs=wanted)
    assert (body["logprobs"], body["top_logprobs"]) == (True, 3)
    assert completion_request("m", "hi", logprobs=wanted)["logprobs"] == 3


@pytest.mark.parametrize(
    ("choice", "sent"),
    [
        ("auto", "auto"),
        ("required", "required"),
        ("none", "none"),
        ("add", {"type": "function", "function": {"name": "add"}}),
    ],
)
def test_tool_choice(choice: str, sent: object) -> None:
    """A choice is sent as it is, a tool's name as that tool; else it is refused."""
    body = chat_request("m", HELLO, tools=[ToolDefinition(tool_name="add")], tool_choice=choice)
    assert body["tool_choice"] == sent
    with pytest.raises(ValueError, match="'sub' is none of 'auto', 'required', 'none', 'add'"):
        chat_request("m", HELLO, tools=[ToolDefinition(tool_name="add")], tool_choice="sub")


@pytest.mark.parametrize(
    ("param_type", "schema"),
    [
        ("str", {"type": "string"}),
        ("float", {"type": "number"}),
        ("bool", {"type": "boolean"}),
        ("list", {"type": "array"}),
        ("dict", {"type": "object"}),
        ("string", {"type": "string"}),
        ("list[str]", {}),
    ],
)
def test_parameter_types(param_type: str, schema: dict[str, str]) -> None:
    """Python's names of types are JSON Schema's; a type that has none is left open."""
    tool = ToolDefinition(
        tool_name="t", parameters={"p": ToolParamDefinition(param_type=param_type)}
    )
    assert parameters_schema(tool)["properties"] == {"p": schema}


# --- answers -----------------------------------------------------------------------------------


def chosen(**choice: Any) -> dict[str, Any]:
    """Return a body with one choice."""
    return {"choices": [choice]}


def test_call_that_is_no_json() -> None:
    """A tool call whose arguments are no JSON object is shown as the model wrote it."""
    calls = [
        {"id": "1", "function": {"name": "add", "arguments": "{oops"}},
        {"id": "2", "function": {"name": "add", "arguments": "[1]"}},
        {"function": {"name": "now", "arguments": ""}},
    ]
    message = chat_answer(
        chosen(message={"content": "well", "tool_calls": calls}, finish_reason="tool_calls")
    ).completion_message
    assert message.content == "well\nadd({oops)\nadd([1])"
    assert message.tool_calls == [ToolCall(call_id="call_2", tool_name="now", arguments={})]


@pytest.mark.parametrize(
    ("logprobs", "found"),
    [
        ({"content": [{"token": "a", "logprob": -1}]}, [{"a": -1.0}]),
        (
            {
                "content": [
                    {"token": "a", "logprob": -1, "top_logprobs": [{"token": "b", "logprob": -2}]}
                ]
            },
            [{"b": -2.0, "a": -1.0}],
        ),
        (
            {
                "tokens": ["a", "b"],
                "token_logprobs": [None, -1.0],
                "top_logprobs": [None, {"c": -0.5}],
            },
            [{}, {"c": -0.5, "b": -1.0}],
        ),
        ({"tokens": ["a"], "token_logprobs": [-1.0]}, [{"a": -1.0}]),
    ],
    ids=["chat", "chat-top", "completions-top", "completions"],
)
def test_logprobs(logprobs: dict[str, Any], found: list[dict[str, float]]) -> None:
    """Probabilities are read in both forms, the chosen token always among them."""
    answer = completion_answer(chosen(text="a", finish_reason="stop", logprobs=logprobs))
    assert answer.logprobs is not None
    assert [each.logprobs_by_token for each in answer.logprobs] == found


@pytest.mark.parametrize(
    ("reason", "stop_reason"),
    [("stop", "end_of_turn"), ("length", "out_of_tokens"), ("content_filter", "end_of_turn")],
)
def test_stop_reasons(reason: str, stop_reason: str) -> None:
    """A limit is told from an end; without tool calls, every other end is the turn's."""
    answer = chat_answer(chosen(message={"content": "hi"}, finish_reason=reason))
    assert answer.completion_message.stop_reason == stop_reason
    silent: list[dict[str, Any]] = [chosen(text="", finish_reason=""), {"choices": []}]
    for body in silent:
        nothing = completion_chunk(body)
        assert (nothing.delta, nothing.stop_reason, nothing.usage) == ("", None, None)

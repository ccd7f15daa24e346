"""The OpenAI API as calls of the inference API, and back."""

from __future__ import annotations

from typing import Any

import pytest

from rungraph.engine.apis.common import (
    CompletionMessage,
    ImageMedia,
    SamplingStrategy,
    StopReason,
    TokenLogProbs,
    ToolCall,
    ToolResponseMessage,
    Usage,
)
from rungraph.engine.apis.inference import (
    ChatCompletionResponse,
    ChatCompletionResponseEvent,
    ChatCompletionResponseStreamChunk,
    EmbeddingsResponse,
    EventType,
    ToolCallDelta,
    ToolCallParseStatus,
)
from rungraph.engine.server import translated_answers, translation
from rungraph.engine.server.failures import RequestError

HEAD = {"id": "chatcmpl-1", "created": 1, "model": "m"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}}
CALL = ToolCall(call_id="c1", tool_name="add", arguments={"a": [1]})


def arguments_of(**more: Any) -> dict[str, Any]:
    """Return the arguments of the chat that a request with *more* makes."""
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **more}
    return translation.read(translation.ChatRequest, body).arguments


def test_sampling_means_what_the_api_says() -> None:
    """Zero temperature is greedy, nothing said is the API's default of 1; newer names count."""
    assert arguments_of(temperature=0)["sampling_params"].strategy is SamplingStrategy.GREEDY
    params = arguments_of(max_completion_tokens=5, stop="x", seed=3, top_p=0.5)["sampling_params"]
    assert (params.strategy, params.temperature) == (SamplingStrategy.TOP_P, 1.0)
    assert (params.max_tokens, params.stop, params.seed, params.top_p) == (5, ["x"], 3, 0.5)


def test_what_is_left_out_stays_left_out() -> None:
    """The provider's own defaults decide."""
    assert set(arguments_of()) == {"model", "messages", "sampling_params"}


def test_messages_of_every_role() -> None:
    """A tool's answer gets the tool's name from the call; parts are texts and images."""
    parts = [{"type": "text", "text": "see"}, {"type": "image_url", "image_url": {"url": "u"}}]
    function = {"name": "add", "arguments": '{"a": [1]}'}
    messages = arguments_of(
        messages=[
            {"role": "developer", "content": "be brief"},
            {"role": "user", "content": parts},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "c1", "function": function}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "1"},
        ]
    )["messages"]
    assert [one.role for one in messages] == ["system", "user", "assistant", "ipython"]
    assert messages[1].content == ["see", ImageMedia(image="u")]
    assert messages[2].tool_calls == [CALL]
    assert messages[3] == ToolResponseMessage(call_id="c1", tool_name="add", content="1")


def test_tools_keep_their_whole_schema() -> None:
    """A nested JSON Schema goes through as it is."""
    tool = {"type": "function", "function": {"name": "add", "parameters": SCHEMA}}
    found = arguments_of(
        tools=[tool], tool_choice={"type": "function", "function": {"name": "add"}}
    )
    assert (found["tools"][0].json_schema, found["tool_choice"]) == (SCHEMA, "add")


@pytest.mark.parametrize("more", [{"user": "me"}, {"n": 1}, {"store": True}, {"logit_bias": None}])
def test_what_changes_no_answer_is_passed_over(more: dict[str, Any]) -> None:
    """Parameters that ask for nothing are no errors."""
    assert arguments_of(**more) == arguments_of()


@pytest.mark.parametrize("more", [{"n": 2}, {"logit_bias": {"1": 5}}, {"unheard_of": 1}])
def test_what_cannot_be_honoured_is_named(more: dict[str, Any]) -> None:
    """A parameter that would be lost is refused by its name."""
    with pytest.raises(RequestError) as caught:
        arguments_of(**more)
    (name,) = more
    assert str(caught.value) == f"{name}: the provider of 'm' cannot honour it"
    assert (caught.value.status, caught.value.param) == (400, name)


def test_an_answer_is_a_chat_completion() -> None:
    """Tool calls, tokens and logprobs are where the SDK reads them."""
    message = CompletionMessage(content="", stop_reason=StopReason.END_OF_TURN, tool_calls=[CALL])
    answer = ChatCompletionResponse(
        completion_message=message, usage=Usage(prompt_tokens=2, completion_tokens=3)
    )
    found = translated_answers.chat_answer(answer, HEAD)
    (choice,) = found["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"][0]["function"] == {
        "name": "add",
        "arguments": '{"a": [1]}',
    }
    assert found["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}


def test_tokens_that_nobody_counted_are_not_told() -> None:
    """There is no usage rather than one of zeros."""
    message = CompletionMessage(content="x", stop_reason=StopReason.OUT_OF_TOKENS)
    found = translated_answers.chat_answer(ChatCompletionResponse(completion_message=message), HEAD)
    assert "usage" not in found
    assert found["choices"][0]["finish_reason"] == "length"


def test_the_chosen_token_is_the_one_in_the_text() -> None:
    """Of those considered at a position, the text tells which it was."""
    message = CompletionMessage(content="ab c", stop_reason=StopReason.END_OF_TURN)
    considered = [{"a": -1.0, "ab": -2.0}, {" c": -3.0, "x": -0.1}]
    answer = ChatCompletionResponse(
        completion_message=message,
        logprobs=[TokenLogProbs(logprobs_by_token=one) for one in considered],
    )
    content = translated_answers.chat_answer(answer, HEAD)["choices"][0]["logprobs"]["content"]
    assert [(one["token"], one["logprob"]) for one in content] == [("ab", -2.0), (" c", -3.0)]


def events_of(*deltas: ToolCallDelta) -> list[dict[str, Any]]:
    """Return the choices of a stream with *deltas*."""
    events = translated_answers.ChatEvents(HEAD, with_usage=False)
    told = [
        ChatCompletionResponseEvent(event_type=EventType.START, delta=""),
        *(ChatCompletionResponseEvent(event_type=EventType.PROGRESS, delta=one) for one in deltas),
        ChatCompletionResponseEvent(event_type=EventType.COMPLETE, delta=""),
    ]
    chunks = (ChatCompletionResponseStreamChunk(event=one) for one in told)
    return [event["choices"][0] for chunk in chunks for event in events.take(chunk)]


@pytest.mark.parametrize("named_first", [True, False])
def test_a_streamed_call_has_its_name_first(*, named_first: bool) -> None:
    """A provider that tells the name at the start streams; of another the call comes whole."""
    name = "add" if named_first else None
    started, going, done = (
        ToolCallParseStatus.STARTED,
        ToolCallParseStatus.IN_PROGRESS,
        ToolCallParseStatus.SUCCESS,
    )
    first, *middle, last = events_of(
        ToolCallDelta(content="", parse_status=started, call_id="c1", tool_name=name),
        ToolCallDelta(content='{"a": ', parse_status=going),
        ToolCallDelta(content="[1]}", parse_status=going),
        ToolCallDelta(content=CALL, parse_status=done),
    )
    assert first["delta"]["role"] == "assistant"
    pieces = [one["delta"]["tool_calls"][0] for one in middle]
    assert (pieces[0]["id"], pieces[0]["function"]["name"]) == ("c1", "add")
    assert "".join(one["function"]["arguments"] for one in pieces) == '{"a": [1]}'
    assert {one["index"] for one in pieces} == {0}
    assert last["finish_reason"] == "tool_calls"


def test_vectors_are_packed_as_little_endian_floats() -> None:
    """The packed form is what the SDK asks for by itself."""
    request = translation.read(
        translation.EmbeddingsRequest, {"model": "m", "input": ["a"], "encoding_format": "base64"}
    )
    answer = translated_answers.embeddings_answer(
        EmbeddingsResponse(embeddings=[[1.0, 0.5]]), request
    )
    assert answer["data"][0]["embedding"] == "AACAPwAAAD8="

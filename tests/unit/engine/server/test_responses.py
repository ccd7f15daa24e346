"""The responses API over chats whose servers tell calls of tools each in its own way."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from rungraph.engine.apis.common import ToolCall
from rungraph.engine.apis.inference import ToolCallDelta, ToolCallParseStatus
from rungraph.engine.providers.openai_answers import ChatStream
from rungraph.engine.server.responses import Answering

ADD, SUB = {"name": "add"}, {"name": "sub"}


def args(text: str) -> dict[str, str]:
    """Return a function of which only arguments are told."""
    return {"arguments": text}


WAYS: dict[str, list[dict[str, Any]]] = {
    "one after the other": [
        {"index": 0, "id": "a", "function": ADD | args('{"x":')},
        {"index": 0, "function": args("1}")},
        {"index": 1, "id": "b", "function": SUB | args('{"y":')},
        {"index": 1, "function": args("2}")},
    ],
    "interleaved": [
        {"index": 0, "id": "a", "function": ADD},
        {"index": 1, "id": "b", "function": SUB | args('{"y":')},
        {"index": 0, "function": args('{"x":')},
        {"index": 1, "function": args("2}")},
        {"index": 0, "function": args("1}")},
    ],
    "without ids": [
        {"index": 0, "function": ADD | args('{"x":')},
        {"index": 1, "function": SUB | args('{"y":')},
        {"index": 0, "function": args("1}")},
        {"index": 1, "function": args("2}")},
    ],
    "without indices": [
        {"id": "a", "function": ADD | args('{"x":')},
        {"function": args("1}")},
        {"id": "b", "function": SUB | args('{"y":')},
        {"function": args("2}")},
    ],
    "without indices, interleaved": [
        {"id": "a", "function": ADD | args('{"x":')},
        {"id": "b", "function": SUB | args('{"y":')},
        {"id": "a", "function": args("1}")},
        {"id": "b", "function": args("2}")},
    ],
    "all with the same index": [
        {"index": 0, "id": "a", "function": ADD | args('{"x":1}')},
        {"index": 0, "id": "b", "function": SUB | args('{"y":')},
        {"index": 0, "function": args("2}")},
    ],
    "with another id in every piece": [
        {"index": 0, "id": "a", "function": ADD | args('{"x":')},
        {"index": 0, "id": "b", "function": args("1}")},
        {"index": 1, "id": "c", "function": SUB | args('{"y":')},
        {"index": 1, "id": "d", "function": args("2}")},
    ],
    "with another id in every piece, and no index": [
        {"id": "a", "function": ADD | args('{"x":')},
        {"id": "b", "function": args("1}")},
        {"id": "c", "function": SUB | args('{"y":')},
        {"id": "d", "function": args("2}")},
    ],
    "without either": [
        {"function": ADD | args('{"x":')},
        {"function": args("1}")},
        {"function": SUB | args('{"y":2}')},
    ],
    "with empty ids": [
        {"id": "", "function": ADD | args('{"x":1}')},
        {"id": "", "function": SUB | args('{"y":')},
        {"id": "", "function": args("2}")},
    ],
    "with all in every piece": [
        {"index": 0, "id": "a", "function": ADD | args('{"x":')},
        {"index": 0, "id": "a", "function": args("1}")},
        {"index": 1, "id": "b", "function": SUB | args('{"y":')},
        {"index": 1, "id": "b", "function": args("2}")},
    ],
}


def chunks(pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a chat that says a word and calls tools in *pieces*."""
    deltas: list[dict[str, Any]] = [{"content": "so"}, *({"tool_calls": [one]} for one in pieces)]
    ends = [*[None] * len(pieces), "tool_calls"]
    return [
        {"choices": [{"delta": delta, "finish_reason": end}]}
        for delta, end in zip(deltas, ends, strict=True)
    ]


@pytest.mark.parametrize("pieces", WAYS.values(), ids=WAYS)
def test_pieces_of_calls_are_put_together(pieces: list[dict[str, Any]]) -> None:
    """Whatever tells which call a piece is of; each event names the item that it is of."""
    answering = Answering({"model": "m"}, "1", 0)
    events = [event for chunk in chunks(pieces) for event in answering.take(chunk)]
    events += answering.end()
    _, *calls = events[-1]["response"]["output"]
    told = [("add", '{"x":1}'), ("sub", '{"y":2}')]
    assert [(one["name"], one["arguments"]) for one in calls] == told
    assert len({one["call_id"] for one in calls}) == 2
    grown: defaultdict[str, str] = defaultdict(str)
    for event in events:
        if event["type"] == "response.function_call_arguments.delta":
            grown[event["item_id"]] += event["delta"]
            assert calls[event["output_index"] - 1]["id"] == event["item_id"]
    assert grown == {one["id"]: one["arguments"] for one in calls}
    done = [one["item"] for one in events if one["type"] == "response.output_item.done"]
    assert done == events[-1]["response"]["output"]
    assert {one["status"] for one in done} == {"completed"}


@pytest.mark.parametrize("pieces", WAYS.values(), ids=WAYS)
def test_pieces_of_calls_are_put_together_natively(pieces: list[dict[str, Any]]) -> None:
    """By the same thought as for responses."""
    stream = ChatStream()
    found = [chunk for one in chunks(pieces) for chunk in stream.take(one)]
    found += stream.end()
    deltas = [one.event.delta for one in found if isinstance(one.event.delta, ToolCallDelta)]
    calls = [one.content for one in deltas if isinstance(one.content, ToolCall)]
    assert [(one.tool_name, one.arguments) for one in calls] == [
        ("add", {"x": 1}),
        ("sub", {"y": 2}),
    ]
    begun = [one.call_id for one in deltas if one.parse_status is ToolCallParseStatus.STARTED]
    assert all(told in {None, "", one.call_id} for told, one in zip(begun, calls, strict=True))


def test_calls_of_a_whole_chat_stay_apart_without_ids() -> None:
    """There, each is whole, and has no index."""
    calls = [{"function": ADD | args("{}")}, {"function": ADD | args("{}")}]
    message = {"content": None, "tool_calls": calls}
    response = Answering({"model": "m"}, "1", 0).whole({"choices": [{"message": message}]})
    assert [one["call_id"] for one in response["output"]] == ["call_0", "call_1"]

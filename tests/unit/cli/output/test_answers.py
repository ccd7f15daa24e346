"""Answers go to standard output: whole ones as JSON, streams as they come."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any

import pytest

from rungraph.cli.output.answers import Answers
from rungraph.cli.terminal import OutputClosedError
from rungraph.engine.apis.common import ToolCall
from rungraph.engine.apis.inference import (
    ChatCompletionResponseEvent,
    ChatCompletionResponseStreamChunk,
    CompletionResponseStreamChunk,
    EventType,
    ToolCallDelta,
    ToolCallParseStatus,
)
from rungraph.engine.run.calls import Call

CALL = Call("inference", "chat_completion", {})
TEXT = Answers()


def chat(delta: str | ToolCallDelta) -> ChatCompletionResponseStreamChunk:
    """Return a chunk of a chat."""
    event = ChatCompletionResponseEvent(event_type=EventType.PROGRESS, delta=delta)
    return ChatCompletionResponseStreamChunk(event=event)


async def stream(*chunks: Any) -> AsyncGenerator[Any, None]:
    """Give *chunks*; raise those that are errors."""
    for chunk in chunks:
        if isinstance(chunk, Exception):
            raise chunk
        yield chunk


async def test_a_whole_answer_is_indented_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever it is made of it becomes JSON, and text stays readable; nothing is no text."""
    await TEXT.write(CALL, None)
    assert capsys.readouterr().out == ""
    when = datetime(2020, 1, 1, tzinfo=UTC)
    await TEXT.write(CALL, {"at": when, "text": "schön"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"at": "2020-01-01T00:00:00Z", "text": "schön"}
    assert "schön" in out


async def test_streamed_text_is_one_text(capsys: pytest.CaptureFixture[str]) -> None:
    """The deltas of chats and completions follow each other; the end is a line break."""
    await TEXT.write(CALL, stream(chat(""), chat("one "), chat("two")))
    await TEXT.write(CALL, stream(CompletionResponseStreamChunk(delta="three\n")))
    assert capsys.readouterr().out == "one two\nthree\n"


async def test_a_tool_call_in_a_stream_is_json_on_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is no text does not run into the text before it."""
    tool_call = ToolCall(call_id="1", tool_name="clock", arguments={})
    done = ToolCallDelta(content=tool_call, parse_status=ToolCallParseStatus.SUCCESS)
    await TEXT.write(CALL, stream(chat("so: "), chat(done), {"any": "thing"}))
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == "so: "
    assert json.loads(second)["event"]["delta"]["content"]["tool_name"] == "clock"
    assert json.loads(third) == {"any": "thing"}


async def test_a_stream_that_breaks_off_ends_its_line_and_is_closed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The error goes on after what came before it has been written."""
    chunks = stream(chat("one"), RuntimeError("broke off"))
    with pytest.raises(RuntimeError, match="broke off"):
        await TEXT.write(CALL, chunks)
    assert capsys.readouterr().out == "one\n"
    with pytest.raises(StopAsyncIteration):
        await anext(chunks)


async def test_a_stream_that_nobody_reads_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model does not go on for an answer that cannot be written."""

    def closed(text: str, end: str = "") -> None:
        if text:
            raise OutputClosedError

    monkeypatch.setattr("rungraph.cli.output.answers.show", closed)
    chunks = stream(chat("one"), chat("two"))
    with pytest.raises(OutputClosedError):
        await TEXT.write(CALL, chunks)
    with pytest.raises(StopAsyncIteration):
        await anext(chunks)


async def test_json_has_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Every line tells its kind and its call, also where there is no answer."""
    answers = Answers(is_json=True)
    await answers.write(CALL, None)
    await answers.write(CALL, stream(CompletionResponseStreamChunk(delta="x")))
    answers.fail(CALL, "no")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line.pop("call") for line in lines] == ["inference.chat_completion"] * 4
    assert lines == [
        {"kind": "answer", "result": None},
        {
            "kind": "chunk",
            "chunk": {"delta": "x", "stop_reason": None, "logprobs": None, "usage": None},
        },
        {"kind": "end"},
        {"kind": "error", "error": "no"},
    ]


@pytest.mark.parametrize("is_json", [False, True])
async def test_secrets_of_the_config_are_taken_out_of_answers(
    capsys: pytest.CaptureFixture[str], *, is_json: bool
) -> None:
    """A resource that the config registers may hold some; the answer stays what JSON it was."""

    def scrub(text: str) -> str:
        return text.replace("hidden", "***").replace("12345", "***")

    answers = Answers(is_json=is_json, scrub=scrub)
    by_key = {"12345": 1, "hidden": 2}
    await answers.write(CALL, {"keys": ["a hidden one", 12345, 1.5, True, None], "by_key": by_key})
    value = json.loads(capsys.readouterr().out)
    assert value.get("result", value) == {
        "keys": ["a *** one", "***", 1.5, True, None],
        "by_key": {"***": 1, "***#2": 2},
    }
    await answers.write(CALL, stream(chat("hidden "), {"pin": 12345}))
    assert "hidden" not in (out := capsys.readouterr().out)
    assert "12345" not in out


async def test_no_answer_can_command_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters are escaped, in JSON as JSON does it; the spaces of all scripts stay."""
    await TEXT.write(CALL, stream(chat("a\tb\u3000c\n"), chat("\x1b[31m\x9b2J\u202ed")))
    assert capsys.readouterr().out == "a\tb\u3000c\n\\x1b[31m\\x9b2J\\u202ed\n"
    await TEXT.write(CALL, {"text": "\x1b\x9b\u202e"})
    out = capsys.readouterr().out
    assert out == '{\n  "text": "\\u001b\\u009b\\u202e"\n}\n'
    assert json.loads(out) == {"text": "\x1b\x9b\u202e"}

"""What a call came to, on standard output: JSON, or a stream's text as it comes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydantic_core import to_jsonable_python

from rungraph.cli.terminal import show

if TYPE_CHECKING:
    from rungraph.engine.calls import Call


class Answers(Protocol):
    """Writes the answers of calls."""

    def whole(self, call: Call, result: Any) -> None:
        """Write the answer of a call that is no stream."""
        ...

    def chunk(self, call: Call, chunk: Any) -> None:
        """Write one chunk of a stream."""
        ...

    def end(self, call: Call) -> None:
        """End a stream, also one that broke off."""
        ...

    def failed(self, call: Call, text: str) -> None:
        """Write that a call failed, besides what standard error says."""
        ...


async def write_answer(call: Call, result: Any, answers: Answers) -> None:
    """Write what *call* came to; a stream chunk by chunk, closed in any case."""
    if not isinstance(result, AsyncGenerator):
        answers.whole(call, result)
        return
    try:
        async with aclosing(cast("AsyncGenerator[Any, None]", result)) as chunks:
            async for chunk in chunks:
                answers.chunk(call, chunk)
    finally:
        answers.end(call)


class TextAnswers:
    """Indented JSON; the text of a streamed answer as it comes."""

    def __init__(self) -> None:
        self._is_mid_line = False

    def whole(self, call: Call, result: Any) -> None:  # noqa: ARG002  an Answers
        """Write the answer as JSON; nothing when there is none."""
        if result is not None:
            show(json.dumps(jsonable(result), indent=2, ensure_ascii=False))

    def chunk(self, call: Call, chunk: Any) -> None:  # noqa: ARG002  an Answers
        """Write the text that the chunk adds, or the chunk as one line of JSON."""
        delta = _delta_of(chunk)
        if delta is None:
            self._break_line()
            show(json.dumps(jsonable(chunk), ensure_ascii=False))
        elif delta:
            show(delta, end="")
            self._is_mid_line = not delta.endswith("\n")

    def end(self, call: Call) -> None:  # noqa: ARG002  an Answers
        """End the line."""
        self._break_line()

    def failed(self, call: Call, text: str) -> None:
        """Do nothing: standard error says it."""

    def _break_line(self) -> None:
        if self._is_mid_line:
            show("")
            self._is_mid_line = False


class JsonAnswers:
    """One JSON object a line, with the ``kind`` of ``answer``, ``chunk``, ``end`` or ``error``."""

    def whole(self, call: Call, result: Any) -> None:
        """Write the answer."""
        _show_line("answer", call, result=jsonable(result))

    def chunk(self, call: Call, chunk: Any) -> None:
        """Write the chunk."""
        _show_line("chunk", call, chunk=jsonable(chunk))

    def end(self, call: Call) -> None:
        """Write that no more chunks come."""
        _show_line("end", call)

    def failed(self, call: Call, text: str) -> None:
        """Write the error."""
        _show_line("error", call, error=text)


def _show_line(kind: str, call: Call, **more: Any) -> None:
    show(json.dumps({"kind": kind, "call": str(call), **more}, ensure_ascii=False))


def jsonable(value: Any) -> Any:
    """Return *value* as JSON values; what JSON has no form for becomes text."""
    return to_jsonable_python(value, serialize_unknown=True)


def _delta_of(chunk: Any) -> str | None:
    """Return the text that a chunk of a chat or a completion adds; None for any other chunk."""
    delta: Any = getattr(getattr(chunk, "event", chunk), "delta", None)
    if isinstance(delta, str):
        return delta
    piece: Any = getattr(delta, "content", None)
    if isinstance(piece, str):
        return piece
    return None

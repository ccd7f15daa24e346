"""What a call came to, on standard output: JSON, or a stream's text as it comes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Protocol, cast

from pydantic_core import to_jsonable_python

from rungraph.cli.terminal import show

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.run.calls import Call


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
    """Indented JSON; the text of a streamed answer as it comes.

    Args:
        scrub: Takes the config's secrets out of a text; resources can hold some.
    """

    def __init__(self, scrub: Callable[[str], str] = str) -> None:
        self._scrub = scrub
        self._is_mid_line = False

    def whole(self, call: Call, result: Any) -> None:  # noqa: ARG002  an Answers
        """Write the answer as JSON; nothing when there is none."""
        if result is not None:
            value = _scrubbed(jsonable(result), self._scrub)
            show(json.dumps(value, indent=2, ensure_ascii=False))

    def chunk(self, call: Call, chunk: Any) -> None:  # noqa: ARG002  an Answers
        """Write the text that the chunk adds, or the chunk as one line of JSON."""
        delta = _delta_of(chunk)
        if delta is None:
            self._break_line()
            show(json.dumps(_scrubbed(jsonable(chunk), self._scrub), ensure_ascii=False))
        elif delta:
            show(self._scrub(delta), end="")
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
    """One JSON object a line, with the ``kind`` of ``answer``, ``chunk``, ``end`` or ``error``.

    Args:
        scrub: Takes the config's secrets out of a text; resources can hold some.
    """

    def __init__(self, scrub: Callable[[str], str] = str) -> None:
        self._scrub = scrub

    def whole(self, call: Call, result: Any) -> None:
        """Write the answer."""
        _show_line("answer", call, result=_scrubbed(jsonable(result), self._scrub))

    def chunk(self, call: Call, chunk: Any) -> None:
        """Write the chunk."""
        _show_line("chunk", call, chunk=_scrubbed(jsonable(chunk), self._scrub))

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


def _scrubbed(value: Any, scrub: Callable[[str], str]) -> Any:
    """Return JSON values with their texts scrubbed, and integers that are a secret as text."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {key: _scrubbed(item, scrub) for key, item in fields.items()}
    if isinstance(value, list):
        return [_scrubbed(item, scrub) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        shown = scrub(str(value))
        return value if shown == str(value) else shown
    return value


def _delta_of(chunk: Any) -> str | None:
    """Return the text that a chunk of a chat or a completion adds; None for any other chunk."""
    delta: Any = getattr(getattr(chunk, "event", chunk), "delta", None)
    if isinstance(delta, str):
        return delta
    piece: Any = getattr(delta, "content", None)
    if isinstance(piece, str):
        return piece
    return None

"""What a call came to, on standard output: JSON, or a stream's text as it comes."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import to_jsonable_python

from rungraph.cli.terminal import show, show_json
from rungraph.engine.apis.common import StopReason
from rungraph.engine.outlet import Outlet
from rungraph.engine.waiting import thread_future
from rungraph.graph.secrets.masking import kept_apart
from rungraph.graph.wording import without_controls

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.run.calls import Call


@dataclass(frozen=True, slots=True)
class Answers:
    """Writes what calls came to: as indented JSON, or the text of a streamed answer as it comes.

    Attributes:
        is_json: Whether it is one JSON object a line instead, with the ``kind`` of ``answer``,
            ``chunk``, ``end`` or ``error``.
        scrub: Takes the config's secrets out of a text; resources can hold some.
    """

    is_json: bool = False
    scrub: Callable[[str], str] = str

    async def write(self, call: Call, result: Any) -> bool:
        """Write what *call* came to; a stream chunk by chunk, closed in any case.

        Returns:
            Whether the answer was cut off at a limit of tokens.
        """
        if isinstance(result, AsyncGenerator):
            chunks = cast("AsyncGenerator[Any, None]", result)
            write = self._stream_as_json if self.is_json else self._stream_as_text
            return await write(call, chunks)
        if self.is_json:
            self._line("answer", call, result=self._scrubbed(jsonable(result)))
        elif result is not None:
            show_json(self._scrubbed(jsonable(result)))
        await _is_out()
        return _is_cut(result)

    def fail(self, call: Call, text: str) -> None:
        """Write that *call* failed, where standard error alone does not say so."""
        if self.is_json:
            self._line("error", call, error=text)

    async def _stream_as_json(self, call: Call, chunks: AsyncGenerator[Any, None]) -> bool:
        is_cut = False
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    is_cut = is_cut or _is_cut(chunk)
                    self._line("chunk", call, chunk=self._scrubbed(jsonable(chunk)))
                    await _is_out()
        finally:
            self._line("end", call)
        return is_cut

    async def _stream_as_text(self, _: Call, chunks: AsyncGenerator[Any, None]) -> bool:
        """Write the text that each chunk adds, or the chunk as one line of JSON."""
        is_mid_line = is_cut = False
        try:
            async with aclosing(chunks):
                async for chunk in chunks:
                    is_cut = is_cut or _is_cut(chunk)
                    delta = _delta_of(chunk)
                    if delta is None:
                        show("\n" * is_mid_line, end="")
                        show_json(self._scrubbed(jsonable(chunk)), indent=None)
                        is_mid_line = False
                    elif delta:
                        show(without_controls(self.scrub(delta)), end="")
                        is_mid_line = not delta.endswith("\n")
                    await _is_out()
        finally:
            show("\n" * is_mid_line, end="")
        return is_cut

    def _line(self, kind: str, call: Call, **more: Any) -> None:
        show_json({"kind": kind, "call": str(call), **more}, indent=None)

    def _scrubbed(self, value: Any) -> Any:
        """Return JSON values with their texts scrubbed, and integers that are a secret as text."""
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            hidden = {key: shown for key in fields if (shown := self.scrub(key)) != key}
            labels = kept_apart(hidden, fields)
            return {labels.get(key, key): self._scrubbed(item) for key, item in fields.items()}
        if isinstance(value, list):
            return [self._scrubbed(item) for item in value]
        if isinstance(value, int) and not isinstance(value, bool):
            shown = self.scrub(str(value))
            return value if shown == str(value) else shown
        return value


async def _is_out() -> None:
    """Wait until standard output has what was shown; the event loop goes on meanwhile.

    Raises:
        OutputClosedError: If nobody reads it.
        OSError: If it cannot be written.
    """
    if isinstance(sys.stdout, Outlet):
        with suppress(OSError):  # Which the next to show something tells of.
            await thread_future(sys.stdout.finish)
        show("", end="")


def jsonable(value: Any) -> Any:
    """Return *value* as JSON values; what JSON has no form for becomes text."""
    return to_jsonable_python(value, serialize_unknown=True)


def _delta_of(chunk: Any) -> str | None:
    """Return the text that a chunk of a chat or a completion adds; None for any other chunk."""
    delta: Any = getattr(getattr(chunk, "event", chunk), "delta", None)
    text: Any = delta if isinstance(delta, str) else getattr(delta, "content", None)
    return text if isinstance(text, str) else None


def _is_cut(answer: Any) -> bool:
    """Return whether an answer, or the last chunk of one, says that it ends at a limit."""
    said = (answer, getattr(answer, "event", None), getattr(answer, "completion_message", None))
    return any(getattr(one, "stop_reason", None) is StopReason.OUT_OF_TOKENS for one in said)

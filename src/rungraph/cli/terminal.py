"""What the command line knows of the two output streams: colours, widths, who gets which text."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

import click

from rungraph.graph.wording import (
    printable_lines,
    safe_json,
    safe_json_bytes,
    without_controls,
)

if TYPE_CHECKING:
    from rungraph.graph.diagnostic_text import Style

DIFFERS = 3
"""The exit code for differences, for those who ask for one."""

_COLOURS: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "note": {"fg": "cyan", "bold": True},
    "place": {"fg": "blue"},
    "help": {"fg": "green"},
    # The colours of pictures made of text; a terminal's user has chosen what they look like.
    "bold": {"bold": True},
    "faint": {"dim": True},
    **{
        name: {"fg": name}
        for hue in ("blue", "cyan", "green", "magenta", "red", "yellow", "black")
        for name in (hue, f"bright_{hue}")
    },
}
_PLAIN_WIDTH = 100
"""Cells in a line where there is no terminal to say so."""


class OutputClosedError(Exception):
    """Raised when nobody reads standard output any more."""


def screen(out: TextIO) -> dict[str, Any]:
    """Return how text is drawn for *out* as that is: its width, its characters, its colours."""
    return {"width": width_of(out), "is_ascii": not is_unicode(out), "style": style_of(out)}


def has_colour(stream: TextIO) -> bool:
    """Whether text on *stream* may be coloured.

    ``NO_COLOR`` forbids it, ``FORCE_COLOR`` asks for it; else a terminal that is not dumb has it.
    """
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or is_terminal(stream)


def is_terminal(stream: TextIO) -> bool:
    """Whether *stream* is a terminal that understands more than text."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def is_unicode(stream: TextIO) -> bool:
    """Whether *stream* can take what is not ASCII."""
    try:
        "●╭─▶…✗".encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def width_of(stream: TextIO) -> int:
    """Return how many cells a line on *stream* has; ``COLUMNS`` counts first."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _PLAIN_WIDTH
    except (OSError, ValueError):  # A pipe or a file has no width, and what tests use no number.
        return _PLAIN_WIDTH


def style_of(stream: TextIO) -> Style:
    """Return what colours text for *stream*."""
    return coloured if has_colour(stream) else lambda text, _: text


def coloured(text: str, role: str) -> str:
    """Return *text* in the colours of *role*."""
    return click.style(text, **_COLOURS.get(role, {}))


def show(data: str | bytes, end: str = "\n") -> None:
    """Write data: to standard output, at once, and the same to a terminal and to a file.

    Text ends with *end*, bytes are written as they are.

    Raises:
        OutputClosedError: If nobody reads it.
        OSError: If it cannot be written, as on a full disk.
    """
    try:
        if isinstance(data, bytes):
            sys.stdout.buffer.write(data)
        else:
            sys.stdout.write(data + end)
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise OutputClosedError from error
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


def show_json(values: Any, *, indent: int | None = 2, sort_keys: bool = False) -> None:
    """Write *values* as JSON to standard output; without *indent*, on one line."""
    text = json.dumps(values, ensure_ascii=False, indent=indent, sort_keys=sort_keys)
    show_json_text(text)


def show_json_text(text: str, end: str = "\n") -> None:
    """Write JSON to standard output."""
    show(safe_json(text), end)


def show_json_bytes(text: bytes) -> None:
    """Write JSON that is UTF-8 already to standard output, which mostly takes it as it is."""
    safe = safe_json_bytes(text)
    takes_it = (sys.stdout.encoding or "").lower() in ("utf-8", "utf8")
    show(safe if takes_it else safe.decode(), end="")


def tell(text: str) -> None:
    """Write what is said about the data, on lines of standard error, if anybody reads it.

    No terminal obeys what others wrote in it; `tell_styled` is for text with colours of ours.
    """
    tell_styled(without_controls(text))


def tell_styled(text: str) -> None:
    """Write *text*, which is safe to print, on lines of standard error, if anybody reads it."""
    try:
        # Not through click: it would write past a live picture, which redraws what is below it.
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):  # There is none any more, or it is closed.
        return


def complain(text: str) -> None:
    """Write what went wrong to standard error; no terminal obeys what others wrote in it."""
    tell_styled(f"{style_of(sys.stderr)('error', 'error')}: {printable_lines(text)}")

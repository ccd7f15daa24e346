"""What the command line knows of the two output streams: colours, and who gets which text."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

if TYPE_CHECKING:
    from rungraph.graph.diagnostic_text import Style

_COLOURS: dict[str, dict[str, Any]] = {
    "error": {"fg": "red", "bold": True},
    "warning": {"fg": "yellow", "bold": True},
    "note": {"fg": "cyan", "bold": True},
    "place": {"fg": "blue"},
    "help": {"fg": "green"},
}


_TONES: dict[str, dict[str, Any]] = {
    "bold": {"bold": True},
    "faint": {"dim": True},
    **{
        name: {"fg": name}
        for hue in ("blue", "cyan", "green", "magenta", "red", "yellow", "black")
        for name in (hue, f"bright_{hue}")
    },
}
"""The colours of pictures made of text; a terminal's user has chosen what they look like."""
_PLAIN_WIDTH = 100
"""Cells in a line where there is no terminal to say so."""


class OutputClosedError(Exception):
    """Raised when nobody reads standard output any more."""


def has_colour(stream: TextIO) -> bool:
    """Whether text on *stream* may be coloured.

    ``NO_COLOR`` forbids it, ``FORCE_COLOR`` asks for it; else a terminal that is not dumb has it.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(stream)


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
    return coloured if has_colour(stream) else _plain


def coloured(text: str, role: str) -> str:
    """Return *text* in the colours of *role*."""
    return click.style(text, **(_COLOURS.get(role) or _TONES.get(role, {})))


def _plain(text: str, _: str) -> str:
    return text


def show(text: str, end: str = "\n") -> None:
    """Write data: to standard output, at once.

    Raises:
        OutputClosedError: If nobody reads it.
    """
    try:
        click.echo(text + end, nl=False, color=has_colour(sys.stdout))
    except BrokenPipeError as error:
        raise OutputClosedError from error


def tell(text: str) -> None:
    """Write what is said about the data: to standard error, at once, if anybody reads it."""
    try:
        # Not through click: it would write past a live picture, which redraws what is below it.
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except BrokenPipeError:
        return


def complain(text: str) -> None:
    """Write what went wrong to standard error."""
    tell(f"{style_of(sys.stderr)('error', 'error')}: {text}")


def counted(number: int, noun: str) -> str:
    """Return *number* of *noun*, such as ``1 node`` or ``2 nodes``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def leave(code: int, *, at_once: bool = False) -> NoReturn:
    """End the process with *code*; what nobody reads any more is dropped in silence.

    Args:
        code: The exit code.
        at_once: Wait for no thread that is still busy.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            # Python would try again at its end, and complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    if at_once:
        os._exit(code)
    sys.exit(code)

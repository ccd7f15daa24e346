"""Text as it is written in a picture: nothing that cannot be shown, in lines that are not long."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import TYPE_CHECKING
from unicodedata import combining, east_asian_width

if TYPE_CHECKING:
    from collections.abc import Callable

TITLE_LENGTH, DETAIL_LENGTH = 30, 40
_MOST_LINES = 3
_JOINERS = "\u200c\u200d"
"""Part of words of some scripts, and of some emoji."""


def printable(text: str) -> str:
    """Return *text* with whatever cannot be shown, or turns other text round, replaced."""
    return "".join(char if char.isprintable() or char in _JOINERS else "\ufffd" for char in text)


def wrapped(text: str, length: int = TITLE_LENGTH) -> tuple[str, ...]:
    """Return *text* in lines of at most *length*, broken after separators where there are any.

    Wide characters count twice. Of a text that needs more than a few lines the middle is left out.

    Examples:
        >>> wrapped("meta-reference")
        ('meta-reference',)
        >>> wrapped("nvidia-nim-llama-3.3-nemotron-super-49b-v1")
        ('nvidia-nim-llama-3.3-nemotron-', 'super-49b-v1')
    """
    text = printable(text)
    most = length * _MOST_LINES // (2 if any(map(is_wide, text)) else 1)
    if len(text) > most:
        text = f"{text[: most * 2 // 3]}…{text[-(most // 3 - 1) :]}"
    lines: list[str] = []
    while text:
        at = _fitting(text, length)
        if at < len(text):
            breaks = [match.end() for match in re.finditer(r"[-_./:, ]+", text[:at])]
            at = breaks[-1] if breaks and breaks[-1] >= at // 2 else at
        lines.append(text[:at].rstrip(" "))
        text = text[at:].lstrip(" ")
    return tuple(lines)


def _fitting(text: str, length: int) -> int:
    """Return how many characters fit into *length*, at least one; marks stay with their letter."""
    widths = accumulate(1 + is_wide(char) for char in text)
    at = max(1, sum(1 for width in widths if width <= length))
    while at < len(text) and (combining(text[at]) or text[at] in f"{_JOINERS}\ufe0f"):
        at += 1
    return at


def broken(text: str, width_of: Callable[[str], float], width: float) -> tuple[str, ...]:
    """Return *text* in lines of at most *width*, broken between words, in words where it must be.

    Examples:
        >>> broken("to be or not", len, 6)
        ('to be', 'or not')
    """
    lines: list[str] = []
    left = text
    while left:
        at = len(left)
        while at > 1 and width_of(left[:at]) > width:
            space = left.rfind(" ", 0, at - 1)
            at = space if space > 0 else at - 1
        lines.append(left[:at].rstrip(" "))
        left = left[at:].lstrip(" ")
    return tuple(lines) or ("",)


def is_wide(char: str) -> bool:
    """Whether *char* takes the room of two."""
    return east_asian_width(char) in "WF"


def counted(number: int, word: str) -> str:
    """Return *number* with its noun.

    Examples:
        >>> counted(1, "node"), counted(3, "node")
        ('1 node', '3 nodes')
    """
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"

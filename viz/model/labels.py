"""Text as it is written in a picture: nothing that cannot be shown, in lines that are not long."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from rich.cells import cell_len

from rungraph.graph.wording import printable

if TYPE_CHECKING:
    from collections.abc import Callable

TITLE_LENGTH, DETAIL_LENGTH = 30, 40
_MOST_LINES = 3


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
    most = length * _MOST_LINES // max(map(cell_len, text), default=1)
    if len(text) > most:
        text = f"{text[: most * 2 // 3]}…{text[-(most // 3 - 1) :]}"
    lines: list[str] = []
    while text:
        widths = accumulate(map(cell_len, text))
        at = max(1, sum(width <= length for width in widths))
        if at < len(text):
            breaks = [match.end() for match in re.finditer(r"[-_./:, ]+", text[:at])]
            at = breaks[-1] if breaks and breaks[-1] >= at // 2 else at
        lines.append(text[:at].rstrip(" "))
        text = text[at:].lstrip(" ")
    return tuple(lines)


def fitting(text: str, width_of: Callable[[str], float], width: float) -> int:
    """Return how many characters from the beginning of *text* are at most *width* wide."""
    lengths = range(1, len(text) + 1)
    return bisect_right(lengths, width, key=lambda length: width_of(text[:length]))


def broken(text: str, width_of: Callable[[str], float], width: float) -> tuple[str, ...]:
    """Return *text* in lines of at most *width*, broken between words, in words where it must be.

    Examples:
        >>> broken("to be or not", len, 6)
        ('to be', 'or not')
    """
    lines: list[str] = []
    left = text
    while left:
        at = fitting(left, width_of, width)
        if at < len(left):
            space = left.rfind(" ", 0, at + 1)
            at = space if space > 0 else max(at, 1)
        lines.append(left[:at].rstrip(" "))
        left = left[at:].lstrip(" ")
    return tuple(lines) or ("",)

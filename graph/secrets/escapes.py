"""Texts as they are before they are escaped in URLs, HTML, JSON or YAML, with their offsets."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Sequence

# Each stands for one character. A number of HTML can stand for none: those of ASCII do not.
_ESCAPE = re.compile(
    r"""%[0-9A-Fa-f]{2}|\\(?:(?:x|u00|U000000)(?P<code>[0-9A-Fa-f]{2})|(?P<slash>/))
    |&(?:quot|apos|amp|lt|gt|\#0{0,4}(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6])
    |\#[xX]0{0,4}(?:[2-6][0-9A-Fa-f]|7[0-9A-Ea-e]));""",
    re.VERBOSE,
)


def unescaped(text: str) -> tuple[str, Sequence[int]]:
    """Return *text* with a character for each escape, and for each offset the one in *text*.

    Examples:
        >>> unescaped("a%3Db")
        ('a=b', [0, 1, 4, 5])
    """
    if "%" not in text and "&" not in text and "\\" not in text:
        return text, range(len(text) + 1)
    plain = ""
    offsets: list[int] = []
    position = 0
    for escape in _ESCAPE.finditer(text):
        of_url = f"%{escape['code']}" if escape["code"] else escape[0]
        plain += text[position : escape.start()]
        plain += escape["slash"] or unescape(unquote(of_url, "latin-1"))
        offsets += range(position, escape.start() + 1)
        position = escape.end()
    return plain + text[position:], [*offsets, *range(position, len(text) + 1)]

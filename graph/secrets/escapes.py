"""Texts as they are before they are escaped for a URL or HTML, which still know their offsets."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import unquote

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}|&(?:quot|apos|amp|#34|#39);")


def unescaped(text: str) -> tuple[str, list[int]]:
    """Return *text* with a character for each escape, and for each offset the one in *text*.

    Examples:
        >>> unescaped("a%3Db")
        ('a=b', [0, 1, 4, 5])
    """
    plain = ""
    offsets: list[int] = []
    position = 0
    for escape in _ESCAPE.finditer(text):
        plain += text[position : escape.start()] + unescape(unquote(escape[0], "latin-1"))
        offsets += range(position, escape.start() + 1)
        position = escape.end()
    return plain + text[position:], [*offsets, *range(position, len(text) + 1)]

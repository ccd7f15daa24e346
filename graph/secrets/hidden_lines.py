"""The lines of a text that show a secret although its key stands on an earlier line."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from rungraph.graph.secrets.keys import is_secret_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KEY = re.compile(r"""(?<![\w.-])([\w.-]++)["']?[ \t]*:(?=[\s"'\[{]|$)""", re.MULTILINE)
_BEFORE_VALUE = re.compile(r"(?:\s+|#[^\r\n]*|[&!][^\s,\[\]{}]*)*")
_LEXEME = re.compile(r""""(?:[^"\\]|\\.)*+"|'(?:[^']|'')*+'|["'\[\]{}]""", re.DOTALL)
_AFTER_KEY = re.compile(r"[ \t]*:")
_LOOKS_LIKE_ENTRY = re.compile(
    r"""(?:-(?:\s|$)|[\w.-]+[ \t]*:|"[^"]*"[ \t]*:|'[^']*'[ \t]*:|[\]}]|---|\.\.\.)"""
)


def hidden_lines(text: str, starts: Sequence[int]) -> dict[int, bool]:
    """Return the numbers of lines that belong to the value of a secret key above them.

    True marks a line of which only the values are secret, not its keys. This works on the lines
    alone, because a text with a syntax error has excerpts too; in doubt a line is hidden.

    Args:
        text: YAML or JSON, right or wrong.
        starts: The offset of each line's first character.
    """
    hidden: dict[int, bool] = {}
    enclosed_to = 0
    for match in _KEY.finditer(text):
        if match.start() < enclosed_to or not is_secret_key(match[1]):
            continue
        first = bisect_right(starts, match.start())
        before = text[starts[first - 1] : match.start()]
        # In a mapping in braces, what belongs to a key can stand left of it.
        is_first = not before.strip(" \t\"'-?")
        column = len(before.rstrip("\"'")) if is_first else _indent(before)
        end = _end_of_enclosed(text, match.end())
        if end is not None:
            enclosed_to = end
            last = bisect_right(starts, end - 1)
            hidden.update(dict.fromkeys(range(first + 1, last + 1), False))
            continue
        rest = _line(text, starts, first)[match.end() - starts[first - 1] :].strip()
        keeps_keys = not rest or rest.startswith("#")
        for number in _continuation(text, starts, first, column, rest):
            hidden[number] = hidden.get(number, True) and keeps_keys
    return hidden


def _end_of_enclosed(text: str, start: int) -> int | None:
    """Return where a value in quotes or brackets ends; None when it is in neither."""
    before = _BEFORE_VALUE.match(text, start)
    position = before.end() if before else start
    if text[position : position + 1] not in ('"', "'", "[", "{"):
        return None
    depth = 0
    for match in _LEXEME.finditer(text, position):
        lexeme = match[0]
        if lexeme in ("[", "{"):
            depth += 1
        elif lexeme in ("]", "}"):
            depth -= 1
        elif lexeme in ('"', "'"):
            break
        if depth <= 0:
            is_next_key = _AFTER_KEY.match(text, match.end()) and "\n" in text[start:position]
            return None if is_next_key else match.end()
    return len(text)


def _continuation(
    text: str, starts: Sequence[int], first: int, column: float, rest: str
) -> Iterator[int]:
    """Yield the lines that go on with the value of a key in *column* of the line *first*."""
    is_block = rest.startswith(("|", ">"))
    for number in range(first + 1, len(starts) + 1):
        line = _line(text, starts, number)
        content = line.strip()
        if not content:
            continue
        if _indent(line) <= column:
            if content.startswith("#"):
                continue
            # In brackets, text can go on in any column, but it cannot look like an entry.
            if is_block or _LOOKS_LIKE_ENTRY.match(content):
                return
        yield number


def _line(text: str, starts: Sequence[int], number: int) -> str:
    return text[starts[number - 1] : starts[number] if number < len(starts) else len(text)]


def _indent(line: str) -> float:
    """Return the indentation; an item of a list belongs to a key in the same column."""
    stripped = line.lstrip()
    return len(line) - len(stripped) + (0.5 if stripped.startswith("-") else 0)

"""How counts, lists, times and foreign text are written, in every message and output."""

from __future__ import annotations

import json
from textwrap import wrap
from typing import TYPE_CHECKING
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

_JOINERS = "\u200c\u200d"
"""Part of words of some scripts, and of some emoji."""
_PLAIN = bytes((*b"\n\t", *range(0x20, 0x7F)))
"""ASCII that no terminal obeys."""
_CONTROLS = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Control and format characters, halves of characters, line and paragraph separators."""
_DELETE = "\x7f"


def counted(number: int, noun: str) -> str:
    """Return *number* with its noun.

    Examples:
        >>> counted(1, "node"), counted(12_000, "node")
        ('1 node', '12,000 nodes')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(names: Collection[object], most: int = 12) -> str:
    """Return *names* in a line: the first *most* of them, and how many more there are.

    Examples:
        >>> listed(["a", "b"]), listed(["a", "b", "c", "d"], most=2)
        ('a, b', 'a, b and 2 more')
    """
    shown = ", ".join(str(name) for name, _ in zip(names, range(most), strict=False))
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown


def first_lines(lines: Sequence[object], most: int, what: str = "more") -> list[str]:
    """Return the first *most* of *lines* as text, then one line for the rest, if there is any.

    Examples:
        >>> first_lines(["a", "b", "c"], most=2), first_lines(["a"], most=2)
        (['a', 'b', 'and 1 more'], ['a'])
    """
    rest = [f"and {len(lines) - most:,} {what}"] if len(lines) > most else []
    return [*map(str, lines[:most]), *rest]


def joined(names: Sequence[str]) -> str:
    """Return *names* as part of a sentence.

    Examples:
        >>> joined(["a"]), joined(["a", "b", "c"])
        ('a', 'a, b and c')
    """
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def duration(seconds: float) -> str:
    """Return a time as people read it.

    Examples:
        >>> duration(0.0004), duration(0.0214), duration(1.5), duration(75.4)
        ('0.4 ms', '21 ms', '1.50 s', '1 min 15 s')
    """
    if round(seconds, 3) < 1:
        milliseconds = seconds * 1000
        return f"{milliseconds:.1f} ms" if round(milliseconds, 1) < 10 else f"{milliseconds:.0f} ms"
    if round(seconds, 2) < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes:,} min {rest:02} s"


def python_escape(char: str) -> str:
    """Return *char* as Python writes it in a string when it is not printable."""
    return char.encode("unicode_escape").decode("ascii")


def printable(text: str) -> str:
    r"""Return *text* on one line that is safe to print: what is not printable is escaped.

    Line breaks, escape sequences and characters that turn other text round come out as Python
    writes them in a string.

    Examples:
        >>> printable("a\x1b[31mb")
        'a\\x1b[31mb'
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in _JOINERS else python_escape(char) for char in text
    )


def printable_lines(text: str) -> str:
    r"""Return *text* with each of its lines as `printable` has it.

    Examples:
        >>> printable_lines("one\ntwo\x1b[2J")
        'one\ntwo\\x1b[2J'
    """
    return "\n".join(map(printable, text.split("\n")))


def without_controls(text: str, escape: Callable[[str], str] = python_escape) -> str:
    r"""Return *text* with what a terminal obeys escaped; line breaks, tabs and spaces stay.

    For longer texts that people read, such as what a model writes.

    Examples:
        >>> without_controls("one\u3000two\r\x1b[2J\n")
        'one\u3000two\\r\\x1b[2J\n'
    """
    for one in _controls_in(text.encode("utf-8", "surrogatepass")):
        text = text.replace(one, escape(one))
    return text


def _controls_in(text: bytes) -> list[str]:
    """Return the different characters of *text*, which is UTF-8, that a terminal obeys."""
    # Nearly all of a long text is plain, which is taken out many times faster than looked at.
    others = text.translate(None, _PLAIN).decode("utf-8", "surrogatepass")
    return [*filter(has_controls, set(others))]


def safe_json(text: str) -> str:
    r"""Return JSON without what a terminal obeys; JSON escapes only some of it by itself.

    Examples:
        >>> safe_json('{"a": "\u202e\x7f"}')
        '{"a": "\\u202e\\u007f"}'
    """
    is_safe = text.isascii() and _DELETE not in text
    return text if is_safe else without_controls(text, _json_escape)


def safe_json_bytes(text: bytes) -> bytes:
    """Return the same as `safe_json` of JSON that is UTF-8 already."""
    for one in _controls_in(text):
        text = text.replace(one.encode("utf-8", "surrogatepass"), _json_escape(one).encode())
    return text


def _json_escape(char: str) -> str:
    # The one control character that JSON escapes neither as such nor as no ASCII.
    return "\\u007f" if char == _DELETE else json.dumps(char)[1:-1]


def wrapped(entries: Iterable[str], width: int, separator: str = ", ") -> list[str]:
    """Return *entries* in lines of at most *width* characters; no entry is broken apart.

    Examples:
        >>> wrapped(["a b", "c", "d-e"], 7)
        ['a b, c,', 'd-e']
    """
    text = separator.join(one.replace(" ", "\0") for one in entries)
    lines = wrap(text, width, break_on_hyphens=False, break_long_words=False)
    return [line.replace("\0", " ") for line in lines]


def in_place(text: str) -> str:
    """Return *text* with each character that is not printable replaced by one that is.

    Every character keeps its column; tabs stay.
    """
    return "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in text)


def has_controls(text: str) -> bool:
    r"""Whether *text* holds what a terminal obeys or what turns other text round.

    Examples:
        >>> has_controls("a\x1b[31m"), has_controls("a\u202eb"), has_controls("a b")
        (True, True, False)
    """
    return not text.isprintable() and any(
        category(char) in _CONTROLS and char not in _JOINERS for char in text
    )


def shortened(text: str, most: int) -> str:
    """Return *text* in at most *most* characters; where it is longer, ``…`` is the last.

    Examples:
        >>> shortened("inference", 6)
        'infer…'
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def padded(rows: Sequence[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return *rows* of cells, each cell as wide as the widest of its column.

    Examples:
        >>> padded([("a", "1"), ("long", "")])
        [('a   ', '1'), ('long', ' ')]
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        tuple(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows
    ]

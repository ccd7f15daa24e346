"""The ``${env.X}`` placeholders of a text: finding them and what only looks like one."""

from __future__ import annotations

import re
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.budgets import DEEPEST_PLACEHOLDER
from rungraph.graph.regex import PatternError, escaped, linear_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.regex import LinearPattern

_OPENING = "${env."
_BRACE = re.compile(r"\$?\{|\}")
# Until 2025 a default was written after a bare colon, and an alternative after a bare plus.
_HEAD = re.compile(r"\$\{env\.([A-Za-z0-9_]+)(:[=+]|:(?![-?])|\+|\})")
# What people write when they mean a placeholder: another case, spaces, another separator ...
_NEARLY = re.compile(r"\$\{\s*env\s*[.:]\s*(?P<name>[A-Za-z_]\w*)?(?P<rest>[^}]*)", re.IGNORECASE)
# ... or what a shell would take, which is left alone when it is lower case: templates have those.
_SHELL = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?P<rest>:?[-=+?][^}]{0,500})?\}")


class Placeholder(NamedTuple):
    """One ``${env.X}``, ``${env.X:=word}`` or ``${env.X:+word}`` of a text.

    Attributes:
        name: The variable.
        operator: Empty, ``:=`` or ``:+``; in the older spelling ``:`` or ``+``.
        word: What follows the operator; it can hold placeholders itself.
        start: The offset of the dollar sign.
        end: The offset after the closing brace.
    """

    name: str
    operator: str
    word: str
    start: int
    end: int

    @property
    def has_default(self) -> bool:
        """Whether the word stands for the variable when that is not set."""
        return self.operator in (":=", ":")

    @property
    def has_alternative(self) -> bool:
        """Whether the word stands for the variable when that is set."""
        return self.operator in (":+", "+")

    @property
    def is_old(self) -> bool:
        """Whether the operator is in the older spelling."""
        return self.operator in (":", "+")

    def __str__(self) -> str:
        return f"${{env.{self.name}{self.operator}{self.word}}}"


class Malformed(NamedTuple):
    """Something that was probably meant to be a placeholder and is none, so it stays as it is.

    Attributes:
        reason: What is wrong with it.
        way_out: How it is written right; nothing in it but the variable's name is the user's.
    """

    reason: str
    way_out: str


_TOO_DEEP = Malformed(
    f"placeholders nested more than {DEEPEST_PLACEHOLDER} deep are left as they are",
    "give the variable one default, written out",
)


def has_placeholder(value: str) -> bool:
    """Whether *value* holds a placeholder, or what looks like the beginning of one."""
    return _OPENING in value


@lru_cache(maxsize=65536)  # Each is asked for several times: to fill it in, and to mask it.
def placeholders(text: str) -> tuple[Placeholder, ...]:
    """Return the placeholders of *text* from left to right, without those inside their words.

    Examples:
        >>> [str(one) for one in placeholders("http://${env.HOST}:${env.PORT:=${env.P:=80}}/")]
        ['${env.HOST}', '${env.PORT:=${env.P:=80}}']
    """
    return _scanned(text)[0]


@lru_cache(maxsize=4096)
def segments(text: str) -> tuple[str | Placeholder, ...]:
    """Return the placeholders of *text* and the texts before, between and after them.

    Examples:
        >>> [str(one) for one in segments("http://${env.HOST}:${env.PORT}")]
        ['http://', '${env.HOST}', ':', '${env.PORT}', '']
    """
    found: list[str | Placeholder] = []
    position = 0
    for placeholder in placeholders(text):
        found += (text[position : placeholder.start], placeholder)
        position = placeholder.end
    return (*found, text[position:])


def pattern_of(text: str) -> LinearPattern | None:
    """Return what *text* can come out as when it is filled in; None without placeholders.

    Examples:
        >>> pattern_of("${env.URL:+tgi}").fullmatch("tgi") is not None
        True
        >>> pattern_of("tgi") is None
        True
    """
    if not placeholders(text):
        return None
    pattern = ""
    for one in segments(text):
        if isinstance(one, str):
            pattern += escaped(one)
        else:
            is_word = one.operator == ":+" and not placeholders(one.word)
            pattern += escaped(one.word) if is_word else ".+"
    try:
        return linear_pattern(pattern)
    except PatternError:
        return linear_pattern(".+")  # Too long to be told apart from anything.


@lru_cache(maxsize=4096)
def malformed_placeholders(text: str) -> tuple[Malformed, ...]:
    """Return what in *text* looks like a placeholder and is none, from left to right."""
    if _scanned(text)[1]:
        return (_TOO_DEEP,)
    found: list[Malformed] = []
    for one in segments(text):
        if isinstance(one, str):
            nearly = [(match.start(), _nearly(match, one)) for match in _NEARLY.finditer(one)]
            shell = [(match.start(), _shell(match)) for match in _SHELL.finditer(one)]
            found += [malformed for _, malformed in sorted(nearly + shell)]
        else:
            found += malformed_placeholders(one.word)
    return tuple(found)


def _scanned(text: str) -> tuple[tuple[Placeholder, ...], bool]:
    """Return the placeholders of *text*, and whether some are left out because of their depth.

    In linear time: each brace is looked at once for each of the two ways to pair them.
    """
    found: list[Placeholder] = []
    is_too_deep = False
    start = text.find(_OPENING)
    if start == -1:
        return (), False
    pairs = [_Pairs(text, openings) for openings in (("{", "${"), ("${",))]
    while start != -1:
        end = start + 1
        if head := _HEAD.match(text, start):
            name, operator = head.groups()
            if operator == "}":
                end = head.end()
                found.append(Placeholder(name, "", "", start, end))
            elif pair := pairs[0].closing.get(start) or pairs[1].closing.get(start):
                closing, depth = pair
                end = closing + 1
                if depth > DEEPEST_PLACEHOLDER:
                    is_too_deep = True
                else:
                    word = text[head.end() : closing]
                    found.append(Placeholder(name, operator, word, start, end))
        start = text.find(_OPENING, end)
    return tuple(found), is_too_deep


class _Pairs:
    """The braces of a text in pairs.

    Braces inside a word are counted, so that a word can be JSON; a word whose own braces do not
    match ends at the first brace that closes no placeholder, for which *openings* lacks ``{``.
    """

    def __init__(self, text: str, openings: tuple[str, ...]) -> None:
        self._text = text
        self._openings = openings

    @cached_property
    def closing(self) -> Mapping[int, tuple[int, int]]:
        """By an opening brace: the one that closes it, and how deep placeholders nest there."""
        found: dict[int, tuple[int, int]] = {}
        opened: list[list[int]] = []
        for brace in _BRACE.finditer(self._text):
            if brace.group() in self._openings:
                opened.append([brace.start(), 0])
            elif brace.group() == "}" and opened:
                start, inside = opened.pop()
                depth = inside + self._text.startswith(_OPENING, start)
                found[start] = brace.start(), depth
                if opened:
                    opened[-1][1] = max(opened[-1][1], depth)
        return found


def _shell(match: re.Match[str]) -> Malformed:
    return Malformed(
        "a placeholder without 'env.' is left as it is",
        _write(match["name"], has_default=bool(match["rest"])),
    )


def _nearly(match: re.Match[str], text: str) -> Malformed:
    name, rest = match["name"] or "NAME", match["rest"].strip()
    if not text.startswith("}", match.end()):
        reason, has_default = "a placeholder that is never closed", rest.startswith(":")
    elif match["name"] is None:
        reason, has_default = "a placeholder without a variable's name", False
    elif rest.startswith((":", "=", "-", "?")):
        reason, has_default = "a placeholder whose default is not written with ':='", True
    elif rest:
        reason, has_default = "a placeholder whose name is not letters, digits and '_'", False
    else:
        reason, has_default = "a placeholder that does not begin with exactly '${env.'", False
    return Malformed(f"{reason} is left as it is", _write(name, has_default=has_default))


def _write(name: str, *, has_default: bool) -> str:
    return f"write ${{env.{name}:=default}}" if has_default else f"write ${{env.{name}}}"

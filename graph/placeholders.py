"""The ``${env.X}`` placeholders of a text: finding them and what only looks like one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPENING = "${env."
_BRACE = re.compile(r"\$?\{|\}")
# Until 2025 a default was written after a bare colon, and an alternative after a bare plus.
_HEAD = re.compile(r"\$\{env\.([A-Za-z0-9_]+)(:[=+]|:(?![-?])|\+|\})")
# What people write when they mean a placeholder: another case, spaces, another separator ...
_NEARLY = re.compile(r"\$\{\s*env\s*[.:]\s*(?P<name>[A-Za-z_]\w*)?(?P<rest>[^}]*)", re.IGNORECASE)
# ... or what a shell would take, which is left alone when it is lower case: templates have those.
_SHELL = re.compile(r"\$\{(?P<name>[A-Z][A-Z0-9_]*)(?P<rest>:?[-=+?][^}]*)?\}")


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


def has_placeholder(value: str) -> bool:
    """Whether *value* holds a placeholder, or what looks like the beginning of one."""
    return _OPENING in value


@lru_cache(maxsize=4096)  # Large configs repeat theirs.
def placeholders(text: str) -> tuple[Placeholder, ...]:
    """Return the placeholders of *text* from left to right, without those inside their words.

    Examples:
        >>> [str(one) for one in placeholders("http://${env.HOST}:${env.PORT:=${env.P:=80}}/")]
        ['${env.HOST}', '${env.PORT:=${env.P:=80}}']
    """
    found: list[Placeholder] = []
    start = text.find(_OPENING)
    while start != -1:
        placeholder = _placeholder_at(text, start)
        if placeholder:
            found.append(placeholder)
        start = text.find(_OPENING, placeholder.end if placeholder else start + 1)
    return tuple(found)


def segments(text: str) -> Iterator[str | Placeholder]:
    """Yield the placeholders of *text* and the texts before, between and after them.

    Examples:
        >>> [str(one) for one in segments("http://${env.HOST}:${env.PORT}")]
        ['http://', '${env.HOST}', ':', '${env.PORT}', '']
    """
    position = 0
    for placeholder in placeholders(text):
        yield text[position : placeholder.start]
        yield placeholder
        position = placeholder.end
    yield text[position:]


def pattern_of(text: str) -> re.Pattern[str] | None:
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
            pattern += re.escape(one)
        else:
            is_word = one.operator == ":+" and not placeholders(one.word)
            pattern += re.escape(one.word) if is_word else ".+"
    return re.compile(pattern, re.DOTALL)


@lru_cache(maxsize=4096)
def malformed_placeholders(text: str) -> tuple[Malformed, ...]:
    """Return what in *text* looks like a placeholder and is none, from left to right."""
    found: list[Malformed] = []
    for one in segments(text):
        if isinstance(one, str):
            nearly = [(match.start(), _nearly(match, one)) for match in _NEARLY.finditer(one)]
            shell = [(match.start(), _shell(match)) for match in _SHELL.finditer(one)]
            found += [malformed for _, malformed in sorted(nearly + shell)]
        else:
            found += malformed_placeholders(one.word)
    return tuple(found)


def _placeholder_at(text: str, start: int) -> Placeholder | None:
    head = _HEAD.match(text, start)
    if head is None:
        return None
    name, operator = head.groups()
    if operator == "}":
        return Placeholder(name, "", "", start, head.end())
    end = _end_of_word(text, head.end())
    if end is None:
        return None
    return Placeholder(name, operator, text[head.end() : end], start, end + 1)


def _end_of_word(text: str, start: int) -> int | None:
    """Return the offset of the brace that closes a word beginning at *start*.

    Braces inside the word are counted, so that a word can be JSON; a word whose own braces do not
    match ends at the first brace that closes no placeholder.
    """
    for openings in (("{", "${"), ("${",)):
        depth = 0
        for brace in _BRACE.finditer(text, start):
            if brace.group() in openings:
                depth += 1
            elif brace.group() == "}":
                if depth == 0:
                    return brace.start()
                depth -= 1
    return None


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

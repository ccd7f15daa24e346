"""Which characters of a source text are values of secret keys.

It works on the text alone: one with a syntax error has excerpts, too. In doubt it hides.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from rungraph.graph.secrets.clients import CLIENTS, LOGIN_FLAGS
from rungraph.graph.secrets.keys import (
    HELD_KEYS,
    NAME_KEYS,
    WEAK,
    is_header_name,
    is_no_secret_in_text,
    is_secret_key,
    is_secret_name,
    opaque_head,
)
from rungraph.graph.secrets.known import is_ordinary
from rungraph.graph.secrets.looks import is_mixed, is_random
from rungraph.graph.secrets.masking import packed
from rungraph.graph.secrets.pairs import Span, without_scheme
from rungraph.graph.secrets.shapes import PRIVATE_KEY
from rungraph.graph.secrets.source_keys import KEY, is_telling, name_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# An anchor, a tag and blanks, in the line of a key.
_BEFORE_VALUE = re.compile(r"(?:[^\S\r\n]+|[&!][^\s,\[\]{}]*){0,9}")
_MARK = re.compile(r"[&!]{1,2}(?P<name>[^\s,\[\]{}]+)")
_GLUED_COMMENT = re.compile(r"[ \t]*#(?=[^\s#])[^\r\n]*")
# What no value in braces has after it: a bracket that opens, or one that closes amid a word.
_GOES_ON = re.compile(r"[\[{]|[\]}](?![\s,\]}:]|$)", re.MULTILINE)
_BEFORE_CONTENT = re.compile(r"(?:[^\S\r\n]|[?-])*")
_LEXEME = re.compile(r""""(?:[^"\\]|\\.)*+"|'(?:[^']|'')*+'|["'\[\]{}]""", re.DOTALL)
_AFTER_KEY = re.compile(r"[ \t]*:")
_FLOW_END = re.compile(r"[,\[\]{}]|\s#|$", re.MULTILINE)
_BLOCK_END = re.compile(r"(?<![ \t])(?:[ \t]+#|[ \t]*$)", re.MULTILINE)
_ALIAS = re.compile(r"\*([^\s\[\]{},]+)")
_ANCHOR = re.compile(r"(?<![^\s\[{,:-])&([^\s\[\]{},]+)")
_AFTER_QUOTED = re.compile(r"[ \t]*(?:$|\s#|[,\]}:])", re.MULTILINE)
_NAME = re.compile(r"""[ \t]*["']?([\w.-]{1,100})""")
# A flag of a command line, or a name, and what follows it, as items of a list.
_FLAG_AND_VALUE = re.compile(
    rf"""^[ \t]*(?:-[ ]{{1,9}}){{1,2}}["']?(?:(?P<login>{"|".join(LOGIN_FLAGS)})
    |(?P<flag>--?[A-Za-z][\w-]{{0,60}})|(?P<name>[A-Za-z][\w-]{{0,60}}))
    (?=["']?[ \t]*\r?\n[ \t]*-[ ]+["']?(?P<value>[^\r\n]*[^\s"']))""",
    re.VERBOSE | re.MULTILINE,
)
# What says where something is kept, up to its second or third key.
_REFERENCE = re.compile(
    r"""(?:Ref|(?<![A-Za-z])ref|Selector)["']?[ \t]*:\s*\{?\s*
    (?:["']?(?:name|namespace|optional)["']?[ \t]*:[ \t]*
    [\w."'-]{1,100}\s*,?\s*){0,3}$""",
    re.VERBOSE,
)
# A sentence in quotes, or after another key: its first word, or words before a colon in it.
_SENTENCE = re.compile(r"""(?:["']|[:"'].*\w[ \t]+)$""")
_MORE_WORDS = re.compile(r"[ \t]+<?(?:[A-Za-z'.]+|\d{1,3})[,;]?[ \t]+[\w<(]")
_FAR: Final = 300
"""Characters between a name and the value that belongs to it, at most."""
_BRACKET = re.compile(r"[\[\]{}]")
_BLOCK_HEADER = re.compile(r"[|>][0-9+-]*[ \t]*(?:#|$)", re.MULTILINE)
_ITEM = re.compile(r"(?:-(?:[ \t]+|$))+")
_LOOKS_LIKE_ENTRY = re.compile(
    r"""(?:[&!]\S*+[ \t]++){0,2}
    (?:[-?](?:\s|$)|(?:[\w.<-]++[ \t]*+){1,5}:|(?:"[^"]*"|'[^']*')[ \t]*:|[\]}]|---|\.{3})""",
    re.VERBOSE,
)


def secret_spans(text: str, starts: Sequence[int]) -> list[Span]:
    """Return where the values of secret keys stand, sorted, each span within one line.

    Args:
        text: YAML or JSON, right or wrong.
        starts: The offset of each line's first character.
    """
    ends = [*starts[1:], len(text)]
    lines = [packed(text[start:end]) for start, end in zip(starts, ends, strict=True)]
    return sorted(_Search(lines, starts).spans())


class _Search:
    """One search through the lines of a text, their placeholders packed."""

    def __init__(self, lines: Sequence[str], starts: Sequence[int]) -> None:
        self._lines = lines
        self._starts = starts
        self._text = "".join(lines)
        self._aliased = frozenset(_ALIAS.findall(self._text))
        self._aliases: set[str] = set()
        self._covered = 0  # What stands before this is known to be secret or not.

    def spans(self) -> Iterator[Span]:
        position = 0
        beside = _Beside()
        while key := KEY.search(self._text, position):
            position = key.end()
            name = name_of(key)
            if not is_telling(name):
                continue  # Most keys say nothing of secrets.
            is_secret = is_secret_key(name) and not (name in WEAK and self._is_in_reference(key))
            if not is_secret and opaque_head(name):
                is_secret = is_random(self._text, self._start_of_value(key))
            if key["bare"] and self._is_prose(key):
                continue
            secrets = beside.secrets(key, name, self._text)
            for secret in [*secrets, *([key] if is_secret else [])]:
                for start, end in self._spans_under(secret):
                    position = max(position, end)
                    yield start, end
                position = max(position, self._covered)
        for match in PRIVATE_KEY.finditer(self._text):
            yield from self._in_lines(*match.span())
        for match in _FLAG_AND_VALUE.finditer(self._text):
            is_sure = is_mixed(match["value"])
            head = match["flag"] or (match["name"] if is_sure else "")
            if match["login"] or is_secret_key(head) or (is_sure and f"{head} " in CLIENTS):
                yield from self._in_lines(*match.span("value"))
        # An anchor can stand after the alias too, in a text that is wrong.
        position = 0
        for anchor in sorted((self._anchors[name] for name in self._aliases), key=re.Match.start):
            for start, end in self._anchored(anchor) if anchor.start() >= position else ():
                position = max(position, end)
                yield start, end

    def _is_in_reference(self, key: re.Match[str]) -> bool:
        """Whether *key* stands in a mapping that says where something is kept, with its name."""
        before = _REFERENCE.search(self._text, max(0, key.start() - _FAR), key.start())
        if before is None:
            return False
        starts = [self._starts[self._line_of(one.start())] for one in (before, key)]
        line = self._text[starts[0] : before.start()]
        column = len(line) - len(line.lstrip(" \t-?\"'"))
        return "{" in before[0] or column < key.start() - starts[1]

    def _is_prose(self, key: re.Match[str]) -> bool:
        """Whether what looks like a key stands in a sentence: "Your token: ask the user"."""
        line_start = self._starts[self._line_of(key.start())]
        before = self._text[max(line_start, key.start() - _FAR) : key.start()]
        return bool(_MORE_WORDS.match(self._text, key.end()) and _SENTENCE.search(before))

    def _spans_under(self, key: re.Match[str]) -> Iterator[Span]:
        yield from self._unread(key)
        (start, end), goes_on = self._value(key)
        value = self._text[start:end].strip(" \t\r\n'\"")
        if not (is_no_secret_in_text(value) or is_header_name(name_of(key), value)):
            yield from self._in_lines(start, end)
        if goes_on:
            yield from self._in_later_lines(key)

    def _unread(self, key: re.Match[str]) -> Iterator[Span]:
        """Yield what YAML takes for an anchor, a tag or a comment where a secret begins so."""
        end = _end_of(_BEFORE_VALUE, self._text, key.end())
        for mark in _MARK.finditer(self._text, key.end(), end):
            # What an alias names is an anchor, and a plain word is no secret.
            if mark["name"] not in self._aliased and not is_ordinary(mark["name"]):
                yield mark.span()
        if comment := _GLUED_COMMENT.match(self._text, end):
            yield comment.span()

    @cached_property
    def _anchors(self) -> Mapping[str, re.Match[str]]:
        return {match[1]: match for match in _ANCHOR.finditer(self._text)}

    def _anchored(self, anchor: re.Match[str]) -> Iterator[Span]:
        """Yield where the value stands that an anchor names."""
        line_start = self._starts[self._line_of(anchor.start())]
        near = max(line_start, anchor.start() - _FAR)
        keys = [*KEY.finditer(self._text, near, anchor.start())]
        if keys:
            yield from self._spans_under(keys[-1])
        else:
            end = _start_of(_BLOCK_END, self._text, anchor.end())
            yield from self._in_lines(anchor.end(), end)

    @cached_property
    def _brackets(self) -> tuple[Sequence[int], Sequence[int]]:
        """Where brackets stand, and how many are open after each."""
        found = [*_BRACKET.finditer(self._text)]
        steps = (1 if one[0] in "[{" else -1 for one in found)
        return [one.start() for one in found], [*accumulate(steps, initial=0)]

    def _is_in_brackets(self, start: int, end: int) -> bool:
        """Whether more brackets are opened than closed from *start* to *end*."""
        places, depths = self._brackets
        return depths[bisect_left(places, end)] > depths[bisect_left(places, start)]

    def _value(self, key: re.Match[str]) -> tuple[Span, bool]:
        """Return where the value of *key* stands, and whether it can go on in later lines.

        Only what is in quotes or brackets is found in later lines here.
        """
        text = self._text
        start = self._start_of_value(key)
        is_beside = self._is_beside(key)
        first = text[start : start + 1]
        if first and first in "'\"[{":
            end = _end_of_enclosed(text, start)
            is_quoted = first in "'\""
            # A text in quotes on a later line can be the next key.
            if is_beside or not is_quoted or not _AFTER_KEY.match(text, end):
                last_line = self._line_of(end - 1)
                if last_line > self._line_of(start):
                    end = self._starts[last_line] + len(self._lines[last_line])
                elif not _AFTER_QUOTED.match(text, end):
                    # That was no end: what follows belongs to the value, too.
                    end = self._end_of_plain(start, end)
                elif is_quoted and end > start + 1 and text[end - 1] == first:
                    end -= 1
                return without_scheme(text, start + is_quoted, end), False
        if not is_beside or _BLOCK_HEADER.match(text, start):
            return (start, start), True
        alias = _ALIAS.match(text, start)
        if alias and alias[1] in self._anchors:
            self._aliases.add(alias[1])
            return (start, start), True
        end = self._end_of_plain(start, start)
        return without_scheme(text, start, end), start < end

    def _end_of_plain(self, start: int, position: int) -> int:
        """Return where a value from *start* on ends that goes on at *position* without quotes."""
        is_flow = self._is_in_brackets(self._starts[self._line_of(start)], start)
        end = _start_of(_FLOW_END if is_flow else _BLOCK_END, self._text, position)
        while is_flow and _GOES_ON.match(self._text, end):
            end = _start_of(_FLOW_END, self._text, end + 1)
        return _end_of(_GLUED_COMMENT, self._text, end)

    def _in_later_lines(self, key: re.Match[str]) -> Iterator[Span]:
        """Yield where a value that is in neither quotes nor brackets goes on."""
        position = 0
        for number in self._continuation(key):
            start = max(self._starts[number], position)
            end = self._starts[number] + len(self._lines[number])
            # The keys of a secret mapping are shown, unless they look random.
            values = [] if self._is_beside(key) else [*self._values_in(start, end)]
            for span in values or [(start, end)]:
                position = max(position, span[1])
                yield from self._in_lines(*span)
            self._covered = max(end, position)

    def _values_in(self, start: int, end: int) -> Iterator[Span]:
        while key := KEY.search(self._text, start, end):
            name = str(key.lastgroup)
            if is_random(key[name]):
                yield key.span(name)
            yield from self._unread(key)
            span, _ = self._value(key)
            start = max(key.end(), span[1])
            yield span

    @cached_property
    def _filled(self) -> Sequence[int]:
        """The lines that are not blank."""
        return [number for number, line in enumerate(self._lines) if line.strip()]

    @cached_property
    def _contents(self) -> Sequence[int]:
        """By line: where what is no blank and no comment stands first, in it or a later one."""
        found = [len(self._text)]
        for start, line in zip(reversed(self._starts), reversed(self._lines), strict=True):
            content = line.lstrip()
            is_content = content and not content.startswith("#")
            found.append(start + len(line) - len(content) if is_content else found[-1])
        return found[::-1]

    def _start_of_value(self, key: re.Match[str]) -> int:
        """Return where the value of *key* begins, in its line or a later one."""
        start = _end_of(_BEFORE_VALUE, self._text, key.end())
        if self._text[start : start + 1] in ("", "\r", "\n", "#"):
            content = self._contents[self._line_of(key.end() - 1) + 1]
            start = _end_of(_BEFORE_VALUE, self._text, content)
        return start

    def _is_beside(self, key: re.Match[str]) -> bool:
        """Whether the value of *key* begins in its line."""
        start = self._start_of_value(key)
        return start < len(self._text) and self._line_of(start) == self._line_of(key.end() - 1)

    def _continuation(self, key: re.Match[str]) -> Iterator[int]:
        """Yield the lines that can belong to the value of *key*."""
        first = self._line_of(key.end() - 1)
        start = self._starts[first]
        # Where the colon stands in a later line than the key, that line counts.
        before = self._text[start : max(key.start(), _end_of(_BEFORE_CONTENT, self._text, start))]
        # In a mapping in braces, what belongs to a key can stand left of it.
        column = len(before) if not before.strip(" \t-?") else _indent(before)
        index = bisect_right(self._filled, first)
        is_open = not self._is_beside(key)
        while index < len(self._filled):
            number = self._filled[index]
            index += 1
            content = self._lines[number].strip()
            if _indent(self._lines[number]) <= column:
                if content.startswith("#"):
                    index = bisect_left(self._filled, self._line_of(self._contents[number]), index)
                    if self._contents[number] == len(self._text):
                        return
                    continue
                # In brackets, and by mistake, text can go on in any column, but not as an entry.
                if _LOOKS_LIKE_ENTRY.match(content) and not (is_open and _is_bare_item(content)):
                    return
            yield number

    def _in_lines(self, start: int, end: int) -> Iterator[Span]:
        """Yield what stands from *start* to *end*, in each line without the blanks around it."""
        for number in range(self._line_of(start), self._line_of(end - 1) + 1):
            line_start = self._starts[number]
            left = max(start, _end_of(_BEFORE_CONTENT, self._text, line_start))
            right = min(end, line_start + len(self._lines[number].rstrip()))
            if left < right:
                yield left, right

    def _line_of(self, offset: int) -> int:
        return bisect_right(self._starts, offset) - 1


class _Beside:
    """Finds the ``value`` that a name beside it makes a secret, in either order."""

    def __init__(self) -> None:
        self._name: re.Match[str] | None = None
        self._held: re.Match[str] | None = None

    def secrets(self, key: re.Match[str], name: str, text: str) -> list[re.Match[str]]:
        """Return the keys whose values are secret, now that *key* has been seen as well."""
        found: list[re.Match[str]] = []
        if name in HELD_KEYS:
            if self._name and key.start() - self._name.end() < _FAR:
                found = [key]
            self._held = key
        elif name.lower() in NAME_KEYS:
            value = _NAME.match(text, key.end())
            self._name = key if value and is_secret_name(value[1]) else None
            if self._name and self._held and key.start() - self._held.end() < _FAR:
                found = [self._held]
        return found


def _end_of_enclosed(text: str, start: int) -> int:
    """Return where a value in quotes or brackets ends; the end of the text if it is not closed."""
    depth = 0
    for match in _LEXEME.finditer(text, start):
        lexeme = match[0]
        if lexeme in ("[", "{"):
            depth += 1
        elif lexeme in ("]", "}"):
            depth -= 1
        elif lexeme in ('"', "'"):
            break
        if depth <= 0:
            return match.end()
    return len(text)


def _is_bare_item(content: str) -> bool:
    """Whether a line is an item of a list without a key: wherever it stands, it can be a value."""
    item = _ITEM.match(content)
    if item is None:
        return False
    return _LOOKS_LIKE_ENTRY.match(content, item.end()) is None or ": " not in f"{content} "


def _indent(line: str) -> float:
    """Return the indentation; an item of a list belongs to a key in the same column."""
    stripped = line.lstrip()
    return len(line) - len(stripped) + (0.5 if stripped.startswith("-") else 0)


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    return match.end() if (match := pattern.match(text, start)) else start


def _start_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    return match.start() if (match := pattern.search(text, start)) else len(text)

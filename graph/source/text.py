"""A text that knows its lines: offsets become places, places become excerpts without secrets."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain
from typing import TYPE_CHECKING

from rungraph.graph.budgets import LONGEST_EXCERPT, LONGEST_LINE, LONGEST_SEARCHED
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.place import CARET_WHEN_CUT, CUT, Place
from rungraph.graph.placeholders import placeholders
from rungraph.graph.secrets.known import KnownSecrets
from rungraph.graph.secrets.masking import hides_word, masked_line, rendered, spans_in_lines
from rungraph.graph.secrets.source_keys import names_in_text
from rungraph.graph.secrets.source_lines import secret_spans
from rungraph.graph.source.positions import path_text
from rungraph.graph.wording import shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rungraph.graph.secrets.pairs import Span

_MARKED_WORD = re.compile(r"[*&!][^\s,\[\]{}]+")
_LINE_BREAK = re.compile(r"\r\n?|\n")


@dataclass(eq=False)
class UnreadableError(Exception):
    """Raised when nothing can be made of a text.

    Attributes:
        offset: Where in the text the problem is.
        message: What is wrong.
        help: The way out.
        code: The code of the diagnostic that it becomes.
        opened: The offset where the construct began that cannot be read; None when that says
            nothing more.
        path: The keys that lead there.
    """

    offset: int
    message: str
    help: str
    code: str = "C003"
    opened: int | None = None
    path: tuple[str | int, ...] = ()


class SourceText:
    r"""The text of one document.

    A line ends with ``\n``, ``\r\n`` or ``\r``, which is what editors count.

    Attributes:
        file: The path as the user gave it, or ``<text>`` or ``<mapping>``.
        text: The whole text.
        first_line: The number of its first line, where it is part of a file.
    """

    def __init__(self, file: str, text: str, first_line: int = 1) -> None:
        self.file = file
        self.text = text
        self.first_line = first_line

    @cached_property
    def _starts(self) -> Sequence[int]:
        """The offset of the first character of each line; an empty text has one line."""
        if "\r" in self.text:
            return array("I", [0, *(match.end() for match in _LINE_BREAK.finditer(self.text))])
        lengths = (len(line) + 1 for line in self.text.split("\n"))
        return array("I", accumulate(lengths, initial=0))[:-1]

    @cached_property
    def _secrets(self) -> list[Span]:
        """Where the values of secret keys stand."""
        return secret_spans(self.text, self._starts)

    @cached_property
    def known(self) -> KnownSecrets:
        """What is secret somewhere in the text, which is shown nowhere in it."""
        return KnownSecrets(self._secret_texts, lambda: names_in_text(self.text))

    def learn(self, secrets: Callable[[], Iterable[str]]) -> None:
        """Let nothing of *secrets* show either: what is secret by its keys as they are read.

        A key can be written with escapes, or after a question mark, and a value with escapes.
        """
        self.known = KnownSecrets(
            lambda: chain(self._secret_texts(), secrets()), lambda: names_in_text(self.text)
        )

    def _secret_texts(self) -> Iterator[str]:
        spans = [*self._secrets]
        if len(self.text) <= LONGEST_SEARCHED:
            spans += spans_in_lines(self.text)
        for start, end in spans:
            text = self.text[start:end]
            if not _hides_itself(text):
                # With what YAML takes for a mark of its own, and without it.
                yield text
                yield text.lstrip("*&!")

    def part(self, start: int, end: int) -> str:
        """Return what stands from one offset to another without its secrets."""
        text = self.text[start:end]
        first = max(bisect_right(self._secrets, (start, len(self.text))) - 1, 0)
        last = bisect_left(self._secrets, (end, 0))
        within = ((max(one - start, 0), other - start) for one, other in self._secrets[first:last])
        return rendered(text, [*within, *spans_in_lines(text), *self.known.spans_in(text)])

    def masked(self, text: str, place: Place) -> str:
        """Return a message about what stands at *place*, without secrets."""
        spans = [*self.known.spans_in(text), *spans_in_lines(text)]
        number = self._number_of(place)
        if not 1 <= number <= len(self._starts):  # Of a file whose text cannot be made out.
            return rendered(text, spans)
        offset = self._starts[number - 1] + place.column - 1
        index = bisect_right(self._secrets, (offset, len(self.text))) - 1
        if index >= 0:
            start, end = self._secrets[index]
            # What the message is about can be the secret itself, however short it is.
            if start <= offset < end and end - start > 1:
                word = _MARKED_WORD.match(self.text, offset, end)
                for one in (self.text[start:end], word[0] if word else ""):
                    spans += _whole_words(one.lstrip("*&!<").rstrip(">"), text)
        return rendered(text, spans)

    def place(self, offset: int) -> Place:
        """Return the place of the character at *offset*."""
        line = bisect_right(self._starts, offset)
        return Place(self.file, self.first_line + line - 1, offset - self._starts[line - 1] + 1)

    def _number_of(self, place: Place) -> int:
        """Return which line of this text the one of *place* is, counted from 1."""
        return place.line - self.first_line + 1

    def problem(
        self,
        code: str,
        message: str,
        offset: int,
        *ways_out: str,
        severity: Severity = Severity.ERROR,
        path: Sequence[str | int] = (),
        related: tuple[tuple[Place, str], ...] = (),
    ) -> Diagnostic:
        """Return the diagnostic of a problem at *offset*, with its place."""
        place = self.place(min(offset, len(self.text)))
        return Diagnostic(
            code,
            message,
            severity,
            place,
            ways_out,
            path=path_text(path),
            related=related,
        )

    def line(self, number: int) -> str:
        """Return line *number* of this text, counted from 1, without its break; else nothing."""
        if not 1 <= number <= len(self._starts):
            return ""
        start = self._starts[number - 1]
        return self.text[start : start + self._length_of(number)].rstrip("\r\n")

    def _length_of(self, number: int) -> int:
        """Return the length of line *number* with its break; 0 when there is none."""
        if not 1 <= number <= len(self._starts):
            return 0
        end = self._starts[number] if number < len(self._starts) else len(self.text)
        return end - self._starts[number - 1]

    def excerpt(self, place: Place) -> str:
        """Return the source line at *place* with its secrets masked, at most 160 characters long.

        Tabs are kept. ``caret_column`` tells where in it the place is. Of a line that is longer
        than any that a person writes there is none: what is secret in it would take long to find.
        """
        number = self._number_of(place)
        if self._length_of(number) > LONGEST_LINE:
            return ""
        line = self.line(number)
        column = min(max(place.column, 1) - 1, len(line))
        spans = [*self._secrets_in(number), *self.known.spans_in(line)]
        shown, moved = masked_line(line, spans, column)
        # A secret before the place, or around it, has moved what follows.
        if moved == column:
            if len(shown) <= LONGEST_EXCERPT:
                return shown
            if column < LONGEST_EXCERPT - CARET_WHEN_CUT:
                return shortened(shown, LONGEST_EXCERPT)
        before = shown[:moved][-(CARET_WHEN_CUT - 2) :].rjust(CARET_WHEN_CUT - 2)
        room = LONGEST_EXCERPT - CARET_WHEN_CUT + 1
        return f"{CUT}{before}{shortened(shown[moved:], room)}"

    def shown(self) -> list[str]:
        """Return all lines, each with its break and with its secrets masked.

        Of a line that is longer than any that a person writes only a mark is left.
        """
        lines: list[str] = []
        for number in range(1, len(self._starts) + 1):
            line, length = self.line(number), self._length_of(number)
            spans = [*self._secrets_in(number), *self.known.spans_in(line)]
            text = CUT if length > LONGEST_LINE else masked_line(line, spans, 0)[0]
            lines.append(f"{text}\n" if length > len(line) else text)
        return lines

    def _secrets_in(self, number: int) -> list[Span]:
        """Return where in line *number* the values of secret keys stand."""
        if not 1 <= number <= len(self._starts):
            return []
        start = self._starts[number - 1]
        first = bisect_left(self._secrets, (start, 0))
        last = bisect_left(self._secrets, (start + len(self.line(number)) + 1, 0))
        return [(left - start, right - start) for left, right in self._secrets[first:last]]


def _hides_itself(text: str) -> bool:
    """Whether *text* is a placeholder that is shown alike wherever it stands: most secrets are."""
    found = placeholders(text)
    if len(found) != 1 or str(found[0]) != text:
        return False
    return not found[0].word or hides_word(found[0])


def _whole_words(secret: str, text: str) -> list[Span]:
    if not secret:
        return []
    pattern = rf"(?<!\w){re.escape(secret)}(?!\w)"
    return [match.span() for match in re.finditer(pattern, text)]

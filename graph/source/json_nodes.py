"""JSON text to its plain value, its layout and its diagnostics."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from rungraph.graph.diagnostics import Diagnostic
from rungraph.graph.source.positions import MAPPING, PLAIN, QUOTED, SEQUENCE, Layout, path_text
from rungraph.graph.source.yaml_nodes import DEEPEST, TooDeepError

if TYPE_CHECKING:
    from rungraph.graph.source.text import SourceText

# Only for text that the json module has accepted.
_LEXEME = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]|[^\s\[\]{},:"]+', re.DOTALL)
_NOT_JSON: Final = ("NaN", "Infinity", "-Infinity")


class _Open(NamedTuple):
    """A collection whose end has not been read yet; its keys so far, or None for a list."""

    entry: int
    keys: dict[str, int] | None


def read_json(source: SourceText) -> tuple[Any, Layout, list[Diagnostic]]:
    """Return the value of a JSON text, of equal keys the first; its layout and its diagnostics.

    Raises:
        json.JSONDecodeError: If the text is not JSON; NaN and Infinity are not.
        TooDeepError: If collections are nested deeper than ``DEEPEST``.
        RecursionError: If they are nested so deep that the json module gives up.
    """
    text = source.text
    try:
        value = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        raise json.JSONDecodeError(*_located(text, error)) from None
    reading = _Reading(source)
    reading.read()
    if reading.has_duplicates:
        value = json.loads(text, object_pairs_hook=lambda pairs: dict(reversed(pairs)))
    return value, reading.layout, reading.diagnostics


class _Reading:
    """One pass over the lexemes of a JSON text."""

    def __init__(self, source: SourceText) -> None:
        self.layout = Layout()
        self.diagnostics: list[Diagnostic] = []
        self.has_duplicates = False
        self._source = source
        self._open: list[_Open] = []
        self._path: list[str | int] = []

    def read(self) -> None:
        layout, opened, path = self.layout, self._open, self._path
        label: str | None = None
        key = -1
        for match in _LEXEME.finditer(self._source.text):
            lexeme, start = match.group(), match.start()
            if lexeme in (":", ","):
                if lexeme == "," and opened[-1].keys is None:
                    path[-1] = int(path[-1]) + 1
                continue
            if lexeme in ("}", "]"):
                layout.ends[opened.pop().entry] = len(layout.labels)
                path.pop()
                continue
            if opened and opened[-1].keys is not None and label is None:
                label, key = self._text(lexeme, start), start
                self._key(label, start, opened[-1].keys)
                continue
            layout.starts.append(start)
            layout.keys.append(start if label is None else key)
            layout.labels.append(label)
            label = None
            if lexeme in ("{", "["):
                layout.kinds.append(MAPPING if lexeme == "{" else SEQUENCE)
                opened.append(_Open(len(layout.labels) - 1, {} if lexeme == "{" else None))
                path.append("" if lexeme == "{" else 0)
                if len(opened) > DEEPEST:
                    raise TooDeepError(start)
            elif lexeme[0] == '"':
                layout.kinds.append(QUOTED)
                if "\\u" in lexeme:
                    self._text(lexeme, start)
            else:
                layout.kinds.append(PLAIN)

    def _key(self, label: str, start: int, keys: dict[str, int]) -> None:
        self._path[-1] = label
        first_offset = keys.setdefault(label, start)
        if first_offset == start:
            return
        self.has_duplicates = True
        first = self._source.place(first_offset)
        self._problem(
            "C006",
            f"the key {label!r} is written twice; only the first counts",
            start,
            f"remove or rename one of the two; the first is in line {first.line}",
            related=((first, "first written here"),),
        )

    def _text(self, lexeme: str, start: int) -> str:
        if "\\" not in lexeme:
            return lexeme[1:-1]
        text: str = json.loads(lexeme)
        try:
            text.encode()
        except UnicodeEncodeError:
            msg = "half of a surrogate pair, which is no character"
            raise json.JSONDecodeError(msg, self._source.text, start) from None
        return text

    def _problem(self, code: str, message: str, offset: int, way_out: str, **more: Any) -> None:
        place = self._source.place(offset)
        excerpt = self._source.excerpt(place)
        path = path_text(self._path)
        self.diagnostics.append(
            Diagnostic(
                code, message, place=place, help=(way_out,), path=path, excerpt=excerpt, **more
            )
        )


def _refuse(name: str) -> NoReturn:
    msg = f"{name} is not a JSON value"
    raise ValueError(msg)


def _located(text: str, error: ValueError) -> tuple[str, str, int]:
    """Return message, text and offset for what only Python's json objects to."""
    lexemes = [(match.group(), match.start()) for match in _LEXEME.finditer(text)]
    constants = [start for lexeme, start in lexemes if lexeme in _NOT_JSON]
    if constants:
        return str(error), text, constants[0]
    # Python bounds the digits of an integer.
    numbers = [(len(lexeme), -start) for lexeme, start in lexemes if lexeme[0] in "-0123456789"]
    return "a number with too many digits", text, -max(numbers, default=(0, 0))[1]

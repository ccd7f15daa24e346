"""The environment filled into a document's values; no value of a variable is ever shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.place import Place
from rungraph.graph.placeholders import (
    Malformed,
    Placeholder,
    has_placeholder,
    malformed_placeholders,
    placeholders,
)
from rungraph.graph.secrets.values import is_secret_key, is_secret_path
from rungraph.graph.source.positions import path_text
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.source.document import Document

__all__ = ["Placeholder", "Substitution", "Use", "has_placeholder", "placeholders"]

_MOST_SUGGESTIONS: Final = 50
_MOST_RELATED: Final = 10
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")
_BOOLEANS: Final = {"true": True, "false": False}

_NOWHERE: Final = Place("", 0, 0)
_Path = tuple[str | int, ...]


class Use(NamedTuple):
    """One place where a config reads a variable of the environment.

    Attributes:
        name: The variable.
        path: The value that reads it, such as ``providers.inference[0].config.url``.
        place: Where that value stands.
        is_set: Whether the variable is set to something other than an empty text.
        has_default: Whether the config says what to use when it is not set.
        is_required: Whether the config cannot be used without it.
        is_secret: Whether the variable's name or the value's key tells that it is a secret.
    """

    name: str
    path: str
    place: Place | None
    is_set: bool
    has_default: bool
    is_required: bool
    is_secret: bool


_NUMBER_LIKE: Final = Malformed(
    "the variable's value looks like a number but is not written the usual way; it stays text",
    "write it the usual way (30, 0.5), or put the placeholder in quotes if it is meant as text",
)


class _Read(NamedTuple):
    """One reading of a variable, its place not looked up yet."""

    name: str
    path: _Path
    has_default: bool
    is_required: bool
    is_secret: bool


class Substitution:
    """Fills one environment into the values of one document.

    A variable set to an empty text counts as not set. A value that comes out empty becomes None.
    A value that is one placeholder without quotes becomes a boolean, an integer or a float when its
    text is the usual way to write one; everything else stays text, and so does every secret.
    A required variable that is not set leaves the value as written.

    Args:
        document: Where the values come from.
        environment: The variables; its ``HOME`` is what ``~/`` at the beginning of a substituted
            value becomes.
    """

    def __init__(self, document: Document, environment: Mapping[str, str]) -> None:
        self._document = document
        self._environment = environment
        self._reads: list[_Read] = []
        self._problems: list[tuple[Malformed, _Path]] = []
        self._old: list[tuple[Placeholder, _Path]] = []
        self._may_repeat = document.has_aliases
        # The original stands beside its result so that no other object can take its id.
        self._done: dict[int, tuple[object, Any]] = {}

    def resolve(self, value: Any, path: _Path) -> Any:
        """Return *value* with the environment filled in.

        What holds no placeholder comes back as the same object; the rest is copied, so *value* is
        never changed. A collection that occurs several times is resolved once.

        Args:
            value: A value of the document, or part of one.
            path: Where in the document it stands.
        """
        kind = value.__class__
        if kind is str:
            return self._text(value, path) if "${" in value else value
        if kind is not dict and kind is not list:
            return value
        if self._may_repeat and (done := self._done.get(id(value))) is not None:
            return done[1]
        result = value
        for key, item in value.items() if kind is dict else enumerate(value):
            item_kind = item.__class__
            if item_kind is str:
                if "${" not in item:
                    continue
            elif item_kind is not dict and item_kind is not list:
                continue
            resolved = self.resolve(item, (*path, key))
            if resolved is not item:
                if result is value:
                    result = value.copy()
                result[key] = resolved
        if self._may_repeat:
            self._done[id(value)] = value, result
        return result

    def text_of(self, written: str) -> str | None:
        """Return the text that *written* becomes, before anything is made a number or a boolean.

        None when it is empty or a required variable is not set.
        """
        return self._filled(written, placeholders(written)) or None

    @property
    def uses(self) -> tuple[Use, ...]:
        """What ``resolve`` has read so far, sorted by name and path."""
        uses = {
            Use(
                name,
                path_text(path),
                self._document.place_of(path),
                bool(self._environment.get(name)),
                has_default,
                is_required,
                is_secret,
            )
            for name, path, has_default, is_required, is_secret in set(self._reads)
        }
        return tuple(sorted(uses, key=lambda use: (use.name, use.place or _NOWHERE, use)))

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong with what ``resolve`` has seen so far, in the order of the text."""
        found = [*self._missing(), *self._others(), *self._older()]
        return tuple(sorted(found, key=lambda one: (one.place or _NOWHERE, one.path, one.code)))

    def _text(self, text: str, path: _Path) -> Any:
        found = placeholders(text)
        for malformed in malformed_placeholders(text):
            self._problems.append((malformed, path))
        if not found:
            return text
        is_secret = is_secret_path(path)
        self._record(found, path, is_secret=is_secret, is_used=True)
        filled = self._filled(text, found)
        if filled is None:
            return text
        only = found[0]
        if only.end - only.start < len(text) or is_secret or is_secret_key(only.name):
            return filled or None
        return self._typed(filled, path) if filled else None

    def _record(
        self, found: tuple[Placeholder, ...], path: _Path, *, is_secret: bool, is_used: bool
    ) -> None:
        """Remember which variables are read, those in words that are not used now included."""
        for one in found:
            hides = is_secret or is_secret_key(one.name)
            needs = is_used and not one.operator
            self._reads.append(_Read(one.name, path, one.has_default, needs, hides))
            if one.is_old:
                self._old.append((one, path))
            if "${" in one.word:
                takes_word = self._takes_word(one)
                inner = placeholders(one.word)
                self._record(inner, path, is_secret=hides, is_used=is_used and takes_word)

    def _takes_word(self, placeholder: Placeholder) -> bool:
        return bool(self._environment.get(placeholder.name)) == placeholder.has_alternative

    def _filled(self, text: str, found: tuple[Placeholder, ...]) -> str | None:
        """Return *text* with its placeholders filled in; None when a required one cannot be."""
        parts: list[str] = []
        position = 0
        for one in found:
            if one.operator and self._takes_word(one):
                word = one.word
                filled = self._filled(word, placeholders(word)) if "${" in word else word
            elif one.has_alternative:
                filled = ""
            else:
                filled = self._environment.get(one.name) or None
            if filled is None:
                return None
            parts += text[position : one.start], filled
            position = one.end
        result = "".join((*parts, text[position:]))
        home = self._environment.get("HOME")
        return home + result[1:] if home and (result == "~" or result.startswith("~/")) else result

    def _typed(self, text: str, path: _Path) -> Any:
        """Return *text* as what it is the usual way to write; with a note when it stays text."""
        value: bool | int | float | None = _BOOLEANS.get(text.lower())
        if value is None:
            value = _usual_number(text)
        if (value is None and not _reads_as_number(text)) or self._document.is_quoted(path):
            return text
        if value is None:
            self._problems.append((_NUMBER_LIKE, path))
            return text
        return value

    def _missing(self) -> Iterator[Diagnostic]:
        """Yield one error a variable, at its first place, with its other places."""
        environment = self._environment
        paths: dict[str, set[_Path]] = {}
        for read in self._reads:
            if read.is_required and not environment.get(read.name):
                paths.setdefault(read.name, set()).add(read.path)
        # Comparing many names with each other takes long, and nobody reads that many hints.
        known = [name for name, value in environment.items() if value]
        for number, (name, found) in enumerate(sorted(paths.items())):
            places = sorted((self._document.place_of(path), path_text(path)) for path in found)
            near = closest(name, known) if number < _MOST_SUGGESTIONS else ()
            state = "set to an empty text" if name in environment else "not set"
            ways_out = [f"export {name}=..., or give it a default: ${{env.{name}:=default}}"]
            if near:
                ways_out.insert(0, f"did you mean {near[0]!r}, which is set?")
            place, path = places[0]
            yield Diagnostic(
                "E001",
                f"the environment variable {name!r} is {state}",
                place=place,
                help=tuple(ways_out),
                path=path,
                related=tuple((other, "also needed here") for other, _ in places[1:_MOST_RELATED]),
                excerpt=self._document.excerpt(place),
            )

    def _others(self) -> Iterator[Diagnostic]:
        for problem, path in dict.fromkeys(self._problems):
            place = self._document.place_of(path)
            yield Diagnostic(
                "E003" if problem is _NUMBER_LIKE else "E002",
                problem.reason,
                Severity.NOTE if problem is _NUMBER_LIKE else Severity.WARNING,
                place,
                (problem.way_out,),
                path=path_text(path),
                excerpt=self._document.excerpt(place),
            )

    def _older(self) -> Iterator[Diagnostic]:
        """Yield one note for all that is in the older spelling: there can be hundreds."""
        places = sorted((self._document.place_of(path), path_text(path)) for _, path in self._old)
        if not places:
            return
        count = len(dict.fromkeys(places))
        place, path = places[0]
        old, new = "${env.X:default}", "${env.X:=default}"
        if all(one.has_alternative for one, _ in self._old):
            old, new = "${env.X+word}", "${env.X:+word}"
        what = "a placeholder is" if count == 1 else f"placeholders of {count} values are"
        yield Diagnostic(
            "E004",
            f"{what} in the older spelling",
            Severity.NOTE,
            place,
            (f"read as today's; write {new} instead of {old}",),
            path=path,
            excerpt=self._document.excerpt(place),
        )


def _usual_number(text: str) -> int | float | None:
    """Return the number that *text* is the usual way to write, if it is."""
    try:
        if str(number := int(text)) == text:
            return number
    except ValueError:
        pass
    if _DECIMAL.fullmatch(text) and repr(decimal := float(text)) == text:
        return decimal
    return None


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

"""The environment filled into a document's values; no value of a variable is ever shown."""

from __future__ import annotations

import re
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from rungraph.graph.budgets import MOST_UNSET
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.place import Place
from rungraph.graph.placeholders import (
    Placeholder,
    malformed_placeholders,
    placeholders,
    segments,
)
from rungraph.graph.secrets.keys import is_secret_key, is_secret_path
from rungraph.graph.source.positions import items_of, path_text
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.source.document import Document
    from rungraph.graph.source.positions import Path

_MOST_RELATED: Final = 10
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")
_COLLECTIONS: Final = (dict, list)
_BOOLEANS: Final = {"true": True, "false": False}
_NOWHERE: Final = Place("", 0, 0)


class Use(NamedTuple):
    """One place where a config reads a variable of the environment.

    Attributes:
        name: The variable.
        keys: What leads to the value that reads it.
        is_set: Whether the variable is set to something other than an empty text.
        has_default: Whether the config says what to use when it is not set.
        is_required: Whether the config cannot be used without it.
        is_secret: Whether the variable's name or a key above the value is that of a secret.
    """

    name: str
    keys: Path
    is_set: bool
    has_default: bool
    is_required: bool
    is_secret: bool

    @property
    def path(self) -> str:
        """The value that reads it as text, such as ``providers.inference[0].config.url``."""
        return path_text(self.keys)


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
        plain_old_spelling: Who reads a placeholder in the older spelling, or whose name is not in
            capitals, as plain text; empty when it is read as today's. The same releases make a
            number or a boolean of all that reads as one: in quotes, and of secrets, too.
        is_null_refused: Whether the reader fails at ``${env.X:null}`` while the variable is unset.
    """

    def __init__(
        self,
        document: Document,
        environment: Mapping[str, str],
        *,
        plain_old_spelling: str = "",
        is_null_refused: bool = False,
    ) -> None:
        self._is_null_refused = is_null_refused
        self._plain_old_spelling = plain_old_spelling
        self._document = document
        self._environment = dict(environment)
        self._uses: set[Use] = set()
        self._older: dict[Path, list[Placeholder]] = {}
        # A dict, because a value that is resolved twice has its problems once.
        self._problems: dict[Diagnostic, None] = {}
        # The original stands beside its result so that no other object can take its id.
        self._done: dict[int, tuple[object, Any]] = {}

    def resolve(self, value: Any, path: Path) -> Any:
        """Return *value* with the environment filled in.

        What holds no placeholder comes back as the same object; the rest is copied, so *value* is
        never changed. A collection that occurs several times is resolved once.

        Args:
            value: A value of the document, or part of one.
            path: Where in the document it stands.
        """
        if isinstance(value, str):
            return self._text(value, path) if "${" in value else value
        if not isinstance(value, _COLLECTIONS):
            return value
        if self._document.has_aliases and id(value) in self._done:
            return self._done[id(value)][1]
        result: Any = value
        for key, item in items_of(value):
            # Most values stay as they are.
            if "${" not in item if isinstance(item, str) else not isinstance(item, _COLLECTIONS):
                continue
            resolved = self.resolve(item, (*path, key))
            if resolved is not item:
                if result is value:
                    result = value.copy()
                result[key] = resolved
        if self._document.has_aliases:
            self._done[id(value)] = value, result
        return result

    @property
    def is_always_typed(self) -> bool:
        """Whether whatever reads as a number or a boolean becomes one."""
        return bool(self._plain_old_spelling)

    def text_of(self, written: str) -> str | None:
        """Return the text that *written* becomes, before anything is made a number or a boolean.

        None when it is empty or a required variable is not set.
        """
        return self._filled(written) or None

    @property
    def uses(self) -> tuple[Use, ...]:
        """What ``resolve`` has read so far, sorted by name and path."""
        return tuple(sorted(self._uses))

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """What is wrong with what ``resolve`` has seen so far, in the order of the text."""
        found = [*self._missing(), *self._problems, *self._notes_on_spelling()]
        return tuple(sorted(found, key=lambda one: (one.place or _NOWHERE, one.path, one.code)))

    def _text(self, text: str, path: Path) -> Any:
        for reason, way_out in malformed_placeholders(text):
            self._report("E002", reason, path, way_out, Severity.WARNING)
        found = placeholders(text)
        for one in found:
            if self._is_text(one) and not one.is_old:
                message = f"{self._plain_old_spelling} takes '{one}' as text"
                way_out = "write the name of the variable in capitals"
                self._report("E002", message, path, way_out, Severity.WARNING)
        if not found:
            return text
        is_secret = is_secret_path(path)
        self._record(found, path, is_secret=is_secret, is_used=True)
        filled = self._filled(text)
        if filled is None or (filled == text and self.is_always_typed):
            return text
        if self.is_always_typed:
            value = _BOOLEANS.get(filled.lower())
            return (_any_number(filled) if value is None else value) if filled else None
        if is_secret or is_secret_key(found[0].name) or str(found[0]) != text:
            return filled or None
        return self._typed(filled, path) if filled else None

    def _record(
        self, found: tuple[Placeholder, ...], path: Path, *, is_secret: bool, is_used: bool
    ) -> None:
        """Remember which variables are read, those in words that are not used now included."""
        for one in found:
            if one.is_old:
                self._older.setdefault(path, []).append(one)
            if self._is_text(one):
                continue
            is_set = bool(self._environment.get(one.name))
            hides = is_secret or is_secret_key(one.name)
            is_bare = not one.operator or (
                self._is_null_refused and (one.operator, one.word) == (":", "null")
            )
            defaults = one.has_default and not is_bare
            self._uses.add(Use(one.name, path, is_set, defaults, is_used and is_bare, hides))
            if inner := placeholders(one.word):
                takes_word = is_set == one.has_alternative
                self._record(inner, path, is_secret=hides, is_used=is_used and takes_word)

    def _is_text(self, one: Placeholder) -> bool:
        """Whether the release leaves a placeholder as it is written."""
        return bool(self._plain_old_spelling) and (one.is_old or one.name != one.name.upper())

    def _filled(self, text: str) -> str | None:
        """Return *text* with its placeholders filled in; None when a required one cannot be."""
        result = ""
        for one in segments(text):
            value: str | None
            if isinstance(one, str) or self._is_text(one):
                value = str(one)
            elif one.operator and bool(self._environment.get(one.name)) == one.has_alternative:
                value = self._filled(one.word)
            else:
                value = "" if one.has_alternative else self._environment.get(one.name) or None
            if value is None:
                return None
            result += value
        if result == text or not (result == "~" or result.startswith("~/")):
            return result
        home = self._environment.get("HOME")
        return home + result[1:] if home else result

    def _typed(self, text: str, path: Path) -> Any:
        """Return *text* as what it is the usual way to write; with a note when it stays text."""
        value: bool | int | float | None = _BOOLEANS.get(text.lower())
        if value is None:
            value = _usual_number(text)
        is_typed = value is not None or _any_number(text) is not text
        if not is_typed or self._document.is_quoted(path):
            return text
        if value is None:
            self._report(
                "E003",
                "the variable's value looks like a number but is not written the usual way; it "
                "stays text",
                path,
                "write it the usual way (30, 0.5), or put the placeholder in quotes if it is meant "
                "as text",
                Severity.NOTE,
            )
            return text
        return value

    def _report(
        self, code: str, message: str, path: Path, way_out: str, severity: Severity
    ) -> None:
        problem = self._document.problem(code, message, path, way_out, severity=severity)
        self._problems[problem] = None

    def _missing(self) -> Iterator[Diagnostic]:
        """Yield one error a variable, at its first place, with its other places."""
        environment = self._environment
        # Comparing many names with each other takes long, and nobody reads that many hints.
        known = [name for name, value in environment.items() if value]
        missing: defaultdict[str, list[tuple[Place, str, Path]]] = defaultdict(list)
        for use in self._uses:
            if use.is_required and not use.is_set:
                place = self._document.place_of(use.keys)
                missing[use.name].append((place, use.path, use.keys))
        for number, name in enumerate(sorted(missing)):
            (_, _, first), *others = sorted(missing[name])
            near = closest(name, known) if number < MOST_UNSET else ()
            state = "set to an empty text" if name in environment else "not set"
            yield self._document.problem(
                "E001",
                f"the environment variable {name!r} is {state}",
                first,
                *(f"did you mean {one!r}, which is set?" for one in near),
                f"export {name}=..., or give it a default: ${{env.{name}:=default}}",
                related=tuple(
                    (place, "also needed here") for place, *_ in others[: _MOST_RELATED - 1]
                ),
            )

    def _notes_on_spelling(self) -> Iterator[Diagnostic]:
        """Yield one note for all that is in the older spelling: there can be hundreds."""
        if not self._older:
            return
        first = min(self._older, key=lambda path: (self._document.place_of(path), path_text(path)))
        old, new = "${env.X:default}", "${env.X:=default}"
        if all(one.has_alternative for found in self._older.values() for one in found):
            old, new = "${env.X+word}", "${env.X:+word}"
        count = len(self._older)
        what = "a placeholder is" if count == 1 else f"placeholders of {count} values are"
        reader = self._plain_old_spelling
        how = "" if reader else "read as today's; "
        yield self._document.problem(
            "E004",
            f"{what} in the older spelling" + (f", plain text to {reader}" if reader else ""),
            first,
            f"{how}write {new} instead of {old}",
            severity=Severity.WARNING if reader else Severity.NOTE,
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


def _any_number(text: str) -> int | float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    with suppress(ValueError):
        return int(text)
    return number

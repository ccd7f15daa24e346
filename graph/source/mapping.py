"""A mapping given in Python to plain values; what a config cannot hold is a diagnostic."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from rungraph.graph.budgets import DEEPEST, LONGEST_NUMBER
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.place import Place
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from rungraph.graph.source.positions import Path

_PLACE: Final = Place("<mapping>", 0, 0)
_KNOWN: Final = "a config holds text, numbers, True, False, None, lists and mappings"


def plain_value(mapping: object) -> tuple[Any, list[Diagnostic]]:
    """Return a copy of *mapping* made of plain values, and what is wrong with it.

    Tuples become lists, paths and members of enums text or numbers; an object that occurs several
    times is one object in the copy too. What cannot be a config's value is None in the copy.
    """
    copying = _Copying()
    if isinstance(mapping, Mapping):
        return copying.copied(mapping, ()), copying.diagnostics
    message = f"a run config is a mapping, not {_kind(mapping)}"
    copying.report("C004", message, (), "give a mapping with the key 'providers'")
    return {}, copying.diagnostics


class _Copying:
    """One walk over the objects."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._open: set[int] = set()
        # The original stands beside its copy so that no other object can take its id.
        self._done: dict[int, tuple[object, Any]] = {}

    def copied(self, value: Any, path: Path) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Enum):
            return self.copied(value.value, path)
        if isinstance(value, PurePath):
            return str(value)
        if _is_too_long(value):
            message = f"a number of more than {LONGEST_NUMBER:,} digits is not a value of a config"
            self.report("C007", message, path, "write it as a text")
            return None
        for kind in (str, int, float):
            if isinstance(value, kind):
                return kind(value)
        if isinstance(value, Mapping | list | tuple):
            return self._collection(value, path)
        self.report("C007", f"{_kind(value)} is not a value of a config", path, _KNOWN)
        return None

    def _collection(self, value: Any, path: Path) -> Any:
        if id(value) in self._done:
            return self._done[id(value)][1]
        if id(value) in self._open:
            self.report("C007", "a value contains itself", path, "write the values out")
            return None
        if len(self._open) >= DEEPEST:
            message = f"collections nested deeper than {DEEPEST}"
            self.report("C007", message, path, "flatten the config")
            return None
        self._open.add(id(value))
        copy: Any
        if isinstance(value, Mapping):
            copy = {}
            for key, item in value.items():
                label = self._label(key, path)
                if label in copy:
                    message = f"the key {label!r} is given twice; only the last counts"
                    self.report("C006", message, (*path, label), "rename one")
                copy[label] = self.copied(item, (*path, label))
        else:
            copy = [self.copied(item, (*path, index)) for index, item in enumerate(value)]
        self._open.discard(id(value))
        self._done[id(value)] = value, copy
        return copy

    def _label(self, key: Any, path: Path) -> str:
        if isinstance(key, Enum):
            key = key.value
        if isinstance(key, str):
            return str(key)
        is_scalar = key is None or (isinstance(key, int | float) and not _is_too_long(key))
        label = str(key) if is_scalar else _kind(key)
        self.report(
            "C007",
            f"the key {label} is not text; it is taken as the text {label!r}",
            (*path, label),
            f"use a text as the key: {label!r}",
            Severity.WARNING if is_scalar else Severity.ERROR,
        )
        return label

    def report(
        self, code: str, message: str, path: Path, way_out: str, severity: Severity = Severity.ERROR
    ) -> None:
        shown = path_text(path)
        self.diagnostics.append(Diagnostic(code, message, severity, _PLACE, (way_out,), path=shown))


def _is_too_long(value: object) -> bool:
    """Whether *value* has more digits than Python would write, were it not bounded before."""
    return isinstance(value, int) and value.bit_length() > LONGEST_NUMBER * 4


def _kind(value: object) -> str:
    """Return the type's name; never the value, which can be a secret."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"

"""A mapping given in Python to plain values; what a config cannot hold is a diagnostic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from pathlib import PurePath
from typing import Any, Final, cast

from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.place import Place
from rungraph.graph.source.positions import path_text
from rungraph.graph.source.yaml_nodes import DEEPEST

_PLACE: Final = Place("<mapping>", 0, 0)
_KNOWN: Final = "a config holds text, numbers, True, False, None, lists and mappings"


def plain_value(mapping: object) -> tuple[Any, list[Diagnostic]]:
    """Return a copy of *mapping* made of plain values, and what is wrong with it.

    Tuples become lists, paths and members of enums text or numbers; an object that occurs several
    times is one object in the copy too. What cannot be a config's value is None in the copy.
    """
    copying = _Copying()
    if not isinstance(mapping, Mapping):
        copying.problem(
            "C004",
            f"a run config is a mapping, not {_kind(mapping)}",
            "give a mapping with the key 'providers'",
        )
        return {}, copying.diagnostics
    return copying.copied(mapping), copying.diagnostics


class _Copying:
    """One walk over the objects."""

    def __init__(self) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._path: list[str | int] = []
        self._open: set[int] = set()
        # The original stands beside its copy so that no other object can take its id.
        self._done: dict[int, tuple[object, Any]] = {}

    def copied(self, value: Any) -> Any:
        if value is None or type(value) in (str, int, float, bool):
            return value
        if isinstance(value, Enum):
            return self.copied(value.value)
        if isinstance(value, PurePath):
            return str(value)
        for kind in (str, int, float):
            if isinstance(value, kind):
                return kind(value)
        if isinstance(value, Mapping | list | tuple):
            return self._collection(cast("Mapping[Any, Any] | Sequence[Any]", value))
        self.problem("C007", f"{_kind(value)} is not a value of a config", _KNOWN)
        return None

    def _collection(self, value: Mapping[Any, Any] | Sequence[Any]) -> Any:
        if id(value) in self._done:
            return self._done[id(value)][1]
        if id(value) in self._open:
            self.problem("C007", "a value contains itself", "write the values out")
            return None
        if len(self._open) >= DEEPEST:
            self.problem("C007", f"collections nested deeper than {DEEPEST}", "flatten the config")
            return None
        self._open.add(id(value))
        copy = self._mapping(value) if isinstance(value, Mapping) else self._sequence(value)
        self._open.discard(id(value))
        self._done[id(value)] = value, copy
        return copy

    def _sequence(self, value: Sequence[Any]) -> list[Any]:
        result: list[Any] = []
        self._path.append(0)
        for index, item in enumerate(value):
            self._path[-1] = index
            result.append(self.copied(item))
        self._path.pop()
        return result

    def _mapping(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        self._path.append("")
        for key, item in value.items():
            label = self._label(key)
            self._path[-1] = label
            if label in result:
                self.problem(
                    "C006", f"the key {label!r} is given twice; only the first counts", "rename one"
                )
            else:
                result[label] = self.copied(item)
        self._path.pop()
        return result

    def _label(self, key: Any) -> str:
        if isinstance(key, Enum):
            key = key.value
        if isinstance(key, str):
            return str(key)
        label = str(key) if key is None or isinstance(key, int | float) else _kind(key)
        self._path[-1] = label
        self.problem(
            "C007",
            f"the key {label} is not text; it is taken as the text {label!r}",
            f"use a text as the key: {label!r}",
            Severity.WARNING if label == str(key) else Severity.ERROR,
        )
        return label

    def problem(
        self, code: str, message: str, way_out: str, severity: Severity = Severity.ERROR
    ) -> None:
        path = path_text(self._path)
        self.diagnostics.append(Diagnostic(code, message, severity, _PLACE, (way_out,), path=path))


def _kind(value: object) -> str:
    """Return the type's name; never the value, which can be a secret."""
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"

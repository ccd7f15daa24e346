"""One problem, with its code, its place and the way out; and how it is shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from rungraph.graph.budgets import MOST_PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.address import Address
    from rungraph.graph.place import Place


class Severity(StrEnum):
    """How bad a problem is. Only an error keeps a graph from being run."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Level(IntEnum):
    """How deep checks go; each level includes the ones before it."""

    SCHEMA = 0
    GRAPH = 1
    ENV = 2
    IMPORT = 3
    HEALTH = 4

    @property
    def label(self) -> str:
        """What users call it, such as ``env``."""
        return self.name.lower()

    @property
    def checked(self) -> tuple[str, ...]:
        """The labels of the levels that a check of this one includes."""
        return tuple(level.label for level in Level if level <= self)

    @property
    def not_checked(self) -> tuple[str, ...]:
        """The labels of the deeper levels."""
        return tuple(level.label for level in Level if level > self)


_LEVELS = {
    "C": Level.SCHEMA,
    "G": Level.GRAPH,
    "Q": Level.GRAPH,
    "E": Level.ENV,
    "I": Level.IMPORT,
    "H": Level.HEALTH,
}


def level_of(code: str) -> Level:
    """Return the level of checks that finds the diagnostics of *code*.

    Examples:
        >>> level_of("E001")
        <Level.ENV: 2>
    """
    return _LEVELS[code[0]]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One problem.

    Attributes:
        code: Its rule, such as ``C021``; ``rungraph explain CODE`` tells more.
        message: What is wrong; lower case, ids quoted, no full stop.
        severity: How bad it is.
        place: Where; None when it has no place in a document.
        help: The ways out, one sentence each, made of what is really there.
        address: The node that it is about.
        path: The place as a path of keys, such as ``providers.inference[0].config``.
        detail: More lines, such as the picture of a cycle.
        related: Other places that matter, each with a word on why.
        excerpt: The source line at *place*, secrets masked; filled in by the compiler.
        count: How many problems it stands for.
    """

    code: str
    message: str
    severity: Severity = Severity.ERROR
    place: Place | None = None
    help: tuple[str, ...] = ()
    address: Address | None = None
    path: str = ""
    detail: str = ""
    related: tuple[tuple[Place, str], ...] = ()
    excerpt: str = ""
    count: int = 1

    @property
    def level(self) -> Level:
        """The level of checks that finds it."""
        return level_of(self.code)


def errors_in(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return those of *diagnostics* that keep a graph from being run."""
    return tuple(one for one in diagnostics if one.severity is Severity.ERROR)


def diagnostic_order(diagnostic: Diagnostic) -> tuple[Any, ...]:
    """Return what diagnostics are sorted by: errors first, then by place."""
    place = diagnostic.place
    where = (place.file, place.line, place.column) if place else ("", 0, 0)
    address = str(diagnostic.address or "")
    return (
        list(Severity).index(diagnostic.severity),
        diagnostic.count > 1,
        where,
        diagnostic.code,
        address,
        diagnostic.path,
        diagnostic.message,
    )


def bounded(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return *diagnostics* in their order, of each code and severity no more than the first 100.

    Where there are more, one without a place tells how many.

    Examples:
        >>> found = bounded(Diagnostic("C012", f"unknown key '{n}'") for n in range(1_002))
        >>> len(found), found[-1].message, found[-1].count
        (101, '902 more problems of the kind C012 are not shown', 902)
    """
    found = list(diagnostics)
    counts: Counter[tuple[str, Severity]] = Counter()
    for one in found:
        counts[one.code, one.severity] += one.count
    room = {
        kind: number if number <= MOST_PROBLEMS + 1 else MOST_PROBLEMS
        for kind, number in counts.items()
    }
    kept: list[Diagnostic] = []
    for one in found:
        kind = one.code, one.severity
        if one.count == 1 and room[kind]:
            room[kind] -= 1
            counts[kind] -= 1
            kept.append(one)
    for (code, severity), number in counts.items():
        if number:
            message = f"{number:,} more problems of the kind {code} are not shown"
            kept.append(Diagnostic(code, message, severity, count=number))
    return kept

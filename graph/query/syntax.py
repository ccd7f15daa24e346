"""What a query says, as a tree of values. Trees compare by what they say, not where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

ALL: Final = -1
"""As many levels of a walk as there are."""


@dataclass(frozen=True, slots=True)
class Select:
    """``method:glob`` or a bare glob: the nodes that it matches.

    In a place where a function takes text, the text.

    Attributes:
        text: All of it, without quotes.
        at: The offset in the query.
        is_name: Whether it is in quotes and that matters: then ``*``, ``?``, ``[`` and ``:`` mean
            themselves.
    """

    text: str
    at: int = field(default=0, compare=False)
    is_name: bool = False


@dataclass(frozen=True, slots=True)
class Number:
    """A number, which only functions take."""

    value: int
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """``$name``: what a `Let` around it has named."""

    name: str
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """``name(argument, …)``."""

    name: str
    arguments: tuple[Expression, ...] = ()
    at: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Walk:
    """``n+x+m``: nodes, what they need and what needs them.

    Attributes:
        inner: Where the walk begins.
        needs: How many levels of what they need: None for none asked for, `ALL` for ``+x``.
        needed_by: The same for what needs them.
    """

    inner: Expression
    needs: int | None = None
    needed_by: int | None = None


@dataclass(frozen=True, slots=True)
class Around:
    """``@x``: nodes, all that need them, and all that those need."""

    inner: Expression


@dataclass(frozen=True, slots=True)
class Not:
    """``!x``: all other nodes."""

    inner: Expression


@dataclass(frozen=True, slots=True)
class Both:
    """``a & b & c``: what all select."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """``a | b - c``: one after the other added or taken away, from left to right."""

    first: Expression
    rest: tuple[tuple[Literal["|", "-"], Expression], ...]


@dataclass(frozen=True, slots=True)
class Let:
    """``let name = value in body``."""

    name: str
    value: Expression
    body: Expression


Expression = Select | Number | Variable | Call | Walk | Around | Not | Both | Joined | Let


def both(first: Expression, *others: Expression) -> Expression:
    """Return ``first & other & …``; a first one that is such a row itself goes on."""
    start = first.operands if isinstance(first, Both) else (first,)
    return Both((*start, *others)) if others else first


def joined(first: Expression, *rest: tuple[Literal["|", "-"], Expression]) -> Expression:
    """Return ``first | other - …``; a first one that is such a row itself goes on."""
    if not rest:
        return first
    if isinstance(first, Joined):
        return Joined(first.first, (*first.rest, *rest))
    return Joined(first, rest)

"""The words of a query, each with its offset."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from rungraph.graph.budgets import LONGEST_QUERY
from rungraph.graph.query.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_DIGITS = 9

WORDS: Final = {
    "or": "|",
    "union": "|",
    "except": "-",
    "and": "&",
    "intersect": "&",
    "not": "!",
    "let": "let",
    "in": "in",
}
"""The words that are no names, and the signs that they stand for; in quotes they are names."""

_GLOB = r"(?:[^\W\d]|[_*?\[.])[\w./*?\[\]:~=-]*"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
      | (?P<let>let\s+(?P<name>[^\W\d]\w*)\s*=)
      | (?P<glob>{_GLOB})
      | (?P<variable>\$[^\W\d]\w*)
      | (?P<int>\d+)
      | (?P<string>'[^']*'|"[^"]*")
      | (?P<sign>[()@+,&|!-])""",
    re.VERBOSE,
)
_MORE_OF_A_NAME = re.compile(r"[\w./*?\[\]:~=]")
NAME = re.compile(r"[^\W\d]\w*")
"""What functions and variables are called."""


class Token(NamedTuple):
    """One word of a query.

    Attributes:
        kind: ``glob``, ``string``, ``int``, ``variable``, ``let``, ``in``, ``end``, or the sign
            itself; words such as ``and`` have the kind of their sign.
        text: What it says, without quotes; the name for ``let`` and ``variable``.
        at: The offset of its first character.
        written: How it stands in the query.
    """

    kind: str
    text: str
    at: int
    written: str = ""


def is_plain(text: str) -> bool:
    """Whether *text* can stand in a query without quotes."""
    return re.fullmatch(_GLOB, text) is not None and text not in WORDS


def tokens_of(expression: str) -> Iterator[Token]:
    """Yield the words of *expression*, the last one of kind ``end``.

    Raises:
        QueryError: At the first character that no query holds.
    """
    if len(expression) > LONGEST_QUERY:
        msg = f"the query has {len(expression):,} characters, more than {LONGEST_QUERY:,}"
        raise QueryError(msg, "", 0, ("split it, or name parts of it under 'selectors:'",))
    position = 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise _unreadable(expression, position)
        if match.lastgroup != "space":
            yield _token(match)
        position = match.end()
    yield Token("end", "", len(expression.rstrip()), "")


def _token(found: re.Match[str]) -> Token:
    kind, written, at = str(found.lastgroup), found.group(), found.start()
    match kind:
        case "string":
            return Token(kind, written[1:-1], at, written)
        case "let":
            return Token(kind, found["name"], at, written)
        case "variable":
            return Token(kind, written[1:], at, written)
        case "sign":
            return Token(written, written, at, written)
        case "int":
            _check_number(found.string, at, found.end())
        case _ if written == "let":
            msg = "'let' needs a name, '=', a selection, 'in' and a selection"
            hints = (
                "write it like let a = api:safety in $a+ - $a",
                "put it in quotes to name a node: 'let'",
            )
            raise QueryError(msg, found.string, at, hints)
        case _:
            kind = WORDS.get(written, kind)
    return Token(kind, written, at, written)


def _check_number(expression: str, start: int, end: int) -> None:
    if _MORE_OF_A_NAME.match(expression, end):
        msg = "a name that begins with a digit needs quotes"
        name = expression[start:].split(maxsplit=1)[0].rstrip("()+@,&|!")
        raise QueryError(msg, expression, start, (f"write it in quotes: '{name[:40]}'",))
    if end - start > _MOST_DIGITS:
        msg = f"a number of {end - start:,} digits is too large"
        raise QueryError(msg, expression, start)


def _unreadable(expression: str, position: int) -> QueryError:
    char = expression[position]
    hint = ""
    if char in "'\"":
        message = f"the quote {char} is not closed"
    elif char == "$":
        message = "'$' begins the name of a 'let', such as $a"
    elif char == "/":
        message = "a selection does not begin with '/'"
        hint = "write it as text in a function: filter('…', *)"
    elif char == "^":
        message, hint = "'^' is no operator", "write '&' for what both select"
    elif char.isprintable():
        message, hint = f"unexpected character '{char}'", "put names that hold it in quotes"
    else:
        message, hint = f"unexpected character U+{ord(char):04X}", "a query is plain text"
    return QueryError(message, expression, position, (hint,) if hint else ())

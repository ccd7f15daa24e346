"""The words of a query, each with its offset."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from rungraph.graph.query.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 100_000
"""Characters of the longest query that is read: ten times what a machine writes in earnest."""
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
"""What words that are no names mean; quote them to name a node."""

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<let>let\s+(?P<name>[^\W\d]\w*)\s*=)
      | (?P<glob>(?:[^\W\d]|[_*?\[.])[\w./*?\[\]:~=-]*)
      | (?P<variable>\$[^\W\d]\w*)
      | (?P<int>\d+)
      | (?P<string>'[^']*'|"[^"]*")
      | (?P<sign>[()@+,&|!-])""",
    re.VERBOSE,
)
_GLOB = re.compile(r"(?:[^\W\d]|[_*?\[.])[\w./*?\[\]:~=-]*")
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
    return _GLOB.fullmatch(text) is not None and text not in WORDS


def tokens_of(expression: str) -> Iterator[Token]:
    """Yield the words of *expression*, the last one of kind ``end``.

    Raises:
        QueryError: At the first character that no query holds.
    """
    if len(expression) > LONGEST:
        msg = f"the query has {len(expression):,} characters, more than {LONGEST:,}"
        raise QueryError(msg, "", 0, ("split it, or name parts of it under 'selectors:'",))
    position = 0
    while position < len(expression):
        match = _TOKEN.match(expression, position)
        if match is None:
            raise _unreadable(expression, position)
        kind = str(match.lastgroup)
        position = match.end()
        if kind != "space":
            yield _token(kind, match, expression)
    yield Token("end", "", len(expression.rstrip()), "")


def _token(kind: str, match: re.Match[str], expression: str) -> Token:
    text, at = match.group(), match.start()
    if kind == "string":
        return Token(kind, text[1:-1], at, text)
    if kind == "let":
        return Token(kind, match["name"], at, text)
    if kind == "variable":
        return Token(kind, text[1:], at, text)
    if kind == "sign":
        return Token(text, text, at, text)
    if kind == "int":
        if _MORE_OF_A_NAME.match(expression, match.end()):
            msg = "a name that begins with a digit needs quotes"
            name = expression[at:].split(maxsplit=1)[0].rstrip("()+@,&|!")
            raise QueryError(msg, expression, at, (f"write it in quotes: '{name[:40]}'",))
        if len(text) > _MOST_DIGITS:
            msg = f"a number of {len(text):,} digits is too large"
            raise QueryError(msg, expression, at)
        return Token(kind, text, at, text)
    if text in WORDS:
        if text == "let":
            msg = "'let' needs a name, '=', a selection, 'in' and a selection"
            example = "let a = api:safety in $a+ - $a"
            raise QueryError(msg, expression, at, (f"write it like {example}", _quoted(text)))
        return Token(WORDS[text], text, at, text)
    return Token(kind, text, at, text)


def _quoted(word: str) -> str:
    return f"put it in quotes to name a node: '{word}'"


def _unreadable(expression: str, position: int) -> QueryError:
    char = expression[position]
    if char in "'\"":
        return QueryError(f"the quote {char} is not closed", expression, position)
    if char == "$":
        msg = "'$' begins the name of a 'let', such as $a"
        return QueryError(msg, expression, position)
    if char == "/":
        hint = "write it as text in a function: filter('…', *)"
        return QueryError("a selection does not begin with '/'", expression, position, (hint,))
    shown = f"'{char}'" if char.isprintable() else f"U+{ord(char):04X}"
    hint = "put names that hold it in quotes" if char.isprintable() else "a query is plain text"
    return QueryError(f"unexpected character {shown}", expression, position, (hint,))

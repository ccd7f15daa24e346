"""A query's tree as text, with no more parentheses and quotes than it takes to read it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rungraph.graph.query.lexer import is_plain
from rungraph.graph.query.syntax import (
    ALL,
    Around,
    Both,
    Call,
    Joined,
    Let,
    Not,
    Number,
    Select,
    Variable,
    Walk,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.query.syntax import Expression

# How tightly a form binds; what binds less than its surroundings want needs parentheses.
_EXPR: Final = 0
_TERM: Final = 1
_UNARY: Final = 2
_PRIMARY: Final = 3
_BINDING: Final[Mapping[type, int]] = {
    Joined: _EXPR,
    Both: _TERM,
    Not: _UNARY,
    Let: _UNARY,
    Walk: _UNARY,
    Around: _UNARY,
}


def to_text(tree: Expression) -> str:
    """Return *tree* as text; `parse` of it is *tree* again.

    Raises:
        ValueError: If a text of the tree holds both kinds of quotes, which no query can.

    Examples:
        >>> from rungraph.graph.query.parser import parse
        >>> to_text(parse("not ((a union b)) and deps('x', 2)"))
        '!(a | b) & deps(x, 2)'
    """
    return _text(tree, _EXPR, is_last=True)


def _text(tree: Expression, wanted: int, *, is_last: bool) -> str:
    """Return *tree* where *wanted* binds; *is_last* tells that nothing follows inside it.

    A ``let`` reaches as far as it can, so it needs parentheses wherever something follows.
    """
    needs_parentheses = _BINDING.get(type(tree), _PRIMARY) < wanted or (
        isinstance(tree, Let) and not is_last
    )
    text = _bare(tree, is_last=is_last or needs_parentheses)
    return f"({text})" if needs_parentheses else text


def _bare(tree: Expression, *, is_last: bool) -> str:
    match tree:
        case Select(text, is_name=is_name):
            return _selector(text, in_quotes=is_name)
        case Number(value):
            return str(value)
        case Variable(name):
            return f"${name}"
        case Call(name, arguments):
            return f"{name}({', '.join(_text(one, _EXPR, is_last=True) for one in arguments)})"
        case Around(inner):
            return f"@{_text(inner, _PRIMARY, is_last=False)}"
        case Walk(inner, needs, needed_by):
            before = "" if needs is None else f"{_levels(needs)}+"
            after = "" if needed_by is None else f"+{_levels(needed_by)}"
            return f"{before}{_text(inner, _PRIMARY, is_last=False)}{after}"
        case Not(inner):
            return f"!{_text(inner, _UNARY, is_last=is_last)}"
        case Let(name, value, body):
            value_text = _text(value, _EXPR, is_last=True)
            return f"let {name} = {value_text} in {_text(body, _EXPR, is_last=is_last)}"
        case Both(operands):
            last = len(operands) - 1
            return " & ".join(
                _text(one, _UNARY, is_last=is_last and index == last)
                for index, one in enumerate(operands)
            )
        case Joined(first, rest):
            parts = [_text(first, _TERM, is_last=False)]
            for index, (sign, one) in enumerate(rest, 1):
                text = _text(one, _TERM, is_last=is_last and index == len(rest))
                parts.append(f" {sign} {text}")
            return "".join(parts)


def _levels(levels: int) -> str:
    return "" if levels == ALL else str(levels)


def _selector(text: str, *, in_quotes: bool) -> str:
    if not in_quotes and is_plain(text):
        return text
    quote = '"' if "'" in text else "'"
    if quote in text:
        msg = f"a query cannot hold both kinds of quotes: {text!r}"
        raise ValueError(msg)
    return f"{quote}{text}{quote}"

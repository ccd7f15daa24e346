"""From the words of a query to its tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NoReturn

from rungraph.graph.budgets import DEEPEST_QUERY
from rungraph.graph.query.errors import QueryError
from rungraph.graph.query.functions import FUNCTIONS
from rungraph.graph.query.lexer import NAME, Token, tokens_of
from rungraph.graph.query.syntax import (
    ALL,
    Around,
    Call,
    Let,
    Not,
    Number,
    Select,
    Variable,
    Walk,
    both,
    joined,
)
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from rungraph.graph.query.syntax import Expression

_BEGINS = frozenset(("glob", "string", "variable", "int", "let", "(", "@", "!"))


def parse(expression: str) -> Expression:
    """Return the tree of a query.

    Raises:
        QueryError: If it is no query, at the first column that is wrong.

    Examples:
        >>> parse("+router:safety")
        Walk(inner=Select(text='router:safety', at=1, is_name=False), needs=-1, needed_by=None)
    """
    return _Parser(expression).whole()


class _Parser:
    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.tokens = [*tokens_of(expression)]
        self.next = 0
        self.depth = 0
        self.names: list[str] = []

    @property
    def token(self) -> Token:
        return self.tokens[self.next]

    def take(self, *kinds: str) -> Token | None:
        """Return the next word and go on if it is one of *kinds*."""
        token = self.token
        if token.kind not in kinds:
            return None
        self.next += 1
        return token

    def fail(self, message: str, at: int, *hints: str) -> NoReturn:
        raise QueryError(message, self.expression, at, hints)

    def whole(self) -> Expression:
        if self.token.kind == "end":
            self.fail("the query is empty", 0, "write '*' for all nodes")
        found = self.expr()
        if self.token.kind != "end":
            self.fail_at_left_over(self.token)
        return found

    def expr(self) -> Expression:
        first = self.term()
        rest: list[tuple[Literal["|", "-"], Expression]] = []
        while sign := self.take("|", "-"):
            rest.append(("|" if sign.kind == "|" else "-", self.term()))
        return joined(first, *rest)

    def term(self) -> Expression:
        operands = [self.unary()]
        while self.take("&"):
            operands.append(self.unary())
        return both(*operands)

    def unary(self) -> Expression:
        if sign := self.take("!"):
            self.enter(sign)
            inner = self.unary()
            self.depth -= 1
            return Not(inner)
        if word := self.take("let"):
            return self.let(word)
        return self.walk()

    def let(self, word: Token) -> Expression:
        self.enter(word)
        value = self.expr()
        if self.token.kind == "end":
            msg = f"'let {word.text} = …' has no 'in'"
            self.fail(msg, self.token.at, f"write: let {word.text} = … in …")
        if not self.take("in"):
            self.fail_at_left_over(self.token)
        self.names.append(word.text)
        body = self.expr()
        self.names.pop()
        self.depth -= 1
        return Let(word.text, value, body)

    def walk(self) -> Expression:
        if self.take("@"):
            around = Around(self.primary())
            if self.token.kind == "+":
                msg = "'@x' walks both ways already"
                self.fail(msg, self.token.at, "to walk on from it, write (@x)+")
            return around
        needs = needed_by = None
        if self.token.kind == "int" and self.tokens[self.next + 1].kind == "+":
            needs = int(self.token.text)
            self.next += 2
        elif self.take("+"):
            needs = ALL
        inner = self.primary()
        if plus := self.take("+"):
            levels = self.take("int")
            needed_by = int(levels.text) if levels else ALL
            if self.token.kind in _BEGINS:
                self.fail(
                    "two selections need an operator between them; '+' is the graph operator, "
                    "not union",
                    plus.at,
                    "write '|' for what either selects, '&' for what both select",
                )
        is_walk = needs is not None or needed_by is not None
        return Walk(inner, needs, needed_by) if is_walk else inner

    def primary(self) -> Expression:
        token = self.token
        if self.take("("):
            self.enter(token)
            inner = self.expr()
            self.close(token)
            return inner
        if self.take("variable"):
            if token.text not in self.names:
                near = closest(token.text, self.names)
                hint = (
                    f"did you mean '${near[0]}'?" if near else f"write: let {token.text} = … in …"
                )
                self.fail(f"'${token.text}' has no 'let' around it", token.at, hint)
            return Variable(token.text, token.at)
        if token.kind == "glob" and self.tokens[self.next + 1].kind == "(":
            return self.call()
        if not self.take("glob", "string"):
            self.fail_at_missing(token)
        if not token.text.strip():
            self.fail("the name in quotes is empty", token.at)
        is_name = token.kind == "string" and any(sign in token.text for sign in "*?[:")
        return Select(token.text, token.at, is_name)

    def call(self) -> Expression:
        name, opening = self.token, self.tokens[self.next + 1]
        self.next += 2
        function = FUNCTIONS.get(name.text)
        if function is None:
            near = closest(name.text, FUNCTIONS) if NAME.fullmatch(name.text) else ()
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(FUNCTIONS)}"
            self.fail(f"no function '{name.text}'", name.at, hint)
        self.enter(opening)
        usage, parameters = f"write {function.usage}", function.parameters
        arguments: list[Expression] = []
        while self.token.kind != ")" or arguments:
            if len(arguments) == len(parameters):
                msg = f"'{name.text}' takes {_counted(len(parameters))}"
                self.fail(msg, self.token.at, f"{usage}: {function.text}")
            arguments.append(self.argument(parameters[len(arguments)], usage))
            if not self.take(","):
                break
        if self.token.kind == ")" and len(arguments) < function.required:
            msg = f"'{name.text}' needs {_counted(function.required)}"
            self.fail(msg, self.token.at, f"{usage}: {function.text}")
        self.close(opening)
        return Call(name.text, tuple(arguments), name.at)

    def argument(self, wanted: str, usage: str) -> Expression:
        token = self.token
        if token.kind == "int" and self.tokens[self.next + 1].kind in (",", ")", "end"):
            self.next += 1
            found: Expression = Number(int(token.text), token.at)
        else:
            found = self.expr()
        if wanted == "x" and isinstance(found, Number):
            self.fail("here stands a selection, not a number", token.at, usage)
        if wanted == "n" and not isinstance(found, Number):
            self.fail("here stands a number, not a selection", token.at, usage)
        if wanted not in ("x", "n", "x|n") and not isinstance(found, Select):
            self.fail("here stands text, not a selection", token.at, usage)
        return found

    def enter(self, token: Token) -> None:
        self.depth += 1
        if self.depth > DEEPEST_QUERY:
            msg = f"the query is nested more than {DEEPEST_QUERY} levels deep"
            hint = "name parts of it with 'let', or under 'selectors:'"
            self.fail(msg, token.at, hint)

    def close(self, opening: Token) -> None:
        if not self.take(")"):
            if self.token.kind == "end":
                self.fail("'(' is not closed", opening.at)
            self.fail_at_left_over(self.token)
        self.depth -= 1

    def fail_at_left_over(self, token: Token) -> NoReturn:
        """Say what is wrong with *token*, which follows a whole selection."""
        message, hint = _LEFT_OVER.get(token.kind, _NO_OPERATOR)
        before = self.tokens[self.next - 1] if self.next else token
        if token.kind == "string" and before.text.endswith(":"):
            message = "quotes stand around a whole selector"
            hint = f"write it like '{before.text}{token.text}'"
        self.fail(message, token.at, *((hint,) if hint else ()))

    def fail_at_missing(self, token: Token) -> NoReturn:
        """Say what is wrong with *token*, which stands where a selection must."""
        if token.kind == "int":
            hint = "write it in quotes to name a node, or 2+x for two levels of a walk"
            self.fail("a number is no selection", token.at, hint)
        previous = self.tokens[self.next - 1] if self.next else None
        if token.kind in ("&", "|") and previous is not None and previous.kind == token.kind:
            self.fail(f"write '{token.written}' once", token.at)
        found = "the end" if token.kind == "end" else f"'{token.written}'"
        after = f" after '{previous.written}'" if previous is not None else ""
        self.fail(f"expected a selection{after}, not {found}", token.at)


_LEFT_OVER: Final = {
    ",": (
        "',' only separates function arguments: use '&'",
        "'&' is what both select, '|' what either selects",
    ),
    ")": ("')' closes nothing", ""),
    "in": ("'in' belongs to a 'let'", "put it in quotes to name a node: 'in'"),
    "+": ("'+' stands once on each side", "a walk is written +x, x+, 2+x, x+2 or +x+"),
}
_NO_OPERATOR: Final = (
    "two selections need an operator between them",
    (
        "write '|' for what either selects, '&' for what both select, '-' for the first without "
        "the second"
    ),
)


def _counted(arguments: int) -> str:
    if arguments < 2:
        return "one argument" if arguments else "no arguments"
    return f"{arguments} arguments"

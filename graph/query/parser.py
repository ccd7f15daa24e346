"""From the words of a query to its tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NoReturn

from rungraph.graph.query.errors import QueryError
from rungraph.graph.query.lexer import NAME, Token, tokens_of
from rungraph.graph.query.signatures import SIGNATURES
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

MOST_NESTED: Final = 40
"""How deep parentheses, functions, negations and lets may nest: far less than Python recurses."""

_BEGINS = frozenset(("glob", "string", "variable", "int", "let", "(", "@", "!"))


def parse(expression: str) -> Expression:
    """Return the tree of a query.

    Raises:
        QueryError: If it is no query, at the first column that is wrong.

    Examples:
        >>> parse("+router:safety")
        Walk(inner=Select(text='router:safety', at=1), needs=-1, needed_by=None)
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

    def wrong(self, message: str, at: int, *hints: str) -> QueryError:
        return QueryError(message, self.expression, at, hints)

    def fail(self, message: str, at: int, *hints: str) -> NoReturn:
        raise self.wrong(message, at, *hints)

    def whole(self) -> Expression:
        if self.token.kind == "end":
            self.fail("the query is empty", 0, "write '*' for all nodes")
        found = self.expr()
        if self.token.kind != "end":
            raise self.left_over(self.token)
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
        if not self.take("in"):
            if self.token.kind == "end":
                msg = f"'let {word.text} = …' has no 'in'"
                self.fail(msg, self.token.at, f"write: let {word.text} = … in …")
            raise self.left_over(self.token)
        self.names.append(word.text)
        body = self.expr()
        self.names.pop()
        self.depth -= 1
        return Let(word.text, value, body)

    def walk(self) -> Expression:
        if self.take("@"):
            return self.after_around(Around(self.primary()))
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
        if needs is None and needed_by is None:
            return inner
        return Walk(inner, needs, needed_by)

    def after_around(self, around: Around) -> Around:
        if self.token.kind == "+":
            msg = "'@x' walks both ways already"
            self.fail(msg, self.token.at, "to walk on from it, write (@x)+")
        return around

    def primary(self) -> Expression:
        token = self.token
        if self.take("("):
            self.enter(token)
            inner = self.expr()
            self.close(token)
            return inner
        if self.take("variable"):
            if token.text not in self.names:
                raise self.unnamed(token)
            return Variable(token.text, token.at)
        if token.kind == "glob" and self.tokens[self.next + 1].kind == "(":
            return self.call()
        if self.take("glob", "string"):
            if not token.text.strip():
                self.fail("the name in quotes is empty", token.at)
            return Select(token.text, token.at)
        raise self.missing(token)

    def call(self) -> Expression:
        name, opening = self.token, self.tokens[self.next + 1]
        self.next += 2
        signature = SIGNATURES.get(name.text)
        if signature is None:
            near = closest(name.text, SIGNATURES) if NAME.fullmatch(name.text) else ()
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(SIGNATURES)}"
            self.fail(f"no function '{name.text}'", name.at, hint)
        self.enter(opening)
        arguments: list[Expression] = []
        while self.token.kind != ")" or arguments:
            at = self.token.at
            if len(arguments) == len(signature.parameters):
                self.fail(f"'{name.text}' takes {_counted(signature.parameters)}", at,
                                 f"write {signature.usage}: {signature.text}")  # fmt: skip
            arguments.append(self.argument())
            wanted = signature.parameters[len(arguments) - 1]
            self.check_argument(arguments[-1], wanted, at, signature.usage)
            if not self.take(","):
                break
        if self.token.kind == ")" and len(arguments) < signature.required:
            msg = f"'{name.text}' needs {_counted(signature.parameters[: signature.required])}"
            self.fail(msg, self.token.at, f"write {signature.usage}: {signature.text}")
        self.close(opening)
        return Call(name.text, tuple(arguments), name.at)

    def argument(self) -> Expression:
        token = self.token
        if token.kind == "int" and self.tokens[self.next + 1].kind in (",", ")", "end"):
            self.next += 1
            return Number(int(token.text), token.at)
        return self.expr()

    def check_argument(self, argument: Expression, wanted: str, at: int, usage: str) -> None:
        if wanted == "text" and not isinstance(argument, Select):
            self.fail("here stands text, not a selection", at, f"write {usage}")
        if wanted == "n" and not isinstance(argument, Number):
            self.fail("here stands a number, not a selection", at, f"write {usage}")
        if wanted == "x" and isinstance(argument, Number):
            self.fail("here stands a selection, not a number", at, f"write {usage}")

    def enter(self, token: Token) -> None:
        self.depth += 1
        if self.depth > MOST_NESTED:
            msg = f"the query is nested more than {MOST_NESTED} levels deep"
            hint = "name parts of it with 'let', or under 'selectors:'"
            self.fail(msg, token.at, hint)

    def close(self, opening: Token) -> None:
        if not self.take(")"):
            if self.token.kind == "end":
                self.fail("'(' is not closed", opening.at)
            raise self.left_over(self.token)
        self.depth -= 1

    def left_over(self, token: Token) -> QueryError:
        """Return what is wrong with *token*, which follows a whole selection."""
        if token.kind == ",":
            return self.wrong(
                "',' only separates function arguments: use '&'",
                token.at,
                "'&' is what both select, '|' what either selects",
            )
        if token.kind == ")":
            return self.wrong("')' closes nothing", token.at)
        if token.kind == "in":
            hint = "put it in quotes to name a node: 'in'"
            return self.wrong("'in' belongs to a 'let'", token.at, hint)
        if token.kind == "+":
            hint = "a walk is written +x, x+, 2+x, x+2 or +x+"
            return self.wrong("'+' stands once on each side", token.at, hint)
        return self.wrong(
            "two selections need an operator between them",
            token.at,
            "write '|' for what either selects, '&' for what both select, '-' for the first "
            "without the second",
        )

    def missing(self, token: Token) -> QueryError:
        """Return what is wrong with *token*, which stands where a selection must."""
        if token.kind == "int":
            hint = "write it in quotes to name a node, or 2+x for two levels of a walk"
            return self.wrong("a number is no selection", token.at, hint)
        previous = self.tokens[self.next - 1] if self.next else None
        if token.kind in ("&", "|") and previous is not None and previous.kind == token.kind:
            return self.wrong(f"write '{token.written}' once", token.at)
        found = "the end" if token.kind == "end" else f"'{token.written}'"
        after = f" after '{previous.written}'" if previous is not None else ""
        return self.wrong(f"expected a selection{after}, not {found}", token.at)

    def unnamed(self, token: Token) -> QueryError:
        near = closest(token.text, self.names)
        hint = f"did you mean '${near[0]}'?" if near else f"write: let {token.text} = … in …"
        return self.wrong(f"'${token.text}' has no 'let' around it", token.at, hint)


def _counted(parameters: tuple[str, ...]) -> str:
    if not parameters:
        return "no arguments"
    return "one argument" if len(parameters) == 1 else f"{len(parameters)} arguments"

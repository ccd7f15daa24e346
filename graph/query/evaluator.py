"""From the tree of a query to the nodes that it selects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NoReturn

from rungraph.graph.query import functions
from rungraph.graph.query.asked import glob_of, is_literal
from rungraph.graph.query.errors import QueryError
from rungraph.graph.query.functions import Found
from rungraph.graph.query.parser import parse
from rungraph.graph.query.selectors import select, split
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
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.graph.query.asked import NodeSet
    from rungraph.graph.query.context import Context
    from rungraph.graph.query.syntax import Expression

_MOST_CHAINED: Final = 10
"""How deep selectors may name other selectors: bounds the recursion."""


def evaluate(context: Context, expression: str) -> Found:
    """Return what a query selects.

    Raises:
        QueryError: If it is no query, or names what there is not.
    """
    return _Evaluator(context, expression, (), {}).found(parse(expression), {})


class _Evaluator:
    """Evaluates one query text; another one for each selector that it names."""

    def __init__(
        self,
        context: Context,
        expression: str,
        chain: tuple[str, ...],
        known: dict[str, Found],
    ) -> None:
        self.context = context
        self.expression = expression
        self.chain = chain
        self.known = known

    def nodes(self, tree: Expression, names: Mapping[str, NodeSet]) -> NodeSet:
        return self.found(tree, names).nodes

    def found(self, tree: Expression, names: Mapping[str, NodeSet]) -> Found:
        context = self.context
        match tree:
            case Select():
                return self.selected(tree)
            case Variable(name):
                return Found(names[name])
            case Call():
                return self.called(tree, names)
            case Let(name, value, body):
                return self.found(body, {**names, name: self.nodes(value, names)})
            case Not(inner):
                return Found(context.asked.everything - self.nodes(inner, names))
            case Both(operands):
                result = self.nodes(operands[0], names)
                for one in operands[1:]:
                    result &= self.nodes(one, names)
                return Found(result)
            case Joined(first, rest):
                result = self.nodes(first, names)
                for sign, one in rest:
                    other = self.nodes(one, names)
                    result = result | other if sign == "|" else result - other
                return Found(result)
            case Around(inner):
                users = functions.rdeps(context, self.nodes(inner, names))
                return Found(functions.deps(context, users))
            case Walk(inner, needs, needed_by):
                start = self.nodes(inner, names)
                around: NodeSet = frozenset()
                if needs is not None:
                    around |= functions.deps(context, start, needs)
                if needed_by is not None:
                    around |= functions.rdeps(context, start, needed_by)
                return Found(around)
            case Number(_, at):  # The parser lets numbers stand in functions only.
                msg = "a number is no selection"
                raise QueryError(msg, self.expression, at)

    def selected(self, tree: Select) -> Found:
        method, glob = split(tree.text)
        if method == "selector":
            return self.named(tree, glob)

        def fail(message: str, *hints: str) -> QueryError:
            return QueryError(message, self.expression, tree.at, hints, self.selector)

        return Found(select(self.context, tree.text, fail))

    @property
    def selector(self) -> str:
        return self.chain[-1] if self.chain else ""

    def named(self, tree: Select, glob: str) -> Found:
        """Return what the selectors with a name that *glob* matches select."""
        match = glob_of(glob).match
        names = [name for name in self.context.selectors if match(name)]
        if not names:
            near = closest(glob, self.context.selectors)
            listed = ", ".join(sorted(self.context.selectors))
            hint = f"did you mean '{near[0]}'?" if near else f"there is {listed}" if listed else (
                "the config has no 'selectors:'"
            )  # fmt: skip
            self.fail(f"no selector '{glob}'", tree, hint)
        found = [self.one_named(tree, name) for name in names]
        if len(found) == 1 and is_literal(glob):
            return found[0]
        return Found(frozenset().union(*(one.nodes for one in found)))

    def one_named(self, tree: Select, name: str) -> Found:
        if name in self.known:
            return self.known[name]
        if name in self.chain:
            circle = " -> ".join([*self.chain[self.chain.index(name) :], name])
            self.fail(f"selectors name each other in a circle: {circle}", tree)
        if len(self.chain) == _MOST_CHAINED:
            msg = f"selectors name each other more than {_MOST_CHAINED} deep"
            self.fail(msg, tree)
        text = self.context.selectors[name]
        evaluator = _Evaluator(self.context, text, (*self.chain, name), self.known)
        try:
            self.known[name] = evaluator.found(parse(text), {})
        except QueryError as error:
            if error.selector:
                raise
            raise QueryError(
                error.message, error.expression, error.position, error.help, name
            ) from None
        return self.known[name]

    def fail(self, message: str, tree: Select | Call, *hints: str) -> NoReturn:
        raise QueryError(message, self.expression, tree.at, hints, self.selector)

    def called(self, tree: Call, names: Mapping[str, NodeSet]) -> Found:
        context, arguments = self.context, tree.arguments

        def nodes(index: int) -> NodeSet:
            return self.nodes(arguments[index], names)

        def levels(otherwise: int = ALL) -> int:
            last = arguments[1] if len(arguments) > 1 else None
            return last.value if isinstance(last, Number) else otherwise

        def at(index: int) -> int:
            return getattr(arguments[index], "at", tree.at) if arguments else tree.at

        def text(index: int) -> str:
            argument = arguments[index]
            return argument.text if isinstance(argument, Select) else ""

        def fail(message: str, *hints: str, argument: int = 0) -> QueryError:
            return QueryError(message, self.expression, at(argument), hints, self.selector)

        match tree.name:
            case "deps":
                return Found(functions.deps(context, nodes(0), levels()))
            case "rdeps" if len(arguments) > 1 and not isinstance(arguments[1], Number):
                # Bazel's order: the universe first.
                universe = functions.deps(context, nodes(0))
                return Found(functions.rdeps(context, nodes(1)) & universe)
            case "rdeps":
                return Found(functions.rdeps(context, nodes(0), levels()))
            case "somepath":
                return functions.somepath(context, nodes(0), nodes(1))
            case "allpaths":
                return Found(functions.allpaths(context, nodes(0), nodes(1)))
            case "filter":
                return Found(functions.filtered(context, text(0), nodes(1), fail))
            case "attr":
                return Found(functions.attr(context, text(0), text(1), nodes(2), fail))
            case "siblings":
                return Found(functions.siblings(context, nodes(0)))
            case "roots":
                return Found(functions.roots(context, nodes(0)))
            case "leaves":
                return Found(functions.leaves(context, nodes(0)))
            case "some":
                return Found(functions.some(context, nodes(0), levels(1)))
            case "cycles":
                return Found(functions.cycles(context))
            case "critical":
                ends = nodes(0) if arguments else context.asked.everything
                return functions.critical(context, ends)
            case _:  # kind(k, x); the parser knows the names.
                kind = Select(f"kind:{text(0)}", at(0))
                return Found(self.nodes(kind, names) & nodes(1))

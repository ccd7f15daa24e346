"""From the tree of a query to the nodes that it selects."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from rungraph.graph.query import functions
from rungraph.graph.query.attributes import check_attribute
from rungraph.graph.query.context import glob_of, is_literal
from rungraph.graph.query.errors import QueryError, near_or_all
from rungraph.graph.query.functions import FUNCTIONS, Counted
from rungraph.graph.query.parser import parse
from rungraph.graph.query.selectors import select, split
from rungraph.graph.query.syntax import (
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
from rungraph.graph.regex import PatternError, linear_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.query.context import Context, NodeSet
    from rungraph.graph.query.functions import Path
    from rungraph.graph.query.syntax import Expression
    from rungraph.graph.regex import LinearPattern

_MOST_CHAINED: Final = 10
"""How deep selectors may name other selectors: bounds the recursion."""
_A_WALK: Final = 4
"""How much longer a node takes that a walk has to find."""


def evaluate(context: Context, expression: str) -> NodeSet | Path:
    """Return what a query selects; a tuple where it is a path.

    Raises:
        QueryError: If it is no query, or names what is not there.
    """
    return _Evaluator(context, expression, (), {}).value(parse(expression), {})


def evaluate_selectors(context: Context) -> Iterator[tuple[str, QueryError]]:
    """Yield the selectors that cannot be asked, by name, each with what is wrong."""
    evaluator = _Evaluator(context, "", (), {})
    broken: set[str] = set()
    for name in context.selectors:
        try:
            evaluator.one_named(Select(name), name)
        except QueryError as error:
            if context.work.visited > context.graphs.most_visited:
                return  # What is left is told of when it is asked.
            # Whoever names a broken selector, or is in a cycle that is told, is not broken itself.
            if broken.isdisjoint((name, error.selector)):
                yield error.selector, error
            broken |= {name, error.selector}


class _Evaluator:
    """Evaluates one query text; another one for each selector that it names."""

    def __init__(
        self,
        context: Context,
        expression: str,
        chain: tuple[str, ...],
        known: dict[str, NodeSet | Path],
    ) -> None:
        self.context = context
        self.expression = expression
        self.chain = chain
        self.known = known

    def error(self, tree: Expression, message: str, *hints: str) -> QueryError:
        selector = self.chain[-1] if self.chain else ""
        at, known = getattr(tree, "at", 0), self.context.graphs.new.known
        return QueryError(message, self.expression, at, hints, selector, known)

    def nodes(self, tree: Expression, names: Mapping[str, NodeSet]) -> NodeSet:
        return self.selection(tree, self.value(tree, names))

    def selection(self, tree: Expression, value: NodeSet | Path) -> NodeSet:
        """Return *value*, which *tree* is, as nodes that more can be asked of."""
        if isinstance(value, Counted):
            hint = "write count(…) around the whole query"
            raise self.error(tree, Counted.IS_NUMBER, hint)
        return frozenset(value)

    def value(self, tree: Expression, names: Mapping[str, NodeSet]) -> NodeSet | Path:
        """Return what *tree* selects.

        Raises:
            QueryError: Also if all that was asked so far has visited more than it may.
        """
        graphs, work = self.context.graphs, self.context.work
        try:
            found = self._value(tree, names)
        except PatternError as error:
            raise self.error(tree, f"the pattern is {error}", "leave out some of it") from None
        passes = FUNCTIONS[tree.name].passes if isinstance(tree, Call) else 0
        each = graphs.size / max(len(graphs.nodes), 1)
        if isinstance(tree, Around | Call | Walk):
            each *= _A_WALK
        work.visited += len(found) * each + passes * graphs.size + 1
        if work.visited > graphs.most_visited:
            msg = f"what is asked visits more than {graphs.most_visited:,} nodes and edges"
            hint = "ask for less at once; name what is asked twice with 'let'"
            raise self.error(tree, msg, hint)
        return found

    def _value(self, tree: Expression, names: Mapping[str, NodeSet]) -> NodeSet | Path:
        context = self.context
        match tree:
            case Select(text, is_name=is_name):
                method, glob = split(text)
                if method == "selector":
                    return self.named(tree, glob)
                fail = partial(self.error, tree)
                return select(context, text, fail, is_name=is_name)
            case Variable(name):
                return names[name]
            case Call(name, arguments):
                function = FUNCTIONS[name]
                values = [
                    self.argument(kind, one, names)
                    for kind, one in zip(function.parameters, arguments, strict=False)
                ]
                return function.select(context, *values)
            case Let(name, value, body):
                return self.value(body, {**names, name: self.nodes(value, names)})
            case Not(inner):
                return context.graphs.everything - self.nodes(inner, names)
            case Both(operands):
                result = self.nodes(operands[0], names)
                for one in operands[1:]:
                    result &= self.nodes(one, names)
                return result
            case Joined(first, rest):
                result = self.nodes(first, names)
                for sign, one in rest:
                    other = self.nodes(one, names)
                    result = result | other if sign == "|" else result - other
                return result
            case Around(inner):
                return functions.deps(context, functions.rdeps(context, self.nodes(inner, names)))
            case Walk(inner, needs, needed_by):
                start = self.nodes(inner, names)
                found: NodeSet = frozenset()
                if needs is not None:
                    found |= functions.deps(context, start, needs)
                if needed_by is not None:
                    found |= functions.rdeps(context, start, needed_by)
                return found
            case Number():  # The parser lets numbers stand in functions only.
                raise self.error(tree, "a number is no selection")

    def argument(
        self, kind: str, tree: Expression, names: Mapping[str, NodeSet]
    ) -> NodeSet | int | str | LinearPattern:
        """Return *tree* as an argument of *kind*; the parser has checked that it is one."""
        if isinstance(tree, Number):
            return tree.value
        if isinstance(tree, Select) and kind == "kind":
            return self.nodes(Select(f"kind:{tree.text}", tree.at), names)
        if isinstance(tree, Select) and kind == "attribute":
            fail = partial(self.error, tree)
            check_attribute(self.context, tree.text, fail)
            return tree.text
        if isinstance(tree, Select) and kind == "re":
            return self.pattern(tree)
        return self.nodes(tree, names)

    def pattern(self, tree: Select) -> LinearPattern:
        try:
            return linear_pattern(tree.text)
        except PatternError as error:
            hint = "RE2's syntax is read: no look-around, no back-references"
            raise self.error(tree, f"not a regular expression: {error}", hint) from None

    def named(self, tree: Select, glob: str) -> NodeSet | Path:
        """Return what the selectors with a name that *glob* matches select."""
        selectors = self.context.selectors
        if is_literal(glob):
            names = [glob] if glob in selectors else []
        else:
            match = glob_of(glob).match
            names = [name for name in selectors if match(name)]
            self.context.work.visited += len(selectors)
        if not names:
            hint = near_or_all(glob, selectors) or "the config has no 'selectors:'"
            raise self.error(tree, f"no selector '{glob}'", hint)
        found = [self.one_named(tree, name) for name in names]
        if len(found) == 1 and is_literal(glob):
            return found[0]
        return frozenset().union(*(self.selection(tree, one) for one in found))

    def one_named(self, tree: Select, name: str) -> NodeSet | Path:
        if name in self.known:
            return self.known[name]
        if name in self.chain:
            cycle = " -> ".join([*self.chain[self.chain.index(name) :], name])
            raise self.error(tree, f"selectors name each other in a cycle: {cycle}")
        if len(self.chain) == _MOST_CHAINED:
            msg = f"selectors name each other more than {_MOST_CHAINED} deep"
            raise self.error(tree, msg)
        text = self.context.selectors[name]
        evaluator = _Evaluator(self.context, text, (*self.chain, name), self.known)
        try:
            self.known[name] = evaluator.value(parse(text), {})
        except QueryError as error:
            if error.selector:
                raise
            known = self.context.graphs.new.known
            raise QueryError(
                error.message, error.expression, error.position, error.help, name, known
            ) from None
        return self.known[name]

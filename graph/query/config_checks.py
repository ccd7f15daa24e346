"""Checks that are queries: what they must find, and what they found.

Many run configs share a check, so a selector that matches nothing is no error here, such as
``type:remote::*`` where nothing is remote. A name that neither the config nor its catalog knows is
a warning, because a check with a typo in it passes without looking.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING

from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.query.context import Context, Graphs, Work, graphs_of
from rungraph.graph.query.errors import QueryError
from rungraph.graph.query.evaluator import evaluate_selectors
from rungraph.graph.query.expectation import FORMS, parse_expectation
from rungraph.graph.query.parser import parse
from rungraph.graph.query.select import selection_of
from rungraph.graph.query.selectors import is_known, split
from rungraph.graph.query.syntax import Call, Not, Select
from rungraph.graph.source.positions import path_text
from rungraph.graph.suggest import closest, did_you_mean
from rungraph.graph.wording import first_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from rungraph.graph.config.run_config import QueryCheck
    from rungraph.graph.model import RunGraph
    from rungraph.graph.query.selection import Selection
    from rungraph.graph.source.document import Document

_MOST_SHOWN = 10
_GROWING = frozenset(
    ("deps", "rdeps", "allpaths", "filter", "attr", "siblings", "serves", "count", "cycles", "kind")
)
"""The functions that select more, and nothing less, of a graph with more in it."""


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """What a check found.

    Attributes:
        check: The check.
        selection: The nodes that its query selects; None when it cannot be asked.
        ok: Whether they are as many as expected, as far as what could be made out tells.
        diagnostics: What is wrong: errors when not *ok*, else a warning; not what is wrong with a
            selector or the check's keys, which the graph's own diagnostics tell of.
    """

    check: QueryCheck
    selection: Selection | None
    ok: bool
    diagnostics: tuple[Diagnostic, ...] = ()


def ask(
    graph: RunGraph,
    checks: Iterable[QueryCheck] | None = None,
    *,
    selectors: Mapping[str, str] | None = None,
) -> tuple[CheckAnswer, ...]:
    """Return the answers to checks, in their order.

    Args:
        graph: Any graph, also one that cannot be run.
        checks: By default those of the config.
        selectors: More selectors by name; they go before those of the config.

    Examples:
        >>> from rungraph.graph import compile_config
        >>> graph = compile_config({"providers": {}, "checks": [
        ...     {"name": "all local", "query": "type:remote::*", "expect": "empty"}
        ... ]}, environment={})
        >>> [(answer.check.name, answer.ok) for answer in ask(graph)]
        [('all local', True)]
    """
    known = {**graph.selectors, **(selectors or {})}
    wanted = graph.checks if checks is None else checks
    work = Work()
    return tuple(_answer(graph, check, known, work) for check in wanted)


def selector_problems(graph: RunGraph) -> Iterator[Diagnostic]:
    """Yield what is wrong with the selectors of the config itself, whether or not one is asked."""
    document = graph.document
    if document is None:
        return
    unknown: dict[str, dict[str, QueryError]] = {}

    def unmatched(text: str, error: QueryError) -> None:
        if not is_known(graph, text):
            unknown.setdefault(error.selector, {}).setdefault(text, error)

    # With an older graph and a status, which a selector may ask of.
    graphs = Graphs(graph, graph)
    context = Context(graphs, status={}, selectors=graph.selectors, unmatched=unmatched)
    for name, error in evaluate_selectors(context):
        yield selector_problem(document, name, error)
    for name, errors in unknown.items():
        message, hints, detail = _unknown(graph, errors)
        problem = document.problem(
            "Q006", f"selector '{name}' {message}", ("selectors", name), *hints, detail=detail
        )
        yield replace(problem, severity=Severity.WARNING)


def selector_problem(document: Document, name: str, error: QueryError) -> Diagnostic:
    """Return that the query of a selector in *document* is none, with its place."""
    message = f"selector '{name}' cannot be asked: {error.spot}: {error.message}"
    where = ("selectors", name)
    return document.problem(
        "Q005", message, where, *error.help, detail=error.picture(document.known)
    )


def _answer(
    graph: RunGraph, check: QueryCheck, selectors: Mapping[str, str], work: Work
) -> CheckAnswer:
    def problem(code: str, message: str, hints: tuple[str, ...], detail: str = "") -> Diagnostic:
        text = f"check '{check.name}' {message}"
        return Diagnostic(code, text, place=check.place, help=hints, detail=detail)

    expected = None if check.expect is None else parse_expectation(check.expect)
    told: tuple[Diagnostic, ...] = ()
    if expected is None and check.expect is not None:
        hint = did_you_mean(check.expect, ("empty", "nonempty")) or f"write {FORMS}"
        message = f"expects '{check.expect}', which is not {FORMS}"
        told = (problem("Q003", message, (hint,)),)
    if not check.query:
        return CheckAnswer(check, None, ok=False, diagnostics=told)
    unknown: dict[str, QueryError] = {}

    def unmatched(text: str, error: QueryError) -> None:
        if not is_known(graph, text):
            unknown.setdefault(text, error)

    context = Context(graphs_of(graph), selectors=selectors, unmatched=unmatched, work=work)
    try:
        found = selection_of(context, check.query)
    except QueryError as error:
        if not (error.selector and _is_told(graph, error.selector)):
            message = f"cannot be asked: {error.where}: {error.message}"
            told += (problem("Q002", message, error.help, error.picture(graph.known)),)
        return CheckAnswer(check, None, ok=False, diagnostics=told)
    if expected and not expected.holds(len(found)):
        is_too_many = expected.most is not None and len(found) > expected.most
        if graph.lost - {"checks"} and not (is_too_many and _only_grows(check.query, selectors)):
            return CheckAnswer(check, found, ok=True)  # What was not made out may mend it.
        message = f"expects {expected} and finds {f'{len(found):,}' if found else 'none'}"
        hints = tuple(f"{error.message}: {', '.join(error.help)}" for error in unknown.values())
        shown = [f"query: {' '.join(check.query.split())}", *first_lines(found, _MOST_SHOWN)]
        diagnostic = problem("Q001", message, hints, "\n".join(shown))
        diagnostic = replace(diagnostic, address=found[0] if found else None)
        return CheckAnswer(check, found, ok=False, diagnostics=(diagnostic,))
    own = {text: one for text, one in unknown.items() if not _is_told(graph, one.selector)}
    if own and not graph.lost - {"checks"}:
        told += (replace(problem("Q004", *_unknown(graph, own)), severity=Severity.WARNING),)
    return CheckAnswer(
        check, found if expected else None, ok=expected is not None, diagnostics=told
    )


def _only_grows(query: str, selectors: Mapping[str, str]) -> bool:
    """Whether *query* selects all the same, and maybe more, of a graph with more in it."""
    todo: list[object] = [parse(query)]
    while todo:
        tree = todo.pop()
        if isinstance(tree, Select) and tree.text in selectors:
            return False  # It is not looked into.
        if isinstance(tree, Not) or (isinstance(tree, Call) and tree.name not in _GROWING):
            return False
        if isinstance(tree, tuple):
            todo += tree
        elif tree == "-":
            return False
        elif is_dataclass(tree):
            todo += (getattr(tree, one.name) for one in fields(tree))
    return True


def _unknown(graph: RunGraph, errors: Mapping[str, QueryError]) -> tuple[str, tuple[str, ...], str]:
    """Return that nobody knows the names of *errors*, the ways out, and where the first stands."""
    [(text, first), *_] = errors.items()
    names = ", ".join(f"'{name}'" for name in errors)
    message = f"names what this config and its catalog do not know: {names}"
    return message, _meant(graph, text) or first.help, first.picture(graph.known)


def _is_told(graph: RunGraph, selector: str) -> bool:
    """Return whether a problem of the graph is that of one of the config's selectors."""
    path = path_text(("selectors", selector))
    return any(one.path == path and one.code in ("Q005", "Q006") for one in graph.diagnostics)


def _meant(graph: RunGraph, text: str) -> tuple[str, ...]:
    """Return the API of the catalog that a selector may have meant, as a way out."""
    method, glob = split(text)
    api, slash, name = glob.partition("/")
    if not slash and method not in ("api", "router", "table"):
        return ()
    near = closest(api, graph.catalog.apis)
    prefix = f"{method}:" if method else ""
    return tuple(f"did you mean '{prefix}{one}{slash}{name}'?" for one in near)

"""Checks that are queries: what they must find, and what they found.

A check is often shared by many run configs, so a selector that matches nothing is no error here:
``type:remote::*`` selects nothing where nothing is remote, ``router:safety`` where safety is not
served. What neither the config nor its catalog has ever heard of is a warning, because a check
with a typo in it passes without looking.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rungraph.graph.config.read import read_checks
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.query.asked import asked
from rungraph.graph.query.context import Context
from rungraph.graph.query.errors import QueryError
from rungraph.graph.query.expectation import FORMS, Expectation, parse_expectation
from rungraph.graph.query.select import selection_of
from rungraph.graph.query.selectors import is_known, split
from rungraph.graph.source.document import load_document
from rungraph.graph.source.environment import Substitution
from rungraph.graph.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from rungraph.graph.config.run_config import QueryCheck
    from rungraph.graph.model import RunGraph
    from rungraph.graph.query.selection import Selection

_MOST_SHOWN = 10


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """What a check found.

    Attributes:
        check: The check.
        selection: The nodes that its query selects; None when it cannot be asked.
        ok: Whether they are as many as expected.
        diagnostic: What is wrong: an error when not *ok*, else a warning; None for nothing.
    """

    check: QueryCheck
    selection: Selection | None
    ok: bool
    diagnostic: Diagnostic | None = None


@dataclass(frozen=True, slots=True)
class CheckFile:
    """What a file of checks says.

    Attributes:
        checks: The checks, in the file's order.
        selectors: Queries by the names that the checks use for them.
        diagnostics: What is wrong with the file.
    """

    checks: tuple[QueryCheck, ...] = ()
    selectors: Mapping[str, str] = field(default_factory=dict[str, str])
    diagnostics: tuple[Diagnostic, ...] = ()


def load_checks(path: Path | str, *, environment: Mapping[str, str] | None = None) -> CheckFile:
    """Return the checks of a file with the keys ``checks`` and, if wanted, ``selectors``.

    What is wrong with the file is in `CheckFile.diagnostics`; nothing is raised for it.

    Args:
        path: YAML or JSON.
        environment: What ``${env.X}`` stands for; by default the process's environment.
    """
    document = load_document(path)
    substitution = Substitution(document, os.environ if environment is None else environment)
    checks, selectors, found = read_checks(document, substitution)
    if not document.diagnostics and not {"checks", "selectors"} & document.value.keys():
        message, hint = "the key 'checks' is missing", "add 'checks:' with a list of checks"
        found = (document.problem("C011", message, (), hint), *found)
    way_out = "write a mapping with the key 'checks' at the top"
    of_file = (
        replace(one, help=(way_out,)) if one.code == "C004" else one for one in document.diagnostics
    )
    return CheckFile(checks, selectors, (*of_file, *substitution.diagnostics, *found))


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
    return tuple(_answer(graph, check, known) for check in wanted)


def _answer(graph: RunGraph, check: QueryCheck, selectors: Mapping[str, str]) -> CheckAnswer:
    expected = parse_expectation(check.expect)
    if expected is None:
        near = closest(check.expect, ("empty", "nonempty"))
        hint = f"did you mean '{near[0]}'?" if near else f"write {FORMS}"
        message = f"check '{check.name}' expects '{check.expect}', which is not {FORMS}"
        problem = Diagnostic("Q003", message, place=check.place, help=(hint,))
        return CheckAnswer(check, None, ok=False, diagnostic=problem)
    unknown: dict[str, QueryError] = {}

    def unmatched(text: str, error: QueryError) -> None:
        if not is_known(graph, text):
            unknown.setdefault(text, error)

    context = Context(asked(graph), selectors=selectors, unmatched=unmatched)
    try:
        selection = selection_of(context, check.query)
    except QueryError as error:
        message = f"check '{check.name}' cannot be asked: {error.where}: {error.message}"
        problem = Diagnostic(
            "Q002", message, place=check.place, help=error.help, detail=error.picture
        )
        return CheckAnswer(check, None, ok=False, diagnostic=problem)
    ok = expected.holds(len(selection))
    diagnostic: Diagnostic | None = None
    if not ok:
        diagnostic = _failed(check, expected, selection, unknown)
    elif unknown:
        [(text, first), *_] = unknown.items()
        names = ", ".join(f"'{name}'" for name in unknown)
        message = (
            f"check '{check.name}' names what this config and its catalog do not know: {names}"
        )
        diagnostic = Diagnostic(
            "Q004",
            message,
            Severity.WARNING,
            check.place,
            _meant(graph, text) or first.help,
            detail=first.picture,
        )
    return CheckAnswer(check, selection, ok, diagnostic)


def _failed(
    check: QueryCheck,
    expected: Expectation,
    selection: Selection,
    unknown: Mapping[str, QueryError],
) -> Diagnostic:
    found = f"{len(selection):,}" if selection else "none"
    shown = [str(address) for address in selection[:_MOST_SHOWN]]
    if len(selection) > _MOST_SHOWN:
        shown.append(f"and {len(selection) - _MOST_SHOWN:,} more")
    hints = tuple(f"{error.message}: {', '.join(error.help)}" for error in unknown.values())
    return Diagnostic(
        "Q001",
        f"check '{check.name}' expects {expected} and finds {found}",
        place=check.place,
        help=hints,
        address=selection[0] if selection else None,
        detail="\n".join([f"query: {' '.join(check.query.split())}", *shown]),
    )


def _meant(graph: RunGraph, text: str) -> tuple[str, ...]:
    """Return what a selector may have meant that the catalog knows."""
    method, glob = split(text)
    api, slash, name = glob.partition("/")
    if not slash and method not in ("api", "router", "table"):
        return ()
    near = closest(api, graph.catalog.apis)
    return (
        (f"did you mean '{method}{':' if method else ''}{near[0]}{slash}{name}'?",) if near else ()
    )

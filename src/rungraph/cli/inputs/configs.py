"""From what the user names (a run config, a saved plan, a revision of one) to a checked graph."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from rungraph.cli.inputs.options import Reading, catalog_errors
from rungraph.cli.inputs.revisions import content_at
from rungraph.cli.terminal import style_of, tell, tell_styled
from rungraph.graph import Level, RunGraph, RungraphError, Severity
from rungraph.graph.compile import compile_document
from rungraph.graph.diagnostic_text import count_text, render_diagnostic
from rungraph.graph.diff.node_link import snapshot_of_node_link
from rungraph.graph.plan.graph_json import graph_of_plan
from rungraph.graph.plan.plan_json import PlanError, load_plan
from rungraph.graph.query.config_checks import ask, load_checks
from rungraph.graph.rules.checklist import is_usable
from rungraph.graph.source.document import decode_document, load_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph import Diagnostic
    from rungraph.graph.diff import Snapshot
    from rungraph.graph.query.config_checks import CheckFile
    from rungraph.graph.source.document import Document


def load_graph(file: str, reading: Reading) -> RunGraph:
    """Return the graph of the run config *file*, or of standard input for ``-``."""
    return graph_of(read(file), reading)


def load_runnable(file: str, catalog: str | None) -> RunGraph:
    """Return the graph of the run config *file*, checked as far as a start needs; problems told.

    Raises:
        EngineError: If its catalog does not say enough to run it.
    """
    # Only what runs a graph needs the engine.
    from rungraph.engine.preflight.runnable import check_runnable

    graph = load_graph(file, Reading(Level.IMPORT, catalog))
    # Before all that could be mended in vain.
    check_runnable(graph)
    tell_diagnostics(graph.diagnostics)
    return graph


def read(file: str) -> Document:
    """Return the document in *file*, or of standard input for ``-``."""
    return load_document(Path("/dev/stdin" if file == "-" else file))


def graph_of(document: Document, reading: Reading) -> RunGraph:
    """Return the graph of the run config *document*."""
    with catalog_errors():
        graph = compile_document(document, catalog=reading.catalog, environment=os.environ)
    if reading.allow_unset_env:
        graph = graph.softened(("E001", "C034"))
    if reading.level < Level.IMPORT:
        return graph.up_to(reading.level)
    # Only this level needs the engine.
    from rungraph.engine.preflight.imports import check_imports

    return graph.with_diagnostics(check_imports(graph, quietly=True))


def check_readable(*graphs: object) -> None:
    """Return if something could be read of each graph; if not, say why and end with 1."""
    unreadable = [one for one in graphs if isinstance(one, RunGraph) and not is_usable(one)]
    for graph in unreadable:
        tell_diagnostics(graph.diagnostics)
    if unreadable:
        raise click.exceptions.Exit(1)


def load_check_file(file: str) -> CheckFile:
    """Return the checks and selectors of a file of them, its problems told."""
    checks = load_checks(file)
    tell_diagnostics(checks.diagnostics)
    return checks


_WRITERS = {
    "node-link": "graph",
    "selection": "query",
    "diff": "diff",
    "why": "why",
    "why-not": "why-not",
    "timeline": "timeline",
    "validation": "validate",
    "blame": "blame",
    "critical-chain": "critical-chain",
}
"""Which command writes JSON of which kind, beside plans."""


class ComparableError(RungraphError):
    """Raised when what was saved cannot be compared."""


class Comparable(NamedTuple):
    """What a comparison takes: a run config, or what was saved of one.

    Attributes:
        name: What the user called it.
        graph: The graph.
        level: How deep it was checked.
    """

    name: str
    graph: RunGraph
    level: Level

    @property
    def problems(self) -> str:
        """How many errors and warnings it has, as text; empty when it has no error."""
        found = self.graph.diagnostics
        return count_text(found) if has_errors(found) else ""


def load_comparable(name: str, reading: Reading) -> Comparable:
    """Return what *name* names: a file, ``-`` for standard input, or ``git:REV:path``.

    The file is a run config, or a plan that was saved as JSON.

    Raises:
        ComparableError: If it is a plan of a form that is not known.
        RevisionError: If git has no such file.
    """
    return _comparable(name, _document(name), reading)


def _document(name: str) -> Document:
    return decode_document(content_at(name), name) if name.startswith("git:") else read(name)


def _comparable(name: str, document: Document, reading: Reading) -> Comparable:
    level = reading.level
    kind = _written_kind(document)
    if kind in ("plan", "graph"):
        return _saved(name, document.text, level)
    if kind:
        raise _not_comparable(name, kind)
    graph = graph_of(document, reading)
    if level >= Level.GRAPH:
        graph = graph.with_diagnostics(one.diagnostic for one in ask(graph) if one.diagnostic)
    return Comparable(name, graph, level)


def load_side(name: str, reading: Reading) -> Comparable | Snapshot:
    """Return what *name* names, as `load_comparable` does, or what ``rungraph graph`` wrote of it.

    Raises:
        ComparableError: If it is neither, or not a whole graph.
        RevisionError: If git has no such file.
    """
    document = _document(name)
    if _written_kind(document) != "node-link":
        return _comparable(name, document, reading)
    try:
        return snapshot_of_node_link(document.value)
    except ValueError as error:
        msg = f"{name}: {error}"
        raise ComparableError(msg) from error


def _written_kind(document: Document) -> str:
    """Return which JSON of rungraph's own *document* is; empty for a run config."""
    if {"valid", "diagnostics"} <= document.value.keys():
        return "validation"
    kind = document.value.get("kind")
    is_ours = "format_version" in document.value or kind in _WRITERS
    return str(kind or "answer") if is_ours and "providers" not in document.value else ""


def _not_comparable(name: str, kind: str) -> ComparableError:
    writer = _WRITERS.get(kind)
    text = f"it is what 'rungraph {writer}' writes" if writer else f"it is a {kind}"
    if kind == "node-link":
        text += ": nodes and edges only, which no command but 'rungraph diff' reads"
    way_out = "name a run config, or what 'rungraph plan --format json' writes"
    return ComparableError(f"{name}: {text}; {way_out}")


def load_askable(name: str, reading: Reading) -> RunGraph:
    """Return the graph that *name* names, as `load_comparable` does, with its problems told.

    A file that cannot be read ends the command.
    """
    found = load_comparable(name, reading)
    check_readable(found.graph)
    if found.problems:
        is_file = name != "-" and not name.startswith("git:")
        hint = f"; 'rungraph validate {name}' shows them" if is_file else ""
        tell(f"{name}: {found.problems}{hint}")
    return found.graph


def _saved(name: str, text: str, level: Level) -> Comparable:
    try:
        plan = load_plan(text)
        graph = graph_of_plan(plan)
    except PlanError as error:
        msg = f"{name}: {error}"
        raise ComparableError(msg) from error
    level = max(
        (one for one in Level if one <= level and one.name.lower() in plan.checked.levels),
        default=Level.SCHEMA,
    )
    return Comparable(name, graph.up_to(level), level)


def tell_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Write *diagnostics* to standard error, each with an empty line after it."""
    style = style_of(sys.stderr)
    for one in diagnostics:
        tell_styled(render_diagnostic(one, style) + "\n")


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of *diagnostics* keeps a config from being run."""
    return any(one.severity is Severity.ERROR for one in diagnostics)

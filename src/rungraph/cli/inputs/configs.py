"""From what the user names (a run config, a saved plan, a revision of one) to a checked graph."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.options import Reading, catalog_errors
from rungraph.cli.terminal import style_of, tell_styled
from rungraph.graph import Level, RunGraph
from rungraph.graph.compile import compile_document
from rungraph.graph.diagnostic_text import render_diagnostic
from rungraph.graph.rules.checklist import is_usable
from rungraph.graph.source.document import load_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph import Diagnostic
    from rungraph.graph.query.check_file import CheckFile
    from rungraph.graph.source.document import Document


def load_graph(file: str, reading: Reading) -> RunGraph:
    """Return the graph of the run config *file*, or of standard input for ``-``."""
    return graph_of(read(file), reading)


def load_runnable(file: str, catalog: str | None, seconds: float | None = None) -> RunGraph:
    """Return the graph of the run config *file*, checked as far as a start needs.

    An import may take *seconds*, or else as long as a node may take to start.

    Raises:
        EngineError: If its catalog does not say enough to run it, or an import takes too long.
    """
    # Only what runs a graph needs the engine.
    from rungraph.engine.preflight.runnable import check_runnable
    from rungraph.engine.run.settings import StackSettings

    seconds = seconds or StackSettings().start_timeout
    graph = load_graph(file, Reading(Level.IMPORT, catalog, import_seconds=seconds))
    # Before all that could be mended in vain.
    check_runnable(graph)
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
    if reading.holds_configs and is_usable(graph):
        # What only names types of other catalogs pays for nothing.
        from rungraph.engine.preflight.held_configs import check_installed, checks_unseeing

        unseen = checks_unseeing(graph, of_others=False)
        return graph.up_to(reading.level).with_diagnostics(check_installed(graph), unseen)
    if reading.level < Level.IMPORT:
        return graph.up_to(reading.level)
    # Only this level needs the engine.
    from rungraph.engine.preflight.held_configs import checks_unseeing
    from rungraph.engine.preflight.imports import check_imports

    seconds = reading.import_seconds
    found = check_imports(graph, quietly=True, imports_named=seconds is None, seconds=seconds)
    # What has a deadline is to run: its checks are not listed, and nothing is imported again.
    if seconds is not None:
        return graph.with_diagnostics(found)
    return graph.with_diagnostics(found, checks_unseeing(graph, of_others=True))


def check_readable(*graphs: object) -> None:
    """Return if something could be read of each graph; if not, say why and end with 1."""
    unreadable = [one for one in graphs if isinstance(one, RunGraph) and not is_usable(one)]
    for graph in unreadable:
        tell_diagnostics(graph.diagnostics)
    if unreadable:
        raise click.exceptions.Exit(1)


def load_check_file(file: str) -> CheckFile:
    """Return the checks and selectors of a file of them, its problems told."""
    # Few commands are given one, and reading the query language takes a tenth of a command.
    from rungraph.graph.query.check_file import load_checks

    checks = load_checks(file)
    tell_diagnostics(checks.diagnostics)
    return checks


def tell_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Write *diagnostics* to standard error, each with an empty line after it."""
    style = style_of(sys.stderr)
    for one in diagnostics:
        tell_styled(render_diagnostic(one, style) + "\n")

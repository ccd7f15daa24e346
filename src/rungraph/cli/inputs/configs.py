"""From the run config that the user names to a checked graph."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rungraph.cli.diagnostics import tell_diagnostics
from rungraph.cli.inputs.options import catalog_errors
from rungraph.graph import Level, RunGraph
from rungraph.graph.compile import compile_document
from rungraph.graph.query.config_checks import load_checks
from rungraph.graph.rules.checklist import is_usable
from rungraph.graph.source.document import load_document

if TYPE_CHECKING:
    from typing import Unpack

    from rungraph.cli.inputs.options import ReadingOptions
    from rungraph.graph.query.config_checks import CheckFile
    from rungraph.graph.source.document import Document


def load_graph(file: str, **reading: Unpack[ReadingOptions]) -> RunGraph:
    """Return the graph of the run config *file*, or of standard input for ``-``."""
    return graph_of(read(file), **reading)


def read(file: str) -> Document:
    """Return the document in *file*, or of standard input for ``-``."""
    return load_document(Path("/dev/stdin" if file == "-" else file))


def graph_of(
    document: Document,
    *,
    level: Level = Level.ENV,
    catalog: str | None = None,
    allow_unset_env: bool = False,
) -> RunGraph:
    """Return the graph of the run config *document*, read as `ReadingOptions` say."""
    with catalog_errors():
        graph = compile_document(document, catalog=catalog, environment=os.environ)
    if allow_unset_env:
        graph = graph.softened(("E001", "C034"))
    if level < Level.IMPORT:
        return graph.up_to(level)
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

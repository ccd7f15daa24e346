"""From what the user names to a checked graph."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rungraph.cli.terminal import style_of, tell
from rungraph.graph import CatalogError, Level, Severity

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from rungraph.graph import Diagnostic, RunGraph


def load_graph(
    file: str, level: Level, *, catalog: str | None = None, allow_unset_env: bool = False
) -> RunGraph:
    """Return the graph of the run config *file*, with the diagnostics up to *level*.

    Args:
        file: A path, or ``-`` for standard input.
        level: How deep to check.
        catalog: The name or path of the catalog to compile it against.
        allow_unset_env: Take variables that are not set as notes.
    """
    from rungraph.graph import compile_config

    with catalog_errors():
        graph = compile_config(Path("/dev/stdin" if file == "-" else file), catalog=catalog)
    return checked(graph, level, allow_unset_env=allow_unset_env)


@contextmanager
def catalog_errors() -> Generator[None, None, None]:
    """Take a catalog that cannot be used as a wrong value of ``--catalog``."""
    try:
        yield
    except CatalogError as error:
        raise click.BadParameter(str(error), param_hint="--catalog") from error


def checked(graph: RunGraph, level: Level, *, allow_unset_env: bool = False) -> RunGraph:
    """Return *graph* with the diagnostics up to *level*.

    Args:
        graph: A graph as it was compiled.
        level: How deep to check.
        allow_unset_env: Take variables that are not set as notes.
    """
    if allow_unset_env:
        graph = graph.softened(("E001",))
    if level >= Level.IMPORT:
        from rungraph.engine.preflight.imports import check_imports

        return graph.with_diagnostics(check_imports(graph, quietly=True))
    return graph.up_to(level)


def has_errors(graph: RunGraph) -> bool:
    """Whether *graph* cannot be run."""
    return any(one.severity is Severity.ERROR for one in graph.diagnostics)


def tell_problems(graph: RunGraph) -> None:
    """Write the diagnostics of *graph* to standard error."""
    tell_diagnostics(graph.diagnostics)


def tell_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Write *diagnostics* to standard error, each with an empty line after it."""
    from rungraph.graph.diagnostic_text import render_diagnostic

    style = style_of(sys.stderr)
    for one in diagnostics:
        tell(render_diagnostic(one, style) + "\n")

"""From what the user names to a checked graph."""

from __future__ import annotations

import sys
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING

from rungraph.cli.terminal import style_of, tell
from rungraph.graph import Severity, compile_config
from rungraph.graph.plan import Level

if TYPE_CHECKING:
    from rungraph.graph import RunGraph

_LEVEL_OF = {"C": Level.SCHEMA, "G": Level.GRAPH, "E": Level.ENV, "I": Level.IMPORT}
"""The level of a diagnostic, by the letter that its code begins with."""


def load_graph(file: str, level: Level) -> RunGraph:
    """Return the graph of the run config *file*, with the diagnostics up to *level*.

    Args:
        file: A path, or ``-`` for standard input.
        level: How deep to check.
    """
    graph = compile_config(Path("/dev/stdin" if file == "-" else file))
    if level >= Level.IMPORT:
        from rungraph.engine.imports import check_imports

        return graph.with_diagnostics(check_imports(graph))
    if level >= Level.ENV:
        return graph
    limited = copy(graph)
    limited.diagnostics = tuple(
        one for one in graph.diagnostics if _LEVEL_OF.get(one.code[:1], Level.SCHEMA) <= level
    )
    return limited


def has_errors(graph: RunGraph) -> bool:
    """Whether *graph* cannot be run."""
    return any(one.severity is Severity.ERROR for one in graph.diagnostics)


def tell_problems(graph: RunGraph) -> None:
    """Write the diagnostics of *graph* to standard error."""
    from rungraph.graph.rendering import render_diagnostic

    style = style_of(sys.stderr)
    for one in graph.diagnostics:
        tell(render_diagnostic(one, style) + "\n")

"""What is compared: a run config, what was saved of one, or either at some revision of git."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rungraph.cli.terminal import complain, tell
from rungraph.graph import Level, RunGraph, RungraphError, Severity

if TYPE_CHECKING:
    from rungraph.graph.diff import Snapshot
    from rungraph.graph.source.document import Document


class SideError(RungraphError):
    """Raised when what was saved cannot be compared."""


class Side(NamedTuple):
    """One of the two sides of a comparison.

    Attributes:
        name: What the user called it.
        graph: The graph, or the normal form that a plan gives of it.
    """

    name: str
    graph: RunGraph | Snapshot

    @property
    def unreadable(self) -> RunGraph | None:
        """The graph of a file of which nothing could be read: only its diagnostics say anything."""
        from rungraph.graph.rules.checklist import is_usable

        if not isinstance(self.graph, RunGraph) or is_usable(self.graph):
            return None
        return self.graph

    @property
    def problems(self) -> str:
        """How many errors and warnings it has, in words; empty when it has no error."""
        from rungraph.graph.diagnostic_text import count_text

        found = self.graph.diagnostics if isinstance(self.graph, RunGraph) else ()
        is_broken = any(one.severity is Severity.ERROR for one in found)
        return count_text(found) if is_broken else ""


def load_side(
    name: str, level: Level, *, catalog: str | None = None, allow_unset_env: bool = False
) -> Side:
    """Return what *name* names: a file, ``-`` for standard input, or ``git:REV:path``.

    Args:
        name: The name; the file is a run config, or the JSON of a plan or of a graph.
        level: How deep a run config is checked.
        catalog: The name or path of the catalog to compile a run config against.
        allow_unset_env: Take variables that are not set as notes.

    Raises:
        SideError: If it is a plan or a graph of a form that is not known.
        RevisionError: If git has no such file.
    """
    from rungraph.graph.source.document import decode_document, load_document

    if name.startswith("git:"):
        from rungraph.cli.inputs.revisions import content_at

        document = decode_document(content_at(name), name)
    else:
        document = load_document(Path("/dev/stdin" if name == "-" else name))
    if document.value.get("kind") in ("plan", "graph") and "format_version" in document.value:
        return Side(name, _saved(name, document))
    return Side(name, _compiled(document, level, catalog, allow_unset_env=allow_unset_env))


def load_askable(
    name: str, *, catalog: str | None = None, allow_unset_env: bool = False
) -> RunGraph | None:
    """Return the graph that *name* names, as `load_side` does, with its problems told.

    None if it cannot be read, or is a plan, which holds too little to be asked.
    """
    from rungraph.cli.inputs.loading import tell_problems

    side = load_side(name, Level.ENV, catalog=catalog, allow_unset_env=allow_unset_env)
    if not isinstance(side.graph, RunGraph):
        complain(f"{name} is a saved plan, which cannot be queried: give its run config")
        return None
    if side.unreadable is not None:
        tell_problems(side.unreadable)
        return None
    if side.problems:
        is_file = name != "-" and not name.startswith("git:")
        hint = f"; 'rungraph validate {name}' shows them" if is_file else ""
        tell(f"{name}: {side.problems}{hint}")
    return side.graph


def _saved(name: str, document: Document) -> RunGraph | Snapshot:
    from rungraph.graph.diff import snapshot_of_plan

    try:
        if document.value["kind"] == "plan":
            return snapshot_of_plan(document.value)
        from rungraph.graph.graph_json import graph_from_json

        return _asked(graph_from_json(document.text))
    except ValueError as error:
        msg = f"{name}: {error}"
        raise SideError(msg) from error


def _compiled(
    document: Document, level: Level, catalog: str | None, *, allow_unset_env: bool
) -> RunGraph:
    from rungraph.cli.inputs.loading import catalog_errors, checked
    from rungraph.graph.compile import compile_document

    with catalog_errors():
        graph = compile_document(document, catalog=catalog, environment=os.environ)
    graph = checked(graph, level, allow_unset_env=allow_unset_env)
    return _asked(graph) if level >= Level.GRAPH else graph


def _asked(graph: RunGraph) -> RunGraph:
    """Return *graph* with what the queries found that its config wants asked."""
    if not graph.checks:
        return graph
    from rungraph.graph.query.config_checks import ask

    answers = ask(graph)
    return graph.with_diagnostics(one.diagnostic for one in answers if one.diagnostic)

"""What is compared: a run config, what was saved of one, or either at some revision of git."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from rungraph.cli.diagnostics import has_errors
from rungraph.cli.inputs.configs import check_readable, graph_of, read
from rungraph.cli.inputs.revisions import content_at
from rungraph.cli.terminal import complain, tell
from rungraph.graph import Level, RunGraph, RungraphError, graph_from_json
from rungraph.graph.diagnostic_text import count_text
from rungraph.graph.diff import Snapshot, snapshot_of_plan
from rungraph.graph.query.config_checks import ask
from rungraph.graph.source.document import decode_document

if TYPE_CHECKING:
    from typing import Unpack

    from rungraph.cli.inputs.options import ReadingOptions
    from rungraph.graph.source.document import Document


class ComparableError(RungraphError):
    """Raised when what was saved cannot be compared."""


class Comparable(NamedTuple):
    """What a comparison takes: a run config, or what was saved of one.

    Attributes:
        name: What the user called it.
        graph: The graph, or the normal form that a plan gives of it.
    """

    name: str
    graph: RunGraph | Snapshot

    @property
    def problems(self) -> str:
        """How many errors and warnings it has, as text; empty when it has no error."""
        found = self.graph.diagnostics if isinstance(self.graph, RunGraph) else ()
        return count_text(found) if has_errors(found) else ""


def load_comparable(name: str, **reading: Unpack[ReadingOptions]) -> Comparable:
    """Return what *name* names: a file, ``-`` for standard input, or ``git:REV:path``.

    The file is a run config, or the JSON of a plan or of a graph.

    Raises:
        ComparableError: If it is a plan or a graph of a form that is not known.
        RevisionError: If git has no such file.
    """
    is_revision = name.startswith("git:")
    document = decode_document(content_at(name), name) if is_revision else read(name)
    if document.value.get("kind") in ("plan", "graph") and "format_version" in document.value:
        return Comparable(name, _saved(name, document))
    graph = graph_of(document, **reading)
    is_deep = reading.get("level", Level.ENV) >= Level.GRAPH
    return Comparable(name, _asked(graph) if is_deep else graph)


def load_askable(name: str, **reading: Unpack[ReadingOptions]) -> RunGraph:
    """Return the graph that *name* names, as `load_comparable` does, with its problems told.

    A file that cannot be read, or a plan, which holds too little to be asked, ends the command.
    """
    found = load_comparable(name, **reading)
    if not isinstance(found.graph, RunGraph):
        complain(f"{name} is a saved plan, which cannot be queried: give its run config")
        raise click.exceptions.Exit(1)
    check_readable(found.graph)
    if found.problems:
        is_file = name != "-" and not name.startswith("git:")
        hint = f"; 'rungraph validate {name}' shows them" if is_file else ""
        tell(f"{name}: {found.problems}{hint}")
    return found.graph


def _saved(name: str, document: Document) -> RunGraph | Snapshot:
    try:
        if document.value["kind"] == "plan":
            return snapshot_of_plan(document.value)
        return _asked(graph_from_json(document.text))
    except ValueError as error:
        msg = f"{name}: {error}"
        raise ComparableError(msg) from error


def _asked(graph: RunGraph) -> RunGraph:
    """Return *graph* with what the queries found that its config wants asked."""
    return graph.with_diagnostics(one.diagnostic for one in ask(graph) if one.diagnostic)

"""What is compared: a run config, what was saved of one, or either at some revision of git."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rungraph.cli.diagnostics import has_errors
from rungraph.cli.inputs.configs import check_readable, graph_of, read
from rungraph.cli.inputs.revisions import content_at
from rungraph.cli.terminal import tell
from rungraph.graph import Level, RunGraph, RungraphError
from rungraph.graph.diagnostic_text import count_text
from rungraph.graph.plan.graph_json import graph_of_plan
from rungraph.graph.plan.plan_json import PlanError, load_plan
from rungraph.graph.query.config_checks import ask
from rungraph.graph.source.document import decode_document

if TYPE_CHECKING:
    from typing import Unpack

    from rungraph.cli.inputs.options import ReadingOptions


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


def load_comparable(name: str, **reading: Unpack[ReadingOptions]) -> Comparable:
    """Return what *name* names: a file, ``-`` for standard input, or ``git:REV:path``.

    The file is a run config, or a plan that was saved as JSON.

    Raises:
        ComparableError: If it is a plan of a form that is not known.
        RevisionError: If git has no such file.
    """
    is_revision = name.startswith("git:")
    document = decode_document(content_at(name), name) if is_revision else read(name)
    level = reading.get("level", Level.ENV)
    if document.value.get("kind") in ("plan", "graph") and "format_version" in document.value:
        return _saved(name, document.text, level)
    graph = graph_of(document, **reading)
    if level >= Level.GRAPH:
        graph = graph.with_diagnostics(one.diagnostic for one in ask(graph) if one.diagnostic)
    return Comparable(name, graph, level)


def load_askable(name: str, **reading: Unpack[ReadingOptions]) -> RunGraph:
    """Return the graph that *name* names, as `load_comparable` does, with its problems told.

    A file that cannot be read ends the command.
    """
    found = load_comparable(name, **reading)
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

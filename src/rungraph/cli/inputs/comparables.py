"""What commands ask and compare: run configs, and what was saved of one as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from rungraph.cli.inputs.configs import check_readable, graph_of, read
from rungraph.cli.inputs.revisions import content_at
from rungraph.cli.terminal import tell
from rungraph.graph import Level, RunGraph, RungraphError
from rungraph.graph.config.documents import WRITERS, written_kind
from rungraph.graph.diagnostic_text import count_text
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.diff.node_link import snapshot_of_node_link
from rungraph.graph.plan.graph_json import graph_of_plan
from rungraph.graph.plan.plan_json import PlanError, load_plan
from rungraph.graph.query.config_checks import ask
from rungraph.graph.source.document import decode_document

if TYPE_CHECKING:
    from rungraph.cli.inputs.options import Reading
    from rungraph.graph.diff import Snapshot
    from rungraph.graph.source.document import Document


_WRITERS: Final = {
    "explain": {"code", "title", "severity", "text"},
    "models list": {"name", "size", "license", "path"},
    "providers": {"api", "routed_by", "provider_types"},
    "providers --needed-by": {"packages", "indexes", "unknown"},
    "run --events": {"event", "format_version"},
}
"""Which command writes JSON that tells no kind, by keys of it or of its first element."""


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
        return count_text(found) if errors_in(found) else ""


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
    kind = written_kind(document.value)
    if kind in ("plan", "graph"):
        return saved(name, document.text, level)
    writer = "" if "providers" in document.value else _writer_of(document.text)
    if kind or writer:
        raise _not_comparable(name, kind, WRITERS.get(kind, writer))
    graph = graph_of(document, reading)
    if level >= Level.GRAPH:
        graph = graph.with_diagnostics(found for one in ask(graph) for found in one.diagnostics)
    return Comparable(name, graph, level)


def load_diffable(name: str, reading: Reading) -> Comparable | Snapshot:
    """Return what *name* names, as `load_comparable` does, or what ``rungraph graph`` wrote of it.

    Raises:
        ComparableError: If it is neither, or not a whole graph.
        RevisionError: If git has no such file.
    """
    document = _document(name)
    if written_kind(document.value) != "node-link":
        return _comparable(name, document, reading)
    try:
        return snapshot_of_node_link(document.value)
    except ValueError as error:
        msg = f"{name}: {error}"
        raise ComparableError(msg) from error


def _writer_of(text: str) -> str:
    """Return the command that wrote a list, or another JSON that tells no kind; empty for none."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text.lstrip())  # A recording has a value a line.
    except (ValueError, RecursionError):
        return ""
    first = value[0] if isinstance(value, list) and value else value
    keys = first.keys() if isinstance(first, dict) else ()
    return next((writer for writer, wanted in _WRITERS.items() if wanted.issubset(keys)), "")


def _not_comparable(name: str, kind: str, writer: str) -> ComparableError:
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


def saved(name: str, text: str, level: Level) -> Comparable:
    """Return the graph that *text*, a plan as JSON, is of.

    Raises:
        ComparableError: If it is no such plan.
    """
    try:
        plan = load_plan(text)
        graph = graph_of_plan(plan)
    except PlanError as error:
        msg = f"{name}: {error}"
        raise ComparableError(msg) from error
    level = max(
        (one for one in Level if one <= level and one.label in plan.checked.levels),
        default=Level.SCHEMA,
    )
    return Comparable(name, graph.up_to(level), level)

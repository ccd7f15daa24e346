"""A plan as text for people: by generation, then everything else that counts."""

from __future__ import annotations

import textwrap
from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING

from rungraph.graph.diagnostic_text import Style, plain, render_diagnostic
from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.diff.words import printable
from rungraph.graph.place import Place
from rungraph.graph.plan.words import (
    LOSS,
    PlanWords,
    change_lines,
    counted,
    excluded_name,
    excluded_reason,
    made_of,
    problems_text,
    resource_text,
    size_text,
    type_text,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rungraph.graph.plan.about import DiagnosticPlan, QueryPlan
    from rungraph.graph.plan.model import Plan
    from rungraph.graph.plan.outcomes import FailuresPlan, TimingsPlan
    from rungraph.graph.plan.parts import NodePlan, PlacePlan

_MOST_ALIKE = 50
"""How many nodes of one API a generation shows of which nothing more is to be said."""
_MOST_LINES = 200
"""How many lines each of the other parts shows; the JSON has them all."""
_MOST_TIMED = 40
"""Of how many nodes the expected times are shown."""
_LONGEST_FILE = 16
"""Longer file names are not repeated on every line."""
_NARROWEST = 40
"""Columns that a wrapped list has at least."""
_ROLES = {"+": "help", "-": "error", "~": "warning"}


def render_plan(plan: Plan, style: Style = plain, *, width: int | None = None) -> str:
    """Return *plan* as text.

    Args:
        plan: The plan.
        style: Colours it.
        width: Columns that lines should not go beyond; None for lines as long as they are.
    """
    writer = _Writer(plan, style, width)
    title = f"{printable(plan.name) or 'run config'}: {size_text(plan)}\n{made_of(plan)}"
    blocks = [title, *writer.generations()]
    for title, lines in writer.sections():
        if lines:
            shown = lines[:_MOST_LINES]
            more = len(lines) - len(shown)
            tail = [f"  and {counted(more, 'more line')}"] if more else []
            blocks.append("\n".join([style(title, "note"), *shown, *tail]))
    blocks += [_diagnostic(one, style) for one in plan.diagnostics]
    not_checked = ", ".join(plan.checked.not_checked)
    blocks.append(problems_text(plan) + (f"; not checked: {not_checked}" if not_checked else ""))
    return "\n\n".join(blocks) + "\n"


class _Writer:
    """Writes the parts of one plan."""

    def __init__(self, plan: Plan, style: Style, width: int | None) -> None:
        self._plan = plan
        self._style = style
        self._width = width
        self._words = PlanWords(plan)

    def generations(self) -> Iterator[str]:
        """Yield the generations, a block each."""
        for number, group in groupby(self._plan.nodes, lambda node: node.generation):
            nodes = list(group)
            title = self._style(f"generation {number}", "note")
            if len(nodes) > 1:
                title += f" ({len(nodes):,} start together)"
            yield "\n".join([title, *self._nodes(nodes)])

    def _nodes(self, nodes: Sequence[NodePlan]) -> Iterator[str]:
        cells = {node.address: self._cells(node) for node in nodes}
        pads = _pads(cells.values(), self._width)
        relations = {node.address: list(self._words.relations(node)) for node in nodes}
        for (api, is_plain), group in groupby(
            nodes, lambda node: (node.api, not relations[node.address])
        ):
            alike = list(group)
            shown = alike[:_MOST_ALIKE] if is_plain else alike
            for node in shown:
                yield self._row(cells[node.address], pads)
                for verb, text in relations[node.address]:
                    yield from self._relation(verb, text)
            if len(alike) > len(shown):
                yield f"  and {len(alike) - len(shown):,} more of {api}"

    def _cells(self, node: NodePlan) -> tuple[str, ...]:
        what, why = printable(type_text(node)), self._words.why(node)
        return printable(node.address), what, _place_text(node.place), why

    def _row(self, cells: Sequence[str], pads: Sequence[int]) -> str:
        """Return a row of a table; the third cell is a place."""
        shown = [f"{cell:<{pad}}" for cell, pad in zip(cells, (*pads, 0), strict=True)]
        shown[2] = self._style(shown[2], "place") if cells[2] else shown[2]
        return f"  {'  '.join(filter(None, shown))}".rstrip()

    def _relation(self, verb: str, text: str) -> Iterator[str]:
        role = "warning" if verb == LOSS else "help"
        yield from self._list(f"      {self._style(verb, role)} ", text, 7 + len(verb))

    def _list(self, start: str, text: str, indent: int = 4) -> Iterator[str]:
        """Yield what may be longer than a line, its first line after *start*."""
        if self._width is None:
            yield start + text
            return
        [first, *others] = textwrap.wrap(
            text,
            max(self._width - indent, _NARROWEST),
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
        yield start + first
        yield from (" " * indent + line for line in others)

    def sections(self) -> Iterator[tuple[str, list[str]]]:
        """Yield what else there is to say, each with its title; some have no lines."""
        plan = self._plan
        late = (edge for edge in plan.edges if edge.status == "dropped")
        resources = ((node, one) for node in plan.nodes for one in node.resources)
        yield "left out", self._excluded()
        yield (
            "bound late, once both run",
            [f"  {printable(f'{edge.dependent} uses {edge.dependency}')}" for edge in late],
        )
        yield (
            "registered at start",
            [f"  {resource_text(node, one)}" for node, one in resources],
        )
        yield "checks of the config", [self._check(one) for one in plan.checks]
        if plan.against is not None:
            nothing = ["  nothing differs"] if plan.against.equal else ["  no node differs"]
            yield f"against {printable(plan.against.name)}", [*self._changes()] or nothing
        if plan.failures is not None:
            names = self._words.named(plan.failures.assumed)
            yield f"without {names}", [*self._failures(plan.failures)]
        if plan.timings is not None:
            yield "expected, from an earlier run", [*self._timings(plan.timings)]

    def _excluded(self) -> list[str]:
        rows = [
            (
                excluded_name(one),
                printable(one.provider_type),
                _place_text(one.place),
                excluded_reason(one),
            )
            for one in self._plan.excluded
        ]
        pads = _pads(rows, self._width)
        return [self._row(row, pads) for row in rows]

    def _check(self, check: QueryPlan) -> str:
        role = "help" if check.status == "pass" else "error"
        found = counted(len(check.nodes), "node")
        status = self._style(f"{check.status:<5}", role)
        query = printable(f"{check.name}: {check.query}")
        return f"  {status}  {query} selects {found} (expected: {check.expect})"

    def _changes(self) -> Iterator[str]:
        for change in self._plan.changes:
            for line in change_lines(change):
                mark = line[:1]
                yield f"  {self._style(mark, _ROLES[mark]) if mark in _ROLES else mark}{line[1:]}"

    def _failures(self, failures: FailuresPlan) -> Iterator[str]:
        for node in failures.failed:
            if node.because_of != (node.address,):
                causes = self._words.named(node.because_of)
                yield f"  {self._style('stops', 'error')}    {node.address}, because of {causes}"
        for one in failures.degraded:
            lacks = self._words.named(one.without)
            yield f"  {self._style('goes on', 'warning')}  {one.address}, without {lacks}"
        for word, role in (("lost", "error"), ("degraded", "warning"), ("ok", "help")):
            apis = [one.api for one in failures.apis if one.availability == word]
            if apis:
                yield from self._list(f"  APIs {self._style(word, role)}: ", ", ".join(apis), 12)

    def _timings(self, timings: TimingsPlan) -> Iterator[str]:
        yield (
            f"  ready after {timings.total_by_generation:.2f} s, "
            f"with --schedule ready after {timings.total_by_need:.2f} s"
        )
        path = " → ".join(map(printable, timings.critical_path))
        yield from self._list("  critical path: ", path, 17)
        longest = sorted(timings.nodes, key=lambda one: -(one.duration or 0.0))[:_MOST_TIMED]
        shown = {one.address for one in longest}
        yield f"  {'starts':>8}  {'(ready)':>8}  {'takes':>8}  {'slack':>8}"
        for one in timings.nodes:
            if one.address in shown:
                times = (one.by_generation, one.by_need, one.duration, one.slack)
                row = "  ".join("       ?" if x is None else f"{x:6.2f} s" for x in times)
                yield f"  {row}  {printable(one.address)}"
        if len(timings.nodes) > len(shown):
            yield f"  and {len(timings.nodes) - len(shown):,} more that take no longer"
        for title, names in (
            ("not recorded: ", timings.not_recorded),
            ("recorded, but not in the plan: ", timings.not_planned),
        ):
            if names:
                yield from self._list(f"  {title}", self._words.named(names), 2 + len(title))


def _place_text(place: PlacePlan | None) -> str:
    """Return a place that fits into a table: the file's name where it is short, and the line."""
    if place is None or not place.line:
        return ""
    name = printable(PurePath(place.file).name)
    return f"{name}:{place.line}" if len(name) <= _LONGEST_FILE else f"line {place.line}"


def _pads(rows: Collection[Sequence[str]], width: int | None) -> list[int]:
    """Return how wide the first three columns of a table are.

    Where the widest cells together would not fit, the second column is as narrow as it must be, and
    the few cells that are wider stick out.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if not widths:
        return [0, 0, 0]
    too_much = 0 if width is None else max(2 + sum(widths) + 3 * 2 - width, 0)
    second = sorted(len(row[1]) for row in rows)
    return [widths[0], max(widths[1] - too_much, second[len(second) // 2]), widths[2]]


def _diagnostic(one: DiagnosticPlan, style: Style) -> str:
    severity = Severity(one.severity) if one.severity in set(Severity) else Severity.NOTE
    diagnostic = Diagnostic(
        one.code,
        one.message,
        severity,
        None if one.place is None else _place(one.place),
        one.help,
        path=one.path,
        detail=one.detail,
        related=tuple((_place(other.place), other.text) for other in one.related),
        excerpt=one.excerpt,
    )
    return render_diagnostic(diagnostic, style)


def _place(place: PlacePlan) -> Place:
    return Place(place.file, place.line, place.column)

"""A plan as text for people: by generation, then everything else."""

from __future__ import annotations

from itertools import groupby
from pathlib import PurePath
from typing import TYPE_CHECKING

from rungraph.graph.diagnostic_text import Style, plain, render_diagnostic
from rungraph.graph.markup import Strong, marked_text, spans_text
from rungraph.graph.plan.diagnostics import diagnostic_of
from rungraph.graph.plan.sections import LOSS, PlanSections, problems_text, size_text
from rungraph.graph.wording import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rungraph.graph.plan.model import Plan
    from rungraph.graph.plan.model_graph import NodePlan, PlacePlan
    from rungraph.graph.plan.model_requests import TimingsPlan
    from rungraph.graph.plan.sections import Row

_MOST_ALIKE = 50
"""How many nodes of one API a generation shows of which nothing more is to be said."""
_MOST_LINES = 200
"""How many lines each section shows; the JSON has them all."""
_MOST_TIMED = 40
"""Of how many nodes the expected times are shown."""
_LONGEST_FILE = 16
"""Longer file names are not repeated on every line."""


def render_plan(plan: Plan, style: Style = plain, *, width: int | None = None) -> str:
    """Return *plan* as text.

    Args:
        plan: The plan.
        style: Colours it.
        width: Columns that lines should not go beyond; None for lines as long as they are.
    """
    sections = PlanSections(plan)
    blocks = [f"{printable(plan.name) or 'run config'}: {size_text(plan)}\n{_source(plan)}"]
    for number, group in groupby(plan.nodes, lambda node: node.generation):
        nodes = [node for node in group if node.address not in sections.cyclic]
        if not nodes:
            continue
        title = style(f"generation {number}", "note")
        if len(nodes) > 1:
            title += f" ({len(nodes):,} start together)"
        blocks.append("\n".join([title, *_nodes(nodes, sections, style, width)]))
    if stuck := [node for node in plan.nodes if node.address in sections.cyclic]:
        title = style("in a cycle", "error") + f" ({len(stuck):,} cannot start)"
        blocks.append("\n".join([title, *_nodes(stuck, sections, style, width)]))
    parts = [("left out", _table(sections.excluded(), style, width))]
    for section in (sections.late(), sections.resources(), *sections.requested()):
        lines = [line for spans in section.lines for line in spans_text(spans, style, width)]
        lines += [marked_text(line, style) for line in section.marked]
        title = "".join(map(str, section.title))
        if plan.timings is not None and title.startswith("expected"):
            lines += _times(plan.timings)
        parts.append((printable(title), lines))
    for title, lines in parts:
        if lines:
            more = len(lines) - _MOST_LINES
            tail = [f"  and {counted(more, 'more line')}"] if more > 0 else []
            blocks.append("\n".join([style(title, "note"), *lines[:_MOST_LINES], *tail]))
    blocks += [render_diagnostic(diagnostic_of(one), style) for one in plan.diagnostics]
    not_checked = ", ".join(plan.checked.not_checked)
    blocks.append(problems_text(plan) + (f"; not checked: {not_checked}" if not_checked else ""))
    return "\n\n".join(blocks) + "\n"


def _source(plan: Plan) -> str:
    catalog = plan.config.catalog
    name = f", catalog {catalog.name} {catalog.release or ''}".rstrip() if catalog.name else ""
    told = f"\n  {printable(catalog.told_by)}" if catalog.told_by else ""
    return printable(", ".join(plan.config.files) + name) + told


def _nodes(
    nodes: Sequence[NodePlan], sections: PlanSections, style: Style, width: int | None
) -> Iterator[str]:
    rows = dict(
        zip(
            (node.address for node in nodes),
            _table([sections.row(node) for node in nodes], style, width),
            strict=True,
        )
    )
    relations = {node.address: list(sections.relations(node)) for node in nodes}
    for (api, is_plain), group in groupby(
        nodes, lambda node: (node.api, not relations[node.address])
    ):
        alike = list(group)
        shown = alike[:_MOST_ALIKE] if is_plain else alike
        for node in shown:
            yield rows[node.address]
            for verb, text in relations[node.address]:
                strong = Strong(verb, "warning" if verb == LOSS else "help")
                yield from spans_text(("    ", strong, " ", text), style, width)
        if len(alike) > len(shown):
            yield f"  and {len(alike) - len(shown):,} more of {api}"


def _table(rows: Sequence[Row], style: Style, width: int | None) -> list[str]:
    """Return *rows* as lines with aligned columns.

    Where the widest cells together would not fit, the second column is as narrow as most of its
    cells are, and the few that are wider stick out.
    """
    cells = [
        (printable(one.name), printable(one.type), _place_text(one.place), printable(one.why))
        for one in rows
    ]
    if not cells:
        return []
    first, second, third, last = (max(map(len, column)) for column in zip(*cells, strict=True))
    if width is not None:
        too_much = max(2 + first + second + third + last + 3 * 2 - width, 0)
        middle = sorted(len(one[1]) for one in cells)[len(cells) // 2]
        second = max(second - too_much, middle)
    lines: list[str] = []
    for name, kind, place, why in cells:
        padded = f"{place:<{third}}"
        shown = style(padded, "place") if place else padded
        columns = (f"{name:<{first}}", f"{kind:<{second}}", shown, why)
        lines.append(f"  {'  '.join(filter(None, columns))}".rstrip())
    return lines


def _place_text(place: PlacePlan | None) -> str:
    """Return a place that fits into a table: the file's name where it is short, and the line."""
    if place is None or not place.line:
        return ""
    name = printable(PurePath(place.file).name)
    return f"{name}:{place.line}" if len(name) <= _LONGEST_FILE else f"line {place.line}"


def _times(timings: TimingsPlan) -> Iterator[str]:
    """Yield when the nodes are expected to start that take longest, as a table."""
    longest = sorted(timings.nodes, key=lambda one: -(one.duration or 0.0))[:_MOST_TIMED]
    shown = {one.address for one in longest}
    yield f"  {'starts':>8}  {'(ready)':>8}  {'takes':>8}  {'slack':>8}"
    for one in timings.nodes:
        if one.address in shown:
            times = (one.by_generation, one.by_need, one.duration, one.slack)
            cells = ("       ?" if x is None else f"{x:6.2f} s" for x in times)
            yield f"  {'  '.join(cells)}  {printable(one.address)}"
    if len(timings.nodes) > len(shown):
        yield f"  and {len(timings.nodes) - len(shown):,} more that take no longer"

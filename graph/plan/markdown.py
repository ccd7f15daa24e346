"""A plan as Markdown for a pull request: the summary first, the rest folded up, of bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.markup import (
    code,
    fence,
    folded,
    marked_markdown,
    spans_markdown,
    table_row,
)
from rungraph.graph.plan.diagnostics import place_of
from rungraph.graph.plan.sections import LOSS, PlanSections, problems_text, size_text
from rungraph.graph.wording import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rungraph.graph.plan.model import DiagnosticPlan, Plan
    from rungraph.graph.plan.model_graph import NodePlan
    from rungraph.graph.plan.sections import Row, Section

LARGEST = 60_000
"""Characters of the longest Markdown; GitHub takes comments of up to 65,536."""
_RESERVE = 400
"""Characters kept for the head and the end of each block that is still to come."""
_GENERATIONS_HEAD = "| generation | start together | |\n|--:|--:|---|"
_NODES_HEAD = "| node | type | line | why | waits for | if it fails |\n|---|---|--:|---|---|---|"
_EXCLUDED_HEAD = "| provider | type | line | why |\n|---|---|--:|---|"


class Block(NamedTuple):
    """Lines of the page of which some can be left out.

    Attributes:
        head: What stands before the lines.
        lines: The lines.
        tail: What stands after them.
        more: What says, with ``{}`` for their number, that lines were left out.
    """

    head: str
    lines: Sequence[str]
    tail: str = ""
    more: str = "- and {} more"


def plan_to_markdown(plan: Plan) -> str:
    """Return *plan* as Markdown of at most `LARGEST` characters.

    What does not fit is counted, line by line, in the blocks that come last.
    """
    blocks = [block for block in _blocks(plan) if block.lines]
    left = LARGEST - _RESERVE * len(blocks)
    written: list[str] = []
    for block in blocks:
        shown: list[str] = []
        for line in block.lines:
            cost = len(line) + 1
            if cost > left:
                break
            left -= cost
            shown.append(line)
        missing = len(block.lines) - len(shown)
        more = [block.more.format(f"{missing:,}")] if missing else []
        written.append("\n".join(filter(None, [block.head, *shown, *more, block.tail])))
    return "\n\n".join(written) + "\n"


def _blocks(plan: Plan) -> Iterator[Block]:
    sections = PlanSections(plan)
    facts = [f"**{problems_text(plan)}**", ", ".join(map(code, plan.config.files))]
    catalog = plan.config.catalog
    if catalog.name:
        told = f" ({printable(catalog.told_by)})" if catalog.told_by else ""
        name = code(" ".join(filter(None, (catalog.name, catalog.release))))
        facts.append(f"catalog {name}{told}")
    if plan.checked.not_checked:
        facts.append(f"not checked: {', '.join(plan.checked.not_checked)}")
    title = f"### {code(plan.name or 'run config')}: {size_text(plan)}\n"
    yield Block(title, [" · ".join(facts)])
    yield Block("", [line for one in plan.diagnostics for line in _problem(one)])
    for section in sections.requested():
        yield _open(section)
    starts = {
        str(number): [one for one in nodes if one not in sections.cyclic]
        for number, nodes in enumerate(plan.generations)
    }
    starts["in a cycle"] = sorted(sections.cyclic)
    generations = [
        table_row(name, f"{len(nodes):,}", code(sections.named(nodes)))
        for name, nodes in starts.items()
        if nodes
    ]
    yield Block(_GENERATIONS_HEAD, generations, more="| | | and {} more |")
    excluded = [table_row(*_cells(row, code(row.why))) for row in sections.excluded()]
    yield _folded(f"{len(excluded):,} left out", excluded, _EXCLUDED_HEAD)
    for section in (sections.late(), sections.resources()):
        lines = [f"- {spans_markdown(spans)}" for spans in section.lines]
        yield _folded(f"{len(lines):,} {spans_markdown(section.title)}", lines)
    nodes = [_node(node, sections) for node in plan.nodes]
    yield _folded(counted(len(nodes), "node"), nodes, _NODES_HEAD)


def _problem(one: DiagnosticPlan) -> Iterator[str]:
    where = f" ({code(str(place_of(one.place)))})" if one.place is not None else ""
    yield f"- **{one.severity}** {code(one.code)} {code(one.message)}{where}"
    if one.detail:
        lines = [printable(line) for line in one.detail.splitlines()]
        start, end = fence(lines, "text")
        yield "\n".join(f"  {line}".rstrip() for line in (start, *lines, end))
    yield from (f"  - {code(way_out)}" for way_out in one.help if way_out)


def _open(section: Section) -> Block:
    """Return a section whose lines are shown at once."""
    title = spans_markdown(section.title)
    title = f"{title[0].upper()}{title[1:]}:"
    if not section.marked:
        return Block(f"{title}\n", [f"- {spans_markdown(spans)}" for spans in section.lines])
    lines = list(map(marked_markdown, section.marked))
    start, end = fence(lines, "diff")
    return Block(f"{title}\n\n{start}", lines, end, "  and {} more lines")


def _folded(title: str, lines: list[str], head: str = "") -> Block:
    start, end = folded(title, head)
    return Block(start, lines, end, "| and {} more |" if head else "- and {} more")


def _node(node: NodePlan, sections: PlanSections) -> str:
    row, relations = sections.row(node), list(sections.relations(node))
    why = code(row.why) if node.why.reason == "needed" else row.why
    return table_row(
        *_cells(row, why),
        "; ".join(f"{verb} {code(text)}" for verb, text in relations if verb != LOSS),
        "; ".join(code(text) for verb, text in relations if verb == LOSS),
    )


def _cells(row: Row, why: str) -> tuple[str, ...]:
    line = str(row.place.line) if row.place is not None and row.place.line else ""
    return code(row.name), code(row.type), line, why

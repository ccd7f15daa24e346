"""A plan as Markdown for a pull request: the sum of it first, the rest folded up, of bounded size.

Whatever a config, a provider or the environment can have a say in stands in code spans and fences:
there GitHub makes nothing of pipes, tags, mentions and references.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.diff.words import printable
from rungraph.graph.place import Place
from rungraph.graph.plan.words import (
    LOSS,
    PlanWords,
    change_lines,
    counted,
    excluded_name,
    excluded_reason,
    problems_text,
    resource_text,
    size_text,
    type_text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rungraph.graph.plan.about import DiagnosticPlan
    from rungraph.graph.plan.model import Plan
    from rungraph.graph.plan.outcomes import FailuresPlan
    from rungraph.graph.plan.parts import NodePlan, PlacePlan

LARGEST = 60_000
"""Characters of the longest Markdown; GitHub takes comments of up to 65,536."""
_RESERVE = 400
"""Characters kept for the head and the end of each part that is still to come."""
_LONGEST_SPAN = 1_000
"""Characters of the longest code span; what is longer is cut."""
_FENCE_MARKS = {"~": "!"}
"""What a line that changed begins with where a fence is coloured as a diff."""
_BACKTICKS = re.compile(r"`+")


class Part(NamedTuple):
    """A part of the page that can do with fewer lines.

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

    What does not fit is counted, line by line, in the parts that come last.
    """
    parts = [part for part in _parts(plan) if part.lines]
    left = LARGEST - _RESERVE * len(parts)
    blocks: list[str] = []
    for part in parts:
        shown: list[str] = []
        for line in part.lines:
            cost = len(line) + 1
            if cost > left:
                break
            left -= cost
            shown.append(line)
        missing = len(part.lines) - len(shown)
        more = [part.more.format(f"{missing:,}")] if missing else []
        blocks.append("\n".join(filter(None, [part.head, *shown, *more, part.tail])))
    return "\n\n".join(blocks) + "\n"


def _parts(plan: Plan) -> Iterator[Part]:
    words = PlanWords(plan)
    yield Part(
        f"### {_code(plan.name or 'run config')}: {size_text(plan)}\n",
        [f"**{problems_text(plan)}** · {' · '.join(_about(plan))}"],
    )
    yield Part("", [line for one in plan.diagnostics for line in _problem(one)])
    yield from _outcomes(plan, words)
    yield Part(
        "| generation | start together | |\n|--:|--:|---|",
        [
            _row(str(number), f"{len(nodes):,}", _code(words.named(nodes), in_table=True))
            for number, nodes in enumerate(plan.generations)
        ],
        more="| | | and {} more |",
    )
    resources = [resource_text(node, one) for node in plan.nodes for one in node.resources]
    late = [
        f"- {_code(edge.dependent)} is handed {_code(edge.dependency)}"
        for edge in plan.edges
        if edge.status == "dropped"
    ]
    yield _folded(f"{len(plan.excluded):,} left out", _EXCLUDED_HEAD, _excluded(plan))
    yield _folded(f"{counted(len(late), 'dependency').replace('ys', 'ies')} bound late", "", late)
    yield _folded(
        f"{counted(len(resources), 'resource')} registered at start",
        "",
        [f"- {_code(text)}" for text in resources],
    )
    nodes = [_node(node, words) for node in plan.nodes]
    yield _folded(counted(len(nodes), "node"), _NODES_HEAD, nodes)


def _about(plan: Plan) -> Iterator[str]:
    catalog = plan.config.catalog
    yield ", ".join(map(_code, plan.config.files))
    if catalog.name:
        yield f"catalog {_code(' '.join(filter(None, (catalog.name, catalog.release))))}"
    if plan.checked.not_checked:
        yield f"not checked: {', '.join(plan.checked.not_checked)}"


def _problem(one: DiagnosticPlan) -> Iterator[str]:
    where = f" ({_code(_place_text(one.place))})" if one.place is not None else ""
    yield f"- **{one.severity}** {_code(one.code)} {_code(one.message)}{where}"
    if one.detail:
        yield _indented(_fence(one.detail))
    for way_out in one.help:
        if way_out:
            yield f"  - {_code(way_out)}"


def _outcomes(plan: Plan, words: PlanWords) -> Iterator[Part]:
    """Yield what is there when asked for."""
    if plan.checks:
        marks = {"pass": "passes", "fail": "**fails**", "error": "**cannot be asked**"}
        yield Part(
            "Checks of the config:\n",
            [
                f"- {_code(one.name)} {marks.get(one.status, one.status)}: {_code(one.query)} "
                f"selects {counted(len(one.nodes), 'node')} (expected: {_code(one.expect)})"
                for one in plan.checks
            ],
        )
    if plan.against is not None:
        lines = [_diff_line(line) for change in plan.changes for line in change_lines(change)]
        fence = _ticks("\n".join(lines), 3)
        title = f"Against {_code(plan.against.name)}:"
        if lines:
            yield Part(f"{title}\n\n{fence}diff", lines, fence, "  and {} more lines")
        else:
            nothing = "nothing differs" if plan.against.equal else "no node differs"
            yield Part("", [f"{title} {nothing}"])
    if plan.failures is not None:
        yield Part(
            f"Without {_code(words.named(plan.failures.assumed))}:\n",
            list(_failures(plan.failures, words)),
        )
    if plan.timings is not None:
        timings = plan.timings
        yield Part(
            f"Expected to be ready after {timings.total_by_generation:.2f} s, with `--schedule "
            f"ready` after {timings.total_by_need:.2f} s; critical path:\n",
            [f"1. {_code(address)}" for address in timings.critical_path],
        )


def _failures(failures: FailuresPlan, words: PlanWords) -> Iterator[str]:
    for node in failures.failed:
        if node.because_of != (node.address,):
            causes = words.named(node.because_of)
            yield f"- {_code(node.address)} **stops**, because of {_code(causes)}"
    for one in failures.degraded:
        yield f"- {_code(one.address)} goes on without {_code(words.named(one.without))}"
    for word in ("lost", "degraded", "ok"):
        apis = [one.api for one in failures.apis if one.availability == word]
        if apis:
            yield f"- APIs {word}: {', '.join(map(_code, apis))}"


_NODES_HEAD = "| node | type | line | why | waits for | if it fails |\n|---|---|--:|---|---|---|"
_EXCLUDED_HEAD = "| provider | type | line | why |\n|---|---|--:|---|"


def _node(node: NodePlan, words: PlanWords) -> str:
    relations = list(words.relations(node))
    why = words.why(node)
    return _row(
        _code(node.address, in_table=True),
        _code(type_text(node), in_table=True),
        str(node.place.line) if node.place is not None and node.place.line else "",
        _code(why, in_table=True) if node.why.reason == "needed" else why,
        "; ".join(
            f"{verb} {_code(text, in_table=True)}" for verb, text in relations if verb != LOSS
        ),
        "; ".join(_code(text, in_table=True) for verb, text in relations if verb == LOSS),
    )


def _excluded(plan: Plan) -> list[str]:
    return [
        _row(
            _code(excluded_name(one), in_table=True),
            _code(one.provider_type, in_table=True),
            str(one.place.line) if one.place is not None and one.place.line else "",
            _code(excluded_reason(one), in_table=True),
        )
        for one in plan.excluded
    ]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _folded(title: str, head: str, lines: list[str]) -> Part:
    """Return a part that is shown when somebody opens it; GitHub wants blank lines around it."""
    more = "| and {} more |" if head else "- and {} more"
    start = f"<details>\n<summary>{title}</summary>\n\n{head}".rstrip(" ")
    return Part(start if head else start.removesuffix("\n"), lines, "\n</details>", more)


def _diff_line(line: str) -> str:
    return f"{_FENCE_MARKS.get(line[:1], line[:1])}{line[1:]}"


def _place_text(place: PlacePlan) -> str:
    return str(Place(place.file, place.line, place.column))


def _fence(text: str) -> str:
    fence = _ticks(text, 3)
    return f"{fence}text\n{text}\n{fence}"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())


def _ticks(text: str, least: int) -> str:
    """Return as many backticks as *text* does not have in a row, at least *least*."""
    longest = max(map(len, _BACKTICKS.findall(text)), default=0)
    return "`" * max(least, longest + 1)


def _code(text: str, *, in_table: bool = False) -> str:
    """Return *text* as a code span, whatever it holds.

    In a table, a pipe ends a cell even in a code span, unless it is escaped.
    """
    text = printable(text)
    if len(text) > _LONGEST_SPAN:
        text = f"{text[:_LONGEST_SPAN]}…"
    if in_table:
        text = text.replace("|", "\\|")
    ticks = _ticks(text, 1)
    pad = " " if text[:1] in ("`", " ") or text[-1:] in ("`", " ") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}" if text else ""

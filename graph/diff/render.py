"""A difference as text, and as Markdown for a pull request."""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rungraph.graph.diagnostic_text import Style, plain
from rungraph.graph.diff.model import Change
from rungraph.graph.markup import (
    MarkedLine,
    code,
    fence,
    folded,
    marked_markdown,
    marked_text,
)
from rungraph.graph.source.positions import path_text
from rungraph.graph.wording import counted, printable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.diagnostics import Diagnostic
    from rungraph.graph.diff.model import (
        Affected,
        EdgeChange,
        FactChange,
        GraphDiff,
        NodeChange,
    )
    from rungraph.graph.source.positions import Path

MARKS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~", Change.REORDERED: "~"}
_MOST_AFFECTED = 60
"""How many affected nodes are named; a comment on a pull request has its limits."""
_LONGEST_VALUE = 100
"""How many characters of one value a line shows."""
_RESOURCE_STEPS = 3
"""The steps of a path that name a resource: ``resources``, its identifier, its provider."""


def render_diff(
    diff: GraphDiff, *, old: str = "old", new: str = "new", style: Style = plain
) -> str:
    """Return *diff* as text: a line of names, what differs, what that affects, a line of numbers.

    Args:
        diff: What differs.
        old: What the graph that it starts from is called.
        new: What the graph that it leads to is called.
        style: Colours it.
    """
    sections = sections_of(diff)
    shown, more = _shown_affected(diff)
    width = max((len(str(one.address)) for one in shown), default=0)
    affected = [
        MarkedLine("", f"{one.address!s:<{width}}  because of {one.because_of}") for one in shown
    ]
    if affected:
        sections["affected"] = [*affected, *(MarkedLine("", line) for line in more)]
    if diff.not_comparable:
        sections[_UNKNOWN] = [MarkedLine("", line) for line in _unknown(diff)]
    blocks = [
        "\n".join((style(title, "place"), *(marked_text(line, style) for line in sections[title])))
        for title in _TITLES
        if title in sections
    ]
    head = "\n".join((f"{printable(old)} → {printable(new)}", *_read_as(diff)))
    return "\n\n".join((head, *blocks, summary_of(diff))) + "\n"


def _read_as(diff: GraphDiff) -> Iterator[str]:
    """Yield what the two configs are read as, where a release was told by what they name."""
    old, new = diff.catalogs
    if old == new and old:
        yield f"both are read as {old}"
    elif old or new:
        yield f"read as {old or 'what is installed'}"
        yield f"and as {new or 'what is installed'}"


def diff_to_markdown(diff: GraphDiff, *, old: str = "old", new: str = "new") -> str:
    """Return *diff* as Markdown: what differs as a coloured block, what that affects folded up."""
    blocks = [f"### {code(old)} → {code(new)}", f"**{summary_of(diff)}**", *_read_as(diff)]
    sections = sections_of(diff)
    for title in _TITLES:
        if title in sections:
            lines = list(map(marked_markdown, sections[title]))
            start, end = fence(lines, "diff")
            blocks.append("\n".join((f"{title}:\n", start, *lines, end)))
        elif title == "affected" and diff.affected:
            shown, more = _shown_affected(diff)
            lines = [
                f"- {code(str(one.address))} because of {code(str(one.because_of))}"
                for one in shown
            ]
            lines += [f"- {line}" for line in more]
            start, end = folded(f"{len(diff.affected):,} affected")
            blocks.append("\n".join((start, *lines, end)))
    if diff.not_comparable:
        blocks.append("\n".join((f"{_UNKNOWN}:\n", *(f"- {code(one)}" for one in _unknown(diff)))))
    return "\n\n".join(blocks) + "\n"


_UNKNOWN = "not comparable, because a mask stands where the secret stood"
_TITLES = (
    "nodes",
    "edges",
    "affected",
    "served APIs",
    "left out",
    "settings",
    "problems",
    _UNKNOWN,
)


def _unknown(diff: GraphDiff) -> Iterator[str]:
    for address, path in diff.not_comparable:
        yield f"{address} {path_text(path)}" if address else path_text(path)


def sections_of(diff: GraphDiff) -> dict[str, list[MarkedLine]]:
    """Return the lines of *diff* by the title of their section, but for what is affected."""
    found = {
        "nodes": [line for node in diff.nodes for line in _node_lines(node)],
        "edges": [_edge_line(edge) for edge in diff.edges],
        "served APIs": _both(diff.apis_added, diff.apis_removed),
        "left out": _both(
            map(_excluded, diff.excluded_added), map(_excluded, diff.excluded_removed)
        ),
        "settings": [_fact_line(fact, 0) for fact in _told_here(diff.settings)],
        "problems": _both(_problems(diff.problems_added), _problems(diff.problems_removed)),
    }
    return {title: lines for title, lines in found.items() if lines}


def _told_here(settings: Sequence[FactChange]) -> Iterator[FactChange]:
    """Yield the settings without the providers that are left out on one side only.

    Those stand with the nodes, or with what is left out.
    """
    told = {
        fact.path[:-1]
        for fact in settings
        if fact.path[0] == "providers"
        and fact.path[3:] == ("provider_type",)
        and fact.change is not Change.CHANGED
    }
    yield from (fact for fact in settings if fact.path[:3] not in told)


def summary_of(diff: GraphDiff) -> str:
    """Return *diff* in one line, such as ``1 node added, 2 changed; 1 edge added; 3 affected``."""
    unknown = len(diff.not_comparable)
    not_comparable = f"{counted(unknown, 'value')} not comparable" if unknown else ""
    if diff.is_empty:
        nothing = "no differences in what can be compared" if unknown else "no differences"
        return "; ".join(filter(None, (nothing, not_comparable)))
    affected = f"{len(diff.affected):,} affected" if diff.affected else ""
    numbers = (_numbers(diff.nodes, "node"), _numbers(diff.edges, "edge"), affected)
    told = "; ".join(filter(None, numbers)) or "no node differs"
    return "; ".join(filter(None, (told, not_comparable)))


def change_text(
    change: str, old: Any, new: Any, *, is_secret: bool, variables: Sequence[str]
) -> str:
    """Return what became of a fact: its value, or the old and the new one."""
    if is_secret:
        return "(secret changed)"
    if variables:
        verb = "has another value" if len(variables) == 1 else "have other values"
        return f"{_value_text(new)} ({' and '.join(variables)} {verb})"
    sides = {"added": [new], "removed": [old]}
    order = "order " if change == "reordered" else ""
    return order + " → ".join(map(_value_text, sides.get(change, [old, new])))


def _value_text(value: Any) -> str:
    return shortened(json.dumps(value, ensure_ascii=False, default=str), _LONGEST_VALUE)


def _shown_affected(diff: GraphDiff) -> tuple[Sequence[Affected], list[str]]:
    """Return the affected nodes to name, and what says that there are more."""
    shown = diff.affected[:_MOST_AFFECTED]
    missing = len(diff.affected) - len(shown)
    return shown, [f"and {missing:,} more"] if missing else []


def _numbers(changes: Iterable[NodeChange | EdgeChange], noun: str) -> str:
    numbers = Counter(one.change for one in changes)
    found = [(numbers[change], change.value) for change in Change if numbers[change]]
    if not found:
        return ""
    (number, word), *others = found
    first = f"{counted(number, noun)} {word}"
    return ", ".join([first, *(f"{number:,} {word}" for number, word in others)])


def _node_lines(node: NodeChange) -> Iterator[MarkedLine]:
    kind = f"  {node.provider_type}" if node.provider_type else ""
    reason = f"  ({node.reason})" if node.reason else ""
    yield MarkedLine(MARKS[node.change], f"{node.address}{kind}{reason}")
    if node.change is Change.CHANGED:
        yield from _fact_lines(node.facts)
    elif node.change is Change.ADDED:
        shown = (fact for fact in node.facts if fact.path[0] in ("config", "resources", "tags"))
        yield from _fact_lines(shown)


def _fact_lines(facts: Iterable[FactChange]) -> Iterator[MarkedLine]:
    for resource, group in groupby(facts, lambda fact: _resource_in(fact.path)):
        of_one = list(group)
        names = [fact for fact in of_one if fact.path[-1] == "provider_resource_id"]
        if not resource or not names or names[0].change is Change.CHANGED:
            yield from (_fact_line(fact, 1) for fact in of_one)
            continue
        # The resource was added or removed as a whole.
        [name] = names
        there = name.new if name.change is Change.ADDED else name.old
        called = "" if there == name.path[1] else f" as {there}"
        yield MarkedLine(MARKS[name.change], f"{resource}{called}", 1)
        if name.change is Change.ADDED:
            yield from (_fact_line(fact, 1) for fact in of_one if fact is not name)


def _resource_in(path: Path) -> str:
    if path[0] != "resources" or len(path) < _RESOURCE_STEPS:
        return ""
    return f"resource '{path[1]}' on {path[2]}"


def _fact_line(fact: FactChange, depth: int) -> MarkedLine:
    resource = _resource_in(fact.path)
    steps = fact.path[_RESOURCE_STEPS:] if resource else fact.path
    rest = path_text(steps[1:] if resource and steps[0] == "fields" else steps)
    name = f"{resource}: {rest}" if resource else rest
    text = change_text(
        fact.change, fact.old, fact.new, is_secret=fact.is_secret, variables=fact.variables
    )
    return MarkedLine(MARKS[fact.change], f"{name}: {text}", depth)


def _edge_line(edge: EdgeChange) -> MarkedLine:
    links = " → ".join(" and ".join(map(str, side)) for side in (edge.old, edge.new) if side)
    return MarkedLine(MARKS[edge.change], f"{edge.dependency} → {edge.dependent}  {links}")


def _both(added: Iterable[str], removed: Iterable[str]) -> list[MarkedLine]:
    return [MarkedLine("+", text) for text in added] + [MarkedLine("-", text) for text in removed]


def _excluded(one: Excluded) -> str:
    return f"{one.api}/{one.provider_id or '(no id)'}  {one.provider_type}  {one.summary}"


def _problems(problems: Iterable[Diagnostic]) -> Iterator[str]:
    for one, count in Counter(problems).items():
        address = f"{one.address}: " if one.address and str(one.address) not in one.message else ""
        times = f" ({count} times)" if count > 1 else ""
        yield f"{one.severity}[{one.code}] {address}{one.message}{times}"

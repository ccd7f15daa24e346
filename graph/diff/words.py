"""A difference in words: sections of marked lines, which text and Markdown are made of."""

from __future__ import annotations

import json
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.diff.changes import Change
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rungraph.graph.config.run_config import Excluded
    from rungraph.graph.diff.changes import FactChange, GraphDiff, NodeChange
    from rungraph.graph.diff.facts import Path
    from rungraph.graph.diff.snapshot import Link, Problem

MARKS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}
_LONGEST = 100
"""How many characters of one value a line shows."""
_RESOURCE_STEPS = 3
"""The steps of a path that name a resource: ``resources``, its identifier, its provider."""


class Line(NamedTuple):
    """One line of a section.

    Attributes:
        mark: ``+``, ``-``, ``~`` or empty.
        text: What it says.
        depth: 0 for a node or an edge, 1 for a fact of a node.
    """

    mark: str
    text: str
    depth: int = 0


class Section(NamedTuple):
    """Lines of one kind."""

    title: str
    lines: tuple[Line, ...]


def sections_of(diff: GraphDiff, *, most_affected: int | None = None) -> tuple[Section, ...]:
    """Return *diff* in words; sections without lines are left out.

    Args:
        diff: What differs.
        most_affected: How many affected nodes are named; None for all.
    """
    found = (
        Section("nodes", tuple(line for node in diff.nodes for line in _node_lines(node))),
        Section("edges", tuple(_edge_lines(diff))),
        Section("affected", tuple(_affected_lines(diff, most_affected))),
        Section("served APIs", tuple(_both(diff.apis_added, diff.apis_removed))),
        Section(
            "left out",
            tuple(
                _both(map(_left_out, diff.excluded_added), map(_left_out, diff.excluded_removed))
            ),
        ),
        Section("settings", tuple(_fact_line(fact, 0) for fact in diff.settings)),
        Section(
            "problems",
            tuple(_both(_problems(diff.problems_added), _problems(diff.problems_removed))),
        ),
    )
    return tuple(section for section in found if section.lines)


def summary_of(diff: GraphDiff) -> str:
    """Return *diff* in one line, such as ``1 node added, 2 changed; 1 edge added; 3 affected``."""
    if diff.is_empty:
        return "no differences"
    nodes = _counted([(one.change) for one in diff.nodes], "node")
    edges = _counted([(one.change) for one in diff.edges], "edge")
    affected = f"{len(diff.affected):,} affected" if diff.affected else ""
    parts = [part for part in (nodes, edges, affected) if part]
    return "; ".join(parts) or "no node differs"


def value_text(value: Any) -> str:
    """Return a value as JSON, cut where it is very long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text


def printable(text: str) -> str:
    """Return *text* on one line, what cannot be printed escaped: ids can be any text."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def _counted(changes: list[Change], noun: str) -> str:
    parts: list[str] = []
    for change in Change:
        number = changes.count(change)
        if number:
            what = f" {noun}{'' if number == 1 else 's'}" if not parts else ""
            parts.append(f"{number:,}{what} {change.value}")
    return ", ".join(parts)


def _node_lines(node: NodeChange) -> Iterator[Line]:
    kind = f"  {node.provider_type}" if node.provider_type else ""
    reason = f"  ({node.reason})" if node.reason else ""
    yield Line(MARKS[node.change], f"{node.address}{kind}{reason}")
    if node.change is Change.CHANGED:
        yield from _changed_facts(node.facts)
    elif node.change is Change.ADDED:
        shown = [fact for fact in node.facts if fact.path[0] in ("config", "resources", "tags")]
        yield from _changed_facts(shown)


def _changed_facts(facts: Iterable[FactChange]) -> Iterator[Line]:
    for resource, group in groupby(facts, lambda fact: _resource_in(fact.path)):
        of_one = list(group)
        name_there = [fact for fact in of_one if fact.path[-1] == "provider_resource_id"]
        if not resource or not name_there or name_there[0].change is Change.CHANGED:
            yield from (_fact_line(fact, 1) for fact in of_one)
            continue
        # The resource came or went as a whole.
        [only] = name_there
        there = only.new if only.change is Change.ADDED else only.old
        called = "" if there == only.path[1] else f" as {there}"
        yield Line(MARKS[only.change], f"{resource}{called}", 1)
        if only.change is Change.ADDED:
            yield from (_fact_line(fact, 1) for fact in of_one if fact is not only)


def _resource_in(path: Path) -> str:
    if path[0] != "resources" or len(path) < _RESOURCE_STEPS:
        return ""
    return f"resource '{path[1]}' on {path[2]}"


def _fact_line(fact: FactChange, depth: int) -> Line:
    resource = _resource_in(fact.path)
    steps = fact.path[_RESOURCE_STEPS:] if resource else fact.path
    rest = path_text(steps[1:] if resource and steps[0] == "fields" else steps)
    name = f"{resource}: {rest}" if resource else rest
    return Line(MARKS[fact.change], f"{name}: {change_text(fact)}", depth)


def change_text(fact: FactChange) -> str:
    """Return what became of a fact: its value, or the old and the new one."""
    if fact.is_secret:
        return "(secret changed)"
    if fact.variables:
        verb = "has another value" if len(fact.variables) == 1 else "have other values"
        return f"{value_text(fact.new)} ({' and '.join(fact.variables)} {verb})"
    if fact.change is Change.ADDED:
        return value_text(fact.new)
    if fact.change is Change.REMOVED:
        return value_text(fact.old)
    return f"{value_text(fact.old)} → {value_text(fact.new)}"


def _edge_lines(diff: GraphDiff) -> Iterator[Line]:
    for edge in diff.edges:
        links = " → ".join(_links_text(side) for side in (edge.old, edge.new) if side)
        yield Line(MARKS[edge.change], f"{edge.dependency} → {edge.dependent}  {links}")


def _links_text(links: tuple[Link, ...]) -> str:
    return " and ".join(map(str, links))


def _affected_lines(diff: GraphDiff, most: int | None) -> Iterator[Line]:
    shown = diff.affected[:most]
    width = max((len(str(one.address)) for one in shown), default=0)
    for one in shown:
        yield Line("", f"{one.address!s:<{width}}  because of {one.because_of}")
    if len(diff.affected) > len(shown):
        yield Line("", f"and {len(diff.affected) - len(shown):,} more")


def _both(added: Iterable[str], removed: Iterable[str]) -> Iterator[Line]:
    yield from (Line("+", text) for text in added)
    yield from (Line("-", text) for text in removed)


def _left_out(one: Excluded) -> str:
    name = one.provider_id or "(no id)"
    return f"{one.api}/{name}  {one.provider_type}  {one.summary}"


def _problems(problems: Iterable[Problem]) -> Iterator[str]:
    for one, count in Counter(problems).items():
        yield f"{_problem(one)} ({count} times)" if count > 1 else _problem(one)


def _problem(one: Problem) -> str:
    about = f"{one.address}: " if one.address and one.address not in one.message else ""
    return f"{one.severity}[{one.code}] {about}{one.message}"

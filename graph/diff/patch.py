"""A difference applied to what it starts from, which gives what it leads to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rungraph.graph.diff.facts import sorted_facts
from rungraph.graph.diff.model import Change
from rungraph.graph.diff.snapshot import Snapshot, problem_order

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.diff.facts import Facts
    from rungraph.graph.diff.model import FactChange, GraphDiff


def applied(diff: GraphDiff, old: Snapshot) -> Snapshot:
    """Return what *diff* makes of *old*, the normal form of the graph that it starts from.

    For graphs a and b, ``applied(diff_graphs(a, b), snapshot_of(a)) == snapshot_of(b)``.
    """
    nodes, edges = dict(old.nodes), dict(old.edges)
    for node in diff.nodes:
        nodes[node.address] = _patched(nodes.get(node.address, {}), node.facts)
        if node.change is Change.REMOVED:
            del nodes[node.address]
    for edge in diff.edges:
        edges[edge[:2]] = edge.new
        if not edge.new:
            del edges[edge[:2]]
    excluded = Counter(old.excluded) - Counter(diff.excluded_removed)
    problems = Counter(old.problems) - Counter(diff.problems_removed)
    return Snapshot(
        nodes=nodes,
        edges=edges,
        apis=tuple(sorted({*old.apis, *diff.apis_added} - {*diff.apis_removed})),
        settings=_patched(old.settings, diff.settings),
        excluded=tuple(sorted((excluded + Counter(diff.excluded_added)).elements())),
        problems=tuple(
            sorted((problems + Counter(diff.problems_added)).elements(), key=problem_order)
        ),
    )


def _patched(facts: Facts, changes: Iterable[FactChange]) -> Facts:
    found = dict(facts)
    for change in changes:
        if change.change is Change.REMOVED:
            del found[change.path]
        else:
            found[change.path] = change.new
    return sorted_facts(found.items())

"""A difference applied to what it starts from, which gives what it leads to."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from rungraph.graph.diagnostics import diagnostic_order
from rungraph.graph.diff.alignment import ID_KEYS, value_of
from rungraph.graph.diff.facts import flattened, path_order, sorted_facts
from rungraph.graph.diff.model import Change
from rungraph.graph.diff.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.diff.facts import Facts
    from rungraph.graph.diff.model import FactChange, GraphDiff
    from rungraph.graph.source.positions import Path

_STEPS: Final = (Change.REMOVED, Change.REORDERED, Change.ADDED, Change.CHANGED)


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
            sorted((problems + Counter(diff.problems_added)).elements(), key=diagnostic_order)
        ),
    )


def _patched(facts: Facts, changes: Iterable[FactChange]) -> Facts:
    value = value_of(facts)
    # Outer lists first, as what is in them is named by where it stands afterwards; in each, from
    # the back what was removed, then the order of the rest, from the front what was added, then
    # what has changed.
    by_depth = sorted(changes, key=lambda one: (_depth(one), _STEPS.index(one.change)))
    for (_, change), some in groupby(by_depth, lambda one: (_depth(one), one.change)):
        ordered = sorted(some, key=lambda one: path_order(one.path))
        for one in reversed(ordered) if change is Change.REMOVED else ordered:
            if change is Change.REMOVED:
                _remove(value, one.path)
            elif change is Change.REORDERED:
                _reorder(value, one.path, one.new)
            else:
                _put(value, one.path, one.new, is_added=change is Change.ADDED)
    return sorted_facts(leaf for leaf in flattened(value) if leaf[0])


def _depth(change: FactChange) -> int:
    """Return how deep the elements are that a change is about."""
    return len(change.path) + (change.change is Change.REORDERED)


def _reorder(value: Any, path: Path, ids: list[Any]) -> None:
    for step in path:
        value = value[step]
    elements: list[dict[str, Any]] = value
    order = [*map(repr, ids)]  # 1 and True are two ids.
    key = next(key for key in ID_KEYS if {repr(one.get(key)) for one in elements} == {*order})
    elements.sort(key=lambda one: order.index(repr(one[key])))


def _remove(value: Any, path: Path) -> None:
    step, *rest = path
    if not rest:
        del value[step]
        return
    _remove(value[step], tuple(rest))
    if value[step] == {} and isinstance(step, str):
        del value[step]  # A mapping is there for its keys; an empty one is a fact of its own.


def _put(value: Any, path: Path, new: Any, *, is_added: bool) -> None:
    *outer, last = path
    for step in outer:
        value = value.setdefault(step, {}) if isinstance(value, dict) else value[step]
    if is_added and isinstance(last, int):
        value.insert(last, new)
    else:
        value[last] = new

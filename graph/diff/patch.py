"""A difference applied to what it starts from, which gives what it leads to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from rungraph.graph.config.run_config import Excluded
from rungraph.graph.diff.changes import Change
from rungraph.graph.diff.facts import Facts, path_order
from rungraph.graph.diff.snapshot import Problem, Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.graph.diff.changes import FactChange, GraphDiff

_Item = TypeVar("_Item", Excluded, Problem)


def applied(diff: GraphDiff, old: Snapshot) -> Snapshot:
    """Return what *diff* makes of *old*, the normal form of the graph that it starts from.

    For graphs a and b, ``applied(diff_graphs(a, b), snapshot_of(a)) == snapshot_of(b)``.
    """
    nodes = dict(old.nodes)
    for node in diff.nodes:
        if node.change is Change.REMOVED:
            del nodes[node.address]
        else:
            nodes[node.address] = _patched(nodes.get(node.address, {}), node.facts)
    edges = dict(old.edges)
    for edge in diff.edges:
        ends = (edge.dependency, edge.dependent)
        if edge.new:
            edges[ends] = edge.new
        else:
            del edges[ends]
    return Snapshot(
        nodes=nodes,
        edges=edges,
        apis=tuple(sorted({*old.apis, *diff.apis_added} - {*diff.apis_removed})),
        settings=_patched(old.settings, diff.settings),
        excluded=_moved(old.excluded, diff.excluded_removed, diff.excluded_added),
        problems=_moved(old.problems, diff.problems_removed, diff.problems_added),
        unknown=old.unknown,
    )


def _patched(facts: Facts, changes: Iterable[FactChange]) -> Facts:
    found = dict(facts)
    for change in changes:
        if change.change is Change.REMOVED:
            del found[change.path]
        else:
            found[change.path] = change.new
    return dict(sorted(found.items(), key=lambda fact: path_order(fact[0])))


def _moved(
    items: tuple[_Item, ...], removed: Iterable[_Item], added: Iterable[_Item]
) -> tuple[_Item, ...]:
    return tuple(sorted((Counter(items) - Counter(removed) + Counter(added)).elements()))

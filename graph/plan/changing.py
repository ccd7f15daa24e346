"""What is to be done about nodes that are not as they were, as a part of a plan."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.diff import Change, Snapshot, diff_graphs, diff_to_dict
from rungraph.graph.plan.outcomes import AgainstPlan, ChangePlan, PathChange
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.diff import FactChange, GraphDiff
    from rungraph.graph.model import RunGraph

_ACTIONS = {Change.ADDED: "create", Change.REMOVED: "remove", Change.CHANGED: "restart"}
_REASONS = {Change.ADDED: "new", Change.REMOVED: "removed", Change.CHANGED: "config_changed"}


class Comparison(NamedTuple):
    """A graph compared with what it was.

    Attributes:
        against: What it was compared with, and the whole difference.
        changes: What is to be done, sorted by address.
        numbers: How many nodes there are of each action, ``noop`` included.
    """

    against: AgainstPlan
    changes: tuple[ChangePlan, ...]
    numbers: Mapping[str, int]

    @property
    def actions(self) -> Mapping[str, tuple[str, ...]]:
        """What is to be done about each node that is not as it was."""
        return {one.address: one.actions for one in self.changes}


def compared(old: RunGraph | Snapshot, new: RunGraph, name: str) -> Comparison:
    """Return what is to be done to get from *old* to *new*.

    A node is restarted when it differs, and when it depends on one that does, directly or not.

    Args:
        old: The graph, or its normal form, as it was.
        new: The graph as it is.
        name: What *old* is called.
    """
    diff = diff_graphs(old, new)
    changes = tuple(sorted(_changes(diff), key=lambda one: one.address))
    numbers = Counter(action for one in changes for action in one.actions)
    numbers["noop"] = len(diff.unchanged) - len(diff.affected)
    # Paths and values of facts are of any type; JSON is what the plan's own JSON is made of.
    difference = json.loads(json.dumps(diff_to_dict(diff, old=name, new=new.file), sort_keys=True))
    return Comparison(
        AgainstPlan(difference=difference, equal=diff.is_empty, name=name), changes, numbers
    )


def _changes(diff: GraphDiff) -> Iterator[ChangePlan]:
    for node in diff.nodes:
        yield ChangePlan(
            actions=(_ACTIONS[node.change],),
            address=str(node.address),
            paths=tuple(map(_path, node.facts)) if node.change is Change.CHANGED else (),
            reason=node.reason or _REASONS[node.change],
        )
    for one in diff.affected:
        yield ChangePlan(
            actions=("restart",),
            address=str(one.address),
            because_of=(str(one.because_of),),
            reason="dependency_changed",
        )


def _path(fact: FactChange) -> PathChange:
    return PathChange(
        after=fact.new,
        before=fact.old,
        kind=fact.change.value,
        path=path_text(fact.path),
        secret=fact.is_secret,
        variables=fact.variables,
    )

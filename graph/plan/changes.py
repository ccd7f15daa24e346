"""What is to be done about nodes that are not as they were."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.diff.compare import diff_graphs
from rungraph.graph.diff.diff_json import diff_to_dict, fact_to_dict
from rungraph.graph.diff.model import Change
from rungraph.graph.plan.model_requests import AgainstPlan, ChangePlan, FactChangePlan
from rungraph.graph.reload import reload_steps

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.diff.model import GraphDiff
    from rungraph.graph.diff.snapshot import Snapshot
    from rungraph.graph.model import RunGraph

_REASONS = {Change.ADDED: "new", Change.REMOVED: "removed", Change.CHANGED: "config_changed"}


class Changes(NamedTuple):
    """What is to be done to get from one graph to another.

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


def changes_between(old: RunGraph | Snapshot, new: RunGraph, name: str) -> Changes:
    """Return what is to be done to get from *old* to *new*.

    A node is restarted when it differs, and when it needs one that is restarted; a table is told
    its new resources instead, and tables and routers are handed what is new.

    Args:
        old: The graph, or its normal form, as it was.
        new: The graph as it is.
        name: What *old* is called.
    """
    diff = diff_graphs(old, new)
    changes = tuple(sorted(_changes(diff, new), key=lambda one: one.address))
    numbers = Counter(action for one in changes for action in one.actions)
    numbers["noop"] += len(diff.unchanged) - sum(bool(one.because_of) for one in changes)
    # Values of facts are of any type; this makes them what JSON has, keys sorted.
    difference = json.loads(json.dumps(diff_to_dict(diff, old=name, new=new.file), sort_keys=True))
    against = AgainstPlan(difference=difference, equal=diff.is_empty, name=name)
    return Changes(against, changes, numbers)


def _changes(diff: GraphDiff, new: RunGraph) -> Iterator[ChangePlan]:
    nodes = {one.address: one for one in diff.nodes}
    steps = reload_steps(diff, new)
    for address in steps.keys() | nodes.keys():
        node, step = nodes.get(address), steps.get(address)
        facts = node.facts if node is not None and node.change is Change.CHANGED else ()
        is_own = node is not None
        yield ChangePlan(
            actions=(step.action.value if step is not None else "noop",),
            address=str(address),
            because_of=() if is_own or step is None else (str(step.cause),),
            facts=tuple(FactChangePlan(**fact_to_dict(fact)) for fact in facts),
            reason=(node.reason or _REASONS[node.change]) if node else "dependency_changed",
        )

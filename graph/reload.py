"""What is to be done about each node of a running graph so that another one runs; pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.address import NodeKind
from rungraph.graph.closure import closure_of
from rungraph.graph.diff.model import Change
from rungraph.graph.digraph import in_start_order
from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.graph.address import Address
    from rungraph.graph.diff.model import GraphDiff, NodeChange
    from rungraph.graph.model import RunGraph

_HARMLESS = frozenset({"tags", "restart", "limits"})
"""What the instance of a node does not run by: what is around it is told."""


class Action(StrEnum):
    """What is done about a node; one that is not named goes on."""

    STOP = "remove"
    START = "create"
    RESTART = "restart"
    UPDATE = "update"
    """It is told its new config while it runs, and may be handed another instance as well."""
    REBIND = "rebind"
    """It runs on and is handed another instance of what it depends on."""

    __hash__ = str.__hash__


class Step(NamedTuple):
    """What is done about one node.

    Attributes:
        action: What.
        reason: Why, for people; never a value of a config.
        cause: The node because of which it is; the node itself, if it differs.
    """

    action: Action
    reason: str
    cause: Address


def takes_others(address: Address) -> bool:
    """Whether a node takes other dependencies while it runs: tables and routers do."""
    return address.kind is not NodeKind.PROVIDER


def reload_steps(
    diff: GraphDiff,
    new: RunGraph,
    *,
    can_rebind: Callable[[Address], bool] = takes_others,
    can_update: Callable[[Address], bool] = lambda address: address.kind is NodeKind.TABLE,
) -> dict[Address, Step]:
    """Return what is to be done so that *new* runs: what is to stop, then the rest in start order.

    Args:
        diff: What differs between the graph that runs and *new*.
        new: What is to run.
        can_rebind: Whether a node can be handed another instance of a dependency while it runs.
        can_update: Whether a node can be told another config while it runs.
    """

    def can_keep(dependent: Address, dependency: Address) -> bool:
        return dependency.kind is not NodeKind.TABLE and can_rebind(dependent)

    steps: dict[Address, Step] = {}
    handed: dict[Address, Step] = {}
    for node in diff.nodes:
        if (step := _of_changed(node, can_update)) is not None:
            steps[node.address] = step
    for edge in diff.edges:
        dependent, dependency = edge.dependent, edge.dependency
        known = steps.get(dependent)
        if dependent not in new or (known and known.action is not Action.UPDATE):
            continue
        word = {Change.ADDED: "new", Change.REMOVED: "removed"}.get(edge.change, "needed otherwise")
        reason = f"depends on '{dependency}', which is {word}"
        is_hard = any(link.strength == Strength.HARD for link in (*edge.old, *edge.new))
        if is_hard and not can_keep(dependent, dependency):
            steps[dependent] = Step(Action.RESTART, reason, dependency)
        elif dependent.kind is NodeKind.TABLE and can_rebind(dependent):
            # It is told its members, also which are there no more; a provider is handed new ones.
            handed.setdefault(dependent, Step(Action.REBIND, reason, dependency))
    renewed = [one for one in steps if steps[one].action in (Action.START, Action.RESTART)]
    replaced, kept = closure_of(new.nx, renewed, can_keep)
    for address, cause in replaced.items():
        if address not in renewed:
            reason = f"depends on '{cause}', which is {_PAST[steps[cause].action]}"
            steps[address] = Step(Action.RESTART, reason, cause)
    late = {edge.dependent: edge.dependency for edge in new.dropped if edge.dependency in replaced}
    for address, need in {**late, **{one: needs[0] for one, needs in kept.items()}}.items():
        if can_rebind(address):
            reason = f"depends on '{need}', which is {_PAST[steps[need].action]}"
            handed.setdefault(address, Step(Action.REBIND, reason, need))
    for address, step in handed.items():
        known = steps.setdefault(address, step)
        if known.action is Action.UPDATE:
            steps[address] = known._replace(reason=f"{known.reason}; {step.reason}")
    stopped = sorted(one for one, step in steps.items() if step.action is Action.STOP)
    rest = in_start_order(new.nx, steps.keys() - set(stopped))
    return {one: steps[one] for one in (*stopped, *rest)}


_PAST = {Action.START: "new", Action.RESTART: "restarted"}


def _of_changed(node: NodeChange, can_update: Callable[[Address], bool]) -> Step | None:
    if node.change is Change.ADDED:
        return Step(Action.START, node.reason or "new", node.address)
    if node.change is Change.REMOVED:
        return Step(Action.STOP, node.reason or "removed", node.address)
    keys = dict.fromkeys(str(fact.path[0]) for fact in node.facts)
    differing = keys.keys() - _HARMLESS
    if not differing and keys:
        return None
    named = [key for key in keys if key in differing] or ["type"]
    verb = "changes" if len(named) == 1 and named != ["resources"] else "change"
    reason = f"its {' and '.join(named)} {verb}"
    is_told = differing <= {"config", "resources"} and can_update(node.address)
    return Step(Action.UPDATE if is_told else Action.RESTART, reason, node.address)

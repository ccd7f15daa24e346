"""A plan in words, which its text and its Markdown are made of."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.config.run_config import Excluded
from rungraph.graph.diff.words import printable, value_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from rungraph.graph.plan.model import Plan
    from rungraph.graph.plan.outcomes import ChangePlan, PathChange
    from rungraph.graph.plan.parts import ExcludedPlan, NodePlan, ResourcePlan

MARKS = {"create": "+", "update": "~", "restart": "~", "remove": "-"}
_MOST_NAMED = 4
"""How many nodes one list names before it counts them."""
_MOST_FOLLOWED = 100
"""Up to how many nodes that stop with one are looked up by name."""
_NEEDS, _ANY = "needs", "any of"
_VERBS = {"hard": _NEEDS, "member": _ANY, "soft": "uses"}
_LATE = "later uses"
LOSS = "if it fails,"
"""The verb of what a failure of a node does."""
_REASONS = {"configured": "of an unknown API"}


class Relation(NamedTuple):
    """What one node has to do with others.

    Attributes:
        verb: ``needs``, ``any of``, ``uses``, ``later uses`` or `LOSS`.
        text: The others.
    """

    verb: str
    text: str


class PlanWords:
    """The words for the nodes of one plan.

    Args:
        plan: The plan.
    """

    def __init__(self, plan: Plan) -> None:
        self._nodes = {node.address: node for node in plan.nodes}

    def relations(self, node: NodePlan) -> Iterator[Relation]:
        """Yield what *node* waits for, and what its failure would do."""
        found: dict[str, list[str]] = {}
        for one in node.dependencies:
            verb = _LATE if one.status == "dropped" else _VERBS.get(one.strength, one.strength)
            found.setdefault(verb, []).append(one.address)
        if len(found.get(_ANY, ())) == 1:
            found.setdefault(_NEEDS, []).extend(found.pop(_ANY))
        for verb in (*_VERBS.values(), _LATE):
            if verb in found:
                yield Relation(verb, self.named(found[verb]))
        loss = self._loss(node)
        if loss:
            yield Relation(LOSS, loss)

    def named(self, addresses: Sequence[str]) -> str:
        """Return a few addresses by name, many by number: ``23 providers of inference``."""
        if len(addresses) <= _MOST_NAMED:
            return ", ".join(map(printable, addresses))
        groups: dict[str, list[str]] = {}
        for address in addresses:
            node = self._nodes.get(address)
            is_provider = node is not None and node.kind == "provider"
            group = f"providers of {node.api}" if node is not None and is_provider else ""
            groups.setdefault(group, []).append(address)
        parts: list[str] = []
        for group, members in groups.items():
            if group and len(members) > 1:
                parts.append(f"{len(members):,} {group}")
            else:
                parts += members
        if len(parts) > 2 * _MOST_NAMED:
            parts = [*parts[:_MOST_NAMED], f"{len(parts) - _MOST_NAMED:,} more"]
        return ", ".join(map(printable, parts))

    def why(self, node: NodePlan) -> str:
        """Return why *node* is there."""
        if node.why.reason == "needed":
            others = node.why.because_of
            return f"for {self.named(others)}" if others else "needed"
        return _REASONS.get(node.why.reason, node.why.reason)

    def _loss(self, node: NodePlan) -> str:
        hard, soft = node.blast_radius.hard, node.blast_radius.soft
        parts: list[str] = []
        if hard:
            names = f": {self.named(self._stopped_with(node))}" if hard <= _MOST_FOLLOWED else ""
            parts.append(f"{hard:,} {'stops' if hard == 1 else 'stop'}{names}")
        elif any(self._nodes[one].kind == "table" for one in node.dependents):
            # That a table goes on with its other members, the table says itself.
            soft -= 1
        if soft:
            parts.append(f"{soft:,} {'goes' if soft == 1 else 'go'} on without")
        return "; ".join(parts)

    def _stopped_with(self, node: NodePlan) -> list[str]:
        """Return what no longer runs when *node* fails, without itself, in start order."""
        down = {node.address}
        todo = deque([node])
        while todo:
            for address in todo.popleft().dependents:
                other = self._nodes[address]
                if address not in down and _is_down(other, down):
                    down.add(address)
                    todo.append(other)
        down.discard(node.address)
        return sorted(down, key=lambda one: (self._nodes[one].generation, one))


def _is_down(node: NodePlan, down: Collection[str]) -> bool:
    """Whether *node* cannot run without those of *down*."""
    members = [one.address for one in node.dependencies if one.strength == "member"]
    return any(one.address in down for one in node.dependencies if one.strength == "hard") or bool(
        members and all(one in down for one in members)
    )


def type_text(node: NodePlan) -> str:
    """Return what *node* is: a provider's type, or its kind."""
    return node.provider_type or {"table": "routing table"}.get(node.kind, node.kind)


def excluded_name(one: ExcludedPlan) -> str:
    """Return the address of a provider that is left out, as far as it is known."""
    return printable(one.address or f"provider:{one.api}/?")


def excluded_reason(one: ExcludedPlan) -> str:
    """Return why a provider is left out, in a few words."""
    excluded = Excluded(one.api, one.provider_id, one.provider_type, one.reason, detail=one.detail)
    return printable(excluded.summary)


def resource_text(table: NodePlan, resource: ResourcePlan) -> str:
    """Return what a table registers at start."""
    name = resource.provider_resource_id
    called = f" as {name}" if name and name != resource.identifier else ""
    return printable(f"{table.api}: {resource.identifier} on {resource.provider_id}{called}")


def change_lines(change: ChangePlan) -> list[str]:
    """Return what is to be done about one node, a line each, the first with its mark."""
    mark = MARKS.get(change.actions[-1], "~") if change.actions else " "
    action = " and ".join(change.actions)
    cause = f"depends on {', '.join(change.because_of)}" if change.because_of else ""
    if not cause and change.reason not in ("new", "removed", "config_changed"):
        cause = change.reason
    first = f"{mark} {printable(change.address)}  {action}" + (f" ({cause})" if cause else "")
    return [first, *(f"    {printable(path_text(path))}" for path in change.paths)]


def path_text(path: PathChange) -> str:
    """Return what became of one fact of a node."""
    if path.secret:
        return f"{path.path}: (secret changed)"
    if path.variables:
        verb = "has another value" if len(path.variables) == 1 else "have other values"
        return f"{path.path}: {value_text(path.after)} ({' and '.join(path.variables)} {verb})"
    sides: dict[str, list[Any]] = {"added": [path.after], "removed": [path.before]}
    shown = sides.get(path.kind, [path.before, path.after])
    return f"{path.path}: {' → '.join(map(value_text, shown))}"


def size_text(plan: Plan) -> str:
    """Return how large the graph is, such as ``51 nodes, 83 edges, 13 generations``."""
    numbers = plan.summary
    parts = (
        (numbers.nodes, "node"),
        (numbers.edges, "edge"),
        (numbers.generations, "generation"),
    )
    return ", ".join(counted(number, noun) for number, noun in parts)


def problems_text(plan: Plan) -> str:
    """Return how many problems there are, such as ``2 errors, 1 warning``."""
    numbers = plan.summary
    parts = ((numbers.errors, "error"), (numbers.warnings, "warning"), (numbers.notes, "note"))
    return ", ".join(counted(number, noun) for number, noun in parts if number) or "no problems"


def made_of(plan: Plan) -> str:
    """Return what the plan was made of: the file, and the catalog if it has a name."""
    catalog = plan.config.catalog
    name = f", catalog {catalog.name} {catalog.release or ''}".rstrip() if catalog.name else ""
    return printable(", ".join(plan.config.files)) + name


def counted(number: int, noun: str) -> str:
    """Return *number* of *noun*, such as ``1 node`` or ``2 nodes``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

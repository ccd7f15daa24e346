"""What a plan says, line by line; its text and its Markdown are made of this."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.address import Address
from rungraph.graph.config.run_config import Excluded
from rungraph.graph.diff.model import NEXT_START
from rungraph.graph.diff.render import change_text
from rungraph.graph.groups import in_words, member_groups
from rungraph.graph.markup import Code, MarkedLine, Strong
from rungraph.graph.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rungraph.graph.markup import Spans
    from rungraph.graph.plan.model import Plan, QueryPlan
    from rungraph.graph.plan.model_graph import NodePlan, PlacePlan
    from rungraph.graph.plan.model_requests import (
        ChangePlan,
        FactChangePlan,
        FailuresPlan,
        TimingsPlan,
    )

_MARKS = {"create": "+", "remove": "-"}
_FACT_MARKS = {"added": "+", "removed": "-"}
_MOST_NAMED = 4
"""How many nodes one list names before it counts them."""
_MEMBERS = "any of"
_VERBS = {"hard": "needs", "member": _MEMBERS, "soft": "uses"}
_LATE = "later uses"
LOSS = "if it fails,"
"""The verb of what a failure of a node does."""


class Relation(NamedTuple):
    """What one node has to do with others.

    Attributes:
        verb: ``needs``, ``any of``, ``uses``, ``later uses`` or `LOSS`.
        text: The others.
    """

    verb: str
    text: str


class Row(NamedTuple):
    """A node, or a provider that is left out, as a row of a table."""

    name: str
    type: str
    place: PlacePlan | None
    why: str


class Section(NamedTuple):
    """Lines under a title; marked ones, or others."""

    title: Spans
    lines: Sequence[Spans] = ()
    marked: Sequence[MarkedLine] = ()


class PlanSections:
    """The sections of one plan.

    Args:
        plan: The plan.

    Attributes:
        cyclic: The nodes that never start, because they need each other.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._nodes = {node.address: node for node in plan.nodes}
        self.cyclic = frozenset(
            address for one in plan.cycles if one.resolution == "error" for address in one.path
        )

    def row(self, node: NodePlan) -> Row:
        """Return what *node* is, and why it is there."""
        kind = node.provider_type or Address.parse(node.address).kind.label
        why = "of an unknown API" if node.why.reason == "configured" else node.why.reason
        if node.why.because_of:
            why = f"for {self.named(node.why.because_of)}"
        return Row(node.address, kind, node.place, why)

    def excluded(self) -> list[Row]:
        """Return the providers that are left out."""
        return [
            Row(
                one.address or f"provider:{one.api}/?",
                one.provider_type,
                one.place,
                Excluded(
                    one.api, one.provider_id, one.provider_type, one.reason, detail=one.detail
                ).summary,
            )
            for one in self._plan.excluded
        ]

    def relations(self, node: NodePlan) -> Iterator[Relation]:
        """Yield what *node* waits for, and what its failure would do."""
        found: dict[str, list[str]] = {}
        for one in node.dependencies:
            verb = _LATE if one.status == "dropped" else _VERBS.get(one.strength, one.strength)
            found.setdefault(verb, []).append(one.address)
        if len(found.get(_MEMBERS, ())) == 1:
            found.setdefault("needs", []).extend(found.pop(_MEMBERS))
        for verb in (*_VERBS.values(), _LATE):
            if verb in found:
                yield Relation(verb, self.named(found[verb]))
        loss = self._loss(node)
        if loss:
            yield Relation(LOSS, loss)

    def _loss(self, node: NodePlan) -> str:
        radius = node.blast_radius
        hard, soft = radius.hard, radius.soft
        found: list[str] = []
        if hard:
            names = f": {self.named(radius.stops)}" if radius.stops else ""
            found.append(f"{hard:,} {'stops' if hard == 1 else 'stop'}{names}")
        elif any(self._nodes[one].kind == "table" for one in node.dependents):
            # The table itself says that it goes on with its other members.
            soft -= 1
        if soft:
            found.append(f"{soft:,} {'goes' if soft == 1 else 'go'} on without")
        if radius.resources:
            are = "is" if len(radius.resources) == 1 else "are"
            found.append(f"{self.named(radius.resources)} {are} lost")
        return "; ".join(found)

    def named(self, addresses: Sequence[str]) -> str:
        """Return a few addresses by name, many by number: ``23 providers of inference``."""
        if len(addresses) <= _MOST_NAMED:
            return ", ".join(addresses)
        groups: dict[str, list[str]] = {}
        for address in addresses:
            node = self._nodes.get(address)
            is_provider = node is not None and node.kind == "provider"
            group = f"providers of {node.api}" if node is not None and is_provider else ""
            groups.setdefault(group, []).append(address)
        names: list[str] = []
        for group, members in groups.items():
            is_many = group and len(members) > 1
            names += [f"{len(members):,} {group}"] if is_many else members
        if len(names) > 2 * _MOST_NAMED:
            names = [*names[:_MOST_NAMED], f"{len(names) - _MOST_NAMED:,} more"]
        return ", ".join(names)

    def late(self) -> Section:
        """Return what is handed over only once both ends run."""
        return Section(
            ("bound late, once both run",),
            [
                (Code(edge.dependent), " uses ", Code(edge.dependency))
                for edge in self._plan.edges
                if edge.status == "dropped"
            ],
        )

    def resources(self) -> Section:
        """Return what the tables register at start."""
        lines: list[Spans] = []
        for node in self._plan.nodes:
            groups = member_groups(node.resources)
            for one in node.resources:
                group = groups.get(one.identifier, ())
                if group and one is group[0]:
                    lines.append((Code(f"{node.api}: {one.identifier}: {in_words(group)}"),))
                name = one.provider_resource_id
                called = f" as {name}" if name and name != one.identifier else ""
                named = (f"{need.resource} on {_any_of(need.addresses)}" for need in one.needs[1:])
                needs = "".join(f", needs {each}" for each in named)
                text = f"{node.api}: {one.identifier} on {one.provider_id}{called}{needs}"
                lines.append((Code(text),))
        return Section(("registered at start",), lines)

    def requested(self) -> Iterator[Section]:
        """Yield what is there only on request: checks, changes, failures, expected times."""
        plan = self._plan
        if plan.checks:
            yield Section(("checks of the config",), list(map(_check, plan.checks)))
        if plan.against is not None:
            nothing = "nothing differs" if plan.against.equal else "no node differs"
            yield Section(
                ("against ", Code(plan.against.name)),
                [] if plan.changes else [(nothing,)],
                [line for change in plan.changes for line in _changed(change)],
            )
            later = [_fact(one, 0) for one in plan.against.next_start]
            yield Section((NEXT_START,), [], later)
        if plan.failures is not None:
            title = ("without ", Code(self.named(plan.failures.assumed)))
            yield Section(title, list(self._failures(plan.failures)))
        if plan.timings is not None:
            yield Section(("expected, from an earlier run",), list(self._timings(plan.timings)))

    def _failures(self, failures: FailuresPlan) -> Iterator[Spans]:
        for node in failures.failed:
            if node.because_of != (node.address,):
                causes = Code(self.named(node.because_of))
                yield Strong("stops", "error"), "    ", Code(node.address), ", because of ", causes
        for lost in failures.resources:
            causes = Code(self.named(lost.because_of))
            yield Strong("lost", "error"), "     ", Code(lost.resource), ", because of ", causes
        for one in failures.degraded:
            lacks = Code(self.named(one.without))
            yield Strong("goes on", "warning"), "  ", Code(one.address), ", without ", lacks
        for word, role in (("lost", "error"), ("degraded", "warning"), ("ok", "help")):
            apis = [one.api for one in failures.apis if one.availability == word]
            if apis:
                yield "APIs ", Strong(word, role), ": ", Code(", ".join(apis))

    def _timings(self, timings: TimingsPlan) -> Iterator[Spans]:
        by_generation, by_need = timings.total_by_generation, timings.total_by_need
        text = f"ready after {by_generation:.2f} s, with --schedule ready after {by_need:.2f} s"
        yield (text,)
        yield "critical path: ", Code(" → ".join(timings.critical_path))
        if timings.not_recorded:
            yield "not recorded: ", Code(self.named(timings.not_recorded))
        if timings.not_planned:
            yield "recorded, but not in the plan: ", Code(self.named(timings.not_planned))


def _any_of(addresses: Sequence[str]) -> str:
    """Return the ids of providers, such as ``emb`` or ``any of a, b``."""
    ids = [one.rpartition("/")[2] for one in addresses]
    return f"any of {', '.join(ids)}" if len(ids) > 1 else "".join(ids) or "no provider"


def _check(check: QueryPlan) -> Spans:
    return (
        Strong(check.status, "help" if check.status == "pass" else "error"),
        " " * (7 - len(check.status)),
        Code(f"{check.name}: {check.query}"),
        f" selects {counted(len(check.nodes), 'node')} (expected: ",
        Code(check.expect),
        ")",
    )


def _changed(change: ChangePlan) -> Iterator[MarkedLine]:
    """Yield what is to be done about one node, and what differs in it."""
    mark = _MARKS.get(change.actions[-1], "~") if change.actions else ""
    cause = f"depends on {', '.join(change.because_of)}" if change.because_of else ""
    if not cause and change.reason not in ("new", "removed", "config_changed"):
        cause = change.reason
    text = f"{change.address}  {' and '.join(change.actions)}"
    yield MarkedLine(mark, f"{text} ({cause})" if cause else text)
    yield from (_fact(one, 1) for one in change.facts)


def _fact(one: FactChangePlan, depth: int) -> MarkedLine:
    said = change_text(one.change, one.old, one.new, is_secret=one.secret, variables=one.variables)
    return MarkedLine(_FACT_MARKS.get(one.change, "~"), f"{one.path}: {said}", depth)


def size_text(plan: Plan) -> str:
    """Return how large the graph is, such as ``51 nodes, 83 edges, 13 generations``."""
    of = plan.summary
    numbers = ((of.nodes, "node"), (of.edges, "edge"), (of.generations, "generation"))
    return ", ".join(counted(number, noun) for number, noun in numbers)


def problems_text(plan: Plan) -> str:
    """Return how many problems there are, such as ``2 errors, 1 warning``."""
    of = plan.summary
    numbers = ((of.errors, "error"), (of.warnings, "warning"), (of.notes, "note"))
    return ", ".join(counted(number, noun) for number, noun in numbers if number) or "no problems"

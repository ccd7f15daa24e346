"""What a failure takes down and what goes on without it, by the rules of a start that degrades."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from rungraph.graph.model import RunGraph
    from rungraph.graph.resources import KnownResources, Resource

_Need = TypeVar("_Need")


class Needs(NamedTuple):
    """What one node depends on, each sorted.

    Attributes:
        hard: What it cannot start without.
        members: Of these it needs any, if there are some.
        soft: What it uses if it is there, also what it is only handed later.
    """

    hard: tuple[Address, ...] = ()
    members: tuple[Address, ...] = ()
    soft: tuple[Address, ...] = ()


_NOTHING = Needs()


@dataclass(frozen=True)
class Failures:
    """What becomes of a graph when some of its nodes do not start.

    Attributes:
        assumed: The nodes that were said to fail, in start order.
        causes: Each node that does not run, in start order, with those of *assumed* that keep it
            from running: itself, unless others keep it from starting at all.
        without: Each node that runs without something that it uses, in start order, with what it
            lacks: an optional dependency, some but not all members of a table, or what resources
            of a table stand on.
        apis: Each served API, sorted, and its availability: ``lost`` when what answers for it does
            not run or has nothing left to answer from, ``degraded`` when that, or its table, runs
            without something, else ``ok``.
        resources: Each resource of the run config that cannot be requested, sorted, with those of
            *assumed* that keep it from that; of members of one only when all are lost.
    """

    assumed: tuple[Address, ...]
    causes: Mapping[Address, tuple[Address, ...]]
    without: Mapping[Address, tuple[Address, ...]]
    apis: Mapping[str, str]
    resources: Mapping[Resource, tuple[Address, ...]]

    @property
    def failed(self) -> tuple[Address, ...]:
        """The nodes that do not run, those that were said to fail included, in start order."""
        return tuple(self.causes)

    @property
    def degraded(self) -> tuple[Address, ...]:
        """The nodes that run without something that they use, in start order."""
        return tuple(self.without)

    @property
    def lost(self) -> tuple[str, ...]:
        """The served APIs that answer no more, sorted."""
        return tuple(api for api, word in self.apis.items() if word == "lost")


def assume_failed(graph: RunGraph, addresses: Iterable[Address | str]) -> Failures:
    """Return what becomes of *graph* when the nodes *addresses* do not start.

    The rules are those of a stack that starts with ``on_failure="degrade"``: what needs a node that
    is down is down, a table is down when it has members and all of them are, and whatever only uses
    a node goes on without it. A resource is down with its provider, and with what it names of other
    tables, such as the model that a memory bank embeds with; where only a running provider can say
    whether it serves that, it is down with all that can.

    Args:
        graph: The graph. Where hard dependencies form a cycle, the failure of one of its
            nodes takes the whole cycle down.
        addresses: The nodes that are said to fail.

    Raises:
        KeyError: If one of them is not in the graph; the text names the nearest address.

    Examples:
        >>> from rungraph.graph import compile_config
        >>> graph = compile_config({"providers": {"inference": [
        ...     {"provider_id": "a", "provider_type": "inline::wordllama"},
        ...     {"provider_id": "b", "provider_type": "inline::wordllama"},
        ... ]}}, environment={})
        >>> one = assume_failed(graph, ["provider:inference/a"])
        >>> [str(node) for node in one.failed], [str(node) for node in one.degraded]
        (['provider:inference/a'], ['table:models'])
        >>> assume_failed(graph, ["provider:inference/a", "provider:inference/b"]).lost
        ('inference', 'models')
    """
    assumed = frozenset(graph[address].address for address in addresses)
    needs = needs_of(graph)
    causes = _causes(graph, assumed, needs)
    known = graph.known_resources
    lost = _lost(known, causes)
    without: dict[Address, tuple[Address, ...]] = {}
    for address in graph:
        if address in causes:
            continue
        found = needs.get(address, _NOTHING)
        lacking = [one for one in found.members + found.soft if one in causes]
        for resource, culprits in lost.items():
            if known.table_of(resource) == address and resource.provider not in causes:
                lacking += culprits
        if lacking:
            without[address] = tuple(dict.fromkeys(lacking))
    gone = causes.keys() | known.providers_of_only(lost)
    availability = {
        api: _availability(address, needs, gone, without) for api, address in graph.serving.items()
    }
    in_order = tuple(address for address in causes if address in assumed)
    configured = {one: lost[one] for one in known.lost_to_callers(lost)}
    return Failures(in_order, causes, without, availability, configured)


def _lost(
    known: KnownResources, causes: Mapping[Address, tuple[Address, ...]]
) -> dict[Resource, tuple[Address, ...]]:
    """Return the known resources that cannot be requested, sorted, and because of which nodes."""
    down: dict[Address | Resource, tuple[Address, ...]] = {}
    down |= causes.items()
    todo: list[Address | Resource] = [*causes]
    while todo:
        for resource in known.dependents.get(todo.pop(), ()):
            needs = known.needs[resource]
            lost = [any_of for any_of in needs if all(map(down.__contains__, any_of))]
            found = tuple(sorted({one for any_of in lost for need in any_of for one in down[need]}))
            if down.get(resource, ()) != found:
                down[resource] = found
                todo.append(resource)
    return {one: down[one] for one in sorted(known.needs.keys() & down.keys())}


class BlastRadius(NamedTuple):
    """What becomes of others when one node alone does not start.

    Attributes:
        stops: The other nodes that then do not run either.
        lacks: The nodes that then run without something that they use.
        resources: The resources of the run config that then cannot be requested.
    """

    stops: frozenset[Address]
    lacks: frozenset[Address]
    resources: frozenset[Resource] = frozenset()


def blast_radii(graph: RunGraph) -> dict[Address, BlastRadius]:
    """Return what the failure of each node alone does, in start order; see `assume_failed`.

    Each walk stays among the nodes that stop, which are few in run configs: a member of a table
    with other members stops nothing.
    """
    needs = needs_of(graph)
    dependents: defaultdict[Address, list[Address]] = defaultdict(list)
    tables: defaultdict[Address, list[Address]] = defaultdict(list)
    lacking: defaultdict[Address, set[Address]] = defaultdict(set)
    for address, found in needs.items():
        for one in found.hard:
            dependents[one].append(address)
        for one in found.members:
            tables[one].append(address)
        for one in (*found.members, *found.soft):
            lacking[one].add(address)
    known = graph.known_resources
    radii: dict[Address, BlastRadius] = {}
    for start in graph:
        down, todo = {start}, [start]
        while todo:
            one = todo.pop()
            stopped = {table for table in tables[one] if down.issuperset(needs[table].members)}
            stopped = stopped.union(dependents[one]) - down
            down |= stopped
            todo += stopped
        lacks = set[Address]().union(*map(lacking.__getitem__, down))
        lost: frozenset[Resource] = frozenset()
        if not known.dependents.keys().isdisjoint(down):
            every = _lost(known, dict.fromkeys(down, (start,)))
            lacks |= {known.table_of(one) for one in every if one.provider not in down}
            lost = frozenset(known.lost_to_callers(every))
        radii[start] = BlastRadius(frozenset(down - {start}), frozenset(lacks - down), lost)
    return radii


def needs_of(graph: RunGraph) -> dict[Address, Needs]:
    """Return what each node of *graph* depends on; nodes that depend on nothing are left out."""
    found: dict[Address, tuple[list[Address], list[Address], list[Address]]] = {}
    index = {Strength.HARD: 0, Strength.MEMBER: 1, Strength.SOFT: 2}
    for edge in (*graph.edges, *graph.dropped):
        if edge.dependent not in found:
            found[edge.dependent] = ([], [], [])
        found[edge.dependent][index[edge.strength]].append(edge.dependency)
    return {
        address: Needs(tuple(hard), tuple(members), tuple(sorted(soft)))
        for address, (hard, members, soft) in found.items()
    }


def blocking(
    hard: Iterable[_Need], members: Collection[_Need], is_down: Callable[[_Need], bool]
) -> list[_Need]:
    """Return which of its needs keep a node from starting: by none, it can start.

    Args:
        hard: What it cannot start without.
        members: Of these it needs any, if there are some.
        is_down: Whether a need does not run.
    """
    down = [one for one in hard if is_down(one)]
    return [*down, *members] if members and all(map(is_down, members)) else down


def _causes(
    graph: RunGraph, assumed: frozenset[Address], needs: Mapping[Address, Needs]
) -> dict[Address, tuple[Address, ...]]:
    """Return what does not run, in start order, and because of what."""
    causes: dict[Address, tuple[Address, ...]] = {}
    before = -1
    # One round is all, unless there is a cycle: its nodes share a generation.
    while before != len(causes):
        before = len(causes)
        for address in graph:
            if address in causes:
                continue
            found = needs.get(address, _NOTHING)
            down = blocking(found.hard, found.members, causes.__contains__)
            if down:
                causes[address] = tuple(dict.fromkeys(one for d in down for one in causes[d]))
            elif address in assumed:
                causes[address] = (address,)
    return {address: causes[address] for address in graph if address in causes}


def _availability(
    address: Address,
    needs: Mapping[Address, Needs],
    gone: AbstractSet[Address],
    without: Mapping[Address, object],
) -> str:
    if address in gone:
        return "lost"
    tables = [one for one in needs.get(address, _NOTHING).hard if one.kind is NodeKind.TABLE]
    if address.kind is not NodeKind.ROUTER or not tables:
        return "degraded" if address in without else "ok"
    members = [one for table in tables for one in needs.get(table, _NOTHING).members]
    if members and gone >= {*members}:
        return "lost"
    return "degraded" if any(one in without for one in (address, *tables)) else "ok"

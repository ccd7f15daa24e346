"""What is laid over a picture: marks of a plan, of a difference, of states and times of a run."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.graph.address import Address
from rungraph.graph.nodes import Edge, Strength
from rungraph.graph.wording import counted, duration

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rungraph.graph.diff import GraphDiff
    from rungraph.graph.failures import Failures
    from rungraph.graph.model import RunGraph


class Role(StrEnum):
    """How a mark looks, the most telling first; what it means is said by its overlay."""

    FAILED = "failed"
    LOST = "lost"
    """It comes to nothing because something else failed."""
    REMOVED = "removed"
    ADDED = "added"
    CHANGED = "changed"
    WARNED = "warned"
    BUSY = "busy"
    CRITICAL = "critical"
    AFFECTED = "affected"
    LEFT_OUT = "left out"
    WAITING = "waiting"
    GOOD = "good"
    PLAIN = "plain"
    """Nothing happens to it; drawn pale, so that the rest stands out."""

    __hash__ = str.__hash__


class Mark(NamedTuple):
    """What is said of a node or an arrow.

    Attributes:
        role: How it looks.
        text: A few words or numbers below the node's name; empty for none.
    """

    role: Role
    text: str = ""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is laid over a picture of a graph.

    Attributes:
        marks: The nodes that are marked, ghosts among them.
        edge_marks: The edges that are marked, by their ends: dependency, dependent.
        ghosts: Nodes that are not in the graph, each with the details written on it.
        ghost_edges: Edges that are not in the graph; their ends are nodes of it or ghosts.
        meanings: What each role means here, for the legend, in its order.
        caption: What the overlay shows, in a line.
    """

    marks: Mapping[Address, Mark] = field(default_factory=dict["Address", Mark])
    edge_marks: Mapping[tuple[Address, Address], Mark] = field(
        default_factory=dict["tuple[Address, Address]", Mark]
    )
    ghosts: Mapping[Address, tuple[str, ...]] = field(
        default_factory=dict["Address", tuple[str, ...]]
    )
    ghost_edges: tuple[Edge, ...] = ()
    meanings: Mapping[Role, str] = field(default_factory=dict[Role, str])
    caption: str = ""


def urgency(mark: Mark) -> int:
    """Return what marks are sorted by where there is room for one: the most telling first."""
    return list(Role).index(mark.role)


def plan_overlay(graph: RunGraph, failures: Failures | None = None) -> Overlay:
    """Return what a plan says: what is created, what is left out and why, what fails.

    Args:
        graph: What is planned.
        failures: What is assumed to fail; None when nothing is.
    """
    failed = frozenset(failures.failed) if failures else frozenset()
    degraded = frozenset(failures.degraded) if failures else frozenset()
    marks = {address: Mark(Role.PLAIN if failures else Role.ADDED) for address in graph.nodes}
    marks |= {address: Mark(Role.WARNED, "runs without") for address in sorted(degraded)}
    marks |= {address: Mark(Role.FAILED, "fails") for address in sorted(failed)}
    # One whose id does not tell what it would be called is counted, but is no node.
    ghosts = {
        one.address: (one.provider_type, one.summary)
        for one in graph.excluded
        if one.address and one.address not in graph.nodes
    }
    marks |= {address: Mark(Role.LEFT_OUT) for address in ghosts}
    counts = [f"{len(graph.nodes) - len(failed):,} created"]
    counts += [f"{len(failed):,} fail"] if failed else []
    counts += [f"{len(degraded):,} run without something they use"] if degraded else []
    counts += [f"{len(graph.excluded):,} left out"] if graph.excluded else []
    return Overlay(
        marks,
        ghosts=ghosts,
        ghost_edges=tuple(_edges_of_excluded(graph, ghosts)),
        meanings={
            Role.ADDED: "created",
            Role.PLAIN: "created",
            Role.WARNED: "runs without something it uses",
            Role.FAILED: "fails or cannot start",
            Role.LEFT_OUT: "left out",
        },
        caption=f"plan: {', '.join(counts)}",
    )


def _edges_of_excluded(graph: RunGraph, ghosts: Iterable[Address]) -> Iterable[Edge]:
    table_of = {pair.router_api: Address.table(pair.table_api) for pair in graph.catalog.pairs}
    for address in ghosts:
        table = table_of.get(address.api)
        if table in graph.nodes and table is not None:
            yield Edge(address, table, Strength.MEMBER)


def diff_overlay(diff: GraphDiff) -> Overlay:
    """Return what differs between two graphs, laid over the later one.

    A removed node is a ghost. To draw the earlier graph with what was added, swap the two.
    """
    look = {
        "new": Mark(Role.ADDED, "new"),
        "removed": Mark(Role.REMOVED, "removed"),
        "modified": Mark(Role.CHANGED, "changed"),
    }
    marks: dict[Address, Mark] = {}
    for address, states in sorted(diff.states.items()):
        unchanged = Mark(Role.AFFECTED if "affected" in states else Role.PLAIN)
        marks[address] = next((look[state] for state in look if state in states), unchanged)
    ghosts = {address: () for address, mark in marks.items() if mark.role is Role.REMOVED}
    edge_marks: dict[tuple[Address, Address], Mark] = {}
    ghost_edges: list[Edge] = []
    for edge in diff.edges:
        ends = (edge.dependency, edge.dependent)
        edge_marks[ends] = Mark(Role(edge.change.value))
        if not edge.new:
            ghost_edges.append(Edge(*ends, Strength(edge.old[0].strength)))
    meanings = {
        Role.ADDED: "new",
        Role.CHANGED: "changed",
        Role.REMOVED: "removed",
        Role.AFFECTED: "touched by that",
        Role.PLAIN: "the same",
    }
    counts = Counter(mark.role for mark in marks.values())
    text = ", ".join(f"{counts[role]:,} {meanings[role]}" for role in meanings if counts[role])
    return Overlay(marks, edge_marks, ghosts, tuple(ghost_edges), meanings, f"diff: {text}")


_STATES = {
    "waiting": Role.WAITING,
    "starting": Role.BUSY,
    "ready": Role.GOOD,
    "degraded": Role.WARNED,
    "failed": Role.FAILED,
    "skipped": Role.LOST,
    "restarting": Role.BUSY,
    "stopping": Role.BUSY,
    "stopped": Role.WAITING,
    "stop failed": Role.FAILED,
    "killed": Role.FAILED,
}


def status_overlay(states: Mapping[Address, str]) -> Overlay:
    """Return what each node is doing, live or as it was recorded.

    Args:
        states: By node, in the words of the lifecycle's events; other words are shown as they are.
    """
    counts = Counter(states.values())
    by_role: dict[Role, list[str]] = {}
    for state in dict.fromkeys((*_STATES, *sorted(counts))):
        if counts[state]:
            by_role.setdefault(_role_of(state), []).append(state)
    shown = ", ".join(f"{counts[one]:,} {one}" for found in by_role.values() for one in found)
    return Overlay(
        {address: Mark(_role_of(state), state) for address, state in sorted(states.items())},
        meanings={role: ", ".join(found) for role, found in by_role.items()},
        caption=f"status: {shown}" if shown else "",
    )


def live_looks(events: Mapping[str, str]) -> dict[str, Any]:
    """Return what a page needs to mark nodes while things happen to them, as JSON has it.

    Args:
        events: Which state an event means, by the event's name.
    """
    states = dict.fromkeys((*_STATES, *events.values()))
    by_role: dict[str, dict[str, None]] = {}
    for state in states:
        by_role.setdefault(_role_of(state), {})[state.replace("_", " ")] = None
    return {
        "events": dict(events),
        "roles": {state: _role_of(state).value for state in states},
        "meanings": {role: ", ".join(found) for role, found in by_role.items()},
        "urgency": [role.value for role in Role],
    }


def _role_of(state: str) -> Role:
    return _STATES.get(state.replace("_", " "), Role.WARNED)


def times_overlay(
    spans: Mapping[Address, tuple[float, float]],
    critical: Sequence[Address] = (),
    states: Mapping[Address, str] | None = None,
) -> Overlay:
    """Return when each node started and how long that took, the critical path standing out.

    Args:
        spans: When each node began to start and when that was over, in seconds since the first.
        critical: The nodes that decided how long it all took, in start order.
        states: How nodes were in the end; those that were not ready stand out, and say only that.
    """
    marks: dict[Address, Mark] = {}
    for address, (begin, end) in sorted(spans.items()):
        role = Role.CRITICAL if address in critical else Role.PLAIN
        marks[address] = Mark(role, f"at {duration(begin)}, took {duration(end - begin)}")
    troubled = {at: one for at, one in sorted((states or {}).items()) if one != "ready"}
    for address, state in troubled.items():
        marks[address] = Mark(_role_of(state), state)
    whole = max((end for _, end in spans.values()), default=0.0)
    counts = [f"{count:,} {state}" for state, count in sorted(Counter(troubled.values()).items())]
    counts += [f"{counted(len(critical), 'node')} on the critical path"] if critical else []
    verb = "started in" if len(troubled) < len(marks) or not troubled else "ended after"
    return Overlay(
        marks,
        {ends: Mark(Role.CRITICAL) for ends in pairwise(critical)},
        meanings={
            Role.CRITICAL: "critical path",
            **{_role_of(state): state for state in troubled.values()},
        },
        caption=", ".join([f"{verb} {duration(whole)}", *counts]) if marks else "",
    )

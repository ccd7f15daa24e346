"""Overlays from what other parts of rungraph know: a plan, a diff, a status, a run's times."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from rungraph.graph.address import Address
from rungraph.graph.nodes import Strength
from rungraph.viz.model.labels import counted
from rungraph.viz.model.overlay import Ghost, GhostEdge, Mark, Overlay, Role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from rungraph.graph.diff import GraphDiff
    from rungraph.graph.model import RunGraph


class Failures(Protocol):
    """What is assumed to fail, and what that does: as `rungraph.graph.failures` works it out."""

    @property
    def failed(self) -> Collection[Address]:
        """What is assumed to fail, and what cannot start because of it."""
        ...

    @property
    def degraded(self) -> Collection[Address]:
        """What runs, but without something that it would use."""
        ...


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
        one.address: Ghost(one.api, (one.provider_type, one.summary))
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
        words={
            Role.ADDED: "created",
            Role.PLAIN: "created",
            Role.WARNED: "runs without something it uses",
            Role.FAILED: "fails or cannot start",
            Role.LEFT_OUT: "left out",
        },
        caption=f"plan: {', '.join(counts)}",
    )


def _edges_of_excluded(graph: RunGraph, ghosts: Iterable[Address]) -> Iterable[GhostEdge]:
    table_of = {pair.router_api: Address.table(pair.table_api) for pair in graph.catalog.pairs}
    for address in ghosts:
        table = table_of.get(address.api)
        if table in graph.nodes and table is not None:
            yield GhostEdge(address, table, Strength.MEMBER)


def diff_overlay(diff: GraphDiff) -> Overlay:
    """Return what differs between two graphs, laid over the later one.

    What is gone is a ghost. The picture of the earlier graph with what came is had by comparing
    the other way round.
    """
    look = {
        "new": Mark(Role.ADDED, "new"),
        "removed": Mark(Role.REMOVED, "removed"),
        "modified": Mark(Role.CHANGED, "changed"),
    }
    marks: dict[Address, Mark] = {}
    for address, states in sorted(diff.states.items()):
        state = next((word for word in look if word in states), None)
        if state:
            marks[address] = look[state]
        else:
            marks[address] = Mark(Role.AFFECTED if "affected" in states else Role.PLAIN)
    ghosts = {
        address: Ghost(address.api) for address, mark in marks.items() if mark.role is Role.REMOVED
    }
    edge_marks: dict[tuple[Address, Address], Mark] = {}
    ghost_edges: list[GhostEdge] = []
    for edge in diff.edges:
        ends = (edge.dependency, edge.dependent)
        edge_marks[ends] = Mark(Role(edge.change.value))
        if not edge.new:
            ghost_edges.append(GhostEdge(*ends, Strength(edge.old[0].strength)))
    words = {
        Role.ADDED: "new",
        Role.CHANGED: "changed",
        Role.REMOVED: "removed",
        Role.AFFECTED: "touched by that",
        Role.PLAIN: "the same",
    }
    counts = {role: sum(mark.role is role for mark in marks.values()) for role in words}
    text = ", ".join(f"{counts[role]:,} {words[role]}" for role in words if counts[role])
    return Overlay(marks, edge_marks, ghosts, tuple(ghost_edges), words, caption=f"diff: {text}")


_STATES = {
    "waiting": Role.WAITING,
    "starting": Role.BUSY,
    "ready": Role.GOOD,
    "degraded": Role.WARNED,
    "failed": Role.FAILED,
    "skipped": Role.LOST,
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
    words: dict[Role, list[str]] = {}
    counts: dict[str, int] = {}
    for _, state in sorted(states.items()):
        counts[state] = counts.get(state, 0) + 1
    for state in [*_STATES, *sorted(counts)]:
        if state in counts and state not in words.setdefault(_role_of(state), []):
            words[_role_of(state)].append(state)
    shown = ", ".join(f"{counts[one]:,} {one}" for role in words for one in words[role])
    return Overlay(
        {address: Mark(_role_of(state), state) for address, state in sorted(states.items())},
        words={role: ", ".join(found) for role, found in words.items()},
        caption=f"status: {shown}" if shown else "",
    )


def _role_of(state: str) -> Role:
    return _STATES.get(state.replace("_", " "), Role.WARNED)


def times_overlay(
    spans: Mapping[Address, tuple[float, float]], critical: Sequence[Address] = ()
) -> Overlay:
    """Return when each node started and how long that took, the critical path standing out.

    Args:
        spans: When each node began to start and when it was ready, in seconds since the first.
        critical: The nodes that decided how long it all took, in start order.
    """
    marks = {
        address: Mark(
            Role.CRITICAL if address in critical else Role.PLAIN,
            f"at {_seconds(begin)}, took {_seconds(end - begin)}",
        )
        for address, (begin, end) in sorted(spans.items())
    }
    whole = max((end for _, end in spans.values()), default=0.0)
    path = f", {counted(len(critical), 'node')} on the critical path" if critical else ""
    return Overlay(
        marks,
        {ends: Mark(Role.CRITICAL) for ends in pairwise(critical)},
        words={Role.CRITICAL: "critical path"},
        caption=f"started in {_seconds(whole)}{path}" if spans else "",
    )


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.2f} s"

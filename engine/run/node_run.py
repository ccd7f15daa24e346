"""One node of a running graph: what it needs and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol

from rungraph.graph.failures import blocking
from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    import networkx as nx

    from rungraph.engine.provider import ProviderReport
    from rungraph.graph.address import Address
    from rungraph.graph.place import Place


class NodeInstances(Protocol):
    """Creates and disposes of the instances behind the nodes."""

    async def open(self, address: Address, dependencies: Mapping[Address, object]) -> object:
        """Return the instance of *address*, given those of its dependencies that run."""
        ...

    async def close(self, address: Address, instance: object) -> None:
        """Dispose of *instance*; called once, in the task that opened it."""
        ...

    def drop(self, instance: object) -> None:
        """Let go at once of what *instance* does in the background; it is not shut down."""
        ...

    def lose(self, address: Address) -> None:
        """Take note that the node of *address* has failed, so that nobody is sent to it."""
        ...

    def place_of(self, address: Address) -> Place | None:
        """Return where *address* is configured."""
        ...


class Phase(Enum):
    """Where a node stands."""

    WAITING = auto()
    STARTING = auto()
    RUNNING = auto()
    STOPPING = auto()
    ENDED = auto()


@dataclass(slots=True, eq=False)
class NodeRun:
    """One node from its start to its end.

    Attributes:
        address: The node.
        generation: Its topological generation, counted from 0.
        needs: The node runs that it depends on.
        hard: Those of them without which it cannot start.
        members: Those of them of which it needs any, if it has some.
        users: How many nodes that depend on it have to stop before it.
        phase: Where it stands.
        since: When it began to start or, later, to stop.
        task: The task that starts, runs and stops it.
        turn: Done when it is to stop.
        timer: Its deadline.
        instance: What runs.
        cancelled: Whether it was cancelled because of others.
        overdue: Whether it was cancelled because its time was up.
        spared: Whether it has outlived a cancellation that nobody here asked for.
        causes: The failures that keep it from running.
        reported: What it said of itself before it was ready.
        degraded: Why it is not well; None when it is.
    """

    address: Address
    generation: int
    needs: tuple[NodeRun, ...] = ()
    hard: tuple[NodeRun, ...] = ()
    members: tuple[NodeRun, ...] = ()
    users: int = 0
    phase: Phase = Phase.WAITING
    since: float = 0.0
    task: asyncio.Task[None] | None = None
    turn: asyncio.Future[None] | None = None
    timer: asyncio.TimerHandle | None = None
    instance: object = None
    cancelled: bool = False
    overdue: bool = False
    spared: bool = False
    causes: tuple[Address, ...] = ()
    reported: ProviderReport | None = None
    degraded: str | None = None

    @property
    def is_up(self) -> bool:
        """Whether the node can be used."""
        return self.phase is Phase.RUNNING

    def root_causes(self) -> tuple[Address, ...]:
        """Return the failures that keep it from starting, in start order; empty if it can."""
        down = blocking(self.hard, self.members, lambda need: not need.is_up)
        return tuple(dict.fromkeys(cause for need in down for cause in need.causes))

    def cancel(self) -> None:
        """Cancel its task."""
        if self.task is not None:
            self.task.cancel()

    def disarm(self) -> None:
        """Forget its deadline."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def node_runs(graph: nx.DiGraph[Address]) -> dict[Address, NodeRun]:
    """Return a run for every node of *graph* (see `RunGraph.nx`), in start order."""
    runs: dict[Address, NodeRun] = {}
    for address in sorted(graph, key=lambda one: (graph.nodes[one]["generation"], one)):
        edges = sorted(graph.pred[address].items(), key=itemgetter(0))
        needs = [(runs[need], edge["strength"]) for need, edge in edges]
        runs[address] = NodeRun(
            address,
            graph.nodes[address]["generation"],
            needs=tuple(need for need, _ in needs),
            hard=tuple(need for need, strength in needs if strength == Strength.HARD),
            members=tuple(need for need, strength in needs if strength == Strength.MEMBER),
        )
    return runs

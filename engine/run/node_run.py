"""One node of a running graph: what it needs and where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Protocol

from rungraph.graph.failures import blocking
from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping

    import networkx as nx

    from rungraph.engine.errors import NodeFailure, NotRunningError
    from rungraph.engine.provider import ProviderReport
    from rungraph.graph.address import Address
    from rungraph.graph.place import Place


class NodeInstances(Protocol):
    """Creates and disposes of the instances behind the nodes."""

    async def open(self, address: Address, dependencies: Mapping[Address, object]) -> object:
        """Return the instance of *address*, given those of its dependencies that run."""
        ...

    def serve(self, address: Address, instance: object) -> None:
        """Send whoever calls *address* to *instance*, which runs now; one too late never does."""
        ...

    async def close(self, address: Address, instance: object) -> None:
        """Dispose of *instance*; called once, in the task that opened it."""
        ...

    def drop(self, address: Address, instance: object) -> None:
        """Have *instance* of *address* answer nobody any more; it is not shut down."""
        ...

    def lose(self, address: Address, why: NotRunningError) -> None:
        """Send nobody to the node of *address* any more, and say *why* to those who ask for it."""
        ...

    def take_report(self, address: Address, report: ProviderReport) -> None:
        """Take what a provider says of itself, for those who choose among several."""
        ...

    def can_rebind(self, address: Address, instance: object) -> bool:
        """Whether *instance* can be handed other dependencies while it runs."""
        ...

    async def rebind(
        self, address: Address, instance: object, dependency: Address, new: object
    ) -> None:
        """Hand *instance* of *address* a *new* instance of what it depends on."""
        ...

    def place_of(self, address: Address) -> Place | None:
        """Return where *address* is configured."""
        ...

    def restarts_of(self, address: Address) -> str:
        """Return when *address* is started again: ``never``, ``on-failure`` or ``always``."""
        ...


class Rising(Protocol):
    """The start of some nodes, as the run of one of them sees it.

    Attributes:
        culprits: What keeps it from being whole, by node.
    """

    culprits: dict[Address, NodeFailure]

    def settle(self, run: NodeRun) -> None:
        """Take note that *run* is up or not to be."""
        ...

    def skip(self, run: NodeRun, causes: tuple[Address, ...] | None = None) -> None:
        """Record that *run* does not start, because of *causes* or of what failed here."""
        ...

    def blame(self, failure: NodeFailure) -> None:
        """Take note of what keeps the start from being whole."""
        ...


class Falling(Protocol):
    """The stop of some nodes, as the run of one of them sees it."""

    def gone(self, run: NodeRun) -> None:
        """Take note that *run* has ended."""
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
        starting: What starts it; there before anything becomes of it.
        stopping: What stops it; None as long as nobody does.
        phase: Where it stands.
        due: When it was to start; it may have to wait for what it needs.
        since: When it began to start or, later, to stop.
        task: The task that starts, runs and stops it.
        turn: Done when it is to stop.
        timer: Its deadline.
        instance: What runs.
        cancelled: Whether it was cancelled because of others.
        overdue: Whether it was cancelled because its time was up.
        blocking: Whether its time was up while it held the event loop.
        breaking: Why it ends while it should run; None when it does not.
        died: The error of its own background task that has died; None as long as none has.
        spared: Whether it has outlived a cancellation that nobody here asked for.
        causes: The failures that keep it from running.
        is_skipped: Whether it was not started because of others.
        reported: What was said of it before it was ready, by concern.
        troubles: Why it is not well, by concern: each ends by itself.
        handed: What it was handed at its start.
        lacks: The failures of what it needs, as long as it runs on without that.
    """

    address: Address
    generation: int = 0
    needs: tuple[NodeRun, ...] = ()
    hard: tuple[NodeRun, ...] = ()
    members: tuple[NodeRun, ...] = ()
    starting: Rising = field(init=False)
    stopping: Falling | None = None
    phase: Phase = Phase.WAITING
    due: float = 0.0
    since: float = 0.0
    task: asyncio.Task[None] | None = None
    turn: asyncio.Future[None] | None = None
    timer: asyncio.TimerHandle | None = None
    instance: object = None
    cancelled: bool = False
    overdue: bool = False
    blocking: bool = False
    breaking: Exception | None = None
    died: Exception | None = None
    spared: bool = False
    causes: tuple[Address, ...] = ()
    is_skipped: bool = False
    reported: dict[str, ProviderReport] = field(default_factory=dict[str, Any])
    troubles: dict[str, str] = field(default_factory=dict[str, str])
    handed: frozenset[Address] = frozenset()
    lacks: tuple[Address, ...] = ()

    @property
    def is_up(self) -> bool:
        """Whether the node can be used."""
        return self.phase is Phase.RUNNING

    @property
    def degraded(self) -> str | None:
        """Why it is not well; None when it is."""
        return "; ".join(filter(None, self.troubles.values())) if self.troubles else None

    def root_causes(self) -> tuple[Address, ...]:
        """Return the failures that keep it from starting, in start order; empty if it can."""
        if not self.needs:
            return ()
        down = blocking(self.hard, self.members, lambda need: not need.is_up)
        # What was stopped, or not started, by somebody's order has no cause but itself.
        causes = (cause for need in down for cause in need.causes or (need.address,))
        return tuple(dict.fromkeys(causes))

    def cancel(self) -> None:
        """Cancel its task."""
        if self.task is not None:
            self.task.cancel()

    def disarm(self) -> None:
        """Forget its deadline."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


def link(run: NodeRun, graph: nx.DiGraph[Address], runs: Mapping[Address, NodeRun]) -> NodeRun:
    """Let *run* depend on those of *runs* that *graph* says (see `RunGraph.nx`); return it."""
    run.generation = graph.nodes[run.address]["generation"]
    run.needs = run.hard = run.members = ()
    if edges := graph.pred[run.address]:  # Most nodes need nothing.
        needs = {runs[need]: edges[need]["strength"] for need in sorted(edges)}
        run.needs = tuple(needs)
        run.hard = tuple(need for need, strength in needs.items() if strength == Strength.HARD)
        run.members = tuple(need for need, strength in needs.items() if strength == Strength.MEMBER)
    return run

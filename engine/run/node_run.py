"""One node of a running graph: what it needs, where it stands, and how its end is to be read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from rungraph.engine.errors import BackgroundError, DeadlineError, KilledError
from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.engine.provider import ProviderReport
    from rungraph.engine.run.settings import StackSettings
    from rungraph.graph.address import Address
    from rungraph.graph.nodes import Edge
    from rungraph.graph.place import Place


class NodeOrder(Protocol):
    """What running a graph reads of it."""

    def generations(self) -> tuple[tuple[Address, ...], ...]:
        """Return all nodes; each generation depends on earlier ones only."""
        ...

    def dependencies_of(self, address: Address) -> tuple[Address, ...]:
        """Return the nodes that *address* depends on."""
        ...

    def edge(self, dependency: Address, dependent: Address) -> Edge:
        """Return the edge between two nodes."""
        ...


class NodeInstances(Protocol):
    """Creates and disposes of the instances behind the nodes."""

    async def open(self, address: Address, dependencies: Mapping[Address, object]) -> object:
        """Return the instance of *address*, given those of its dependencies that run."""
        ...

    async def close(self, address: Address, instance: object) -> None:
        """Dispose of *instance*; called once, in the task that opened it."""
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
        needs: The node runs that it depends on.
        hard: Those of them without which it cannot start.
        members: Those of them of which it needs any, if it has some.
        blocked: How many of *needs* are neither up nor out of the way.
        dependents: The node runs that depend on it.
        users: How many of them have to stop before it.
        phase: Where it stands.
        since: When it began to start or, later, to stop.
        task: Where it runs.
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
    needs: tuple[NodeRun, ...] = ()
    hard: tuple[NodeRun, ...] = ()
    members: tuple[NodeRun, ...] = ()
    blocked: int = 0
    dependents: list[NodeRun] = field(default_factory=list["NodeRun"])
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
        down = [need for need in self.hard if not need.is_up]
        if self.members and not any(member.is_up for member in self.members):
            down += self.members
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

    def start_error(self, error: BaseException | None, settings: StackSettings) -> BaseException:
        """Return why its start failed, given what the start raised; None: it is left behind."""
        if self.overdue:
            return _late("start", settings.start_timeout, error, abandoned=error is None)
        if error is None or isinstance(error, asyncio.CancelledError):
            return _from_within("start", error)
        return error

    def stop_error(
        self, error: BaseException | None, settings: StackSettings, *, killed: bool
    ) -> BaseException | None:
        """Return what was wrong with its stop, given what the stop raised; None if nothing."""
        if isinstance(error, DeadlineError | KilledError):
            return error
        if self.overdue:
            return _late("stop", settings.stop_timeout, error, abandoned=False)
        if isinstance(error, asyncio.CancelledError):
            if killed:
                return KilledError("killed while it was stopping")
            return _from_within("stop", error)
        return error


def node_runs(order: NodeOrder) -> Iterator[tuple[int, NodeRun]]:
    """Yield a run for every node, each after those it needs, with its generation's number."""
    runs: dict[Address, NodeRun] = {}
    for number, generation in enumerate(order.generations()):
        for address in generation:
            needs: list[NodeRun] = []
            hard: list[NodeRun] = []
            members: list[NodeRun] = []
            for dependency in order.dependencies_of(address):
                need = runs[dependency]
                needs.append(need)
                strength = order.edge(dependency, address).strength
                if strength is Strength.HARD:
                    hard.append(need)
                elif strength is Strength.MEMBER:
                    members.append(need)
            run = NodeRun(address, tuple(needs), tuple(hard), tuple(members), len(needs))
            for need in needs:
                need.dependents.append(run)
            runs[address] = run
            yield number, run


def _late(
    action: str, seconds: float, error: BaseException | None, *, abandoned: bool
) -> DeadlineError:
    late = DeadlineError(action, seconds, abandoned=abandoned)
    late.__cause__ = error if isinstance(error, Exception) else None
    return late


def _from_within(action: str, error: BaseException | None) -> BackgroundError:
    own = BackgroundError(f"its {action} was cancelled from within")
    own.__cause__ = error
    return own

"""Chains of nodes on a virtual clock, so that no test of starting and stopping waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import networkx as nx
from tests.property.strategies_graphs import (
    PlainInstances,
    node,
    run_virtually,
    with_generations,
)

from rungraph.engine.errors import NotRunningError, StartError, StopError
from rungraph.engine.events import EventLog
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.settings import StackSettings
from rungraph.graph.address import Address
from rungraph.graph.nodes import Strength
from rungraph.graph.place import Place

A, B, C, D = map(node, range(4))
Step = Callable[[], Awaitable[object]]


@dataclass
class Chain(PlainInstances):
    """Nodes that each need those before the arrow, and functions that open and close them.

    Attributes:
        needs: What each node depends on, dependencies first.
        opening: What opening a node does; by default nothing.
        closing: What closing a node does; by default nothing.
        did: What was opened, closed and handed over, in order.
        strength: How much they need each other.
        restarts: When what breaks is started again.
        binds: What can be handed another dependency while it runs.
        lost: What those were told who asked for what does not run.
        error: What its start or stop has raised.
    """

    needs: Mapping[Address, tuple[Address, ...]]
    opening: dict[Address, Step] = field(default_factory=dict[Address, Step])
    closing: dict[Address, Step] = field(default_factory=dict[Address, Step])
    did: list[str] = field(default_factory=list[str])
    strength: Strength = Strength.HARD
    restarts: str = "never"
    binds: frozenset[Address] = frozenset()
    lost: list[str] = field(default_factory=list[str])
    error: StartError | StopError | None = None

    @property
    def nx(self) -> nx.DiGraph[Address]:
        graph: nx.DiGraph[Address] = nx.DiGraph()
        for address, needs in self.needs.items():
            graph.add_node(address)
            graph.add_edges_from(((need, address) for need in needs), strength=self.strength.value)
        return with_generations(graph)

    async def open(self, address: Address, dependencies: Mapping[Address, object]) -> object:
        if address in self.opening:
            await self.opening[address]()
        self.did.append(f"+{address.name}")
        return address

    async def close(self, address: Address, instance: object) -> None:
        assert instance == address
        self.did.append(f"-{address.name}")
        if address in self.closing:
            await self.closing[address]()

    def lose(self, address: Address, why: NotRunningError) -> None:
        """Write down who asks for it is told what."""
        self.lost.append(str(why))

    def can_rebind(self, address: Address, instance: object) -> bool:
        return address in self.binds

    async def rebind(
        self, address: Address, instance: object, dependency: Address, new: object
    ) -> None:
        self.did.append(f"{address.name}<{dependency.name}")

    def restarts_of(self, address: Address) -> str:
        return self.restarts

    def place_of(self, address: Address) -> Place | None:
        return Place("run.yaml", int(address.name[1:]) + 1, 5)


QUICK = StackSettings(start_timeout=5, stop_timeout=3, cancel_timeout=1)


def run(
    chain: Chain,
    settings: StackSettings = QUICK,
    block: Callable[[Lifecycle], Awaitable[object]] | None = None,
    log: EventLog | None = None,
) -> tuple[EventLog, float]:
    """Start *chain*, run *block*, stop; return the events and how long all took."""
    log = EventLog() if log is None else log

    async def main() -> None:
        try:
            await up_and_down(lifecycle_of(chain, settings, log), block)
        except (StartError, StopError) as error:
            chain.error = error
        assert asyncio.all_tasks() == {asyncio.current_task()}

    return log, time_of(main())


def lifecycle_of(
    chain: Chain, settings: StackSettings = QUICK, log: EventLog | None = None
) -> Lifecycle:
    """Return what starts and stops *chain*, and tells *log*."""
    return Lifecycle(chain.nx, chain, settings, (EventLog() if log is None else log).append)


async def up_and_down(
    lifecycle: Lifecycle, block: Callable[[Lifecycle], Awaitable[object]] | None = None
) -> None:
    """Start, run *block*, stop."""
    await lifecycle.start()
    try:
        if block is not None:
            await block(lifecycle)
    finally:
        await lifecycle.stop()


async def forever(_: Lifecycle) -> None:
    """Do nothing until it is cancelled."""
    await asyncio.Event().wait()


def error_of(chain: Chain) -> StartError | StopError:
    """Start and stop *chain*; return what was raised."""
    run(chain)
    assert chain.error is not None
    return chain.error


def hold_groups(
    chain: Chain, *held: Address, enter: Callable[[], Any] = asyncio.TaskGroup
) -> dict[Address, list[Any]]:
    """Let nodes of *chain*, or all, each hold a task group open; return these, oldest first."""
    groups: dict[Address, list[Any]] = {address: [] for address in held or chain.needs}

    def hold(open_groups: list[Any]) -> tuple[Step, Step]:
        async def opening() -> None:
            group = enter()
            await group.__aenter__()
            open_groups.append(group)

        async def closing() -> None:
            await open_groups[-1].__aexit__(None, None, None)

        return opening, closing

    for address, open_groups in groups.items():
        chain.opening[address], chain.closing[address] = hold(open_groups)
    return groups


def spawn(group: Any, work: Step) -> None:
    """Begin *work* in a task group of asyncio or of anyio."""
    if isinstance(group, asyncio.TaskGroup):
        group.create_task(cast("Coroutine[Any, Any, object]", work()))
    else:
        group.start_soon(work)


def break_down(group: Any) -> None:
    """Let work in a task group fail."""
    spawn(group, after(0, ConnectionError("lost")))


def time_of(main: Coroutine[Any, Any, None]) -> float:
    """Run *main* on the virtual clock; return how long it took."""

    async def timed() -> float:
        await main
        return asyncio.get_running_loop().time()

    return run_virtually(timed())


def after(seconds: float, error: BaseException | None = None) -> Callable[[], Awaitable[None]]:
    """Return a function that takes *seconds* and then raises *error*."""

    async def wait() -> None:
        await asyncio.sleep(seconds)
        if error is not None:
            raise error

    return wait


def cleaning_up(chain: Chain) -> Step:
    """Return a start of four seconds that takes half a second to clean up, and then says so."""

    async def slow() -> None:
        try:
            await asyncio.sleep(4)
        finally:
            await asyncio.sleep(0.5)
            chain.did.append("sibling ended")

    return slow


async def ignore_cancellation() -> None:
    """Go on for a thousand cancellations."""
    for _ in range(1000):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1)

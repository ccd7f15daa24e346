"""Random schedules on a virtual clock: graphs whose nodes fail in every way while they are changed.

Each seed is one schedule, always the same: a graph of 5 to 60 nodes, what every start and stop and
every moment between them does, and when the stack is reloaded, cancelled, killed or stopped.

    python -m tests.property.schedules 20000        # or COUNT FIRST_SEED
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import networkx as nx
from tests.property.strategies_graphs import node, run_virtually

from rungraph.engine.errors import EngineError, NotRunningError, StartError, StopError
from rungraph.engine.events import EventLog, State
from rungraph.engine.provider import ProviderReport
from rungraph.engine.run.changes import Exchange
from rungraph.engine.run.errors import ReloadError, RunError
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.settings import StackSettings
from rungraph.graph.address import Address
from rungraph.graph.closure import closure_of
from rungraph.graph.nodes import Strength
from rungraph.graph.place import Place

FAULTS = ("crash", "hang", "swallow", "stubborn", "exit", "cancelled", "slow")
"""How a start or a stop goes wrong, besides being well."""
BREAKS = ("crashes", "ends", "crashes again", "reports", "crashes at once")
"""What a running node does by itself."""
_LONG = 1_000.0


class LawError(AssertionError):
    """Raised when a law is broken; names it and the seed."""


@dataclass
class Plan:
    """One schedule."""

    seed: int
    graph: nx.DiGraph[Address]
    starts: dict[Address, str] = field(default_factory=dict[Address, str])
    stops: dict[Address, str] = field(default_factory=dict[Address, str])
    breaks: dict[Address, tuple[str, float]] = field(
        default_factory=dict[Address, tuple[str, float]]
    )
    restarts: dict[Address, str] = field(default_factory=dict[Address, str])
    binds: set[Address] = field(default_factory=set[Address])
    seconds: dict[Address, float] = field(default_factory=dict[Address, float])


def graph_of(random: Random, nodes: list[Address]) -> nx.DiGraph[Address]:
    """Return a random graph of *nodes* without cycles."""
    graph: nx.DiGraph[Address] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    strengths = [Strength.HARD] * 4 + [Strength.SOFT, Strength.MEMBER]
    for number, address in enumerate(nodes):
        for need in random.sample(nodes[:number], min(number, random.randrange(4))):
            graph.add_edge(need, address, strength=random.choice(strengths).value)
    for number, generation in enumerate(nx.topological_generations(graph)):
        graph.add_nodes_from(generation, generation=number)
    return graph


def plan_of(seed: int) -> tuple[Plan, Random]:
    """Return the schedule of *seed*, and what decides all that is left."""
    random = Random(seed)  # noqa: S311  (no secret)
    nodes = [node(number) for number in range(random.randint(5, 60))]
    plan = Plan(seed, graph_of(random, nodes))
    wicked = random.choice([0.0, 0.02, 0.1])
    for address in [node(number) for number in range(80)]:  # Those of a reload, too.
        plan.seconds[address] = random.choice([0.0, 0.1, 0.5, 1.0, 2.0])
        plan.restarts[address] = random.choice(["on-failure", "on-failure", "always", "never"])
        if random.random() < wicked:
            plan.starts[address] = random.choice(FAULTS)
        if random.random() < wicked:
            plan.stops[address] = random.choice(FAULTS)
        if random.random() < wicked * 2:
            plan.breaks[address] = random.choice(BREAKS), random.uniform(0, 8)
        if random.random() < 0.3:
            plan.binds.add(address)
    return plan, random


class Nodes:
    """Opens and closes nodes as a plan says, and holds them to the laws meanwhile."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.graph = plan.graph
        self.open_now: Counter[Address] = Counter()
        self.instances: dict[int, tuple[Address, asyncio.Task[Any] | None, set[int]]] = {}
        self.lives: Counter[Address] = Counter()
        self.broken: set[int] = set()
        self.closed: Counter[int] = Counter()
        self.ended: set[int] = set()
        self.broken_laws: list[str] = []
        self.left: set[Address] = set()
        self.is_over = False
        self.rebound: dict[int, set[int]] = {}

    def law(self, holds: object, text: str) -> None:
        """Take note of a law that is broken; what a node raises here is caught by what runs it."""
        if not holds:
            self.broken_laws.append(f"seed {self.plan.seed}: {text}")

    async def open(self, address: Address, dependencies: Mapping[Address, object]) -> object:
        """Start *address* as it is planned."""
        self.law(not self.is_over, f"{address} starts after the end")
        edges = self.graph.pred[address]
        for need, edge in edges.items():
            if edge["strength"] == Strength.HARD:
                self.law(need in dependencies, f"{address} starts without {need}")
        members = {need for need, edge in edges.items() if edge["strength"] == Strength.MEMBER}
        self.law(not members or members & dependencies.keys(), f"{address} has no member")
        for need, instance in dependencies.items():
            is_open = not self.closed[id(instance)]
            self.law(is_open, f"{address} is handed {need}, which is closed")
        how = self.plan.starts.get(address, "well")
        await self._do(how, self.plan.seconds[address], address)
        instance = [address]
        self.lives[address] += 1
        self.law(not self.open_now[address] or address in self.left, f"{address} runs twice")
        self.open_now[address] += 1
        task = asyncio.current_task()
        self.instances[id(instance)] = address, task, set(map(id, dependencies.values()))
        self._keep = getattr(self, "_keep", [])
        self._keep.append(instance)  # So that no other one has its id.
        self._plan_break(address, instance, task)
        return instance

    def _plan_break(self, address: Address, instance: object, task: Any) -> None:
        what, after = self.plan.breaks.get(address, ("", 0.0))
        again = what == "crashes again"
        if what in ("", "reports") or (self.lives[address] > 1 and not again):
            return

        def end() -> None:
            if not self.closed[id(instance)] and not task.done():
                self.broken.add(id(instance))
                task.cancel()

        loop = asyncio.get_running_loop()
        loop.call_later(0.0 if what == "crashes at once" else after, end)

    async def close(self, address: Address, instance: object) -> None:
        """Stop *address* as it is planned."""
        mine = self.instances[id(instance)]
        self.law(mine[0] == address, f"{address} is handed another's instance")
        self.law(mine[1] is asyncio.current_task(), f"{address} is closed in another task")
        self.closed[id(instance)] += 1
        self.open_now[address] -= 1
        self.law(self.closed[id(instance)] == 1, f"{address} is closed twice")
        for other, (user, task, needs) in self.instances.items():
            is_up = other not in self.ended and task is not None and not task.done()
            needs_it = id(instance) in needs and self._needs(user, address)
            if needs_it and is_up and user not in self.left:
                is_excused = id(instance) in self.broken or user in self.plan.binds
                self.law(is_excused or other in self.broken, f"{address} stops before {user}")
        how = self.plan.stops.get(address, "well")
        try:
            await self._do(how, self.plan.seconds[address] / 4, address)
        finally:
            self.ended.add(id(instance))
        if id(instance) in self.broken and self.plan.breaks[address][0] != "ends":
            msg = "broke"
            raise ConnectionError(msg)

    def _needs(self, user: Address, need: Address) -> bool:
        edge = self.plan.graph.edges.get((need, user), self.graph.edges.get((need, user)))
        return edge is not None and edge["strength"] == Strength.HARD

    async def _do(self, how: str, seconds: float, address: Address) -> None:
        ignored = {"swallow": 1, "stubborn": 9}.get(how, 0)
        if ignored or how == "hang":
            self.left.add(address)
        if how == "hang":
            await asyncio.Event().wait()
        await asyncio.sleep(_LONG if how == "slow" else seconds) if not ignored else None
        while ignored:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(_LONG)
            ignored -= 1
        if how == "slow":
            self.left.add(address)
        if how == "crash":
            msg = "planned"
            raise ConnectionError(msg)
        if how == "exit":
            raise SystemExit(3)
        if how == "cancelled":
            raise asyncio.CancelledError

    def drop(self, instance: object) -> None:
        """Do nothing."""

    def lose(self, address: Address, why: NotRunningError) -> None:
        """Hold what callers are told to be a sentence."""
        self.law(str(why), f"{address} is lost without a reason")

    def can_rebind(self, address: Address, instance: object) -> bool:
        """Whether the plan says so."""
        return address in self.plan.binds

    async def rebind(
        self, address: Address, instance: object, dependency: Address, new: object
    ) -> None:
        """Take the new instance, which must run."""
        self.law(not self.closed[id(new)], f"{address} is handed {dependency}, which is closed")
        self.instances[id(instance)][2].add(id(new))
        await asyncio.sleep(self.plan.seconds[address] / 4)

    def take_report(self, address: Address, report: ProviderReport) -> None:
        """Take what a provider says of itself; nobody chooses by it here."""

    def restarts_of(self, address: Address) -> str:
        """Return what the plan says."""
        return self.plan.restarts[address]

    def place_of(self, address: Address) -> Place | None:
        """Return nothing."""
        return None


def changed(random: Random, nodes: Nodes, lifecycle: Lifecycle) -> Exchange:
    """Return a reload: some nodes go, some come, some change."""
    old = nodes.graph
    kept = [one for one in old if random.random() > 0.1]
    graph: nx.DiGraph[Address] = old.subgraph(kept).copy()
    added = [node(number) for number in random.sample(range(60, 80), random.randrange(4))]
    added = [one for one in added if one not in old]
    for one in added:
        graph.add_node(one)
        for need in random.sample(kept, min(len(kept), random.randrange(3))):
            graph.add_edge(need, one, strength=Strength.HARD.value)
    for number, generation in enumerate(nx.topological_generations(graph)):
        graph.add_nodes_from(generation, generation=number)

    def can_keep(dependent: Address, _: Address) -> bool:
        return dependent in nodes.plan.binds and lifecycle.instance_of(dependent) is not None

    gone = set(old) - set(graph)
    seeds = {one for one in kept if random.random() < 0.1} | set(added)
    seeds |= {
        user
        for one in gone
        for user in old.succ[one]
        if user in graph and old.edges[one, user]["strength"] == Strength.HARD
        and not can_keep(user, one)
    }  # fmt: skip
    begins = closure_of(graph, seeds, can_keep).replaced
    ends = {one: NotRunningError("reload") for one in old if one in gone or one in begins}

    def switch(is_new: bool) -> None:
        nodes.graph = graph if is_new else old

    return Exchange(graph, frozenset(), ends, tuple(begins), {}, switch)


def check_settled(nodes: Nodes, lifecycle: Lifecycle, log: EventLog) -> None:
    """Hold a stack in which nothing happens any more to what its graph says."""
    graph, states = nodes.graph, log.states
    up = {one for one in graph if lifecycle.instance_of(one) is not None}
    for address in graph:
        edges = graph.pred[address].items()
        hard = [need for need, edge in edges if edge["strength"] == Strength.HARD]
        members = [need for need, edge in edges if edge["strength"] == Strength.MEMBER]
        can_run = up.issuperset(hard) and (not members or bool(up.intersection(members)))
        state = states[address]
        if state is State.SKIPPED:
            nodes.law(not can_run, f"{address} is skipped, and all that it needs runs")
        elif address not in up:
            nodes.law(state is State.FAILED, f"{address} does not run: it is {state}")
        else:
            is_told = state in (State.READY, State.DEGRADED)
            nodes.law(is_told, f"{address} runs and is said to be {state}")
    for address, count in nodes.open_now.items():
        is_there = address in graph or address in nodes.left
        nodes.law(is_there or not count, f"{address} runs and is not in the graph")


def run_schedule(seed: int) -> EventLog:
    """Run the schedule of *seed*.

    Raises:
        LawError: If it breaks a law.
    """
    plan, random = plan_of(seed)
    nodes, log = Nodes(plan), EventLog()
    how = StackSettings(
        schedule=random.choice(["generations", "ready"]),
        parallelism=random.choice([None, None, 1, 3]),
        on_failure=random.choice(["rollback", "degrade", "degrade"]),
        start_timeout=5,
        stop_timeout=3,
        cancel_timeout=1,
        restart_delay=0.5,
        restart_limit=random.choice([1, 3]),
        restart_seed=seed,
    )
    ending = random.choice(["stop", "stop", "cancel", "kill", "cancel reload"])
    run_virtually(_run(nodes, log, how, random, ending))
    if nodes.broken_laws:
        raise LawError(nodes.broken_laws[0])
    return log


async def _run(
    nodes: Nodes, log: EventLog, how: StackSettings, random: Random, ending: str
) -> None:
    loop = asyncio.get_running_loop()
    complaints: list[Any] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    dooms: list[RunError] = []
    lifecycle = Lifecycle(nodes.graph, nodes, how, log.append, doom=dooms.append)

    async def live() -> None:
        await lifecycle.start()
        try:
            lifecycle.supervise()
            for _ in range(random.randrange(3)):
                await asyncio.sleep(random.uniform(0, 4))
                before = nodes.graph
                reload = asyncio.ensure_future(
                    lifecycle.exchange(changed(random, nodes, lifecycle))
                )
                if ending == "cancel reload":
                    loop.call_later(random.uniform(0, 2), reload.cancel)
                try:
                    await reload
                except (ReloadError, NotRunningError):
                    nodes.law(nodes.graph is before, "a failed reload leaves the new graph")
                except asyncio.CancelledError:
                    nodes.law(nodes.graph is before, "a cancelled reload leaves the new graph")
                    if not reload.done() or not reload.cancelled():
                        raise
            await asyncio.sleep(random.uniform(0, 10))
            if ending == "stop":
                await asyncio.sleep(400)  # Until nothing is to happen any more.
                check_settled(nodes, lifecycle, log)
        finally:
            await lifecycle.stop()

    task = asyncio.ensure_future(live())
    if ending in ("cancel", "kill"):
        end: Callable[[], object] = task.cancel if ending == "cancel" else lifecycle.kill
        loop.call_later(random.uniform(0.01, 12), end)
    await _ended(task)
    nodes.is_over = True
    await asyncio.sleep(2 * _LONG)
    left = {one.get_name() for one in asyncio.all_tasks() if one is not asyncio.current_task()}
    nodes.law(not left, f"tasks are left: {sorted(left)[:3]}")
    nodes.law(not complaints, f"the loop complains: {complaints[:1]}")
    restless = {State.WAITING, State.STARTING, State.READY, State.DEGRADED, State.STOPPING}
    still = [str(one) for one, state in log.states.items() if state in restless]
    nodes.law(not still, f"nodes are still there at the end: {still[:3]}")
    for one, (address, _, _) in nodes.instances.items():
        # What was killed, or left behind, is not closed: it was cut short, and is named so.
        is_cut = ending == "kill" or address in nodes.left
        nodes.law(nodes.closed[one] or is_cut, f"{address} was never closed")


async def _ended(work: Awaitable[object]) -> None:
    with suppress(EngineError, StartError, StopError, asyncio.CancelledError):
        await work


def main() -> int:
    """Run so many schedules; name every seed that breaks a law."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    broken = 0
    for seed in range(first, first + count):
        try:
            run_schedule(seed)
        except Exception as error:  # noqa: BLE001  (all are named)
            broken += 1
            print(f"{type(error).__name__}: seed {seed}: {error}")
    print(f"{count} schedules, {broken} broke a law")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())

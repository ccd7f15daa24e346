"""The nodes of a random schedule: what goes wrong with each, and the laws that hold for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import networkx as nx
from tests.property.served import ANSWERS, TABLE, Instance, add_table, open_table, table_node
from tests.property.strategies_graphs import PlainInstances, node, with_generations

from rungraph.engine.errors import NotRunningError
from rungraph.engine.events import EventLog, NodeTaskFailed, State
from rungraph.engine.routing.errors import LackingError
from rungraph.engine.routing.tables import RoutingTable
from rungraph.graph.address import Address
from rungraph.graph.nodes import Strength

FAULTS = ("crash", "hang", "swallow", "stubborn", "blocked", "exit", "cancelled", "slow", "panic")
"""How a start or a stop goes wrong, besides being well."""
BREAKS = (
    "crashes", "ends", "crashes again", "reports", "crashes at once", "task dies",
    "work loses task",
)  # fmt: skip
"""What a running node does by itself."""
LONG = 1_000.0


class Panic(BaseException):
    """What libraries in other languages raise."""


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
    answers: dict[Address, str] = field(default_factory=dict[Address, str])
    wanted: dict[Address, str] = field(default_factory=dict[Address, str])


def graph_of(random: Random, nodes: list[Address]) -> nx.DiGraph[Address]:
    """Return a random graph of *nodes* without cycles."""
    graph: nx.DiGraph[Address] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    strengths = [Strength.HARD] * 4 + [Strength.SOFT, Strength.MEMBER]
    for number, address in enumerate(nodes):
        for need in random.sample(nodes[:number], min(number, random.randrange(4))):
            graph.add_edge(need, address, strength=random.choice(strengths).value)
    return graph


def plan_of(seed: int) -> tuple[Plan, Random]:
    """Return the schedule of *seed*, and what decides all that is left."""
    random = Random(seed)  # noqa: S311  (no secret)
    nodes = [node(number) for number in range(random.randint(5, 60))]
    plan = Plan(seed, graph_of(random, nodes))
    wicked = random.choice([0.0, 0.02, 0.1])
    if random.random() < 0.5:
        plan.wanted = add_table(plan.graph, random)
    with_generations(plan.graph)
    plan.seconds[TABLE], plan.restarts[TABLE] = 0.0, "on-failure"
    plan.binds.add(TABLE)
    for address in [node(number) for number in range(80)]:  # Those of a reload, too.
        plan.seconds[address] = random.choice([0.0, 0.1, 0.5, 1.0, 2.0])
        plan.restarts[address] = random.choice(["on-failure", "on-failure", "always", "never"])
        if random.random() < wicked:
            plan.starts[address] = random.choice(FAULTS)
        if random.random() < wicked:
            plan.stops[address] = random.choice(FAULTS)
        if random.random() < wicked * 2:
            plan.breaks[address] = random.choice(BREAKS), random.uniform(0, 8)
        is_asked = plan.graph.has_edge(address, TABLE)  # Again and again, so it may well fail.
        if random.random() < (0.5 if is_asked and wicked else wicked * 2):
            plan.answers[address] = random.choice(ANSWERS)
        if random.random() < 0.3:
            plan.binds.add(address)
    return plan, random


class Nodes(PlainInstances):
    """Opens and closes nodes as a plan says, and holds them to the laws meanwhile."""

    def __init__(self, plan: Plan, log: EventLog) -> None:
        self.plan = plan
        self.log = log
        self.table: RoutingTable | None = None
        self._kept: set[object] = set()  # So that no other one has its id, and no task is lost.
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
        self.goes_back = False

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
        instance = await self._made(address, dependencies)
        self.lives[address] += 1
        self.law(not self.open_now[address] or address in self.left, f"{address} runs twice")
        self.open_now[address] += 1
        task = asyncio.current_task()
        self.instances[id(instance)] = address, task, set(map(id, dependencies.values()))
        self._kept.add(instance)
        self._plan_break(address, instance, task)
        return instance

    async def _made(self, address: Address, dependencies: Mapping[Address, object]) -> object:
        if address != TABLE:
            return Instance(address, self.plan.answers.get(address, ""))
        node = table_node(self.graph, self.plan.wanted)
        self.table = await open_table(node, dependencies, self.log.append)
        return self.table

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

        async def die() -> None:
            await asyncio.sleep(after)
            if self.closed[id(instance)] or self.is_over:
                return
            if what == "task dies":
                self.broken.add(id(instance))
            loop.call_later(0.2, self._check_told, address, instance)
            msg = "planned"
            raise ConnectionError(msg)

        async def work() -> None:
            self._kept.add(asyncio.create_task(die()))

        if "task" in what:
            begin = die if what == "task dies" else work
            self._kept.add(asyncio.create_task(begin()))
            return
        loop.call_later(0.0 if what == "crashes at once" else after, end)

    def _check_told(self, address: Address, instance: object) -> None:
        dead = [one for one in self.log if isinstance(one, NodeTaskFailed)]
        is_told = any(one.address == address for one in dead)
        has_ended = self.log.states[address] not in (State.READY, State.DEGRADED)
        is_closed = bool(self.closed[id(instance)])
        self.law(is_told or is_closed or has_ended, f"a task of {address} dies unseen")

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
            if isinstance(instance, RoutingTable):
                await instance.shutdown()
        finally:
            self.ended.add(id(instance))
        how = self.plan.breaks.get(address, ("", 0.0))[0]
        if id(instance) in self.broken and how not in ("ends", "task dies"):
            msg = "broke"
            raise ConnectionError(msg)

    def _needs(self, user: Address, need: Address) -> bool:
        edge = self.plan.graph.edges.get((need, user), self.graph.edges.get((need, user)))
        return edge is not None and edge["strength"] == Strength.HARD

    async def _do(self, how: str, seconds: float, address: Address) -> None:
        ignored = {"swallow": 1, "stubborn": 9, "blocked": 1_000_000}.get(how, 0)
        if ignored or how == "hang":
            self.left.add(address)
        if how == "hang":
            await asyncio.Event().wait()
        await asyncio.sleep(LONG if how == "slow" else seconds) if not ignored else None
        while ignored:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(LONG)
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
        if how == "panic":
            raise Panic

    def drop(self, address: Address, instance: object) -> None:
        """Let a table end."""
        if isinstance(instance, RoutingTable):
            instance.drop()

    def lose(self, address: Address, why: NotRunningError) -> None:
        """Hold what callers are told to be a sentence."""
        self.law(str(why), f"{address} is lost without a reason")
        if (table := self.table_of(address)) is not None:
            table.lose(address.name, why)

    def table_of(self, address: Address) -> RoutingTable | None:
        """Return the one table."""
        return self.table

    async def offer(self, address: Address, instance: object) -> None:
        """Let the table offer what is well again."""
        if self.table is not None and address in self.graph.pred.get(TABLE, ()):
            await self.table.join(address.name, instance)

    async def update(self, instance: object) -> None:
        """Take another config, as it is planned."""
        try:
            if isinstance(instance, RoutingTable):
                instance.keep([one.name for one in self.graph.pred[TABLE]])
                await instance.reconfigure(table_node(self.graph, self.plan.wanted))
            elif isinstance(instance, Instance):
                await instance.answer("update")
        except LackingError:
            raise
        except BaseException:
            if self.goes_back:  # It takes neither config, and is started anew.
                self.broken.add(id(instance))
            raise

    def can_rebind(self, address: Address, instance: object) -> bool:
        """Whether the plan says so."""
        return address in self.plan.binds

    async def rebind(
        self, address: Address, instance: object, dependency: Address, new: object
    ) -> None:
        """Take the new instance, which must run."""
        self.law(not self.closed[id(new)], f"{address} is handed {dependency}, which is closed")
        self.instances[id(instance)][2].add(id(new))
        if isinstance(instance, RoutingTable):
            await instance.join(dependency.name, new)
        elif isinstance(instance, Instance):
            await instance.answer("bind")
        await asyncio.sleep(self.plan.seconds[address] / 4)

    def restarts_of(self, address: Address) -> str:
        """Return what the plan says."""
        return self.plan.restarts[address]

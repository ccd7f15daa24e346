"""Random schedules on a virtual clock: graphs whose nodes fail in every way while they are changed.

Each seed is one schedule, always the same: a graph of 5 to 60 nodes, some of them members of a
table, what every start, answer and stop and every moment between them does, and when the stack is
reloaded, cancelled, killed or stopped.

    python -m tests.property.schedules 20000        # or COUNT FIRST_SEED
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any

import networkx as nx
from tests.property.scheduled_nodes import LONG, Nodes, plan_of
from tests.property.served import TABLE, names_in
from tests.property.strategies_graphs import node, run_virtually, with_generations

from rungraph.engine.errors import EngineError, NotRunningError, StartError, StopError
from rungraph.engine.events import EventLog, NodeGivenUp, State
from rungraph.engine.run.changes import Exchange
from rungraph.engine.run.errors import ReloadError, RunError
from rungraph.engine.run.health import HealthWatch
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.settings import StackSettings
from rungraph.graph.address import Address
from rungraph.graph.closure import closure_of
from rungraph.graph.nodes import Strength


class LawError(AssertionError):
    """Raised when a law is broken; names it and the seed."""


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
    with_generations(graph)

    def can_keep(dependent: Address, need: Address) -> bool:
        is_up = lifecycle.instance_of(dependent) is not None
        return need != TABLE and dependent in nodes.plan.binds and is_up

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
        nodes.graph, nodes.goes_back = graph if is_new else old, not is_new

    goes_on = [one for one in kept if one not in begins]
    told = [one for one in goes_on if one == TABLE or random.random() < 0.05]
    updates = dict.fromkeys(told, nodes.update)
    return Exchange(graph, frozenset(), ends, tuple(begins), updates, nodes.place_of, switch)


def check_settled(nodes: Nodes, lifecycle: Lifecycle, log: EventLog) -> None:
    """Hold a stack in which nothing happens any more to what its graph says."""
    graph, states = nodes.graph, log.states
    given_up = {one.address for one in log if isinstance(one, NodeGivenUp)}
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
            nodes.law(address in given_up, f"{address} has failed and is not started again")
        else:
            is_told = state in (State.READY, State.DEGRADED)
            nodes.law(is_told, f"{address} runs and is said to be {state}")
    if TABLE in up and nodes.table is not None:
        members = [one for one in graph.pred[TABLE] if one in up]
        refused = [one for one in members if nodes.plan.answers.get(one) == "register: refuse"]
        mine = {nodes.plan.wanted[one] for one in members if one in nodes.plan.wanted}
        expected = {f"{one.name}-model" for one in members} | mine
        expected -= {nodes.plan.wanted.get(one, "") for one in refused}
        found = names_in(nodes.table)
        nodes.law(found == expected, f"the table offers {sorted(found ^ expected)[:3]} wrongly")
    for address, count in nodes.open_now.items():
        is_there = address in graph or address in nodes.left
        nodes.law(is_there or not count, f"{address} runs and is not in the graph")


def run_schedule(seed: int) -> EventLog:
    """Run the schedule of *seed*.

    Raises:
        LawError: If it breaks a law.
    """
    plan, random = plan_of(seed)
    log = EventLog()
    nodes = Nodes(plan, log)
    how = StackSettings(
        schedule=random.choice(["generations", "ready"]),
        parallelism=random.choice([None, None, 1, 3]),
        on_failure=random.choice(["rollback", "degrade", "degrade"]),
        start_timeout=5,
        stop_timeout=3,
        cancel_timeout=1,
        health_timeout=1,
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
    health = HealthWatch(lifecycle, nodes, how)
    asked = [one for one, where in nodes.plan.answers.items() if where.startswith("health")]

    async def live() -> None:
        await lifecycle.start()
        try:
            lifecycle.supervise()
            health.watch(asked)
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
            if ending in ("stop", "cancel reload"):
                await asyncio.sleep(400)  # Until nothing is to happen any more.
                check_settled(nodes, lifecycle, log)
                nodes.law(not health.unhealthy, f"ill for ever: {sorted(health.unhealthy)[:1]}")
        finally:
            await health.aclose()
            await lifecycle.stop()

    task = asyncio.ensure_future(live())
    if ending in ("cancel", "kill"):
        end: Callable[[], object] = task.cancel if ending == "cancel" else lifecycle.kill
        loop.call_later(random.uniform(0.01, 12), end)
    await _ended(task)
    nodes.is_over = True
    await asyncio.sleep(2 * LONG)
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

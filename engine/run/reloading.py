"""From the graph that runs to another one: what is done about each node, and that it is done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rungraph.engine.errors import NotRunningError, RestartingError, describe
from rungraph.engine.events import EventLog, ReloadEnded, ReloadStarted
from rungraph.engine.preflight.importing import Importing
from rungraph.engine.preflight.imports import import_problems
from rungraph.engine.preflight.runnable import check_runnable
from rungraph.engine.run.changes import Exchange
from rungraph.engine.waiting import thread_future
from rungraph.graph.address import NodeKind
from rungraph.graph.diff.compare import diff_graphs
from rungraph.graph.diff.model import NEXT_START
from rungraph.graph.reload import Action, Step, reload_steps
from rungraph.graph.source.positions import path_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from rungraph.engine.run.instances import Instances
    from rungraph.engine.run.lifecycle import Lifecycle
    from rungraph.graph.address import Address
    from rungraph.graph.diff.model import GraphDiff
    from rungraph.graph.model import RunGraph


async def checked(graph: RunGraph, seconds: float) -> RunGraph:
    """Return *graph* with the diagnostics of its imports, each of which may take *seconds*.

    Raises:
        InvalidGraph: If it has errors or parts of it cannot be imported.
        EngineError: If an import takes too long.
    """
    graph.check()
    check_runnable(graph)
    importing = Importing()
    checking = thread_future(import_problems, graph, importing)
    while not (await asyncio.wait([checking], timeout=seconds))[0]:
        importing.check_going_on(seconds)
    problems = checking.result()
    return graph.with_diagnostics(problems).check() if problems else graph


class Reload:
    """One change of a running stack to another graph.

    Args:
        old: What runs.
        new: What is to run, checked.
        running: The running nodes.
        instances: What creates them.
        events: Takes what happens.
    """

    def __init__(
        self,
        old: RunGraph,
        new: RunGraph,
        running: Lifecycle,
        instances: Instances,
        events: EventLog,
    ) -> None:
        self._old = old
        self._new = new
        self._running = running
        self._instances = instances
        self._events = events

    def _steps(self, diff: GraphDiff) -> dict[Address, Step]:
        """Return what is done about each node that does not simply go on."""
        return reload_steps(
            diff,
            self._new,
            can_rebind=self._can_rebind,
            can_update=self._can_update,
        )

    async def run(self, show: Callable[[RunGraph], None]) -> Mapping[Address, Step]:
        """Do it, and return what was done; *show* is called with the graph that then runs.

        Raises:
            ReloadError: If something did not start; then all is as it was, as far as it can be.
        """
        diff = diff_graphs(self._old, self._new)
        steps = self._steps(diff)
        stops, starts, restarts = (
            tuple(one for one, step in steps.items() if step.action is action)
            for action in (Action.STOP, Action.START, Action.RESTART)
        )
        ends: dict[Address, NotRunningError] = {
            one: NotRunningError(f"'{one}' is not configured any more") for one in stops
        }
        ends |= {one: RestartingError(str(one)) for one in restarts}
        updates = {one for one, step in steps.items() if step.action is Action.UPDATE}
        # A table is told which members it has.
        updates |= {
            one for one in steps.keys() - {*stops, *starts, *restarts} if one.kind is NodeKind.TABLE
        }
        exchange = Exchange(
            self._new.nx,
            frozenset((edge.dependency, edge.dependent) for edge in self._new.dropped),
            ends,
            (*starts, *restarts),
            {one: self._updating(one) for one in sorted(updates)},
            lambda address: getattr(self._new.nodes.get(address), "place", None),
            lambda is_new: self._instances.use(self._new if is_new else self._old),
        )
        told = [f"{step.action} {one} ({step.reason})" for one, step in steps.items()]
        if diff.next_start:
            keys = ", ".join(path_text(one.path) for one in diff.next_start)
            told.append(f"{NEXT_START}: {keys}")
        self._events.append(ReloadStarted(self._running.clock(), tuple(told)))
        try:
            await self._running.exchange(exchange)
        except BaseException as error:
            self._events.append(ReloadEnded(self._running.clock(), describe(error)))
            raise
        show(self._new)
        self._events.append(ReloadEnded(self._running.clock()))
        return steps

    def _updating(self, address: Address) -> Callable[[object], Awaitable[object]]:
        return lambda instance: self._instances.update(address, instance)

    def _can_rebind(self, address: Address) -> bool:
        instance = self._running.instance_of(address)
        return instance is not None and self._instances.can_rebind(address, instance)

    def _can_update(self, address: Address) -> bool:
        instance = self._running.instance_of(address)
        return instance is not None and self._instances.can_update(address, instance)

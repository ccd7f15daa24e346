"""The changes of a running graph: some nodes stop, others start, and everything else goes on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rungraph.engine.errors import (
    DeadlineError,
    NodeFailure,
    NotRunningError,
    RestartingError,
    describe,
)
from rungraph.engine.events import Event, NodeGivenUp, NodeRestarting, NodeSkipped, NodeUpdated
from rungraph.engine.routing.errors import LackingError
from rungraph.engine.run.errors import ReloadError, needs_failed
from rungraph.engine.run.node_run import Phase
from rungraph.engine.run.turns import Turns
from rungraph.engine.waiting import outlast
from rungraph.graph.address import NodeKind
from rungraph.graph.digraph import in_start_order

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    import networkx as nx

    from rungraph.engine.run.node_run import NodeInstances, NodeRun
    from rungraph.engine.run.running_nodes import RunningNodes
    from rungraph.engine.run.starting import Starting
    from rungraph.graph.address import Address
    from rungraph.graph.place import Place


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is done so that another graph runs.

    Attributes:
        graph: The other graph, as `RunGraph.nx` has it.
        late: Its dependencies that are handed over late.
        ends: What of the old graph stops, each with what those are told who ask for it.
        begins: What of the new one starts.
        updates: What goes on and is told a new config, and what tells it, given the instance.
        place_of: Returns where a node of the other graph is configured, if it is.
        switch: Called to create instances as the new graph says, or, with False, as the old one.
    """

    graph: nx.DiGraph[Address]
    late: frozenset[tuple[Address, Address]]
    ends: Mapping[Address, NotRunningError]
    begins: Collection[Address]
    updates: Mapping[Address, Callable[[object], Awaitable[object]]]
    place_of: Callable[[Address], Place | None]
    switch: Callable[[bool], None]


class Changes:
    """Makes the changes of *running*; those that touch the same nodes one after the other.

    Args:
        running: What runs.
        nodes: Creates and disposes of instances.
        emit: Takes every event.

    Attributes:
        left: What of the old graph did not start when a reload went back, or broke a restart off.
    """

    def __init__(
        self,
        running: RunningNodes,
        nodes: NodeInstances,
        emit: Callable[[Event], None],
    ) -> None:
        self._running = running
        self._nodes = nodes
        self._emit = emit
        self._startings: set[Starting] = set()
        self._turns = Turns()
        self._exchanged: Starting | None = None
        self._updating: asyncio.Future[list[NodeFailure]] | None = None
        self.left: list[NodeFailure] = []
        self.is_aborted = False
        self.is_ending = False

    @property
    def are_under_way(self) -> bool:
        """Whether anything is to stop or start, or something waits for its turn to."""
        return bool(self._startings or self._turns.ends)

    def end(self) -> None:
        """Begin no reload any more, and break off one that is under way: the stack is to stop.

        Then the old graph does not come back either. What is restarted meanwhile goes on.
        """
        self.is_ending = True
        if self._exchanged is not None:  # It has all nodes: nothing else starts meanwhile.
            self._break_off()

    def is_of_reload(self, run: NodeRun) -> bool:
        """Whether *run* belongs to the new graph of a reload that is not over."""
        return self._exchanged is not None and run.starting is self._exchanged

    def abort(self) -> None:
        """Begin no change any more, and break off what is starting."""
        self.is_aborted = self.is_ending = True
        self._break_off()

    def _break_off(self) -> None:
        for starting in tuple(self._startings):
            starting.abort()
        if self._updating is not None:
            self._updating.cancel()

    async def over(self) -> asyncio.CancelledError | None:
        """Wait until no change is under way; return a cancellation."""
        cancelled: asyncio.CancelledError | None = None
        while ends := self._turns.ends:
            self.abort()
            ended = asyncio.gather(*ends)
            cancelled = await outlast(ended) or cancelled
        return cancelled

    async def start(self, starting: Starting) -> asyncio.CancelledError | None:
        """Run *starting* to its end; return a cancellation."""
        self._startings.add(starting)
        try:
            return await starting.run()
        finally:
            self._startings.discard(starting)

    async def replace(self, nodes: Collection[Address]) -> tuple[NodeFailure, ...]:
        """Start *nodes*, which do not run, anew, and what cannot go on without them.

        Whatever else needs them goes on, and is handed the new instances. What was not started
        because of *nodes* is started, too.

        Returns:
            What did not start, in start order.
        """
        running, replaced = self._running, self._closure(nodes)
        needs = {need for one in replaced for need in running.graph.pred[one]}
        taken = {*nodes, *replaced, *needs}
        async with self._turns.take(taken):
            if replaced == self._closure(nodes):
                return await self._replace(replaced, taken)
        return await self.replace(nodes)  # Another change has come first.

    def _closure(self, nodes: Collection[Address]) -> dict[Address, Address]:
        runs, graph = self._running.runs, self._running.graph
        return self._running.closure([one for one in nodes if one in graph and not runs[one].is_up])

    async def _replace(
        self, replaced: Mapping[Address, Address], taken: set[Address]
    ) -> tuple[NodeFailure, ...]:
        running = self._running
        if self.is_aborted:
            return ()
        cancelled = await self._take_down(replaced)
        if cancelled is not None:
            self._leave_out({one: cause for one, cause in replaced.items() if one != cause})
            raise cancelled
        failures: list[NodeFailure] = []
        fresh = self._also_taken(replaced, taken)
        # Another change may bring, meanwhile, what something that is skipped here needs.
        while fresh and not self.is_aborted:
            starting = running.renew(fresh, is_whole=False)
            cancelled = await self.start(starting)
            failures += starting.failures
            if cancelled is not None:  # By a reload, perhaps, which goes back.
                self.left += [one for one in failures if one.phase == "start"]
                raise cancelled
            fresh = self._also_taken((), taken)
        return tuple(failures)

    async def _take_down(
        self, replaced: Mapping[Address, Address]
    ) -> asyncio.CancelledError | None:
        """Stop what is to start again; return a cancellation."""
        for one, cause in replaced.items():
            if one != cause and self._running.runs[one].is_up:
                reason = f"'{cause}' is restarted, which it needs"
                self._emit(NodeRestarting(self._running.runner.clock(), one, reason))
        return await self._running.take_down({one: RestartingError(str(one)) for one in replaced})

    def _also_taken(self, nodes: Iterable[Address], mine: set[Address]) -> list[Address]:
        """Return *nodes* and what was skipped and can start, and have that be of *mine*.

        What another change is about is left to it, and so is what needs that.
        """
        found = self._running.with_skipped(nodes, self._turns.others(mine))
        mine.update(found)
        return found

    async def exchange(
        self,
        exchange: Exchange,
        awaited: Collection[Address],
        restarts: Callable[[Address], bool],
    ) -> None:
        """Go on with another graph; if something of it does not start, with the old one.

        Those *awaited* do not run because they wait for their restart, as they then do again.
        What does not run now and is not touched *restarts*, or does not.

        Raises:
            ReloadError: If it goes on with the old one; what did not start of either is named.
            asyncio.CancelledError: If the caller was cancelled; then, too, the old one goes on.
            NotRunningError: If the stack is to stop; then neither goes on.
        """
        self.left = []
        # Restarts are broken off for it, so it is to leave things in order, cancelled or not.
        nodes = {*self._running.graph, *exchange.graph}
        async with self._turns.take(nodes, outlasts=lambda: not self.is_ending) as cancelled:
            if cancelled is None:
                self._check_not_ending()
            try:
                await self._exchange(exchange, awaited, restarts, cancelled)
            finally:
                self._exchanged = None

    async def _exchange(
        self,
        exchange: Exchange,
        awaited: Collection[Address],
        restarts: Callable[[Address], bool],
        cancelled: asyncio.CancelledError | None,
    ) -> None:
        running = self._running
        before, runs = (running.graph, running.late), dict(running.runs)
        awaited = {*awaited, *(one.address for one in self.left)}
        failures = self._kept_down(exchange, runs, restarts)
        if failures or cancelled is not None:  # Before anything stops for it.
            self._check_not_ending(await self._bring_back(()) or cancelled)
            raise ReloadError(tuple(failures), tuple(self.left))
        ran = [one for one in exchange.ends if running.runs[one].is_up]
        cancelled = await running.take_down(exchange.ends)
        exchange.switch(True)
        running.graph, running.late = exchange.graph, exchange.late
        begins = running.with_skipped(exchange.begins)
        starting = self._exchanged = running.renew(begins, is_whole=True)
        if cancelled is not None or self.is_ending:
            starting.abort()
        cancelled = await self.start(starting) or cancelled
        if not starting.is_aborted:
            failures = self._kept_down(exchange, runs, restarts)
        updated: list[Address] = []

        def goes_on() -> bool:
            is_broken_off = starting.is_aborted or self.is_ending
            return not (failures or cancelled or is_broken_off)

        for address, update in exchange.updates.items():
            if goes_on():
                updated.append(address)
                problems, cancelled = await self._told(address, update)
                failures += problems
        if goes_on():
            running.relink()
            return
        failed = in_start_order(exchange.graph, begins)
        again = {one: RestartingError(str(one)) for one in failed}
        cancelled = await running.take_down(again) or cancelled
        exchange.switch(False)
        running.graph, running.late = before
        self._put_back([runs[one] for one in failed if one in runs and one not in ran], awaited)
        # What was skipped before may have what it needs by now.
        cancelled = await self._bring_back(ran) or cancelled
        refused: list[Address] = []
        for address in updated:
            if self.is_ending:
                break
            # Who has not answered may take the new one yet, after the old one.
            problems = [one for one in failures if one.address == address and _may_go_on(one)]
            if not problems:
                problems, interrupted = await self._told(address, exchange.updates[address])
                cancelled = interrupted or cancelled
            for failure in problems:
                if isinstance(failure.error, LackingError):  # It goes on, degraded.
                    self.left.append(failure)
                    continue
                # It goes by neither config. That is the reload's doing, so it is no failure of
                # its own, for which it may not be started again.
                refused.append(address)
                why = describe(failure.error)
                self._emit(NodeRestarting(running.runner.clock(), address, why))
        if refused:
            replaced = running.closure(refused)
            cancelled = await self._take_down(replaced) or cancelled
            cancelled = await self._bring_back(replaced) or cancelled
        running.relink()
        self._check_not_ending(cancelled)
        raise ReloadError((*starting.failures, *failures), tuple(self.left))

    def _kept_down(
        self,
        exchange: Exchange,
        before: Mapping[Address, NodeRun],
        restarts: Callable[[Address], bool],
    ) -> list[NodeFailure]:
        """Return what would be skipped for good, and was not skipped *before*."""
        kept = self._running.kept_down(exchange.graph, exchange.begins, restarts)
        return [
            _without(one, causes, exchange.place_of(one))
            for one, causes in kept.items()
            if one not in before or not before[one].is_skipped
        ]

    async def _bring_back(self, nodes: Iterable[Address]) -> asyncio.CancelledError | None:
        """Start *nodes*, which ran, and what was skipped and can start; return a cancellation."""
        if self.is_ending:
            return None
        running = self._running
        back = running.renew(running.with_skipped(nodes), is_whole=False)
        cancelled = await outlast(self.start(back))
        # They may have run on without what has failed, and cannot start without it.
        lost = {one: run.causes for one in nodes if (run := running.runs[one]).is_skipped}
        self.left += back.failures
        self.left += [
            _without(one, causes, self._nodes.place_of(one))
            for one, causes in lost.items()
            if back.culprits.keys().isdisjoint(causes)
        ]
        return cancelled

    def _leave_out(self, nodes: Mapping[Address, Address]) -> None:
        """Take note that *nodes*, which have stopped, wait for what they are mapped to."""
        for one, cause in nodes.items():
            run = self._running.runs[one]
            if run.phase is Phase.ENDED and run.causes != (one,) and not self.is_aborted:
                run.is_skipped, run.causes = True, (cause,)
                self._running.coming.discard(one)
                self._emit(NodeSkipped(self._running.runner.clock(), one, run.causes))

    def _put_back(self, runs: Iterable[NodeRun], awaited: Collection[Address]) -> None:
        """Have nodes that did not run before be as they were; what is *awaited* is told later."""
        for run in runs:
            self._running.runs[run.address] = run
            now = self._running.runner.clock()
            if run.address in awaited:
                continue
            if run.is_skipped:
                self._emit(NodeSkipped(now, run.address, run.causes))
            else:
                self._emit(NodeGivenUp(now, run.address, "it had failed before the reload"))

    def _check_not_ending(self, cancelled: asyncio.CancelledError | None = None) -> None:
        if cancelled is not None:
            raise cancelled
        if self.is_ending:
            msg = "the stack is stopping"
            raise NotRunningError(msg)

    async def _told(
        self, address: Address, update: Callable[[object], Awaitable[object]]
    ) -> tuple[list[NodeFailure], asyncio.CancelledError | None]:
        """Return what comes of an update, and a cancellation: only the stack's end cuts it short.

        A cancellation must not leave the new graph, so what is told is waited for.
        """
        updating = self._updating = asyncio.ensure_future(self._update(address, update))
        cancelled = await outlast(updating)
        self._updating = None
        return ([] if updating.cancelled() else updating.result()), cancelled

    async def _update(
        self, address: Address, update: Callable[[object], Awaitable[object]]
    ) -> list[NodeFailure]:
        """Tell a node that runs its config, as the graph has it that runs now."""
        run = self._running.runs[address]
        if not run.is_up:
            return []
        error = await self._running.attempt((run,), "take its new config", update)
        problem = describe(error) if error is not None else ""
        self._emit(NodeUpdated(self._running.runner.clock(), address, problem))
        place = self._nodes.place_of(address)
        return [NodeFailure(address, "run", error, place)] if error is not None else []


def _without(address: Address, causes: Iterable[Address], place: Place | None) -> NodeFailure:
    error = NotRunningError(f"it {needs_failed(causes)}")
    return NodeFailure(address, "start", error, place)


def _may_go_on(failure: NodeFailure) -> bool:
    """Whether a provider may still be at what it was told: a table ends when it is cancelled."""
    return isinstance(failure.error, DeadlineError) and failure.address.kind is NodeKind.PROVIDER

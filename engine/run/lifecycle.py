"""Starts the nodes of a graph in order and stops them in reverse; knows nothing of providers.

Nothing waits between two nodes: the task of a node that has become ready starts those that waited
for it, and the task of a node that has stopped releases those that it needed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

from rungraph.engine.errors import NodeFailure, StartError, StopError
from rungraph.engine.events import (
    Event,
    NodeFailed,
    NodeSkipped,
    NodeWaiting,
    RollbackEnded,
    RollbackStarted,
    StackStarting,
    StackStopped,
    StackStopping,
)
from rungraph.engine.provider import ProviderReport
from rungraph.engine.run.node_run import NodeInstances, NodeRun, Phase, node_runs
from rungraph.engine.run.runner import NodeRunner, RunnerCallbacks
from rungraph.engine.run.schedule import Schedule
from rungraph.engine.waiting import finish, outlast
from rungraph.graph.failures import blocking

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import networkx as nx

    from rungraph.engine.run.settings import StackSettings
    from rungraph.graph.address import Address

_LINGER = 0.1
"""Seconds between the first failure of a start and the cancellation of those still starting."""


class Lifecycle:
    """The nodes of one graph, from `start` to `stop`.

    It belongs to the event loop and the task that start it, and runs once.

    Args:
        graph: The graph, as `RunGraph.nx` has it.
        nodes: Creates and disposes of instances.
        settings: Schedule, limits and deadlines.
        emit: Takes every event.
    """

    def __init__(
        self,
        graph: nx.DiGraph[Address],
        nodes: NodeInstances,
        settings: StackSettings,
        emit: Callable[[Event], None],
    ) -> None:
        self._nodes = nodes
        self._settings = settings
        self._emit = emit
        self._runs = node_runs(graph)
        self._schedule = Schedule(
            tuple(self._runs.values()), settings.schedule, settings.parallelism
        )
        self._culprits: dict[Address, NodeFailure] = {}
        self._failures: list[NodeFailure] = []
        self._starts = True
        self._aborted = False
        self._filling = False
        self._killed = False
        self._stopped: asyncio.Future[None] | None = None
        self._up = 0
        self._lingering: asyncio.TimerHandle | None = None

    # --- reading -------------------------------------------------------------------------------

    def clock(self) -> float:
        """Return the seconds since the stack began to start."""
        return self._runner.clock()

    def instance_of(self, address: Address) -> object | None:
        """Return the running instance of *address*; None when it does not run."""
        run = self._runs[address]
        return run.instance if run.is_up else None

    def causes_of(self, address: Address) -> tuple[Address, ...]:
        """Return the failures that keep *address* from running."""
        return self._runs[address].causes

    def trouble_of(self, address: Address) -> str | None:
        """Return why the running *address* is not well; None when it is, as far as is known."""
        run = self._runs[address]
        return run.degraded if run.is_up else None

    def reporter(self, address: Address) -> Callable[[ProviderReport], None]:
        """Return what the instance of *address* calls, from any thread, when its state changes."""
        run, runner = self._runs[address], self._runner
        return lambda report: runner.report_from_anywhere(run, report)

    def degrade(self, address: Address, detail: str) -> None:
        """Record that a running node is not as well as it should be."""
        self._runner.report(self._runs[address], ProviderReport("degraded", detail))

    def lacks(self, address: Address, lacking: tuple[str, ...]) -> None:
        """Record what a running table lacks of the run config: nothing, when all is there again."""
        state: Literal["degraded", "ready"] = "degraded" if lacking else "ready"
        self._runner.report(self._runs[address], ProviderReport(state, "; ".join(lacking)))

    # --- starting ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start every node, or as many as can run with ``on_failure="degrade"``.

        Raises:
            StartError: If nodes failed and ``on_failure`` is ``rollback``. Everything that had
                started has stopped again.
            asyncio.CancelledError: If the caller was cancelled; as with an error, nothing runs.
        """
        callbacks = RunnerCallbacks(
            settled=self._settle,
            failed=self._fail,
            breaking=self._breaking,
            broke=self._broke,
            cancelled=self._cancelled,
            noted=self._note,
            gone=self._is_gone,
        )
        self._runner = NodeRunner(self._nodes, self._settings, self._emit, callbacks)
        self._settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        generations = {run.generation for run in self._runs.values()}
        self._emit(StackStarting(0.0, len(generations)))
        for run in self._runs.values():
            on = tuple(need.address for need in run.needs)
            self._emit(NodeWaiting(0.0, run.address, on, run.generation))
        self._fill()
        cancelled = await outlast(self._settled, on_cancel=self._abort)
        self._starts = False
        if self._lingering is not None:
            self._lingering.cancel()
        if not self._aborted:
            return
        await self.roll_back()
        if cancelled is not None:
            raise cancelled
        culprits = self._ordered_culprits
        raise StartError(culprits, tuple(self._failures)) from _cause(culprits)

    def check_whole(self, incomplete: Mapping[Address, BaseException]) -> None:
        """Raise `StartError` for nodes that run without what they must have, and must not.

        It is for the caller to roll back then. With ``on_failure="degrade"`` they go on.
        """
        if self._settings.on_failure == "rollback" and incomplete:
            for address, error in incomplete.items():
                run = self._runs[address]
                self._culprits[address] = self._failure(run, "start", error)
            raise StartError(self._ordered_culprits) from _cause(self._ordered_culprits)

    def _fill(self) -> None:
        """Start everything that may start now."""
        if self._filling:  # What is skipped settles inside the loop below.
            return
        self._filling = True
        while (run := self._schedule.take()) is not None:
            causes = run.root_causes()
            if causes:
                self._skip(run, causes)
                self._settle(run)
            else:
                self._runner.start(run)
        self._filling = False
        if self._schedule.is_over:
            finish(self._settled)

    def _settle(self, run: NodeRun) -> None:
        self._schedule.settled(run)
        self._fill()

    def _skip(self, run: NodeRun, causes: tuple[Address, ...]) -> None:
        run.phase = Phase.ENDED
        run.causes = causes
        self._emit(NodeSkipped(self.clock(), run.address, causes))

    def _cancelled(self, run: NodeRun) -> None:
        self._skip(run, tuple(failure.address for failure in self._ordered_culprits))

    def _fail(self, run: NodeRun, error: BaseException) -> None:
        run.causes = (run.address,)
        self._emit(NodeFailed(self.clock(), run.address, error))
        self._blame(self._failure(run, "start", error))

    def _breaking(self, run: NodeRun, reason: BaseException) -> None:
        """Start nothing more that needs *run*, which is about to end, and send nobody to it."""
        run.causes = (run.address,)
        self._nodes.lose(run.address)
        down = {run}
        for other in self._runs.values():  # In start order: what it needs comes first.
            if other.is_up and blocking(
                other.hard, other.members, lambda need: need in down or not need.is_up
            ):
                down.add(other)
                self.degrade(other.address, f"it needs '{run.address}', which failed")
        if self._starts:
            self._blame(self._failure(run, "run", reason))

    def _broke(self, run: NodeRun, error: BaseException) -> None:
        self._emit(NodeFailed(self.clock(), run.address, error))
        failure = self._failure(run, "run", error)
        if run.address in self._culprits:
            self._culprits[run.address] = failure
        if run.address not in self._culprits or self._settings.on_failure == "degrade":
            self._failures.append(failure)

    def _blame(self, failure: NodeFailure) -> None:
        """Take note of what keeps the start from being whole."""
        self._culprits[failure.address] = failure
        if self._settings.on_failure == "rollback" and not self._aborted:
            # Those that fail at the same time, perhaps for the same reason, are to be named, too.
            self._lingering = asyncio.get_running_loop().call_later(_LINGER, self._abort)
            self._start_nothing_more()

    def _start_nothing_more(self) -> None:
        self._aborted = True
        self._schedule.close()
        self._fill()

    def _abort(self) -> None:
        """Start nothing more and cancel what is starting."""
        if not self._starts:
            return
        self._start_nothing_more()
        for run in self._runs.values():
            self._runner.cancel(run)

    async def roll_back(self) -> None:
        """Stop everything because the start is not to be finished.

        Raises:
            asyncio.CancelledError: If the caller was cancelled meanwhile; everything has stopped.
        """
        culprits = tuple(failure.address for failure in self._ordered_culprits)
        for run in self._runs.values():
            if run.phase is Phase.WAITING:
                self._skip(run, culprits)
        self._emit(RollbackStarted(self.clock(), culprits))
        cancelled = await self._stop_all()
        self._emit(RollbackEnded(self.clock()))
        self._emit(StackStopped(self.clock()))
        if cancelled is not None:
            raise cancelled

    # --- stopping ------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Stop everything, each node after all that depend on it.

        A cancellation of the caller does not cut this short; it is raised at the end.

        Raises:
            StopError: If nodes did not stop as they should, or had ended while they should have
                run.
            asyncio.CancelledError: If the caller was cancelled meanwhile.
        """
        self._emit(StackStopping(self.clock()))
        cancelled = await self._stop_all()
        self._emit(StackStopped(self.clock()))
        if cancelled is not None:
            raise cancelled
        if self._failures:
            raise StopError(tuple(self._failures)) from _cause(self._failures)

    def kill(self) -> None:
        """End everything at once: cancel every node, also those that are stopping already."""
        if self._killed:
            return
        self._killed = True
        self._abort()
        for run in self._runs.values():
            self._runner.kill(run)

    async def _stop_all(self) -> asyncio.CancelledError | None:
        up = [run for run in self._runs.values() if run.phase in {Phase.RUNNING, Phase.STOPPING}]
        for run in up:
            for need in run.needs:
                need.users += 1
        self._up = len(up)
        self._stopped = asyncio.get_running_loop().create_future()
        if not up:
            finish(self._stopped)
        for run in reversed(up):
            if not run.users:
                self._runner.stop(run)
        cancelled = await outlast(self._stopped)
        return await self._runner.end_stragglers() or cancelled

    def _is_gone(self, run: NodeRun) -> None:
        """Let those stop that *run* was the last to use."""
        if self._stopped is None:
            return
        self._up -= 1
        if not self._up:
            finish(self._stopped)
        for need in run.needs:
            need.users -= 1
            if not need.users:
                self._runner.stop(need)

    # --- failures ------------------------------------------------------------------------------

    def _note(self, run: NodeRun, error: BaseException) -> None:
        self._failures.append(self._failure(run, "stop", error))

    def _failure(
        self, run: NodeRun, phase: Literal["start", "run", "stop"], error: BaseException
    ) -> NodeFailure:
        return NodeFailure(run.address, phase, error, self._nodes.place_of(run.address))

    @property
    def _ordered_culprits(self) -> tuple[NodeFailure, ...]:
        """The failures of the start, in start order."""
        return tuple(self._culprits[one] for one in self._runs if one in self._culprits)


def _cause(failures: Sequence[NodeFailure]) -> BaseException | None:
    """Return what a summary of *failures* is raised from."""
    errors = [failure.error for failure in failures]
    if len(errors) > 1:
        return BaseExceptionGroup("what the nodes raised", errors)
    return errors[0] if errors else None

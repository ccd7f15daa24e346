"""Starts the nodes of a graph in order, replaces some of them, and stops them in reverse.

It knows nothing of providers. Start, stop, restart and reload are one operation: some nodes stop,
each after all that depend on it, and others start, each after all that it needs, while everything
else goes on running and is handed what is new. At a start nothing stops, at a stop nothing starts.
"""

from __future__ import annotations

from traceback import walk_tb
from typing import TYPE_CHECKING, Any, Literal

from rungraph.engine.errors import (
    NodeError,
    NodeFailure,
    NotRunningError,
    StartError,
    StopError,
    describe,
)
from rungraph.engine.events import (
    Event,
    NodeFailed,
    NodeHeldLoop,
    NodeTaskFailed,
    NodeWorking,
    RollbackEnded,
    RollbackStarted,
    StackStarting,
    StackStopped,
    StackStopping,
)
from rungraph.engine.provider import ProviderReport
from rungraph.engine.run.changes import Changes, Exchange
from rungraph.engine.run.errors import RunError, needs_failed
from rungraph.engine.run.loop_watch import LoopWatch, beyond_help
from rungraph.engine.run.node_run import Phase
from rungraph.engine.run.runner import KILL_GRACE, NodeRunner, RunnerCallbacks
from rungraph.engine.run.running_nodes import RunningNodes
from rungraph.engine.run.stopping import Stopping
from rungraph.engine.run.supervisor import Supervisor
from rungraph.engine.run.task_watch import DeadTask, TaskWatch
from rungraph.engine.waiting import due_of, outlast

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Mapping, Sequence
    from types import FrameType

    import networkx as nx

    from rungraph.engine.run.code_owners import CodeOwners
    from rungraph.engine.run.node_run import NodeInstances, NodeRun
    from rungraph.engine.run.settings import StackSettings
    from rungraph.graph.address import Address


class Lifecycle:
    """The nodes of one graph, from `start` to `stop`.

    It belongs to the event loop and the task that start it, and runs once.

    Args:
        graph: The graph, as `RunGraph.nx` has it.
        nodes: Creates and disposes of instances.
        settings: Schedule, limits and deadlines.
        emit: Takes every event.
        late: Dependencies that are handed to their dependents once both run.
        owners: Tells whose code runs; None to watch the event loop not at all.
        doom: Called with what ends the stack: a node that stays failed.
    """

    def __init__(
        self,
        graph: nx.DiGraph[Address],
        nodes: NodeInstances,
        settings: StackSettings,
        emit: Callable[[Event], None],
        *,
        late: Collection[tuple[Address, Address]] = (),
        owners: CodeOwners | None = None,
        doom: Callable[[RunError], None] | None = None,
    ) -> None:
        self._running = RunningNodes(graph, nodes, settings, emit, late)
        self._nodes = nodes
        self._settings = settings
        self._emit = emit
        self._owners = owners
        self._failures: list[NodeFailure] = []
        self._watch: LoopWatch | None = None
        self._tasks: TaskWatch | None = None
        self._killed = False
        self._of_reload: list[NodeFailure] = []
        self.changes = Changes(self._running, nodes, emit)
        self.supervisor = Supervisor(self, nodes, settings, emit, doom)

    # --- reading -------------------------------------------------------------------------------

    def clock(self) -> float:
        """Return the seconds since the stack began to start."""
        return self._running.runner.clock()

    def instance_of(self, address: Address) -> object | None:
        """Return the running instance of *address*; None when it does not run."""
        run = self._running.runs.get(address)
        return run.instance if run is not None and run.is_up else None

    def is_coming(self, address: Address) -> bool:
        """Whether *address* does not run, but is about to, in the course of a change."""
        return address in self._running.coming and not self.changes.is_aborted

    def causes_of(self, address: Address) -> tuple[Address, ...]:
        """Return the failures that keep *address* from running."""
        return self._running.runs[address].causes

    def trouble_of(self, address: Address) -> str | None:
        """Return why the running *address* is not well; None when it is, as far as is known."""
        run = self._running.runs[address]
        return run.degraded if run.is_up else None

    def reporter(self, address: Address) -> Callable[[ProviderReport], None]:
        """Return what the instance of *address* calls, from any thread, when its state changes."""
        run, runner = self._running.runs[address], self._running.runner

        def take(report: ProviderReport) -> None:
            if self._running.runs.get(address) is not run:  # Another has its place.
                return
            if report.state == "working":
                self._emit(NodeWorking(self.clock(), address, report.detail))
                return
            runner.report(run, report)
            self._nodes.take_report(address, report)

        return lambda report: runner.from_anywhere(take, report)

    def report(self, address: Address, report: ProviderReport, about: str) -> None:
        """Take what was found out *about* one concern of a running node."""
        self._running.runner.report(self._running.runs[address], report, about)

    def lacks(self, address: Address, lacking: tuple[str, ...]) -> None:
        """Record what a running table lacks of the run config: nothing, when all is there again."""
        state: Literal["degraded", "ready"] = "degraded" if lacking else "ready"
        self.report(address, ProviderReport(state, "; ".join(lacking)), "resources")

    # --- starting ------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start every node, or as many as can run with ``on_failure="degrade"``.

        Raises:
            StartError: If nodes failed and ``on_failure`` is ``rollback``. Everything that had
                started has stopped again.
            asyncio.CancelledError: If the caller was cancelled; as with an error, nothing runs.
        """
        callbacks = RunnerCallbacks(
            failed=self._fail, breaking=self._breaking, broke=self._broke, noted=self._note
        )
        if self._owners is not None:
            self._watch = LoopWatch(self._owners, self._held, self._is_overdue, self._never_lets_go)
        self._tasks = TaskWatch(self._task_died, self._is_foreign)
        self._running.runner = NodeRunner(
            self._nodes, self._settings, self._emit, callbacks, self._watch
        )
        if self._watch is not None:
            self._watch.begin()
        generations = {one["generation"] for _, one in self._running.graph.nodes(data=True)}
        self._emit(StackStarting(0.0, len(generations)))
        self._first = self._running.new_start(self._running.runs, is_whole=self._is_all_or_nothing)
        cancelled = await self.changes.start(self._first)
        if not self._first.is_aborted:
            self._running.have_started = True
            return
        await self.roll_back()
        if cancelled is not None:
            raise cancelled
        culprits = self._first.failures
        stopping = (*self._running.broken.values(), *self._failures)
        raise StartError(culprits, stopping) from _cause(culprits)

    def check_whole(self, incomplete: Mapping[Address, BaseException]) -> None:
        """Raise `StartError` for nodes that run without what they must have, and must not.

        It is for the caller to roll back then. With ``on_failure="degrade"`` they go on.
        """
        if self._is_all_or_nothing and incomplete:
            for address, error in incomplete.items():
                run = self._running.runs[address]
                self._first.culprits[address] = self._failure(run, "start", error)
            failures = self._first.failures
            raise StartError(failures) from _cause(failures)

    @property
    def _is_all_or_nothing(self) -> bool:
        return self._settings.on_failure == "rollback"

    async def bind_late(self) -> None:
        """Hand out the optional dependencies that could not start before their dependents."""
        await self._running.bind_late()

    async def replace(self, nodes: Collection[Address]) -> tuple[NodeFailure, ...]:
        """Start *nodes*, which do not run, and what needs them, anew; return what did not start."""
        return await self.changes.replace(nodes)

    def give_up(self, address: Address) -> None:
        """Take note that *address* is not to be started again, whatever comes back."""
        if (run := self._running.runs.get(address)) is not None:
            run.is_skipped = False
        self._running.coming.discard(address)
        for other in self._running.runs.values():
            if other.is_skipped and address in other.causes:
                what = f"'{other.address}' does not run: it {needs_failed([address])}"
                self._nodes.lose(other.address, NotRunningError(what))

    async def exchange(self, exchange: Exchange) -> None:
        """Go on with another graph, or as before if that fails.

        Raises:
            ReloadError: If something did not start; then all is as it was, as far as it can be.
        """
        forgotten = self.supervisor.forget(exchange.ends)
        try:
            awaited = {one.address for one in forgotten}
            await self.changes.exchange(exchange, awaited, self.supervisor.restarts)
            forgotten = ()
            for failure in self._of_reload:
                self._has_broken(failure)
        finally:
            for failure in (*forgotten, *self.changes.left):
                run = self._running.runs.get(failure.address)
                if run is not None and not run.is_skipped:  # Else it waits for others.
                    self.supervisor.broke(failure)
            self._of_reload.clear()
            self.supervisor.forget_all_but(self._running.graph)

    def supervise(self) -> None:
        """Start again, from now on, what fails; and what failed in a start that goes on without."""
        # What has started and breaks down is told when it has ended, which may be yet to come.
        self.supervisor.open([one for one in self._first.failures if one.phase == "start"])

    async def roll_back(self) -> None:
        """Stop everything because the start is not to be finished.

        Raises:
            asyncio.CancelledError: If the caller was cancelled meanwhile; everything has stopped.
        """
        culprits = tuple(failure.address for failure in self._first.failures)
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
                run and do not run again.
            asyncio.CancelledError: If the caller was cancelled meanwhile.
        """
        self._emit(StackStopping(self.clock()))
        cancelled = await self._stop_all()
        self._emit(StackStopped(self.clock()))
        if cancelled is not None:
            raise cancelled
        if failures := (*self._running.broken.values(), *self._failures):
            raise StopError(failures) from _cause(failures)

    def kill(self) -> None:
        """End everything at once: cancel every node, also those that are stopping already."""
        if self._killed:
            return
        self._killed = True
        self.changes.abort()
        for run in self._running.runs.values():
            self._running.runner.kill(run)

    async def _stop_all(self) -> asyncio.CancelledError | None:
        self.changes.abort()
        cancelled = await outlast(self.supervisor.aclose())
        cancelled = await self.changes.over() or cancelled
        stopping = Stopping(self._running.runs.values(), self._running.runner)
        cancelled = await stopping.run() or cancelled
        cancelled = await self._running.runner.end_stragglers() or cancelled
        if self._watch is not None:
            self._watch.close()
        if self._tasks is not None:
            self._tasks.close()
        return cancelled

    # --- what becomes of a node ----------------------------------------------------------------

    def _held(self, address: Address, seconds: float) -> None:
        self._emit(NodeHeldLoop(self.clock(), address, seconds))

    def _is_foreign(self, frame: FrameType) -> bool:
        return self._owners is not None and bool(self._owners.providers_of(frame))

    def _is_overdue(
        self, address: Address | None, task: asyncio.Task[Any] | None, since: float
    ) -> bool:
        """Whether *task*, which has held the event loop *since*, is to let go of it.

        Besides the deadlines of the task and of *address*, whose it is, there are those of all
        others: they cannot get on meanwhile. At the end, it may be anybody's that is not known.
        """
        runner = self._running.runner
        now = runner.loop.time()
        run = self._running.runs.get(address) if address is not None else None
        if due_of(task) < now or (run is not None and runner.is_overdue(run)):
            return True
        limits: list[tuple[float, float]] = []
        if address is not None:
            runs = [one for one in tuple(self._running.runs.values()) if one.timer is not None]
            limits += [(since, runner.seconds_of(one)) for one in runs if one is not run]
            if run is None or run.phase is Phase.ENDED:
                limits.append((since, KILL_GRACE))
            if self.changes.are_under_way:  # What begins next has no timer yet.
                limits.append((since, self._settings.start_timeout))
        if self._watch is not None:
            first, second = self._watch.ordered_ends[:1], self._watch.ordered_ends[1:2]
            limits += [(max(since, at), self._settings.stop_timeout) for at in first]
            limits += [(max(since, at), KILL_GRACE) for at in second]
        return any(now - begin > seconds for begin, seconds in limits)

    def _never_lets_go(self, address: Address) -> None:
        """Have the process end, if that can be, where *address* keeps all from ending in order."""
        fails = self._is_all_or_nothing and not self._running.have_started
        is_ending = self.changes.is_aborted or (self._watch and self._watch.ordered_ends)
        if fails or is_ending:
            for end in tuple(beyond_help):
                end(address)

    def _task_died(self, task: DeadTask) -> None:
        """Tell of a task that has died; a node whose own background work it was has failed."""
        run, address = task.maker, task.maker.address if task.maker is not None else None
        if address is None and self._owners is not None:
            frames = [frame for frame, _ in walk_tb(task.error.__traceback__)]
            address = self._owners.holder_of(frames[::-1], "")
        if address is None or self.instance_of(address) is None:
            return
        self._emit(NodeTaskFailed(self.clock(), address, task.name, task.error))
        if run is not None and run is self._running.runs[address] and task.is_own:
            run.died = NodeError(f"its task {task.name!r} has failed: {describe(task.error)}")
            run.died.__cause__ = task.error
            run.cancel()

    def _fail(self, run: NodeRun, error: BaseException) -> None:
        run.causes = (run.address,)
        self._emit(NodeFailed(self.clock(), run.address, error))
        run.starting.blame(self._failure(run, "start", error))

    def _breaking(self, run: NodeRun, reason: BaseException) -> None:
        """Start nothing more that needs *run*, which is about to end, and send nobody to it."""
        run.causes = (run.address,)
        if self.supervisor.expects(run.address):  # However long its shutdown takes until then.
            self._running.coming.add(run.address)
        self._running.lose(run)
        run.starting.blame(self._failure(run, "run", reason))

    def _broke(self, run: NodeRun, error: BaseException) -> None:
        self._emit(NodeFailed(self.clock(), run.address, error))
        failure = self._failure(run, "run", error)
        is_of_reload = self.changes.is_of_reload(run)
        culprits = run.starting.culprits
        is_culprit = run.address in culprits
        if is_culprit and (is_of_reload or not self._running.have_started):
            culprits[run.address] = failure
        if is_of_reload:  # If that goes back, so does the node.
            self._of_reload.append(failure)
        else:
            is_told = is_culprit and self._is_all_or_nothing and not self._running.have_started
            self._has_broken(failure, is_told=is_told)

    def _has_broken(self, failure: NodeFailure, *, is_told: bool = False) -> None:
        if not is_told:
            self._running.broken[failure.address] = failure
        self.supervisor.broke(failure)

    def _note(self, run: NodeRun, error: BaseException) -> None:
        self._failures.append(self._failure(run, "stop", error))

    def _failure(
        self, run: NodeRun, phase: Literal["start", "run", "stop"], error: BaseException
    ) -> NodeFailure:
        return NodeFailure(run.address, phase, error, self._nodes.place_of(run.address))


def _cause(failures: Sequence[NodeFailure]) -> BaseException | None:
    """Return what a summary of *failures* is raised from."""
    errors = [failure.error for failure in failures]
    if len(errors) > 1:
        return BaseExceptionGroup("what the nodes raised", errors)
    return errors[0] if errors else None

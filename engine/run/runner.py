"""Runs each node in one asyncio task, from its creation to its end, under deadlines.

An instance is created, runs and is shut down in the same task, so it may hold a task group or a
cancel scope open for as long as it lives. Which node starts or stops when is not decided here.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from types import NoneType
from typing import TYPE_CHECKING

from rungraph.engine.errors import BackgroundError, DeadlineError, KilledError, NodeError
from rungraph.engine.events import (
    Event,
    NodeDegraded,
    NodeKilled,
    NodeReady,
    NodeRecovered,
    NodeStarting,
    NodeStopFailed,
    NodeStopped,
    NodeStopping,
)
from rungraph.engine.interruption import LoopHeldError, cancelled_from_within
from rungraph.engine.run.node_run import NodeInstances, NodeRun, Phase
from rungraph.engine.run.task_watch import context_of
from rungraph.engine.waiting import abandon, finish, guarded, leave_behind, outlast

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.provider import ProviderReport
    from rungraph.engine.run.loop_watch import LoopWatch
    from rungraph.engine.run.settings import StackSettings

KILL_GRACE = 1.0
"""Seconds that a node has to end that is killed."""
_CLOCK_ERROR = 1e-3
"""Seconds by which a timer may fire too early."""
_GRACE = 0.1
"""The share of a stop's deadline that a node has to end once its time is up; at most a second."""

# What guarded code of a provider may raise; a CancelledError is ours or the provider's failure.
_FOREIGN = (Exception, asyncio.CancelledError)
# What a stop comes to that held the event loop beyond its deadline.
_CUT_SHORT = (asyncio.CancelledError, LoopHeldError, NoneType)


@dataclass(frozen=True, slots=True)
class RunnerCallbacks:
    """Who is told what becomes of a node.

    Attributes:
        failed: It did not start.
        breaking: It ends while it should run; its shutdown is about to begin.
        broke: The same, and its shutdown is over; what is raised tells why.
        noted: Its end was not as it should be.
    """

    failed: Callable[[NodeRun, BaseException], None]
    breaking: Callable[[NodeRun, BaseException], None]
    broke: Callable[[NodeRun, BaseException], None]
    noted: Callable[[NodeRun, BaseException], None]


class NodeRunner:
    """The tasks of the nodes; belongs to the event loop and the task that create it.

    Args:
        nodes: Creates and disposes of instances.
        settings: The deadlines.
        emit: Takes every event of a node.
        callbacks: Who is told what becomes of a node.
        watch: Knows who held the event loop; None when nobody watches.
    """

    def __init__(
        self,
        nodes: NodeInstances,
        settings: StackSettings,
        emit: Callable[[Event], None],
        callbacks: RunnerCallbacks,
        watch: LoopWatch | None = None,
    ) -> None:
        self._nodes = nodes
        self._settings = settings
        self._cancel_timeout = min(settings.cancel_timeout, settings.stop_timeout)
        self._emit = emit
        self._callbacks = callbacks
        self._watch = watch
        self.loop = asyncio.get_running_loop()
        self._owner = asyncio.current_task()
        self._zero = self.loop.time()
        # Nodes get the owner's context, never what another node's start has set in its own.
        self._context = copy_context()
        self._stragglers: set[asyncio.Task[None]] = set()
        self._killed = False

    def clock(self) -> float:
        """Return the seconds since the runner was created."""
        return self.loop.time() - self._zero

    # --- what is asked of it -------------------------------------------------------------------

    def start(self, run: NodeRun) -> None:
        """Start *run* in a task of its own."""
        run.phase, run.since = Phase.STARTING, self.clock()
        self._emit(NodeStarting(run.since, run.address))
        self._arm(run, self._settings.start_timeout, self._overdue)
        # By no task factory: it shall not run before `start` has returned, and is watched here.
        run.task = asyncio.Task(
            self._live(run),
            loop=self.loop,
            name=str(run.address),
            context=context_of(run, self._context),
        )
        run.task.add_done_callback(partial(self._task_ended, run))

    def cancel(self, run: NodeRun) -> None:
        """Cancel the start of *run* because of others."""
        if run.phase is Phase.STARTING and not run.overdue and not run.cancelled:
            run.cancelled = True
            run.cancel()
            self._arm(run, self._cancel_timeout, self._leave_behind)

    def stop(self, run: NodeRun) -> None:
        """Let *run* stop, if it runs and has not begun to."""
        if run.phase is not Phase.RUNNING:
            return
        run.phase, run.since = Phase.STOPPING, self.clock()
        self._emit(NodeStopping(run.since, run.address))
        self._arm(run, self._stop_timeout, self._overdue)
        if run.turn is not None:
            finish(run.turn)

    def kill(self, run: NodeRun) -> None:
        """Cancel *run*, whatever it is doing."""
        self._killed = True
        if run.phase in {Phase.STARTING, Phase.RUNNING, Phase.STOPPING}:
            run.cancelled = True
            run.cancel()
            self._arm(run, KILL_GRACE, self._leave_behind)

    async def end_stragglers(self) -> asyncio.CancelledError | None:
        """Give those that were left behind a last chance to end; return a cancellation."""
        left = tuple(self._stragglers)
        cancelled = await outlast(leave_behind(left)) if left and not self._killed else None
        for task in left:
            if not task.done():
                abandon(task)
        return cancelled

    def from_anywhere(self, work: Callable[..., object], *arguments: object) -> None:
        """Have *work* done in the event loop; called from any thread, at any time."""
        with suppress(RuntimeError):  # The loop is closed: nobody listens any more.
            self.loop.call_soon_threadsafe(work, *arguments)

    def report(self, run: NodeRun, report: ProviderReport, about: str = "") -> None:
        """Take what is known *about* one concern of an instance; "" is what it says of itself."""
        if run.phase is Phase.STARTING:
            run.reported[about] = report
        elif run.is_up and report.state != "working":
            before = run.degraded
            run.troubles.pop(about, None)
            if report.state == "degraded":
                run.troubles[about] = report.detail
            if (now := run.degraded) != before:
                kind = NodeRecovered if now is None else NodeDegraded
                self._emit(kind(self.clock(), run.address, now or report.detail))

    # --- one node, in its own task -------------------------------------------------------------

    async def _live(self, run: NodeRun) -> None:
        if causes := run.root_causes():  # It broke down before this start had really begun.
            run.disarm()
            run.starting.skip(run, causes)
            run.starting.settle(run)
            return
        running = {need.address: need.instance for need in run.needs if need.is_up}
        run.handed = frozenset(running)
        try:
            instance = await guarded(self._nodes.open(run.address, running))
        except _FOREIGN as error:
            run.overdue |= self._is_late(run)
            self._did_not_start(run, error)
            return
        del running  # What stops before this node is not kept by it.
        run.overdue |= self._is_late(run)  # Its timer cannot fire while it holds the event loop.
        if run.overdue or run.phase is not Phase.STARTING:
            await self._discard(run, instance)
            return
        self._runs(run, instance)
        reason = await self._turn(run)
        if isinstance(reason, KilledError):
            self._nodes.drop(run.address, instance)
            self._ended(run, reason)
            return
        if reason is not None:
            # From here on nobody may count on it, however long its shutdown takes.
            run.breaking = reason
            self._callbacks.breaking(run, reason)
            self.stop(run)
        ending: BaseException | None = None
        try:
            await guarded(self._nodes.close(run.address, instance))
        except _FOREIGN as error:
            ending = error
        self._ended(run, ending)

    def _runs(self, run: NodeRun, instance: object) -> None:
        run.disarm()
        self._nodes.serve(run.address, instance)
        run.phase, run.instance = Phase.RUNNING, instance
        now, waited = self.clock(), run.since - run.due
        self._emit(NodeReady(now, run.address, duration=now - run.since, waited=waited))
        for about, report in run.reported.items():
            self.report(run, report, about)
        run.starting.settle(run)

    async def _discard(self, run: NodeRun, instance: object) -> None:
        """Dispose of an instance that came too late."""
        self._arm(run, self._stop_timeout, self._overdue)
        try:
            await guarded(self._nodes.close(run.address, instance))
        except _FOREIGN as error:
            self._did_not_start(run, error)
        else:
            self._did_not_start(run, asyncio.CancelledError())

    def _did_not_start(self, run: NodeRun, error: BaseException | None) -> None:
        """Record the end of a start; *error* is None when it is left behind."""
        if run.phase is not Phase.STARTING:
            return
        run.disarm()
        run.phase = Phase.ENDED
        if run.overdue:
            late = _late("start", self._settings.start_timeout, error, abandoned=error is None)
            late.blocking = run.blocking
            self._callbacks.failed(run, late)
        elif error is not None and not isinstance(error, asyncio.CancelledError):
            self._callbacks.failed(run, error)
        elif not run.cancelled:
            self._callbacks.failed(
                run, cancelled_from_within(error, "its start was cancelled from within")
            )
        else:
            if error is None:
                late = DeadlineError("end", self._cancel_timeout, abandoned=True)
                self._callbacks.noted(run, late)
                self._emit(NodeKilled(self.clock(), run.address, late))
            run.starting.skip(run)  # Told last: it does not run because of others.
        run.starting.settle(run)

    async def _turn(self, run: NodeRun) -> Exception | None:
        """Wait until it is the node's turn to stop; return why when it ends before that."""
        while run.phase is Phase.RUNNING:
            run.turn = self.loop.create_future()
            try:
                await run.turn
            except asyncio.CancelledError:
                if self._killed:
                    return KilledError("killed before its turn to stop")
                if run.phase is Phase.RUNNING and not self._spares(run):
                    return run.died or BackgroundError("its background work has ended")
                if run.task is not None:
                    run.task.uncancel()
        return None

    def _spares(self, run: NodeRun) -> bool:
        """Whether *run* is to outlive a cancellation that nobody here asked for.

        When a program ends, its event loop may cancel all tasks at the same time, the owner of
        the stack among them; the owner then stops the nodes in their order. Any other such
        cancellation comes from the instance: its task group or cancel scope has ended.
        """
        if run.spared or self._owner is None or not self._owner.cancelling():
            return False
        run.spared = True
        return True

    def _ended(self, run: NodeRun, error: BaseException | None) -> None:
        """Record the end of a node that had started, given what its stop raised."""
        if run.phase is Phase.ENDED:
            return
        if run.breaking is not None:
            # The stop of a task group raises what its background work has raised.
            error = None if isinstance(error, asyncio.CancelledError) else error
            if error is None and run.overdue and run.died is None:  # That was cut off.
                late = DeadlineError("stop", self._stop_timeout)
                error = NodeError(f"{run.breaking}, and it {late}")
            elif error is None or (run.died is not None and not isinstance(error, DeadlineError)):
                error = run.breaking
            self._callbacks.broke(run, error)
            self._is_gone(run)
            return
        if run.overdue and not isinstance(error, DeadlineError | KilledError):
            error = _late("stop", self._settings.stop_timeout, error)
        elif isinstance(error, asyncio.CancelledError) and self._killed:
            error = KilledError("killed while it was stopping")
        elif isinstance(error, _CUT_SHORT) and self._is_late(run):
            error = DeadlineError("stop", self._stop_timeout, blocking=True)
        elif isinstance(error, asyncio.CancelledError):
            error = cancelled_from_within(error, "its stop was cancelled from within")
        now = self.clock()
        if error is None:
            self._emit(NodeStopped(now, run.address, duration=now - run.since))
        else:
            self._callbacks.noted(run, error)
            killed = isinstance(error, DeadlineError | KilledError) and not run.blocking
            self._emit((NodeKilled if killed else NodeStopFailed)(now, run.address, error))
        self._is_gone(run)

    def _is_gone(self, run: NodeRun) -> None:
        run.disarm()
        run.phase = Phase.ENDED
        run.instance = None
        if run.stopping is not None:
            run.stopping.gone(run)

    def _task_ended(self, run: NodeRun, task: asyncio.Task[None]) -> None:
        """Take note of a task that could not do so itself: it never ran, or was torn down."""
        self._stragglers.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if run.phase is Phase.STARTING:
            self._did_not_start(run, error or asyncio.CancelledError())
        elif run.phase is not Phase.ENDED:
            self._ended(run, error)
        run.disarm()

    # --- deadlines -----------------------------------------------------------------------------

    def _is_late(self, run: NodeRun) -> bool:
        """Whether *run* has taken longer than it may without a timer that could tell so."""
        run.blocking = not (run.overdue or run.cancelled) and self._left_of(run) < 0
        return run.blocking

    def _left_of(self, run: NodeRun) -> float:
        """Return what *run* has left of its time, but for when others held the event loop."""
        now = self.clock()
        owner, since = str(run.address), self._zero + run.since
        held = self._watch.held_by_others(owner, since) if self._watch else 0.0
        return self.seconds_of(run) - (now - run.since) + held

    def seconds_of(self, run: NodeRun) -> float:
        """Return how long *run* may take for what it does."""
        if run.cancelled and not self._killed:
            return self._cancel_timeout
        is_start = run.phase is Phase.STARTING and not self._killed
        return self._settings.start_timeout if is_start else self._stop_timeout

    def is_overdue(self, run: NodeRun) -> bool:
        """Whether the deadline of *run* has passed, though perhaps nobody could tell it so."""
        if run.timer is None or run.timer.when() > self.loop.time():
            return False
        return run.cancelled or run.overdue or self._left_of(run) < 0

    @property
    def _stop_timeout(self) -> float:
        return KILL_GRACE if self._killed else self._settings.stop_timeout

    def _arm(self, run: NodeRun, seconds: float, then: Callable[[NodeRun], None]) -> None:
        """Set the deadline of *run*, in place of any that it had."""
        run.disarm()
        run.timer = self.loop.call_later(seconds, then, run)

    def _overdue(self, run: NodeRun) -> None:
        """Cancel a start or a stop whose time is up."""
        is_start, seconds = run.phase is Phase.STARTING, self.seconds_of(run)
        if (left := self._left_of(run)) > _CLOCK_ERROR:
            self._arm(run, left, self._overdue)
            return
        run.overdue = True
        run.cancel()
        # What a start has made is to be disposed of; a stop has had its time.
        grace = KILL_GRACE if is_start else seconds * _GRACE
        grace = min(self._settings.cancel_timeout, KILL_GRACE, grace)
        self._arm(run, grace, self._leave_behind)

    def _leave_behind(self, run: NodeRun) -> None:
        """Go on without a node that ignores being cancelled."""
        if run.task is not None and not run.task.done():
            self._stragglers.add(run.task)
            run.cancel()
        if run.phase is Phase.STARTING:
            self._did_not_start(run, None)
            return
        self._ended(run, DeadlineError("stop", self._stop_timeout, abandoned=True))


def _late(
    action: str, seconds: float, cause: BaseException | None, *, abandoned: bool = False
) -> DeadlineError:
    late = DeadlineError(action, seconds, abandoned)
    late.__cause__ = cause if isinstance(cause, Exception) else None
    return late

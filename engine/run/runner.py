"""Runs each node in one asyncio task, from its creation to its end, under deadlines.

An instance is created, runs and is shut down in the same task, so it may hold a task group or a
cancel scope open for as long as it lives. Which node starts or stops when is not decided here.
"""

from __future__ import annotations

import asyncio
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rungraph.engine.errors import BackgroundError, DeadlineError, KilledError
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
from rungraph.engine.run.node_run import Life, NodeInstances, Phase
from rungraph.engine.waiting import finish, outlast

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.provider import ProviderReport
    from rungraph.engine.run.settings import StackSettings

KILL_GRACE = 1.0
"""Seconds that a killed node has to end."""

# What a provider's code may raise: SystemExit of one provider must not end the process, and a
# CancelledError is either ours or the provider's own failure.
_FOREIGN = (Exception, asyncio.CancelledError, SystemExit)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Who is told what becomes of a node.

    Attributes:
        settled: Its start is over, one way or the other; called once, last.
        failed: It did not start, or ended while it should have run.
        cancelled: Its start was cancelled because of others.
        noted: Its end was not as it should be.
        gone: It had started and has ended; called once, last.
    """

    settled: Callable[[Life], None]
    failed: Callable[[Life, BaseException], None]
    cancelled: Callable[[Life], None]
    noted: Callable[[Life, BaseException], None]
    gone: Callable[[Life], None]


class NodeRunner:
    """The tasks of the nodes; belongs to the event loop and the task that create it.

    Args:
        nodes: Creates and disposes of instances.
        settings: The deadlines.
        emit: Takes every event of a node.
        outcomes: Who is told what becomes of a node.
    """

    def __init__(
        self,
        nodes: NodeInstances,
        settings: StackSettings,
        emit: Callable[[Event], None],
        outcomes: Outcomes,
    ) -> None:
        self._nodes = nodes
        self._settings = settings
        self._emit = emit
        self._tell = outcomes
        self._loop = asyncio.get_running_loop()
        self._owner = asyncio.current_task()
        self._zero = self._loop.time()
        # Nodes get the owner's context, never what another node's start has set in its own.
        self._context = copy_context()
        self._stragglers: set[asyncio.Task[None]] = set()
        self._killed = False

    def clock(self) -> float:
        """Return the seconds since the runner was created."""
        return self._loop.time() - self._zero

    # --- what is asked of it -------------------------------------------------------------------

    def start(self, life: Life) -> None:
        """Start *life* in a task of its own."""
        life.phase = Phase.STARTING
        life.since = self.clock()
        self._emit(NodeStarting(life.since, life.address))
        self._arm(life, self._settings.start_timeout, self._overdue)
        life.task = self._loop.create_task(
            self._live(life), name=str(life.address), context=self._context.copy()
        )
        life.task.add_done_callback(lambda task: self._task_ended(life, task))

    def cancel(self, life: Life) -> None:
        """Cancel the start of *life* because of others."""
        if life.phase is Phase.STARTING and not life.overdue and not life.cancelled:
            life.cancelled = True
            life.cancel()
            self._arm(life, self._settings.cancel_timeout, self._leave_behind)

    def stop(self, life: Life) -> None:
        """Let *life* stop, if it runs and has not begun to."""
        if life.phase is not Phase.RUNNING:
            return
        life.phase = Phase.STOPPING
        life.since = self.clock()
        self._emit(NodeStopping(life.since, life.address))
        self._arm(life, self._stop_timeout, self._overdue)
        if life.turn is not None:
            finish(life.turn)

    def kill(self, life: Life) -> None:
        """Cancel *life*, whatever it is doing."""
        self._killed = True
        if life.phase in {Phase.STARTING, Phase.RUNNING, Phase.STOPPING}:
            life.cancelled = True
            life.cancel()
            self._arm(life, KILL_GRACE, self._leave_behind)

    async def end_stragglers(self) -> asyncio.CancelledError | None:
        """Give those that were left behind a last chance to end; return a cancellation."""
        left = tuple(self._stragglers)
        if not left or self._killed:
            return None
        for task in left:
            task.cancel()
        ended = asyncio.wait(left, timeout=self._settings.cancel_timeout)
        return await outlast(asyncio.ensure_future(ended))

    def report_from_anywhere(self, life: Life, report: ProviderReport) -> None:
        """Take what an instance says of itself, from any thread, at any time."""
        try:
            self._loop.call_soon_threadsafe(self.report, life, report)
        except RuntimeError:  # The loop is closed: nobody listens any more.
            return

    def report(self, life: Life, report: ProviderReport) -> None:
        """Take what an instance says of itself."""
        if life.phase is Phase.STARTING:
            life.reported = report
        elif life.is_up and report.state == "degraded" and life.degraded != report.detail:
            life.degraded = report.detail
            self._emit(NodeDegraded(self.clock(), life.address, report.detail))
        elif life.is_up and report.state == "ready" and life.degraded is not None:
            life.degraded = None
            self._emit(NodeRecovered(self.clock(), life.address, report.detail))

    # --- one node, in its own task -------------------------------------------------------------

    async def _live(self, life: Life) -> None:
        running = {need.address: need.instance for need in life.needs if need.is_up}
        try:
            instance = await self._nodes.open(life.address, running)
        except _FOREIGN as error:
            self._did_not_start(life, error)
            return
        if life.overdue or life.phase is not Phase.STARTING:
            await self._discard(life, instance)
            return
        self._runs(life, instance)
        reason = await self._turn(life)
        if isinstance(reason, KilledError):
            self._ended(life, reason)
            return
        if reason is not None:
            self.stop(life)
        ending: BaseException | None = None
        try:
            await self._nodes.close(life.address, instance)
        except _FOREIGN as error:
            ending = error
        if reason is None:
            self._ended(life, ending)
        else:
            self._broke_down(life, reason, ending)

    def _runs(self, life: Life, instance: object) -> None:
        life.disarm()
        life.phase = Phase.RUNNING
        life.instance = instance
        now = self.clock()
        self._emit(NodeReady(now, life.address, duration=now - life.since, waited=life.since))
        if life.reported is not None:
            self.report(life, life.reported)
        self._tell.settled(life)

    async def _discard(self, life: Life, instance: object) -> None:
        """Dispose of an instance that came too late."""
        self._arm(life, self._stop_timeout, self._overdue)
        try:
            await self._nodes.close(life.address, instance)
        except _FOREIGN as error:
            self._did_not_start(life, error)
        else:
            self._did_not_start(life, asyncio.CancelledError())

    def _did_not_start(self, life: Life, error: BaseException | None) -> None:
        """Record the end of a start; *error* is None when it is left behind."""
        if life.phase is not Phase.STARTING:
            return
        life.disarm()
        life.phase = Phase.ENDED
        was_cancelled = error is None or isinstance(error, asyncio.CancelledError)
        if not (life.cancelled and not life.overdue and was_cancelled):
            self._tell.failed(life, life.start_error(error, self._settings))
        else:
            self._tell.cancelled(life)
            if error is None:
                late = DeadlineError("end", self._settings.cancel_timeout, abandoned=True)
                self._tell.noted(life, late)
                self._emit(NodeKilled(self.clock(), life.address, late))
        self._tell.settled(life)

    async def _turn(self, life: Life) -> KilledError | BackgroundError | None:
        """Wait until it is the node's turn to stop; return why when it ends before that."""
        while life.phase is Phase.RUNNING:
            life.turn = self._loop.create_future()
            try:
                await life.turn
            except asyncio.CancelledError:
                if self._killed:
                    return KilledError("killed before its turn to stop")
                if life.phase is Phase.RUNNING and not self._spares(life):
                    return BackgroundError("its background work has ended")
                if life.task is not None:
                    life.task.uncancel()
        return None

    def _spares(self, life: Life) -> bool:
        """Whether *life* is to outlive a cancellation that nobody here asked for.

        When a program ends, its event loop may cancel all tasks at the same time, the owner of
        the stack among them; the owner then stops the nodes in their order. Any other such
        cancellation comes from the instance: its task group or cancel scope has ended.
        """
        if life.spared or self._owner is None or not self._owner.cancelling():
            return False
        life.spared = True
        return True

    def _ended(self, life: Life, error: BaseException | None) -> None:
        """Record the end of a node that had started, given what its stop raised."""
        if life.phase is Phase.ENDED:
            return
        now = self.clock()
        wrong = life.stop_error(error, self._settings, killed=self._killed)
        if wrong is None:
            self._emit(NodeStopped(now, life.address, duration=now - life.since))
        else:
            self._tell.noted(life, wrong)
            killed = isinstance(wrong, DeadlineError | KilledError)
            self._emit((NodeKilled if killed else NodeStopFailed)(now, life.address, wrong))
        self._is_gone(life)

    def _broke_down(self, life: Life, reason: BackgroundError, error: BaseException | None) -> None:
        """Record the end of a node that should have gone on running."""
        if life.phase is Phase.ENDED:
            return
        # The stop of a task group raises what its background work has raised.
        self._tell.failed(life, error if isinstance(error, Exception) else reason)
        self._is_gone(life)

    def _is_gone(self, life: Life) -> None:
        life.disarm()
        life.phase = Phase.ENDED
        life.instance = None
        self._tell.gone(life)

    def _task_ended(self, life: Life, task: asyncio.Task[None]) -> None:
        """Take note of a task that could not do so itself: it never ran, or was torn down."""
        self._stragglers.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if life.phase is Phase.STARTING:
            self._did_not_start(life, error or asyncio.CancelledError())
        elif life.phase is not Phase.ENDED:
            self._ended(life, error)
        life.disarm()

    # --- deadlines -----------------------------------------------------------------------------

    @property
    def _stop_timeout(self) -> float:
        return KILL_GRACE if self._killed else self._settings.stop_timeout

    def _arm(self, life: Life, seconds: float, then: Callable[[Life], None]) -> None:
        """Set the deadline of *life*, in place of any that it had."""
        life.disarm()
        life.timer = self._loop.call_later(seconds, then, life)

    def _overdue(self, life: Life) -> None:
        """Cancel a start or a stop whose time is up."""
        life.overdue = True
        life.cancel()
        self._arm(life, self._settings.cancel_timeout, self._leave_behind)

    def _leave_behind(self, life: Life) -> None:
        """Go on without a node that ignores being cancelled."""
        if life.task is not None and not life.task.done():
            self._stragglers.add(life.task)
            life.cancel()
        if life.phase is Phase.STARTING:
            self._did_not_start(life, None)
        else:
            self._ended(life, DeadlineError("stop", self._stop_timeout, abandoned=True))

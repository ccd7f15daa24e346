"""Some nodes of a graph on their way up, in order; what they need besides runs already."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from rungraph.engine.events import Event, NodeSkipped
from rungraph.engine.run.node_run import NodeRun, Phase
from rungraph.engine.run.schedule import Schedule
from rungraph.engine.waiting import finish, outlast

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from rungraph.engine.errors import NodeFailure
    from rungraph.engine.run.runner import NodeRunner
    from rungraph.engine.run.settings import StackSettings
    from rungraph.graph.address import Address

_LINGER = 0.1
"""Seconds between the first failure of a start and the cancellation of those still starting."""


class Starting:
    """The start of *runs*. Nothing waits between two: one that has settled starts the next.

    Args:
        runs: What is to start, in start order.
        runner: Runs each of them.
        settings: Schedule and limits.
        emit: Takes every event.
        is_whole: Whether all have to start: then one failure ends the start of all.
        attach: Hands a node that is up to what already runs and needs it; what needs it in turn
            starts afterwards.

    Attributes:
        culprits: The failures so far, by node.
        is_aborted: Whether it is not to be finished.
    """

    def __init__(
        self,
        runs: Sequence[NodeRun],
        runner: NodeRunner,
        settings: StackSettings,
        emit: Callable[[Event], None],
        *,
        is_whole: bool,
        attach: Callable[[NodeRun], Awaitable[None] | None],
    ) -> None:
        self._runs = runs
        self._runner = runner
        self._emit = emit
        self._is_whole = is_whole
        self._attach = attach
        self._schedule = Schedule(runs, settings.schedule, settings.parallelism)
        self._settled: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._attaching: set[asyncio.Future[None]] = set()
        self._is_filling = False
        self._is_over = False
        self._hands_over = True
        self._lingering: asyncio.TimerHandle | None = None
        self.culprits: dict[Address, NodeFailure] = {}
        self.is_aborted = False
        for run in runs:
            run.starting = self

    async def run(self) -> asyncio.CancelledError | None:
        """Start all, and return once each has settled; return a cancellation, which aborts it."""
        self._fill()
        # What it has started goes on, unless it is all or nothing, and is handed over.
        abort = partial(self.abort, goes_on=not self._is_whole)
        cancelled = await outlast(self._settled, on_cancel=abort)
        self._is_over = True
        if self._lingering is not None:
            self._lingering.cancel()
        for run in self._runs:
            if run.phase is Phase.WAITING:  # It was aborted before their turn.
                self.skip(run)
        return cancelled

    @property
    def failures(self) -> tuple[NodeFailure, ...]:
        """What failed, in start order."""
        return tuple(self.culprits[r.address] for r in self._runs if r.address in self.culprits)

    def _fill(self) -> None:
        """Start everything that may start now."""
        if self._is_filling:  # What is skipped settles inside the loop below.
            return
        self._is_filling = True
        while (run := self._schedule.take()) is not None:
            causes = run.root_causes()
            if causes:
                self.skip(run, causes)
                self._has_settled(run)
            else:
                self._runner.start(run)
        self._is_filling = False
        if self._schedule.is_over:
            finish(self._settled)

    def settle(self, run: NodeRun) -> None:
        """Take note that *run* is up or not to be, and start what may start now."""
        attaching = self._attach(run) if run.is_up and self._hands_over else None
        if attaching is None:
            self._has_settled(run)
            return
        task = asyncio.ensure_future(attaching)
        self._attaching.add(task)
        task.add_done_callback(self._attaching.discard)
        task.add_done_callback(lambda _: self._has_settled(run))

    def _has_settled(self, run: NodeRun) -> None:
        self._schedule.settled(run)
        self._fill()

    def skip(self, run: NodeRun, causes: tuple[Address, ...] | None = None) -> None:
        """Record that *run* does not start, because of *causes* or of what failed here."""
        run.phase, run.is_skipped = Phase.ENDED, True
        run.causes = tuple(one.address for one in self.failures) if causes is None else causes
        self._emit(NodeSkipped(self._runner.clock(), run.address, run.causes))

    def blame(self, failure: NodeFailure) -> None:
        """Take note of what keeps the start from being whole."""
        if self._is_over:
            return
        self.culprits[failure.address] = failure
        if self._is_whole and not self.is_aborted:
            # Those that fail at the same time, perhaps for the same reason, are to be named, too.
            self._lingering = asyncio.get_running_loop().call_later(_LINGER, self.abort)
            self._start_nothing_more()

    def abort(self, *, goes_on: bool = False) -> None:
        """Start nothing more and cancel what is starting; hand over only what then *goes_on*."""
        if self._is_over:
            return
        self._start_nothing_more(goes_on=goes_on)
        for run in self._runs:
            self._runner.cancel(run)
        if not goes_on:
            for task in tuple(self._attaching):
                task.cancel()

    def _start_nothing_more(self, *, goes_on: bool = False) -> None:
        self.is_aborted = True
        self._hands_over = self._hands_over and goes_on
        self._schedule.close()
        self._fill()

"""Some nodes of a graph on their way down, each after all of them that depend on it."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from rungraph.engine.run.node_run import NodeRun, Phase
from rungraph.engine.waiting import finish, outlast

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.engine.run.runner import NodeRunner


class Stopping:
    """The stop of those of *runs* that run. Nothing waits between two: the last user frees a node.

    Args:
        runs: What is to stop, in start order.
        runner: Stops each of them.
    """

    def __init__(self, runs: Iterable[NodeRun], runner: NodeRunner) -> None:
        self._up = [run for run in runs if run.phase in {Phase.RUNNING, Phase.STOPPING}]
        self._runner = runner
        self._users = Counter(need for run in self._up for need in run.needs)
        self._left = len(self._up)
        self._stopped: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        for run in self._up:
            run.stopping = self

    async def run(self) -> asyncio.CancelledError | None:
        """Stop all, and return once all have ended; a cancellation comes back afterwards."""
        if not self._up:
            return None
        for run in reversed(self._up):
            self._stop_unused(run)
        return await outlast(self._stopped)

    def gone(self, run: NodeRun) -> None:
        """Let those stop that *run* was the last to use."""
        self._left -= 1
        if not self._left:
            finish(self._stopped)
        for need in run.needs:
            self._users[need] -= 1
            self._stop_unused(need)

    def _stop_unused(self, run: NodeRun) -> None:
        if run.stopping is self and not self._users[run]:
            self._runner.stop(run)

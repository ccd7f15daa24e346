"""Starts again what has failed: with growing pauses, and not for ever."""

from __future__ import annotations

import asyncio
from collections import deque
from random import Random
from typing import TYPE_CHECKING, Protocol

from rungraph.engine.errors import (
    BackgroundError,
    NodeFailure,
    NotRunningError,
    RestartingError,
    describe,
)
from rungraph.engine.events import Event, NodeGivenUp, NodeRestarting
from rungraph.engine.run.errors import RunError
from rungraph.engine.waiting import finish
from rungraph.graph.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable

    from rungraph.engine.run.node_run import NodeInstances
    from rungraph.engine.run.settings import StackSettings
    from rungraph.graph.address import Address

_JITTER = 0.2
"""By what share a pause is longer or shorter, so that not all come back at the same moment."""

_MOST_DOUBLINGS = 60
"""Pauses have reached any maximum by then."""


class Replacing(Protocol):
    """What a supervisor asks of a running graph."""

    def clock(self) -> float:
        """Return the seconds since the stack began to start."""
        ...

    def instance_of(self, address: Address) -> object | None:
        """Return the running instance of *address*; None when it does not run."""
        ...

    def give_up(self, address: Address) -> None:
        """Take note that *address* is not to be started again."""
        ...

    async def replace(self, nodes: Collection[Address]) -> tuple[NodeFailure, ...]:
        """Start *nodes* anew, and what cannot go on without them; return what did not start."""
        ...


class Supervisor:
    """Starts failed nodes again, each as its ``restart`` says.

    Args:
        graph: What runs.
        nodes: Tells how each node is to be restarted, and who asks for it meanwhile.
        settings: The pauses and the limit.
        emit: Takes every event.
        doom: Called when a node stays failed and the stack is not to go on without it.
    """

    def __init__(
        self,
        graph: Replacing,
        nodes: NodeInstances,
        settings: StackSettings,
        emit: Callable[[Event], None],
        doom: Callable[[RunError], None] | None,
    ) -> None:
        self._graph = graph
        self._nodes = nodes
        self._settings = settings
        self._emit = emit
        self._doom = doom
        self._random = Random(settings.restart_seed)  # noqa: S311  (no secret)
        self._is_open = False
        self._waiting: list[NodeFailure] = []
        self._tasks: dict[Address, asyncio.Task[None]] = {}
        self._latest: dict[Address, NodeFailure] = {}
        self._failures: dict[Address, NodeFailure] = {}
        self._attempts: dict[Address, deque[float]] = {}
        self._due: dict[Address, float] = {}
        self._asleep: dict[Address, asyncio.Future[None]] = {}

    def retry_after(self, address: Address) -> float:
        """Return the seconds until *address* begins to start again; 0 when it does not wait."""
        due = self._due.get(address, 0.0) if address in self._tasks else 0.0
        return max(0.0, due - self._graph.clock())

    def restarts(self, address: Address) -> bool:
        """Whether *address*, which has failed, is to be started again."""
        return address in self._tasks

    def expects(self, address: Address) -> bool:
        """Whether *address*, which breaks down now, is likely to be started again."""
        return self._is_open and self._why_never(address) is None

    def open(self, failures: Iterable[NodeFailure] = ()) -> None:
        """Begin to start again what fails, with *failures* of the start."""
        self._is_open = True
        for failure in (*failures, *self._waiting):
            self.broke(failure)

    def broke(self, failure: NodeFailure) -> None:
        """Take note of a node that has failed; it has ended."""
        if not self._is_open:
            self._waiting.append(failure)
            return
        address = failure.address
        if failure is not self._failures.get(address):  # Else a reload that failed came between.
            self._due.pop(address, None)
        self._latest[address] = self._failures[address] = failure
        if (asleep := self._asleep.pop(address, None)) is not None:  # Others have started it.
            finish(asleep)
        if address not in self._tasks:
            task = asyncio.create_task(self._restart(address), name=f"restart {address}")
            self._tasks[address] = task
            task.add_done_callback(lambda done: self._ended(address, done))

    def forget(self, nodes: Iterable[Address]) -> tuple[NodeFailure, ...]:
        """Restart none of *nodes*: somebody else stops or starts them; return why they were to."""
        forgotten: list[NodeFailure] = []
        for address in nodes:
            self._latest.pop(address, None)
            if (task := self._tasks.pop(address, None)) is not None:
                task.cancel()
                forgotten.append(self._failures[address])
        return tuple(forgotten)

    def forget_all_but(self, nodes: Container[Address]) -> None:
        """Restart nothing but what is one of *nodes*."""
        self.forget([one for one in (*self._tasks, *self._latest) if one not in nodes])

    async def aclose(self) -> None:
        """Start nothing again any more; a restart that is under way is broken off."""
        self._is_open = False
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _ended(self, address: Address, task: asyncio.Task[None]) -> None:
        if self._tasks.get(address) is task:
            del self._tasks[address]

    async def _restart(self, address: Address) -> None:
        while (failure := self._latest.pop(address, None)) is not None:
            if self._graph.instance_of(address) is not None:  # Another change has brought it back.
                continue
            reason = self._why_not(failure)
            if reason is not None:
                self._give_up(failure, reason)
                return
            delay = self._pause(address)
            self._due[address] = self._graph.clock() + delay
            self._nodes.lose(address, RestartingError(str(address), delay))
            cause = describe(failure.error)
            self._emit(NodeRestarting(self._graph.clock(), address, cause, delay))
            if await self._is_broken_again_within(delay, address):
                continue
            failures = await self._graph.replace([address])
            self._due.pop(address, None)
            for one in failures:
                if one.phase == "run":  # It ran and broke again: told, with its cause, at its end.
                    continue
                if one.address == address:
                    self._latest[address] = self._failures[address] = one
                else:
                    self.broke(one)

    async def _is_broken_again_within(self, seconds: float, address: Address) -> bool:
        """Wait until *address* is due; return whether it has started, or tried to, and failed."""
        asleep = self._asleep[address] = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait([asleep], timeout=seconds)
        except asyncio.CancelledError:
            self._attempts[address].pop()  # It comes to none.
            raise
        finally:
            if self._asleep.get(address) is asleep:
                del self._asleep[address]
        return asleep.done()

    def _why_not(self, failure: NodeFailure) -> str | None:
        """Return why the failed node is not started again; None when it is."""
        has_ended_well = failure.phase == "run" and isinstance(failure.error, BackgroundError)
        if has_ended_well and self._nodes.restarts_of(failure.address) == "on-failure":
            return f"'{failure.address}' has ended by itself, and is restarted on failure only"
        return self._why_never(failure.address)

    def _why_never(self, address: Address) -> str | None:
        """Return why *address* is not started again now, however it fails; None when it may be."""
        if self._nodes.restarts_of(address) == "never":
            return f"'{address}' has failed and is not to be restarted"
        attempts, now = self._attempts.setdefault(address, deque()), self._graph.clock()
        while attempts and attempts[0] <= now - self._settings.restart_window:
            attempts.popleft()
        if len(attempts) >= self._settings.restart_limit:
            times = counted(len(attempts), "restart")
            window = f"within {self._settings.restart_window:g} s"
            return f"'{address}' has failed again after {times} {window}"
        return None

    def _pause(self, address: Address) -> float:
        attempts, settings = self._attempts[address], self._settings
        doublings = min(len(attempts), _MOST_DOUBLINGS)
        pause = min(settings.restart_delay * 2.0**doublings, settings.restart_delay_most)
        pause *= self._random.uniform(1 - _JITTER, 1 + _JITTER)
        if (left := self.retry_after(address)) > 0:  # It has waited before.
            pause = min(pause, left)
        attempts.append(self._graph.clock() + pause)
        return pause

    def _give_up(self, failure: NodeFailure, reason: str) -> None:
        self._graph.give_up(failure.address)
        self._emit(NodeGivenUp(self._graph.clock(), failure.address, reason))
        self._nodes.lose(failure.address, NotRunningError(reason))
        if self._doom is not None and self._settings.on_failure == "rollback":
            self._doom(RunError(failure, reason))

"""One stack from start to stop, as ``rungraph run`` shows it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rungraph.cli.output.errors import text_of, traced
from rungraph.cli.terminal import OutputClosedError, complain, leave, tell
from rungraph.engine.errors import DeadlineError, describe
from rungraph.engine.events import NodeFailed, NodeKilled
from rungraph.engine.request import without_call_data
from rungraph.engine.run.registrations import registration_store
from rungraph.engine.run.service_manager import tell_service_manager
from rungraph.engine.run.signals import SIGNALS
from rungraph.engine.run.stack import Stack
from rungraph.graph import NodeKind, RungraphError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence

    from rungraph.cli.output.answers import Answers
    from rungraph.cli.progress.lines import LineProgress
    from rungraph.engine.events import Event
    from rungraph.engine.run.calls import Call
    from rungraph.engine.run.settings import StackSettings
    from rungraph.engine.run.timeline import Timeline
    from rungraph.graph import RunGraph


@dataclass(frozen=True, slots=True)
class Session:
    """What is to happen while a stack runs.

    Attributes:
        graph: What runs.
        settings: How it runs.
        calls: What is asked of it; with none, it runs until a signal ends it.
        answers: Writes what the calls came to.
        progress: Shows starts and stops.
        summarize: Writes the start-up summary.
        subscribers: What else takes every event.
    """

    graph: RunGraph
    settings: StackSettings
    calls: Sequence[Call]
    answers: Answers
    progress: LineProgress
    summarize: Callable[[Timeline], None]
    subscribers: Sequence[Callable[[Event], None]] = ()

    def run(self) -> int:
        """Start the stack, answer the calls, stop the stack; return the exit code."""
        logging.basicConfig(handlers=[ScrubbedLog(self.graph)], level=logging.WARNING)
        return asyncio.run(self._run())

    async def _run(self) -> int:
        stack = Stack(self.graph, self.settings)
        for subscriber in (self.progress.take, *self.subscribers):
            stack.events.subscribe(subscriber)
        tell_service_manager(stack.events, os.environ)
        return await code_of(stack, self._until_signalled(stack), self.progress)

    async def _until_signalled(self, stack: Stack) -> int:
        async with stack.signals() as signals:
            with last_resort():
                code = await self._serve(stack)
        return signals.exit_code or code

    async def _serve(self, stack: Stack) -> int:
        async with stack:
            self.summarize(stack.timeline())
            if self.calls:
                return await self._answer(stack)
            if any(address.kind is NodeKind.TABLE for address in self.graph):
                store = registration_store(self.graph, self.settings)
                tell(f"registrations are kept in {store.path}")
            tell("ready; Ctrl-C stops")
            await asyncio.get_running_loop().create_future()
        return 0

    async def _answer(self, stack: Stack) -> int:
        """Answer the calls one after the other; stop at the first that fails."""
        loop = asyncio.get_running_loop()
        for call in self.calls:
            tell(f"calling {call}")
            begun = loop.time()
            try:
                await self.answers.write(call, await call.on(stack))
            except OutputClosedError:
                return 1
            except Exception as error:  # noqa: BLE001  a provider's code: anything can go wrong
                text = self.graph.scrubbed(traced(error, describe(error)))
                self.answers.fail(call, text)
                complain(f"{call} failed: {text}")
                return 1
            tell(f"answered in {loop.time() - begun:.2f} s")
        return 0


async def code_of(stack: Stack, work: Awaitable[int], progress: LineProgress) -> int:
    """Return the exit code of *work* with *stack*, which is over then; say what went wrong.

    Where a node was cut short, the process ends here.
    """
    try:
        code = await work
    except RungraphError as error:
        progress.close()
        complain(stack.graph.scrubbed(text_of(error)))
        code = 1
    finally:
        progress.close()
    if any(map(_was_cut_short, stack.events)):
        # What was cut short may still hold a thread, for which Python would wait.
        leave(code, at_once=True)
    return code


def _was_cut_short(event: Event) -> bool:
    """Whether an event tells of a node that was not waited for."""
    is_late = isinstance(event, NodeFailed) and isinstance(event.error, DeadlineError)
    return is_late or isinstance(event, NodeKilled)


class ScrubbedLog(logging.Handler):
    """Writes log records to standard error, without the secrets of the config."""

    def __init__(self, graph: RunGraph) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(levelname)s: %(name)s: %(message)s"))
        self._graph = graph

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record*; what it has from elsewhere commands no terminal."""
        tell(without_call_data(self._graph.scrubbed(self.format(record))))


_ENOUGH = 3


@contextmanager
def last_resort() -> Generator[None]:
    """End the process at once on the third signal that asks for its end.

    The first two are the stack's (`engine.run.signals`). They go through the event loop,
    which some provider's code may block. This goes past it: the event loop is woken by the signal
    itself, whatever function stands for it, so both see every signal.
    """
    count = 0

    def take(number: int, _: object) -> None:
        nonlocal count
        count += 1
        if count >= _ENOUGH:
            os._exit(128 + number)

    before = {number: signal.signal(number, take) for number in SIGNALS}
    try:
        yield
    finally:
        for number, function in before.items():
            signal.signal(number, function)

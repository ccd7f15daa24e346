"""One stack from start to stop, as ``rungraph run`` shows it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from rungraph.cli.output.errors import text_of, traced
from rungraph.cli.terminal import OutputClosedError, complain, tell
from rungraph.engine.errors import describe
from rungraph.engine.interruption import Interruption, cancelled_from_within
from rungraph.engine.outlet import finish_output, release_output
from rungraph.engine.run.loop_watch import beyond_help
from rungraph.engine.run.registrations import registration_store
from rungraph.engine.run.service_manager import tell_service_manager
from rungraph.engine.run.signals import SIGNALS
from rungraph.engine.run.stack import Stack
from rungraph.engine.scrubbed_log import log_scrubbed
from rungraph.engine.waiting import ctrl_c_raises, leave_behind, task_of
from rungraph.graph import NodeKind, RungraphError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
    from contextlib import AbstractContextManager
    from types import FrameType

    from rungraph.cli.output.answers import Answers
    from rungraph.cli.output.masks import Masks
    from rungraph.cli.progress.lines import LineProgress
    from rungraph.cli.progress.watched_file import WatchedFile
    from rungraph.engine.events import Event
    from rungraph.engine.routing.store import RegistrationStore
    from rungraph.engine.run.calls import Call
    from rungraph.engine.run.settings import StackSettings
    from rungraph.engine.run.timeline import Timeline
    from rungraph.graph import RunGraph
    from rungraph.graph.address import Address

_logger = logging.getLogger(__name__)


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
        recording: Hands out what else takes every event, if anything does, until the stack is over.
        masks: Masks secrets in what is written.
        watched: The file to reload when it changes, if there is one.
        is_quiet: Whether answers and errors are all that is written.
    """

    graph: RunGraph
    settings: StackSettings
    calls: Sequence[Call]
    answers: Answers
    progress: LineProgress
    summarize: Callable[[Timeline], None]
    masks: Masks
    recording: AbstractContextManager[Callable[[Event], None] | None]
    watched: WatchedFile | None = None
    is_quiet: bool = False

    def run(self) -> int:
        """Start the stack, answer the calls, stop the stack; return the exit code."""
        release_output()
        log_scrubbed(self.masks, tell)
        return code_in(self._run())

    async def _run(self) -> int:
        stack = Stack(self.graph, self.settings)
        if not self.is_quiet:
            stack.events.subscribe(self.progress.take)
        tell_service_manager(stack.events, os.environ)
        return await code_of(stack, self._until_signalled(stack), self.progress)

    async def _until_signalled(self, stack: Stack) -> int:
        changed = None if self.watched is None else asyncio.Event()
        async with stack.signals(changed) as signals:
            with self.recording as take, last_resort(reloads=changed is not None):
                if take is not None:
                    stack.events.subscribe(take)
                code = await self._serve(stack, changed)
        return signals.exit_code or code

    async def _serve(self, stack: Stack, changed: asyncio.Event | None) -> int:
        store = registration_store(self.graph, self.settings)
        async with stack:
            self.summarize(stack.timeline())
            if self.calls:
                return await self._answer(stack)
            if not self.is_quiet:
                tell_store(stack, store)
            self._tell("ready; Ctrl-C stops")
            if self.watched is not None and changed is not None:
                await self.watched.reload_forever(stack, changed, self.masks)
            await asyncio.get_running_loop().create_future()
        return 0

    async def _answer(self, stack: Stack) -> int:
        """Answer the calls one after the other; stop at the first that fails."""
        loop = asyncio.get_running_loop()
        for call in self.calls:
            self._tell(f"calling {call}")
            begun = loop.time()
            try:
                is_cut = await _apart(self._answer_one(stack, call))
            except OutputClosedError:
                return 1
            except Exception as error:  # noqa: BLE001  a provider's code: anything can go wrong
                text = self.masks(traced(error, describe(error)))
                self.answers.fail(call, text)
                complain(f"{call} failed: {text}")
                return 1
            cut = "; cut off at the limit of tokens, see max_tokens" if is_cut else ""
            self._tell(f"answered in {loop.time() - begun:.2f} s{cut}")
        return 0

    async def _answer_one(self, stack: Stack, call: Call) -> bool:
        return await self.answers.write(call, await call.on(stack))

    def _tell(self, text: str) -> None:
        if not self.is_quiet:
            tell(text)


def tell_store(stack: Stack, store: RegistrationStore) -> None:
    """Say that *stack* keeps in *store* what was registered, if it can keep anything."""
    if any(address.kind is NodeKind.TABLE for address in stack.graph):
        tell(f"registrations are kept in {store.path}")


async def _apart(work: Coroutine[Any, Any, bool]) -> bool:
    """Return the result of *work*; who waits can be cancelled even if a provider ignores that."""
    task = task_of(work, None)
    try:
        await asyncio.wait([task])
    finally:
        await leave_behind([task])
    if task.cancelled():
        raise cancelled_from_within(None, "its provider cancelled it")
    return task.result()


def code_in(
    work: Coroutine[Any, Any, int],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> int:
    """Return what *work* returns, also when code of a provider ends the event loop meanwhile.

    Args:
        work: What is done.
        loop_factory: Makes the event loop; None for Python's own.
    """
    runner = asyncio.Runner(loop_factory=loop_factory)
    try:
        return _code_in(runner, work)
    finally:
        # What is ours is over. What a provider has left may end the loop here, too.
        with suppress(RuntimeError, SystemExit, KeyboardInterrupt):
            runner.close()


def _code_in(runner: asyncio.Runner, work: Coroutine[Any, Any, int]) -> int:
    tasks: list[asyncio.Task[int]] = []

    async def main() -> int:
        if (task := asyncio.current_task()) is not None:
            tasks.append(task)
        asyncio.get_running_loop().set_exception_handler(_take_failure)
        return await work

    run, told = partial(runner.run, main()), set[str]()
    while True:
        try:
            return run()
        except (RuntimeError, SystemExit, KeyboardInterrupt) as error:
            is_ctrl_c = isinstance(error, KeyboardInterrupt) and ctrl_c_raises()
            if not tasks or is_ctrl_c or runner.get_loop().is_closed():
                raise
            if tasks[0].done():
                return tasks[0].result()
            is_stop, name = isinstance(error, RuntimeError), type(error).__name__
            what = "stopped the event loop" if is_stop else f"raised {name} in the event loop"
        if what not in told:
            _logger.warning("code of a provider has %s, which goes on", what)
            told.add(what)
        run = partial(runner.get_loop().run_until_complete, tasks[0])


def _take_failure(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Tell in one line of a callback that was interrupted, and of all else as ever."""
    if isinstance(error := context.get("exception"), Interruption):
        _logger.warning("%s, and was interrupted: %s", error, context["message"])
    else:
        loop.default_exception_handler(context)


async def code_of(stack: Stack, work: Awaitable[int], progress: LineProgress) -> int:
    """Return the exit code of *work* with *stack*, which is over then; say what went wrong.

    From then on a process of the command line's own ends soon, although asyncio and Python wait for
    tasks and threads, and providers may have left some that never end.
    """
    code = 1
    try:
        code = await work
    except RungraphError as error:
        progress.close()
        complain(stack.scrubbed(text_of(error)))
    except asyncio.CancelledError:
        progress.close()
        complain("what ran was cancelled by code of a provider, which cancels what is not its own")
    finally:
        if (end_soon := click.get_current_context().obj) is not None:
            for number in SIGNALS:  # The end comes by itself, and soon: another has no say.
                signal.signal(number, signal.SIG_IGN)
            end_soon(code)
        progress.close()
    return code


_ENOUGH = 3


@contextmanager
def last_resort(*, reloads: bool = False) -> Generator[None]:
    """End the process at once on the third signal that asks for its end; SIGHUP may not.

    The first two are the stack's (`engine.run.signals`). They go through the event loop,
    which some provider's code may block. This goes past it: the event loop is woken by the signal
    itself, whatever function stands for it, so both see every signal. So the process ends when a
    provider blocks the event loop for good, and nothing can end in order.
    """
    count, code = 0, 1

    def end(holder: Address) -> None:
        what = f"'{holder}' holds the event loop beyond its deadline and cannot be interrupted"
        complain(f"{what}: the process ends without stopping what else runs")
        finish_output()
        os._exit(code)

    def take(number: int, frame: FrameType | None) -> None:
        nonlocal count, code
        count, code = count + 1, 128 + number
        if count >= _ENOUGH:
            os._exit(code)
        if callable(earlier := before.get(number)):
            earlier(number, frame)

    heeded = [one for one in SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
    signals = [one for one in heeded if not (reloads and one.name == "SIGHUP")]
    before: dict[int, Any] = {}
    for one in signals:
        before[one] = signal.signal(one, take)
    beyond_help.append(end)
    try:
        yield
    finally:
        beyond_help.remove(end)
        for number, function in before.items():
            signal.signal(number, function)

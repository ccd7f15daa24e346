"""Waiting for what cannot be interrupted: threads, foreign code, the end of an orderly stop."""

from __future__ import annotations

import asyncio
import logging
import math
import signal
from collections.abc import Coroutine
from contextvars import copy_context
from functools import partial
from inspect import isawaitable, iscoroutinefunction
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rungraph.engine.errors import NodeError, describe
from rungraph.engine.interruption import Interruption, LoopHeldError, cancelled_from_within

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

_T = TypeVar("_T")
_logger = logging.getLogger(__name__)

_SLICE = 500
"""Items that are gone through at a time."""
_END_SECONDS = 1.0
"""Seconds for which what nobody waits for any more may hold the event loop in order to end."""
_LAST_CHANCE = 0.1
"""Seconds that a task has to end after its last cancellation."""


async def outlast(
    work: Awaitable[Any], *, on_cancel: Callable[[], object] | None = None
) -> asyncio.CancelledError | None:
    """Wait until *work* is done, also when the waiting task is cancelled meanwhile.

    Args:
        work: What to wait for; it is not cancelled.
        on_cancel: Called at every cancellation.

    Returns:
        The last cancellation, for the caller to raise when it has done what it must; None when
        there was none.
    """
    future, cancelled = asyncio.ensure_future(work), None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as error:
            cancelled = error
            if on_cancel is not None:
                on_cancel()
    if cancelled is not None:
        _mark_as_seen(future)  # The caller raises the cancellation instead.
    return cancelled


def thread_future(function: Callable[..., _T], *args: Any) -> asyncio.Future[_T]:
    """Call *function* in a thread of its own and return the future of its result.

    Every call has its own thread, so that one that never returns takes no place from others, and
    it is a daemon thread, so that such a call does not keep the process from ending.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()
    context = copy_context()

    def deliver(result: Any, error: BaseException | None) -> None:
        if future.done():
            return
        if error is None:
            future.set_result(result)
        elif isinstance(error, StopIteration):  # A future does not accept this one.
            wrapped = RuntimeError("the function raised StopIteration")
            wrapped.__cause__ = error
            future.set_exception(wrapped)
        else:
            future.set_exception(error)

    def run() -> None:
        result: Any = None
        failure: BaseException | None = None
        try:
            result = context.run(function, *args)
        except BaseException as error:  # noqa: BLE001 (raised again where the future is awaited)
            failure = error
        try:
            loop.call_soon_threadsafe(deliver, result, failure)
        except RuntimeError:  # The loop is closed: nobody waits any more.
            return

    Thread(target=run, name=getattr(function, "__qualname__", "thread"), daemon=True).start()
    return future


async def result_of(function: Callable[..., Any], *args: object) -> object:
    """Return what *function* returns, awaited; a plain function is called in a thread.

    A thread cannot be interrupted: when the caller is cancelled meanwhile, what the function
    returns is returned all the same, so that nobody loses an instance that has to be shut down.
    """
    if iscoroutinefunction(function):
        return await function(*args)
    future = thread_future(function, *args)
    cancelled = await outlast(future)
    result: object = future.result()
    if not isawaitable(result):
        return result
    if cancelled is not None:
        if asyncio.iscoroutine(result):
            result.close()
        raise cancelled
    return await result


async def settled(work: Awaitable[_T]) -> _T:
    """Return the result of *work*, which cannot be interrupted.

    A cancellation is raised once it is done: nothing goes on unseen.
    """
    future = asyncio.ensure_future(work)
    cancelled = await outlast(future)
    if cancelled is not None:
        raise cancelled
    return future.result()


class NoAnswerError(TimeoutError):
    """Raised when something takes longer than it may."""


async def within(work: Awaitable[_T], seconds: float, *, grace: float, owner: object = None) -> _T:
    """Return the result of *work*, unless it takes too long.

    The work runs in a task of its own. It is cancelled when time is up or the caller is
    cancelled, and left behind when it has not ended *grace* seconds after that.

    Args:
        work: What to wait for; a task is named after the node whose work it is.
        seconds: How long it may take, apart from when others hold the event loop.
        grace: How long its end may take then.
        owner: The node whose work it is, where that is no task yet.

    Raises:
        NoAnswerError: If *work* takes longer than *seconds*.
        LoopHeldError: If *work* is interrupted because others cannot wait any longer.
        BackgroundError: If *work* cancels itself.
    """
    name = None if owner is None else str(owner)
    task = work if isinstance(work, asyncio.Task) else task_of(work, name)
    task.add_done_callback(_mark_as_seen)
    try:
        await wait_in_time(task, task, asyncio.get_running_loop().time(), seconds)
    except asyncio.CancelledError:
        await _cancel(task, grace)
        raise
    if not task.done():
        await _cancel(task, grace)
    elif task.cancelled():
        raise cancelled_from_within()
    elif not was_cut_off(task, task):
        return task.result()
    msg = f"no answer within {seconds:g} s"
    raise NoAnswerError(msg)


async def wait_in_time(
    future: asyncio.Future[Any], task: asyncio.Task[Any], since: float, seconds: float
) -> None:
    """Wait for *future*, which *task* is to complete within so many *seconds*.

    What others than the node that *task* is named after hold the event loop does not count.
    """
    set_due(task, since, seconds)
    loop, due = asyncio.get_running_loop(), since + seconds
    while not future.done():
        left = due - loop.time()
        if left <= 0 and (left := (due := due_of(task)) - loop.time()) <= 0:
            return
        await asyncio.wait([future], timeout=None if due == math.inf else left)


def was_cut_off(future: asyncio.Future[Any], task: asyncio.Task[Any]) -> bool:
    """Whether *future* has failed because *task* held the event loop beyond its deadline."""
    if future.cancelled() or not isinstance(future.exception(), LoopHeldError):
        return False
    return due_of(task) <= asyncio.get_running_loop().time()


async def _cancel(task: asyncio.Task[Any], grace: float) -> None:
    """Cancel *task* and wait for its end, but not longer than *grace* seconds."""
    set_due(task, asyncio.get_running_loop().time(), max(grace, _END_SECONDS))
    task.cancel()
    if grace:
        try:
            await settled(asyncio.wait([task], timeout=grace))
        finally:  # Also when the caller is cancelled once more meanwhile.
            await leave_behind([task])
    elif not task.done():
        task.cancel()


async def leave_behind(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel *tasks* a last time, and abandon those that ignore that, too."""
    left = _left_of(tasks)
    for task in left:
        task.cancel()
    try:
        if left:
            await settled(asyncio.wait(left, timeout=_LAST_CHANCE))
    finally:
        for task in left:
            if not task.done():
                abandon(task)


def abandon(task: asyncio.Task[Any]) -> None:
    """Let nobody wait for *task* any more: it holds on to a thread, or ignores being cancelled.

    `asyncio.run` waits, without an end, for every task that its loop knows.
    """
    asyncio._unregister_task(task)  # noqa: SLF001  (documented, for those who make tasks)
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001


def cut_off(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel *tasks* a last time, where nobody can wait for that: they may ignore it."""
    for task in _left_of(tasks):
        task.cancel()
        abandon(task)


def _left_of(tasks: Iterable[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    """Return which of *tasks* have not ended; what any of them raises nobody need look at."""
    tasks = [*tasks]
    for task in tasks:
        task.add_done_callback(_mark_as_seen)
    return [task for task in tasks if not task.done()]


async def in_slices(items: Iterable[_T]) -> AsyncGenerator[_T, None]:
    """Yield *items*, and let others have the event loop after every few hundred of them."""
    for count, item in enumerate(items, 1):
        yield item
        if not count % _SLICE:
            await asyncio.sleep(0)


async def awaited(result: Any) -> Any:
    """Return *result*, or what comes of it if it is to be awaited."""
    return await result if isawaitable(result) else result


class _Guarded(Coroutine[Any, Any, _T]):
    """Like *work* itself, also when it is cancelled before its first step; see `guarded`."""

    def __init__(self, work: Any) -> None:
        self._work = work
        self.since, self.seconds = 0.0, math.inf
        self.maker: object = None

    def send(self, value: Any) -> Any:
        return self._step(self._work.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._work.throw, *error)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Any:
        return self

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self._step(self._work.send, None)

    def __getattr__(self, name: str) -> Any:  # What debuggers ask for.
        return getattr(self._work, name)

    def _step(self, step: Callable[..., Any], *given: Any) -> Any:
        try:
            return step(*given)
        except Interruption as error:
            raise LoopHeldError(error) from None
        except (Exception, asyncio.CancelledError):
            raise
        except BaseException as error:  # (that is what it is for)
            if isinstance(error, KeyboardInterrupt) and ctrl_c_raises():
                raise
            text = f"it raised {describe(error)}"
            raise NodeError(text).with_traceback(error.__traceback__) from None


def ctrl_c_raises() -> bool:
    """Whether a KeyboardInterrupt may be the user's: Ctrl-C is not taken, or by asyncio, once."""
    handler = signal.getsignal(signal.SIGINT)
    return handler is signal.default_int_handler or isinstance(handler, partial)


def guarded(work: Awaitable[_T]) -> Coroutine[Any, Any, _T]:
    """Return what has the result of *work*, which a provider does, whatever that raises.

    It raises `NodeError` in place of what would end the event loop, or a task in silence:
    SystemExit of a provider is that provider's failure.
    """
    if isinstance(work, _Guarded):
        return work
    return _Guarded(work if asyncio.iscoroutine(work) else work.__await__())


def task_of(work: Awaitable[_T], name: str | None) -> asyncio.Task[_T]:
    """Return a task of guarded *work* that begins soon, also where others begin at once.

    Until then its name and its deadline can be said, by which it is known while it runs.
    """
    return asyncio.Task(guarded(work), loop=asyncio.get_running_loop(), name=name)


def set_maker(work: object, maker: object) -> None:
    """Take note of who has had *work*, which is guarded, begin."""
    if isinstance(work, _Guarded):
        work.maker = maker


def maker_of(task: asyncio.Task[Any] | None) -> object:
    """Return what `set_maker` was told of the work of *task*; None if nothing."""
    work = task.get_coro() if task is not None else None
    return work.maker if isinstance(work, _Guarded) else None


def is_guarded(work: object) -> bool:
    """Whether *work* is what `guarded` returns."""
    return isinstance(work, _Guarded)


def set_due(task: asyncio.Task[Any], since: float, seconds: float) -> None:
    """Take note that somebody waits for *task*, which is guarded, for so many *seconds*."""
    if isinstance(work := task.get_coro(), _Guarded):
        work.since, work.seconds = since, seconds


def due_of(task: asyncio.Task[Any] | None) -> float:
    """Return the time of its loop until which somebody waits for *task*, as far as is known."""
    work = task.get_coro() if task is not None else None
    if task is None or not isinstance(work, _Guarded) or work.seconds == math.inf:
        return math.inf
    loop, owner = task.get_loop(), task.get_name()
    held = [one.held_by_others(owner, work.since) for one in tuple(watches) if one.loop is loop]
    # What is nobody's for one may be known to another.
    return work.since + work.seconds + min(held, default=0.0)


class HoldWatch(Protocol):
    """Knows who holds an event loop.

    Attributes:
        loop: The event loop.
    """

    loop: asyncio.AbstractEventLoop

    def held_by_others(self, owner: str, since: float) -> float:
        """Return for how many seconds since some time others than *owner* held the loop."""
        ...


watches: list[HoldWatch] = []
"""Those that watch now."""


def _mark_as_seen(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def finish(future: asyncio.Future[None]) -> None:
    """Mark *future* as done, if it is not."""
    if not future.done():
        future.set_result(None)

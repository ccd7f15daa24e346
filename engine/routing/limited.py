"""Calls within the limits of their provider: deadlines, so many at a time, so many that wait."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from contextvars import ContextVar
from functools import wraps
from inspect import isasyncgenfunction, unwrap
from typing import TYPE_CHECKING, Any

from rungraph.engine.routing.errors import BusyError, CallTimeoutError
from rungraph.engine.streams import when_forgotten
from rungraph.engine.waiting import (
    awaited,
    cut_off,
    finish,
    leave_behind,
    outlast,
    set_due,
    task_of,
    wait_in_time,
    was_cut_off,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.graph.limits import Limits

_GRACE_SECONDS = 1.0
"""Seconds that a provider has to end a call that its caller has given up."""
_SHARE_OF_LATEST = 0.2
"""How much the latest call counts among those that tell how long calls take."""
places_of_call: ContextVar[set[asyncio.Future[Any]] | None] = ContextVar(
    "rungraph_places_of_call", default=None
)
"""What a call with limits has begun in another process, was cancelled, and has not ended there."""
_STREAM = object()
_END = object()


class LimitedCalls:
    """The calls of one provider instance, and how many of them run and wait.

    Each runs in a task of its own, so that a deadline holds for its caller even if the provider
    ignores being cancelled; such a call takes its place among those that run until it ends.

    Args:
        provider: The provider's address, as text.
        limits: What limits the calls; may be changed while they run.
    """

    def __init__(self, provider: str, limits: Limits) -> None:
        self.provider = provider
        self.limits = limits
        self.tasks: set[asyncio.Task[None]] = set()
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._seconds: float | None = None

    def limit(self, method: Callable[..., Any], *, is_coroutine: bool) -> Callable[..., Any]:
        """Return *method* within the limits; one that is neither awaited nor a stream has none."""

        @wraps(method)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return await _Call(self, method, args, kwargs).answer()

        @wraps(method)
        async def streamed(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, None]:
            async with aclosing(await awaited(*args, **kwargs)) as stream:
                async for item in stream:
                    yield item

        if is_coroutine:
            return awaited
        return streamed if isasyncgenfunction(unwrap(method)) else method

    async def aclose(self) -> None:
        """End the calls that run; those that ignore that are left behind."""
        await leave_behind(self.tasks)

    def drop(self) -> None:
        """End the calls that run, and wait for none."""
        cut_off(self.tasks)

    async def take_turn(self) -> None:
        """Wait until one more call may run.

        Raises:
            BusyError: If too many wait already.
        """
        most, queue = self.limits.concurrent_calls, self.limits.queued_calls
        if most is None or (self._running < most and not self._waiting):
            self._running += 1
            return
        if queue is not None and len(self._waiting) >= queue:
            raise self.busy()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # It got its turn at the same moment.
                self.end_turn(None)
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def end_turn(self, seconds: float | None) -> None:
        """Let the next call run after one that took so many *seconds*; None if it did not run."""
        if seconds is not None:
            known = seconds if self._seconds is None else self._seconds
            self._seconds = known + (seconds - known) * _SHARE_OF_LATEST
        self._running -= 1
        self.give_turns()

    def give_turns(self) -> None:
        """Let those calls run that wait and need not."""
        most = self.limits.concurrent_calls
        while self._waiting and (most is None or self._running < most):
            turn = self._waiting.popleft()
            if not turn.done():
                self._running += 1
                finish(turn)

    def busy(self, *, has_waited: bool = False) -> BusyError:
        """Return the refusal of one more call, with how long it would wait as far as is known."""
        ahead = len(self._waiting) + 1
        most = self.limits.concurrent_calls or 1
        wait = None if self._seconds is None else self._seconds * ahead / most
        return BusyError(self.provider, self._running, len(self._waiting), wait, has_waited)


class _Call:
    """One call, made in a task of its own that gives its caller one thing after the other."""

    def __init__(
        self,
        calls: LimitedCalls,
        method: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        self._calls = calls
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._has_turn = False
        self._asked = asyncio.Event()
        self._given: asyncio.Future[Any] = self._loop.create_future()
        limits = calls.limits
        self._is_stream = any(
            one.get("stream") for one in (kwargs, *args) if isinstance(one, Mapping)
        )
        self._first = limits.first_chunk_timeout or limits.call_timeout
        self._task = task_of(self._work(method, args, kwargs), calls.provider)
        calls.tasks.add(self._task)
        self._task.add_done_callback(self._ended)

    async def answer(self) -> Any:
        """Return what the provider answers; a stream comes with limits of its own."""
        seconds = self._first if self._is_stream else self._calls.limits.call_timeout
        action = "begin its stream" if self._is_stream else "answer"
        answer = await self._next(seconds, action)
        if answer is not _STREAM:
            return answer
        stream = self._stream()
        # One that nobody begins to read, or that is forgotten, ends its call, too.
        when_forgotten(stream, self._cancel)
        return stream

    async def _stream(self) -> AsyncGenerator[Any, None]:
        limits = self._calls.limits
        whole, idle = limits.stream_timeout, limits.idle_timeout or limits.call_timeout
        seconds, action, since = self._first, "begin its stream", self._begun
        grace = _GRACE_SECONDS
        try:
            while True:
                self._given = self._loop.create_future()
                self._asked.set()
                limit, doing, start = seconds, action, since
                if whole and (limit is None or self._begun + whole < since + limit):
                    limit, doing, start = whole, "end its stream", self._begun
                item = await self._next(limit, doing, start)
                if item is _END:
                    return
                yield item
                seconds, action, since = idle, "send more of its stream", self._loop.time()
        except CallTimeoutError:
            grace = 0.0  # Its caller has waited for as long as it may.
            raise
        finally:
            if not self._task.done():
                self._cancel()
                await asyncio.wait([self._task], timeout=grace)

    async def _next(self, seconds: float | None, action: str, since: float | None = None) -> Any:
        """Return what comes next, *seconds* after *since* at the latest.

        Raises:
            CallTimeoutError: If it does not come in time.
            BusyError: If that is because the call still waits for its turn.
        """
        since = self._begun if since is None else since
        most = math.inf if seconds is None else seconds
        try:
            await wait_in_time(self._given, self._task, since, most)
        except asyncio.CancelledError:
            self._cancel()
            await asyncio.wait([self._task], timeout=_GRACE_SECONDS)
            raise
        if self._given.done() and not was_cut_off(self._given, self._task):
            return self._given.result()
        self._given.cancel()
        self._cancel()
        if not self._has_turn:
            raise self._calls.busy(has_waited=True)
        assert seconds is not None  # noqa: S101 (else it would still wait)
        raise CallTimeoutError(self._calls.provider, action, seconds)

    async def _work(
        self, method: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        await self._calls.take_turn()
        self._has_turn, since = True, self._loop.time()
        places_of_call.set(places := set[asyncio.Future[Any]]())
        try:
            result = await awaited(method(*args, **kwargs))
            if isinstance(result, AsyncGenerator):
                await self._serve(result)
            else:
                self._give(result)
        finally:
            while places:
                await outlast(asyncio.wait([*places]))
            self._calls.end_turn(self._loop.time() - since)

    async def _serve(self, stream: AsyncGenerator[Any, Any]) -> None:
        async with aclosing(stream):
            self._give(_STREAM)
            while True:
                if self._task.cancelling():  # Its provider goes on, but nobody asks any more.
                    raise asyncio.CancelledError
                await self._asked.wait()
                self._asked.clear()
                try:
                    item = await anext(stream)
                except StopAsyncIteration:
                    self._give(_END)
                    return
                self._give(item)

    def _cancel(self) -> None:
        set_due(self._task, self._loop.time(), _GRACE_SECONDS)
        self._task.cancel()

    def _give(self, value: object) -> None:
        if not self._given.done():
            self._given.set_result(value)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._calls.tasks.discard(task)
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        if error is None or self._given.done():
            return
        if isinstance(error, asyncio.CancelledError):
            self._given.cancel()
        else:
            self._given.set_exception(error)
            self._given.exception()  # Marks it as seen: perhaps nobody waits any more.

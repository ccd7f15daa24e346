"""The calls that run on a provider: their limits, and how they end when it has to stop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Generator
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any

from rungraph.engine.routing.limited import LimitedCalls
from rungraph.engine.streams import SteppedStream, steps_of
from rungraph.graph.limits import NO_LIMITS, Limits

if TYPE_CHECKING:
    from rungraph.engine.errors import NotRunningError

LOCAL_NAME = "_rungraph_gate"
"""The variable that holds the gate in the functions of a router, by which their calls are found."""
_LOOK_SECONDS = 0.005
"""Seconds between two looks whether the calls have ended."""


class Gate:
    """The calls of one provider instance that have not ended.

    A call that is awaited costs nothing here: the running ones are found where they wait, when
    somebody wants to know. Only a provider with limits has its calls counted.

    Args:
        provider: The provider's address, as text.
        limits: How long its calls may take, and how many run at a time.

    Attributes:
        closed: What calls raise that come now; None as long as it takes calls.
    """

    def __init__(self, provider: str = "", limits: Limits = NO_LIMITS) -> None:
        self._calls = LimitedCalls(provider, limits)
        self.closed: NotRunningError | None = None
        self._streams: set[_Running] = set()
        self._cut_tasks: dict[asyncio.Task[Any], NotRunningError] = {}

    def take(self, limits: Limits) -> bool:
        """Go on with other *limits*; return whether they differ."""
        is_same, self._calls.limits = limits == self._calls.limits, limits
        return not is_same

    def limited(
        self, method: Callable[..., Any], *, is_coroutine: bool = True
    ) -> Callable[..., Any]:
        """Return *method* within the limits that there are now: itself when there are none."""
        if self._calls.limits == NO_LIMITS:
            return method
        return self._calls.limit(method, is_coroutine=is_coroutine)

    def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call *method*, which is not awaited, within the limits, and follow its stream."""
        self._check_open()
        return self.follow(self.limited(method, is_coroutine=False)(*args, **kwargs))

    async def await_call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return what *method* returns within the limits; the call is found while it runs."""
        self._check_open()
        _rungraph_gate = self  # The variable that it is found by.
        try:
            return self.follow(await self.limited(method)(*args, **kwargs))
        except asyncio.CancelledError:
            self.raise_cut()
            raise

    def _check_open(self) -> None:
        if self.closed is not None:
            raise self.closed.with_traceback(None) from None

    async def aclose(self) -> None:
        """End what is left of calls with limits."""
        await self._calls.aclose()

    def is_busy(self) -> bool:
        """Whether calls run."""
        return bool(self._streams) or any(True for _ in self._calling())

    async def drain(self, seconds: float) -> None:
        """Wait until no call runs, but not longer than *seconds*."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self.is_busy() and loop.time() < end:  # noqa: ASYNC110  (calls set no event)
            await asyncio.sleep(min(_LOOK_SECONDS, seconds))

    def cut(self, error: NotRunningError) -> None:
        """End the calls that still run: each raises *error*, a stream at its next step."""
        for running in self._streams:
            running.cut_by = error
        for task in set(self._calling()):
            self._cut_tasks[task] = error
            task.add_done_callback(lambda done: self._cut_tasks.pop(done, None))
            task.cancel()

    def raise_cut(self) -> None:
        """Raise why the running call was ended, if that, and no other, is why it is cancelled."""
        task = asyncio.current_task()
        error = self._cut_tasks.pop(task, None) if task is not None else None
        if task is not None and error is not None:
            task.uncancel()
            raise error

    def follow(self, result: Any) -> Any:
        """Return *result*; a stream is a running call until it ends."""
        if not isinstance(result, AsyncGenerator):
            return result
        stream: AsyncGenerator[Any, Any] = result
        running = _Running(self)
        self._streams.add(running)
        return SteppedStream(stream, running, running.end)

    def forget(self, running: _Running) -> None:
        """Take in that a stream has ended; again is harmless."""
        self._streams.discard(running)

    def _calling(self) -> Generator[asyncio.Task[Any]]:
        """Yield the tasks that wait for a call, or for a step of a stream."""
        for task in asyncio.all_tasks():
            if any(self._is_in(one) for one in _awaited(task.get_coro())):
                yield task

    def _is_in(self, awaited: object) -> bool:
        """Whether *awaited* is a call's function, or the steps of a stream."""
        if isinstance(awaited, CoroutineType) and (frame := awaited.cr_frame) is not None:
            return frame.f_locals.get(LOCAL_NAME) is self
        if isinstance(awaited, AsyncGeneratorType) and (frame := awaited.ag_frame) is not None:
            return frame.f_code is steps_of.__code__ and frame.f_locals["step"] in self._streams
        return False


class _Running:
    """One stream that has not ended: the block that its steps run in.

    Attributes:
        cut_by: What its next step raises.
    """

    __slots__ = ("_gate", "cut_by")

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.cut_by: NotRunningError | None = None

    def end(self) -> None:
        """Say that the stream has ended."""
        self._gate.forget(self)

    def __enter__(self) -> None:
        if self.cut_by is not None:
            error, self.cut_by = self.cut_by, None
            self.end()
            raise error

    def __exit__(self, kind: type[BaseException] | None, _error: object, _at: object) -> None:
        if kind is not None:
            self.end()
            self.cut_by = None
            if issubclass(kind, asyncio.CancelledError):
                self._gate.raise_cut()


def _awaited(awaitable: object) -> Generator[object]:
    """Yield *awaitable* and what it waits for, down to what is no code."""
    while awaitable is not None:
        yield awaitable
        match awaitable:
            case CoroutineType():
                awaitable = awaitable.cr_await
            case AsyncGeneratorType():
                awaitable = awaitable.ag_await
            case GeneratorType():
                awaitable = awaitable.gi_yieldfrom
            case _:  # A step of an async generator does not tell whose it is.
                code = (CoroutineType, AsyncGeneratorType, GeneratorType)
                behind = (one for one in gc.get_referents(awaitable) if isinstance(one, code))
                awaitable = next(behind, None)

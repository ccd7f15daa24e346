"""The calls that run on a provider: their limits, and how they end when it has to stop."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from functools import partial, wraps
from time import perf_counter
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from rungraph.engine.errors import EngineError, NotRunningError
from rungraph.engine.interruption import Interruption, cancelled_from_within
from rungraph.engine.routing.limited import LimitedCalls
from rungraph.engine.streams import SteppedStream, steps_of
from rungraph.graph.limits import NO_LIMITS, Limits

LOCAL_NAME = "_rungraph_gate"
"""The variable that holds the gate in the functions of a router, by which their calls are found."""
Observe = Callable[[float, BaseException | None], None]
"""Called when a call or its stream has ended: when it began, by `perf_counter`, and its error."""
_LOOK_SECONDS = 0.005
"""Seconds between two looks whether calls have ended, besides three times what a look takes."""


class Gate:
    """The calls of one provider instance that have not ended.

    A call that is awaited costs nothing here: the running ones are found where they wait, when
    somebody wants to know. Only a provider with limits has its calls counted.

    Args:
        provider: The provider's address, as text.
        limits: How long its calls may take, and how many run at a time.
        observe: Told of each call that has ended; None for none, which costs nothing.

    Attributes:
        is_closed: Whether it takes no more calls.
        why: What calls raise when it is closed, if there is more to say than that.
    """

    def __init__(
        self, provider: str = "", limits: Limits = NO_LIMITS, observe: Observe | None = None
    ) -> None:
        self._calls = LimitedCalls(provider, limits)
        self._is_limited = limits != NO_LIMITS
        self._observe = observe
        self.is_closed = False
        self.why: NotRunningError | None = None
        self._streams: set[_Running] = set()
        self._cut_tasks: dict[asyncio.Task[Any], NotRunningError] = {}

    def take(self, limits: Limits) -> bool:
        """Go on with other *limits*; return whether they differ."""
        is_same, self._calls.limits = limits == self._calls.limits, limits
        self._is_limited = limits != NO_LIMITS
        self._calls.give_turns()
        return not is_same

    def wrapped(
        self, method: Callable[..., Any], *, is_coroutine: bool = True
    ) -> Callable[..., Any]:
        """Return *method* within the limits that there are now, and observed: itself if neither."""
        if self._is_limited:
            method = self._calls.limit(method, is_coroutine=is_coroutine)
        if self._observe is not None:
            method = self._observed(method, self._observe, is_coroutine=is_coroutine)
        return method

    def _observed(
        self, method: Callable[..., Any], observe: Observe, *, is_coroutine: bool
    ) -> Callable[..., Any]:
        def ended(began: float, result: Any) -> Any:
            if isinstance(result, AsyncGenerator):
                return self._followed(result, partial(observe, began))
            observe(began, None)
            return result

        async def awaited(*args: Any, **kwargs: Any) -> Any:
            began = perf_counter()
            try:
                try:
                    result = await method(*args, **kwargs)
                except (Exception, asyncio.CancelledError):
                    self.raise_cut()
                    raise
            except BaseException as error:
                observe(began, error)
                raise
            return ended(began, result)

        def called(*args: Any, **kwargs: Any) -> Any:
            began = perf_counter()
            try:
                result = method(*args, **kwargs)
            except BaseException as error:
                observe(began, error)
                raise
            return ended(began, result)

        # A router asks it for its defaults.
        return wraps(method)(awaited if is_coroutine else called)

    def call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call *method*, which is not awaited, within the limits, and follow its stream."""
        self._check_open()
        try:
            return self.follow(self.wrapped(method, is_coroutine=False)(*args, **kwargs))
        except (Exception, asyncio.CancelledError):
            self.raise_cut()
            raise

    async def await_call(self, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return what *method* returns within the limits; the call is found while it runs."""
        self._check_open()
        _rungraph_gate = self  # The variable that it is found by.
        try:
            return self.follow(await self.wrapped(method)(*args, **kwargs))
        except (Exception, asyncio.CancelledError):
            self.raise_cut()
            raise

    def _check_open(self) -> None:
        if self.is_closed:
            why = self.why or NotRunningError(f"'{self._calls.provider}' has stopped")
            if self._observe is not None:
                self._observe(perf_counter(), why)
            raise why.with_traceback(None) from None

    async def aclose(self) -> None:
        """End what is left of calls with limits."""
        await self._calls.aclose()

    def drop(self) -> None:
        """End what is left of calls with limits, and wait for none."""
        self._calls.drop()

    def is_busy(self, tasks: set[asyncio.Task[Any]]) -> bool:
        """Whether calls run, given the *tasks* that wait for one."""
        return bool(tasks or self._streams)

    def close(self, tasks: set[asyncio.Task[Any]]) -> None:
        """Take no more calls, and end those that still run: those of *tasks*, and streams.

        Each raises `NotRunningError`, a stream at its next step.
        """
        self.is_closed = True
        cut = NotRunningError(f"'{self._calls.provider}' was stopped before the call had ended")
        for running in self._streams:
            running.cut_by, running.is_quiet = cut, False
        for task in tasks:
            self._cut_tasks[task] = cut
            task.add_done_callback(lambda done: self._cut_tasks.pop(done, None))
            task.cancel()
        if tasks:
            asyncio.get_running_loop().call_soon(self._settle, _LOOK_SECONDS)

    def _settle(self, seconds: float) -> None:
        """Take back the cancellation of those whose provider has answered all the same.

        Looks again after so many *seconds*, and ever later, while there are others.
        """
        for task in [*self._cut_tasks]:
            if all(_gate_of(one) is not self for one in _awaited(task.get_coro())):
                del self._cut_tasks[task]
                task.uncancel()
        if self._cut_tasks:
            asyncio.get_running_loop().call_later(seconds, self._settle, 2 * seconds)

    def raise_cut(self) -> None:
        """Raise why the running call was ended, unless who waits for it was cancelled.

        It is called while its error is handled: a provider may have made one of the cancellation.
        """
        cause = sys.exception()
        is_cancelled = isinstance(cause, asyncio.CancelledError)
        if not (is_cancelled or self._cut_tasks) or (task := asyncio.current_task()) is None:
            return
        if (error := self._cut_tasks.pop(task, None)) is not None:
            task.uncancel()
            raise error
        if is_cancelled and (isinstance(cause, Interruption) or not task.cancelling()):
            text = f"the call has failed: {self._calls.provider!r} cancelled it"
            raise cancelled_from_within(cause, text) from None

    def follow(self, result: Any) -> Any:
        """Return *result*; a stream is a running call until it ends."""
        if self._observe is not None or not isinstance(result, AsyncGenerator):
            return result  # The stream of an observed call is followed already.
        return self._followed(result)

    def _followed(
        self,
        stream: AsyncGenerator[Any, Any],
        ended: Callable[[BaseException | None], None] | None = None,
    ) -> SteppedStream:
        running = _Running(self, ended)
        self._streams.add(running)
        return SteppedStream(stream, running, running.end)

    def forget(self, running: _Running) -> None:
        """Take in that a stream has ended; again is harmless."""
        self._streams.discard(running)


class _Running:
    """One stream that has not ended: the block that its steps run in.

    Attributes:
        gate: Knows of it.
        cut_by: What its next step raises.
        is_quiet: Whether that is nothing.
    """

    __slots__ = ("_ended", "cut_by", "gate", "is_quiet")

    def __init__(self, gate: Gate, ended: Callable[[BaseException | None], None] | None) -> None:
        self.gate = gate
        self._ended = ended
        self.cut_by: NotRunningError | None = None
        self.is_quiet = True

    def end(self, error: BaseException | None = None) -> None:
        """Say that the stream has ended, with an error if there is one; again is harmless."""
        self.gate.forget(self)
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(error)

    def __enter__(self) -> None:
        if self.cut_by is not None:
            error, self.cut_by = self.cut_by, None
            self.end(error)
            raise error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _at: object
    ) -> None:
        if kind is None:
            return
        self.cut_by = None
        try:
            if kind not in (StopAsyncIteration, GeneratorExit):
                self.gate.raise_cut()
        except EngineError as cut:
            self.end(cut)
            raise
        self.end(None if kind is StopAsyncIteration else error)


@dataclass(slots=True)
class _Wait:
    """A gate whose calls are to end until some time, and whether it is to be closed then."""

    gate: Gate
    until: float
    closes: bool
    idle: asyncio.Future[bool]


class CallWatch:
    """Waits for calls to end: one look over all tasks serves all gates that wait."""

    def __init__(self) -> None:
        self._waits: list[_Wait] = []

    async def drain(self, gate: Gate, seconds: float, *, closes: bool) -> bool:
        """Wait until no call of *gate* runs, but not longer than *seconds*.

        Args:
            gate: Knows the calls.
            seconds: How long they may go on.
            closes: Whether the gate is closed then, and also if the waiting is cancelled.

        Returns:
            Whether no call ran any more.
        """
        wait = self._wait(gate, seconds, closes=closes)
        try:
            return await wait.idle
        except asyncio.CancelledError:
            wait.until = 0.0  # The next look ends the calls; it, too, is one for all.
            gate.is_closed = gate.is_closed or closes
            raise

    def end(self, gate: Gate) -> None:
        """Have *gate* take no more calls, and end those that run, in a moment."""
        gate.is_closed = True
        self._wait(gate, 0.0, closes=True)

    def _wait(self, gate: Gate, seconds: float, *, closes: bool) -> _Wait:
        loop = asyncio.get_running_loop()
        wait = _Wait(gate, loop.time() + seconds, closes, loop.create_future())
        if not self._waits:
            loop.call_soon(self._look, loop)
        self._waits.append(wait)
        return wait

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        begun = loop.time()
        calling = _calling()
        waits, self._waits = self._waits, []
        for wait in waits:
            tasks = calling[wait.gate]
            is_busy = wait.gate.is_busy(tasks)
            if is_busy and begun < wait.until:
                self._waits.append(wait)
                continue
            if wait.closes:  # At once: a call that comes after the look would not be seen.
                wait.gate.close(tasks)
            if not wait.idle.done():
                wait.idle.set_result(not is_busy)
        if self._waits:
            now = loop.time()
            loop.call_at(now + _LOOK_SECONDS + 3 * (now - begun), self._look, loop)


def _calling() -> defaultdict[Gate, set[asyncio.Task[Any]]]:
    """Return, by gate, the tasks that wait for a call, or for a step of a stream."""
    calling: defaultdict[Gate, set[asyncio.Task[Any]]] = defaultdict(set)
    for task in asyncio.all_tasks():
        for awaited in _awaited(task.get_coro()):
            if (gate := _gate_of(awaited)) is not None:
                calling[gate].add(task)
    return calling


def _gate_of(awaited: object) -> Gate | None:
    """Return the gate of the call whose function, or whose stream's steps, *awaited* is."""
    if isinstance(awaited, CoroutineType) and (frame := awaited.cr_frame) is not None:
        # To look at the variables of a frame keeps what they are alive until that ends.
        is_ours = LOCAL_NAME in frame.f_code.co_varnames
        return frame.f_locals.get(LOCAL_NAME) if is_ours else None
    if isinstance(awaited, AsyncGeneratorType) and (frame := awaited.ag_frame) is not None:
        step = frame.f_locals["step"] if frame.f_code is steps_of.__code__ else None
        return step.gate if isinstance(step, _Running) else None
    return None


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

"""The calls that run on a provider: whether there are any, and how they end when it has to stop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from rungraph.engine.streams import SteppedStream

if TYPE_CHECKING:
    from rungraph.engine.errors import NotRunningError

LOCAL_NAME = "_rungraph_gate"
"""The variable that holds the gate in the functions of a router, by which their calls are found."""
_LOOK_SECONDS = 0.005
"""Seconds between two looks whether the calls have ended."""


class Gate:
    """The calls of one provider instance that a router has made and that have not ended.

    A call that is awaited costs nothing here: the running ones are found where they wait, when
    somebody wants to know.
    """

    def __init__(self) -> None:
        # The streams that have not ended, and the task that waits for a step of one.
        self._streams: WeakKeyDictionary[AsyncGenerator[Any, Any], asyncio.Task[Any] | None] = (
            WeakKeyDictionary()
        )
        self._cut_streams: WeakKeyDictionary[AsyncGenerator[Any, Any], NotRunningError] = (
            WeakKeyDictionary()
        )
        self._cut_tasks: dict[asyncio.Task[Any], NotRunningError] = {}

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
        tasks = {*self._calling(), *filter(None, self._streams.values())}
        self._cut_streams.update(dict.fromkeys(self._streams, error))
        for task in tasks:
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
        self._streams[stream] = None

        def ended() -> None:
            self._streams.pop(stream, None)

        @contextmanager
        def step() -> Generator[None]:
            error = self._cut_streams.pop(stream, None)
            if error is not None:
                ended()
                raise error
            if stream in self._streams:
                self._streams[stream] = asyncio.current_task()
            try:
                yield
            except asyncio.CancelledError:
                ended()
                self._cut_streams.pop(stream, None)
                self.raise_cut()
                raise
            except BaseException:
                ended()
                raise
            if stream in self._streams:
                self._streams[stream] = None

        return SteppedStream(stream, step, ended)

    def _calling(self) -> Generator[asyncio.Task[Any]]:
        """Yield the tasks that wait for a call."""
        for task in asyncio.all_tasks():
            for one in _awaited(task.get_coro()):
                frame = one.cr_frame if isinstance(one, CoroutineType) else None
                if frame is not None and frame.f_locals.get(LOCAL_NAME) is self:
                    yield task
                    break


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

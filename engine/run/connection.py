"""Calls between two processes of one stack, both ways, streams and cancellation included.

Both ends are the same program on the same machine and trust each other: what they send is pickled.
A process of its own keeps crashes, leaks and busy threads away, not a provider that means harm.
"""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import AsyncGenerator
from contextlib import suppress
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.engine.errors import describe
from rungraph.engine.interruption import cancelled_from_within
from rungraph.engine.request import CallData, carried, carry_in
from rungraph.engine.routing.limited import places_of_call
from rungraph.engine.waiting import awaited

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LENGTH_BYTES = 8
_NO_ERRORS = (StopIteration, StopAsyncIteration)
"""What no call may raise: it would mean something else to who awaits it."""


class _Message(NamedTuple):
    """What is sent: *number* tells one call from another, *is_answer* who has begun it.

    On its way, *value* is pickled by itself: what cannot be read there fails its call alone.
    """

    number: int
    is_answer: bool
    kind: str
    value: Any = None


class _Stream(NamedTuple):
    """In place of a result: it is a stream, which is asked for item by item."""


class _End(NamedTuple):
    """In place of an item: there is none any more."""


class _Open(NamedTuple):
    """A stream that the other end reads, what its steps run in, and what its caller sends."""

    stream: AsyncGenerator[Any, None]
    context: Context
    data: CallData


class Connection:
    """One end of the connection of two processes.

    Args:
        reader: What the other end sends.
        writer: Where to.
        targets: What the other end can call, by name; more may be added.
        gone: Makes the error of every call that the other end can no longer answer.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        targets: Mapping[str, object],
        gone: Callable[[], Exception],
    ) -> None:
        self.targets = dict(targets)
        self._reader = reader
        self._writer = writer
        self._gone = gone
        self.is_open = True
        self._count = 0
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._working: dict[int, asyncio.Task[None]] = {}
        self._streams: dict[int, _Open] = {}
        self._reading: set[int] = set()
        self._serving: asyncio.Task[Any] | None = None

    async def serve(self) -> None:
        """Take what the other end sends, until it is gone; then fail what waits for it."""
        self._serving = asyncio.current_task()
        try:
            while True:
                size = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES), "big")
                self._take(pickle.loads(await self._reader.readexactly(size)))  # noqa: S301
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.is_open = False
            for future in self._asked.values():
                if not future.done():
                    _fail(future, self._gone())
            for task in [*self._working.values()]:
                task.cancel()
            for number in [*self._streams]:
                self._take(_Message(number, is_answer=False, kind="close"))

    async def call(self, target: str, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Return what the method *name* of the other end's *target* returns, or raise its error.

        A stream comes as a generator; it is fetched item by item, and ended where it is closed.
        What the running call carries (see `rungraph.engine.request`) goes along.
        """
        self._count += 1
        number = self._count
        result = await self._ask(number, "call", (target, name, args, kwargs, carried()))
        if not isinstance(result, _Stream):
            return result
        self._reading.add(number)
        stream = self._items(number)
        await anext(stream)  # One that has begun ends there, however it is left.
        return stream

    async def _items(self, number: int) -> AsyncGenerator[Any, None]:
        try:
            yield None
            while not isinstance(item := await self._ask(number, "next"), _End):
                yield item
            self._reading.discard(number)
        finally:
            self._leave(number)

    def _leave(self, number: int) -> None:
        if number in self._reading:
            self._end(number, "close")

    async def _ask(self, number: int, kind: str, value: Any = None) -> Any:
        if not self.is_open:
            raise self._gone()
        future = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            self._send(_Message(number, is_answer=False, kind=kind, value=value))
            await self._drain()
            return await future
        except BaseException as error:
            self._asked.pop(number, None)
            if isinstance(error, asyncio.CancelledError):
                self._end(number, "cancel")
            raise

    def _end(self, number: int, kind: str) -> None:
        """End a call or a stream there; one with limits keeps its place until it has ended."""
        self._reading.discard(number)
        self._send(_Message(number, is_answer=False, kind=kind))
        places = places_of_call.get()
        if places is not None and self.is_open:
            ended = self._asked[number] = asyncio.get_running_loop().create_future()
            places.add(ended)
            ended.add_done_callback(places.discard)

    def _send(self, message: _Message) -> None:
        data = pickle.dumps(message._replace(value=pickle.dumps(message.value)))
        if self.is_open:
            self._writer.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)

    async def _drain(self) -> None:
        with suppress(ConnectionError):  # The reader finds out, and says so to all.
            await self._writer.drain()

    # --- the other end's calls -----------------------------------------------------------------

    def _take(self, message: _Message) -> None:
        number = message.number
        if message.is_answer:
            future = self._asked.pop(number, None)
            if future is not None and not future.done():
                is_error = message.kind == "error"
                try:
                    value = _read(message)
                except TypeError as error:
                    value, is_error = error, True
                if is_error:
                    _fail(future, value)
                else:
                    future.set_result(value)
        elif message.kind == "cancel":
            if (working := self._working.get(number)) is not None:
                working.cancel()
            # A stream may have begun while the caller gave up, or begin in spite of that.
            self._take(message._replace(kind="close"))
        else:
            before = self._working.get(number)
            task = asyncio.create_task(
                self._work(message, before),
                name=f"{message.kind} {number}",
                context=self._streams[number].context if number in self._streams else None,
            )
            self._working[number] = task
            task.add_done_callback(lambda done: self._forget(number, done))

    def _forget(self, number: int, task: asyncio.Task[None]) -> None:
        if self._working.get(number) is task:
            del self._working[number]

    async def _work(self, message: _Message, before: asyncio.Task[None] | None) -> None:
        if before is not None:  # Of one stream, one thing is done after the other.
            await asyncio.wait([before])
        task = asyncio.current_task()
        try:
            kind, value = "result", await self._done(message)
        except BaseException as error:  # noqa: BLE001 (a provider's code may raise anything)
            if isinstance(error, asyncio.CancelledError):
                error = cancelled_from_within(error)
            kind, value = "error", sendable(error)
        if self._working.get(message.number, task) is not task:
            return  # It was given up: what is answered is that it has been closed.
        if self._serving is not None and self._serving.cancelling():
            return  # All ends here, and that is no failure of the call.
        if message.kind == "close":  # Whoever waits for it wants to know no more.
            kind, value = "result", None
        try:
            self._send(_Message(message.number, is_answer=True, kind=kind, value=value))
        except Exception as error:  # noqa: BLE001 (what cannot be pickled raises anything)
            text = f"its answer cannot be sent to another process: {describe(error)}"
            failed = TypeError(text)
            self._send(_Message(message.number, is_answer=True, kind="error", value=failed))
        await self._drain()

    async def _done(self, message: _Message) -> Any:
        number = message.number
        if message.kind == "close":
            return await self._close(number)
        if message.kind == "next":
            if number not in self._streams:
                return _End()
            try:
                return await anext(self._streams[number].stream)
            except StopAsyncIteration:
                await self._close(number)
                return _End()
        target, name, args, kwargs, given = _read(message)
        instance = self.targets[target]
        data = carry_in(given, instance)
        try:
            result = await awaited(getattr(instance, name)(*args, **kwargs))
            if isinstance(result, AsyncGenerator):
                self._streams[number] = _Open(result, copy_context(), data)
                return _Stream()
            return result
        finally:
            if number not in self._streams:
                data.end()

    async def _close(self, number: int) -> None:
        if number in self._streams:
            stream, _, data = self._streams.pop(number)
            try:
                await stream.aclose()
            finally:
                data.end()


def _fail(future: asyncio.Future[Any], error: Exception) -> None:
    future.set_exception(error)
    future.exception()  # Somebody may have stopped waiting.


def _read(message: _Message) -> Any:
    """Return the value of *message* as the other end has sent it.

    Raises:
        TypeError: If it cannot be made here.
    """
    try:
        return pickle.loads(message.value)  # noqa: S301
    except Exception as error:
        text = f"what comes from another process cannot be read: {describe(error)}"
        raise TypeError(text) from error


def sendable(error: BaseException) -> Exception:
    """Return *error* as the other end can have it: itself, or its text in its nearest kind."""
    if isinstance(error, Exception) and not isinstance(error, _NO_ERRORS):
        with suppress(Exception):  # What cannot be pickled, or made again, raises anything.
            again = pickle.loads(pickle.dumps(error))  # noqa: S301 (it was made here)
            if str(again) == str(error):
                return error
    known = () if isinstance(error, _NO_ERRORS) else type(error).__mro__
    for kind in known:
        if kind.__module__ == "builtins" and issubclass(kind, Exception):
            with suppress(Exception):
                return kind(describe(error))
    return RuntimeError(describe(error))

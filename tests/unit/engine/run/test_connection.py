"""What two processes ask of each other, here with both ends of it in one."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.unit.engine.run.models import until

from rungraph.engine.run.connection import Connection


class _Stream(AsyncGenerator[Any, Any]):
    """Its only step fails, and so does its end."""

    def __init__(self, closed: list[object]) -> None:
        self._closed = closed

    async def asend(self, value: Any) -> Any:
        raise ValueError(value)

    async def athrow(self, *error: Any) -> Any:
        raise NotImplementedError

    async def aclose(self) -> None:
        self._closed.append(self)
        raise OSError


class _Target:
    def __init__(self) -> None:
        self.closed: list[object] = []
        self.is_called = False

    async def stream(self) -> _Stream:
        return _Stream(self.closed)

    async def wait(self) -> None:
        self.is_called = True
        await asyncio.Event().wait()


@asynccontextmanager
async def _connected(target: object) -> AsyncGenerator[Connection]:
    pairs = [await asyncio.open_connection(sock=one) for one in socket.socketpair()]
    targets: tuple[dict[str, object], ...] = ({}, {"target": target})
    ends = [
        Connection(*pair, named, ConnectionError)
        for pair, named in zip(pairs, targets, strict=True)
    ]
    async with asyncio.TaskGroup() as group:
        for number, end in enumerate(ends):
            group.create_task(end.serve(), name=f"serve {number}")
        yield ends[0]
        for _, writer in pairs:
            writer.close()


async def test_the_error_of_a_step_is_told_though_the_stream_ends_with_another() -> None:
    """Whoever reads it would wait for ever."""
    async with _connected(target := _Target()) as connection:
        stream = await connection.call("target", "stream")
        with pytest.raises(ValueError, match="None"):
            await anext(stream)
        await until(lambda: target.closed)


@pytest.mark.parametrize("is_closed", [True, False])
async def test_a_stream_that_nobody_begins_to_read_ends_where_it_is(*, is_closed: bool) -> None:
    """At once when it is closed, though somebody may still have it, or when it is forgotten."""
    async with _connected(target := _Target()) as connection:
        stream = await connection.call("target", "stream")
        if is_closed:
            await stream.aclose()
        else:
            del stream
            gc.collect()
        await until(lambda: target.closed)


async def test_a_call_that_ends_with_the_event_loop_there_is_not_answered() -> None:
    """A loop that ends cancels all its tasks: the provider has not cancelled its call."""
    async with _connected(target := _Target()) as connection:
        call = asyncio.create_task(connection.call("target", "wait"))
        await until(lambda: target.is_called)
        there = {one.get_name(): one for one in asyncio.all_tasks()}
        for name in ("call 1", "serve 1"):
            there[name].cancel()
        await asyncio.wait([call], timeout=0.05)
    with pytest.raises(ConnectionError):
        await call

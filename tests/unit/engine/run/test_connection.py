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

    async def stream(self) -> _Stream:
        return _Stream(self.closed)


@asynccontextmanager
async def _connected(target: object) -> AsyncGenerator[Connection]:
    pairs = [await asyncio.open_connection(sock=one) for one in socket.socketpair()]
    targets: tuple[dict[str, object], ...] = ({}, {"target": target})
    ends = [
        Connection(*pair, named, ConnectionError)
        for pair, named in zip(pairs, targets, strict=True)
    ]
    async with asyncio.TaskGroup() as group:
        for end in ends:
            group.create_task(end.serve())
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

"""Server-sent events and lines: what a server says piece by piece, read."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

EVENTS = "text/event-stream"
LINES = "application/x-ndjson"


async def lines_in(content: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield each whole line of *content*, which may be cut anywhere."""
    rest = b""
    async for chunk in content:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.removesuffix(b"\r")


async def events_in(content: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yield the data of each server-sent event in *content*, which may be cut anywhere."""
    data: list[bytes] = []
    async with aclosing(lines_in(content)) as lines:
        async for line in lines:
            field, _, value = line.partition(b":")
            if field == b"data":
                data.append(value.removeprefix(b" "))
            elif not field and not value and data:
                yield b"\n".join(data)
                data.clear()

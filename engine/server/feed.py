"""What happens in a stack as a stream of server-sent events that readers can take up again."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from typing import TYPE_CHECKING

from rungraph.engine.run.recording import EventFile
from rungraph.engine.server.exchange import BrokenOff

if TYPE_CHECKING:
    from rungraph.engine.run.stack import Stack
    from rungraph.engine.server.exchange import Exchange

_MOST_KEPT = 10_000
_MOST_WAITING = 1_000
_LONGEST_ID = 20
_HEARTBEAT_SECONDS = 15.0


class Feed:
    """Hands every event to every reader, as the JSON that recordings hold.

    An event's id is the start's and a number: ``3f2a-17``. A reader that comes again with the last
    id it saw gets what came since; where that is forgotten, or is of another start, an event
    ``gap`` says so. A reader that does not keep up is told ``slow``, and its stream ends; when the
    server stops, that of every reader ends with ``stopped``.

    Args:
        stack: What happens where.
    """

    def __init__(self, stack: Stack) -> None:
        self._start_id = secrets.token_hex(4)
        self._last = 0
        self._kept: deque[tuple[int, bytes]] = deque(maxlen=_MOST_KEPT)
        self._readers: set[asyncio.Queue[bytes | None]] = set()
        # It writes each event as one line, and its header before them all.
        lines = EventFile(self, stack.scrubbed, stack.graph.name)
        stack.events.subscribe(lines.take)

    def write(self, line: str) -> int:
        """Take one line of a recording."""
        self._last += 1
        data = line.strip().encode(errors="backslashreplace")
        event = f"id: {self._start_id}-{self._last}\n".encode() + b"data: " + data + b"\n\n"
        self._kept.append((self._last, event))
        for waiting in tuple(self._readers):
            if waiting.qsize() < _MOST_WAITING:
                waiting.put_nowait(event)
            else:
                waiting.put_nowait(None)
                self._readers.discard(waiting)
        return len(line)

    def flush(self) -> None:
        """Do nothing: every line goes on at once."""

    async def events(self, exchange: Exchange) -> None:
        """Answer with all events from the one after ``Last-Event-ID`` or ``since``, for ever."""
        (since,) = exchange.parameters(since=False)
        if exchange.method == "HEAD":
            await exchange.begin_events()
            await exchange.end()  # A stream without a body has nothing to wait for.
            return
        since = exchange.header(b"last-event-id") or since
        exchange.expect_stream()
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        before = self._kept_since(since)
        self._readers.add(waiting)
        try:
            with exchange.watched():
                await exchange.begin_events()
                await exchange.send_bytes(b"".join(before))
                await self._pass_on(exchange, waiting)
        except asyncio.CancelledError:
            is_end = exchange.broken_off is BrokenOff.DRAINED
            if not (is_end and exchange.take_back_cancellation()):
                raise
            await exchange.end(b"event: stopped\ndata: {}\n\n")  # No error: that is what happens.
        finally:
            self._readers.discard(waiting)

    async def _pass_on(self, exchange: Exchange, waiting: asyncio.Queue[bytes | None]) -> None:
        while True:
            try:
                async with asyncio.timeout(_HEARTBEAT_SECONDS):
                    event = await waiting.get()
            except TimeoutError:
                await exchange.send_bytes(b": still there\n\n")
                continue
            if event is None:
                await exchange.end(b"event: slow\ndata: {}\n\n")
                return
            await exchange.send_bytes(event)

    def _kept_since(self, since: str) -> list[bytes]:
        """Return the events after the one with the id *since*; empty means from the beginning."""
        start_id, _, number = since.rpartition("-")
        is_ours = start_id == self._start_id and number.isdecimal() and len(number) < _LONGEST_ID
        last = int(number) if is_ours else 0
        kept = [event for seen, event in self._kept if seen > last]
        oldest = self._kept[0][0] if self._kept else 1
        is_other = bool(since) and start_id != self._start_id
        if is_other or oldest > last + 1:
            kept.insert(0, b"event: gap\ndata: {}\n\n")
        return kept

"""What happens in a stack as a stream of server-sent events that readers can take up again."""

from __future__ import annotations

import asyncio
import re
import secrets
from itertools import chain, islice
from typing import TYPE_CHECKING

from rungraph.engine.run.recording import event_line, header_line
from rungraph.engine.server.exchange import BrokenOff
from rungraph.engine.server.failures import RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.engine.events import Event
    from rungraph.engine.run.stack import Stack
    from rungraph.engine.server.exchange import Exchange

_MOST_WAITING = 1_000
_AT_ONCE = 500
"""Past events that are written before others get their turn: some 5 ms."""
_ID = re.compile("([0-9a-f]+)-([0-9]{1,18})")
_HEARTBEAT_SECONDS = 15.0


class Feed:
    """Hands every event to every reader, as the JSON that recordings hold.

    An event's id is the start's and a number: ``3f2a-17``. A reader that comes again with the last
    id it saw gets what came since; where some of that is forgotten, or the id is of another start,
    an event ``gap`` says so. A reader that does not keep up is told ``slow``, and its stream ends;
    when the server stops, that of every reader ends with ``stopped``.
    """

    def __init__(self, stack: Stack) -> None:
        self._start_id = secrets.token_hex(4)
        self._stack = stack
        self._readers: set[asyncio.Queue[bytes | None]] = set()
        stack.events.subscribe(self._tell)

    def _tell(self, event: Event) -> None:
        if not self._readers:
            return
        told = self._told(self._stack.events.last, event)
        for waiting in tuple(self._readers):
            if waiting.qsize() < _MOST_WAITING:
                waiting.put_nowait(told)
            else:
                waiting.put_nowait(None)
                self._readers.discard(waiting)

    def _told(self, number: int, event: Event | None = None) -> bytes:
        """Return an event of the log as readers get it; without one, the header before them all."""
        scrub = self._stack.scrubbed
        line = event_line(event, scrub) if event else header_line(self._stack.graph.name, scrub)
        data = line.encode(errors="backslashreplace")
        return b"id: %b-%d\ndata: %b\n\n" % (self._start_id.encode(), number + 1, data)

    async def events(self, exchange: Exchange) -> None:
        """Answer with all events from the one after ``Last-Event-ID`` or ``since``, for ever."""
        # What stands in for a browser's own reader, to send a key, has no header for the id.
        asked, seen = exchange.parameters(since=False, lastEventId=False)
        before = self._since(exchange.header(b"last-event-id") or seen or asked)
        if exchange.method == "HEAD":
            await exchange.begin_events()
            await exchange.end()  # A stream without a body has nothing to wait for.
            return
        exchange.expect_stream()
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._readers.add(waiting)
        try:
            with exchange.watched():
                await exchange.begin_events()
                while part := b"".join(islice(before, _AT_ONCE)):
                    await exchange.send_bytes(part)
                    await asyncio.sleep(0)
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

    def _since(self, event_id: str) -> Iterator[bytes]:
        """Return what was told after the event *event_id*; empty means from the beginning.

        The log is read at once: what comes later is told to those who listen.

        Raises:
            RequestError: If no event has such an id.
        """
        found = _ID.fullmatch(event_id or f"{self._start_id}-0")
        is_ours = found is not None and found[1] == self._start_id
        last = int(found[2]) if found is not None and is_ours else 0
        newest = self._stack.events.last + 1  # The header before all events has an id, too.
        if found is None or last > newest:
            text = f"no event has the id {event_id!r}; the newest is '{self._start_id}-{newest}'"
            raise RequestError(400, text, code="invalid_value")
        events, is_whole = self._stack.events.since(max(last - 1, 0))
        before = [] if is_whole and is_ours else [b"event: gap\ndata: {}\n\n"]
        header = [] if last else [self._told(0)]
        return chain(before, header, (self._told(*one) for one in events))

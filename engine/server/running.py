"""The requests that are being answered."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

from rungraph.engine.server.exchange import BrokenOff

if TYPE_CHECKING:
    from rungraph.engine.server.exchange import Exchange

_YOUNG_SECONDS = 0.02
"""Seconds after which an exchange is looked after: most are over by then."""


class Running:
    """The exchanges that have not ended.

    One timer goes off for all that are there: one for each would cost more than most of them take.

    Attributes:
        calls: How many of them are calls.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._young: set[Exchange] = set()
        self._old: set[Exchange] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()

    def add(self, exchange: Exchange) -> None:
        """Take note of one that begins."""
        self._young.add(exchange)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_YOUNG_SECONDS, self._look)

    def discard(self, exchange: Exchange) -> None:
        """Take note of one that has ended."""
        self._young.discard(exchange)
        self._old.discard(exchange)
        self.calls -= exchange.is_call
        if not self.calls:
            self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Wait until no call runs, but not longer than *seconds*; end what is left then."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.calls:
                    self._idle.clear()
                    await self._idle.wait()
        for exchange in (*self._young, *self._old):
            exchange.break_off(BrokenOff.DRAINED)
        await asyncio.sleep(0)

    def _look(self) -> None:
        latest = perf_counter() - _YOUNG_SECONDS
        old = {one for one in self._young if one.began_at <= latest}
        self._young -= old
        self._old |= old
        for exchange in old:
            exchange.look_after()
        self._timer = None
        if self._young:
            self._timer = asyncio.get_running_loop().call_later(_YOUNG_SECONDS / 2, self._look)

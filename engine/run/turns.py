"""Turns of changes: those that are about the same nodes come one after the other."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from rungraph.engine.waiting import finish

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from rungraph.graph.address import Address


class Turns:
    """Who has which nodes to itself."""

    def __init__(self) -> None:
        self._taken: list[tuple[set[Address], asyncio.Future[None]]] = []

    @property
    def ends(self) -> list[asyncio.Future[None]]:
        """What is done at the end of each turn that somebody has."""
        return [done for _, done in self._taken]

    def others(self, mine: set[Address]) -> set[Address]:
        """Return the nodes that somebody else has than who took *mine*."""
        return {one for taken, _ in self._taken if taken is not mine for one in taken}

    @asynccontextmanager
    async def take(
        self, nodes: set[Address], *, outlasts: Callable[[], bool] = lambda: False
    ) -> AsyncGenerator[asyncio.CancelledError | None]:
        """Wait until nobody else has any of *nodes*, and keep others from them.

        A cancellation of who waits is handed out instead of raised if it *outlasts* that.
        """
        cancelled: asyncio.CancelledError | None = None
        while others := [done for taken, done in self._taken if taken & nodes]:
            try:
                await asyncio.wait(others)
            except asyncio.CancelledError as error:
                if not outlasts():
                    raise
                cancelled = error
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        turn = (nodes, done)
        self._taken.append(turn)
        try:
            yield cancelled
        finally:
            self._taken.remove(turn)
            finish(done)

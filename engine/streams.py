"""Async generators around others."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class SteppedStream(AsyncGenerator[Any, Any]):
    """An async generator each step of which runs in a block of its own.

    Args:
        stream: What yields.
        step: Makes the block; what the block raises, the step raises.
        ended: Called once the stream is closed, or left in the middle and forgotten.
    """

    def __init__(
        self,
        stream: AsyncGenerator[Any, Any],
        step: Callable[[], AbstractContextManager[None]],
        ended: Callable[[], None],
    ) -> None:
        self._stream = stream
        self._step = step
        self._ended = ended

    async def __anext__(self) -> Any:
        with self._step():
            return await anext(self._stream)

    async def asend(self, value: Any) -> Any:
        """Resume the generator with *value* and return what it yields next."""
        with self._step():
            return await self._stream.asend(value)

    async def athrow(self, *error: Any) -> Any:
        """Raise *error* in the generator and return what it yields next."""
        with self._step():
            return await self._stream.athrow(*error)

    async def aclose(self) -> None:
        """Close the generator."""
        with self._step():
            await self._stream.aclose()
        self._ended()

    def __del__(self) -> None:
        # Left in the middle of a loop and never closed: nobody else will say so.
        self._ended()

"""Async generators around others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol, cast
from weakref import finalize

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from types import TracebackType


class Step(Protocol):
    """A block that each step of a stream runs in.

    Attributes:
        is_quiet: Whether a step that goes well is none of its business: then it is not entered,
            which would cost as much as all else of a step.
    """

    is_quiet: bool

    def __enter__(self) -> None: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None: ...


class SteppedStream(AsyncGenerator[Any, Any]):
    """An async generator each step of which runs in a block.

    Args:
        stream: What yields.
        step: The block, entered anew for each step; what it raises, the step raises.
        ended: Called once the stream is closed, or left in the middle and forgotten.
    """

    def __init__(
        self,
        stream: AsyncGenerator[Any, Any],
        step: Step,
        ended: Callable[[], None],
    ) -> None:
        self._stream = stream
        self._steps = steps_of(stream, step)
        self._ended = ended

    def __anext__(self) -> Any:
        # Not a coroutine of its own: there is one of these a chunk.
        return self._steps.__anext__()

    def asend(self, value: Any) -> Any:
        """Resume the generator with *value* and return what it yields next."""
        return self._steps.asend(value)

    def athrow(self, *error: Any) -> Any:
        """Raise *error* in the generator and return what it yields next."""
        return self._steps.athrow(*error)

    async def aclose(self) -> None:
        """Close the generator."""
        await self._steps.aclose()
        await self._stream.aclose()  # Steps that never began have closed nothing.
        self._ended()

    def __del__(self) -> None:
        # Left in the middle of a loop and never closed: nobody else will say so.
        self._ended()


def when_forgotten(stream: object, call: Callable[..., object], *args: Any) -> None:
    """Call *call* in the running event loop once nobody has *stream* any more, begun or not."""
    loop = asyncio.get_running_loop()

    def forgotten() -> None:  # In whichever thread that is found out.
        with suppress(RuntimeError):  # The loop is closed, and all its tasks with it.
            loop.call_soon_threadsafe(call, *args)

    finalize(stream, forgotten).atexit = False


async def steps_of(stream: AsyncGenerator[Any, Any], step: Step) -> AsyncGenerator[Any, Any]:
    """Yield what *stream* yields, each time within *step*, and close it in the end."""
    proceed = resume = cast("Callable[[Any], Awaitable[Any]]", stream.asend)
    given: Any = None
    try:
        while True:
            if step.is_quiet:
                try:
                    chunk = await resume(given)
                except BaseException as error:
                    step.__exit__(type(error), error, error.__traceback__)
                    raise
            else:
                with step:
                    chunk = await resume(given)
            resume = proceed
            try:
                given = yield chunk
            except GeneratorExit:
                with suppress(Exception), step:  # Who has enough need not know what has ended it.
                    pass
                raise
            except BaseException as error:  # noqa: BLE001  (whatever a caller throws in)
                resume, given = stream.athrow, error
    except StopAsyncIteration:
        return
    finally:
        with step:
            await stream.aclose()

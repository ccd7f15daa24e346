"""What a gate tells of the calls that go through it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from rungraph.engine.errors import NotRunningError
from rungraph.engine.routing.gate import CallWatch, Gate


class Observed:
    """A gate, and what it tells."""

    def __init__(self) -> None:
        self.errors: list[BaseException | None] = []
        self.gate = Gate("provider:inference/a", observe=lambda _, error: self.errors.append(error))

    async def stream(self, most: int = 2) -> AsyncGenerator[int, None]:
        """Return a stream that fails after *most* numbers."""
        found: AsyncGenerator[int, None] = await self.gate.await_call(_numbers, most)
        return found


async def _numbers(most: int) -> AsyncGenerator[int, None]:
    async def numbers() -> AsyncGenerator[int, None]:
        for number in range(most):
            yield number
        if most != 2:
            raise TimeoutError

    return numbers()


async def test_a_stream_is_told_when_it_ends() -> None:
    """Once, however it ends: by itself, closed by its reader, or with an error."""
    observed = Observed()
    async for _ in (stream := await observed.stream()):
        assert observed.errors == []
    await stream.aclose()
    assert observed.errors == [None]
    async with aclosing(await observed.stream()) as stream:
        await anext(stream)
    assert observed.errors == [None, None]
    with pytest.raises(TimeoutError):
        [one async for one in await observed.stream(1)]
    assert [type(one) for one in observed.errors] == [type(None), type(None), TimeoutError]


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_call_that_is_cut_is_told_as_an_error(is_stream: bool) -> None:
    """Its caller has not given it up: the provider has stopped."""
    observed = Observed()

    async def call() -> None:
        if is_stream:
            stream = await observed.gate.await_call(_waiting_stream)
            await anext(stream)
        await observed.gate.await_call(asyncio.sleep, 3600)

    async def _waiting_stream() -> AsyncGenerator[int, None]:
        async def waiting() -> AsyncGenerator[int, None]:
            await asyncio.sleep(3600)
            yield 1

        return waiting()

    task = asyncio.create_task(call())
    await asyncio.sleep(0.01)
    await CallWatch().drain(observed.gate, 0, closes=True)
    with pytest.raises(NotRunningError):
        await task
    assert [type(one) for one in observed.errors] == [NotRunningError]


async def test_a_call_that_is_given_up_is_no_error_of_the_provider() -> None:
    """It is told as cancelled."""
    observed = Observed()
    task = asyncio.create_task(observed.gate.await_call(asyncio.sleep, 3600))
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert [type(one) for one in observed.errors] == [asyncio.CancelledError]


async def test_a_call_that_is_not_awaited_is_told_when_it_returns() -> None:
    """With its error, if it has one."""
    observed = Observed()
    with pytest.raises(ZeroDivisionError):
        observed.gate.call(divmod, 1, 0)
    observed.gate.call(len, "")
    assert [type(one) for one in observed.errors] == [ZeroDivisionError, type(None)]

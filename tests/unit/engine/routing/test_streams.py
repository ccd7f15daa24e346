"""Streams through a router: steps, errors and ends are the provider's own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Protocol

import pytest
from tests.unit.engine.routing.routed import router_to

from rungraph.engine.errors import UnknownResourceError

pytestmark = pytest.mark.usefixtures("observe")


class Streaming:
    """A provider whose streams fail or are closed as the test wants."""

    def __init__(self) -> None:
        self.closed = 0

    async def completion(self, model: str, content: str, **_more: Any) -> AsyncGenerator[str, None]:
        if model == "broken":
            msg = "cannot begin"
            raise ConnectionError(msg)
        return self.letters(content)

    async def letters(self, content: str) -> AsyncGenerator[str, None]:
        try:
            for letter in content:
                if letter == "!":
                    msg = "lost midway"
                    raise ConnectionError(msg)
                yield letter
        finally:
            self.closed += 1


@pytest.fixture
def streaming() -> Streaming:
    """A provider of streams."""
    return Streaming()


@pytest.fixture
def streams(streaming: Streaming) -> Any:
    """A router of its models."""
    return router_to(streaming, "m", "broken")


async def test_a_stream_yields_what_the_provider_yields(streams: Any, streaming: Streaming) -> None:
    """Awaiting a streaming call returns an async generator; its end is the provider's."""
    stream = await streams.completion("m", "abc", stream=True)
    assert [letter async for letter in stream] == ["a", "b", "c"]
    assert streaming.closed == 1


async def test_an_error_comes_out_where_it_happens(streams: Any, streaming: Streaming) -> None:
    """Before the first chunk from awaiting the call; midway after what came before it."""
    with pytest.raises(ConnectionError, match="cannot begin"):
        await streams.completion("broken", "abc", stream=True)
    stream = await streams.completion("m", "ab!c", stream=True)
    assert [await anext(stream), await anext(stream)] == ["a", "b"]
    with pytest.raises(ConnectionError, match="lost midway"):
        await anext(stream)
    assert streaming.closed == 1


async def test_closing_early(streams: Any, streaming: Streaming) -> None:
    """Closing a stream runs the provider's clean-up at once."""
    stream = await streams.completion("m", "abc", stream=True)
    assert await anext(stream) == "a"
    await stream.aclose()
    assert streaming.closed == 1
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_method_that_is_an_async_generator_itself() -> None:
    """A Protocol's method that is called without await works too."""

    class Api(Protocol):
        def letters(self, model: str, content: str) -> AsyncIterator[str]: ...

    class Own:
        async def letters(self, model: str, content: str) -> AsyncGenerator[str, None]:
            yield model
            for letter in content:
                yield letter

    router = router_to(Own(), "m", protocol=Api)
    assert [letter async for letter in router.letters("m", "ab")] == ["m", "a", "b"]
    with pytest.raises(UnknownResourceError):
        router.letters("n", "ab")

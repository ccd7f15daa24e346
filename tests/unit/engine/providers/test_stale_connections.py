"""A kept connection that the server has closed is no outage."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest

pytest.importorskip("aiohttp")

from rungraph.engine.providers.openai_client import OpenAIClient

_BODY = b'{"data": []}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)
_IDLE_SECONDS = 0.1


async def _read(reader: asyncio.StreamReader) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    lengths = [int(line.split(b":")[1]) for line in head if line.startswith(b"content-length")]
    await reader.readexactly(sum(lengths))


@asynccontextmanager
async def client_of(
    answer: Callable[[int, int], bytes | None],
) -> AsyncGenerator[tuple[OpenAIClient, list[int]]]:
    """Yield a client, and how many requests came on each connection of its server.

    Args:
        answer: Returns the bytes for a connection's request, both counted from 0; None closes it.
    """
    seen: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = len(seen)
        seen.append(0)
        try:
            while True:
                await _read(reader)
                seen[number] += 1
                content = answer(number, seen[number] - 1)
                if content is None:
                    break
                writer.write(content)
                await writer.drain()
                if content != _ANSWER:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    client = OpenAIClient(url, max_retries=0, is_local=True)
    try:
        yield client, seen
    finally:
        await client.close()
        server.close()


async def test_a_request_on_a_closed_connection_is_sent_again_on_a_new_one() -> None:
    """Once, at once, without a retry; a new connection that breaks is an error."""
    answers = [1, 1, 0]
    async with client_of(lambda number, asked: _ANSWER if asked < answers[number] else None) as (
        client,
        seen,
    ):
        assert await client.post("embeddings", {"input": []}) == {"data": []}
        assert await client.post("embeddings", {"input": []}) == {"data": []}
        assert seen == [2, 1]
        with pytest.raises(ConnectionError, match="the connection broke"):
            await client.post("embeddings", {"input": []})


async def test_all_kept_connections_may_be_closed() -> None:
    """The connection that a request is sent again on is none that was kept."""
    async with client_of(lambda number, asked: _ANSWER if asked == 0 or number >= 4 else None) as (
        client,
        seen,
    ):
        await asyncio.gather(*(client.post("embeddings", {"n": n}) for n in range(4)))
        assert seen == [1, 1, 1, 1]
        assert await client.post("embeddings", {"input": []}) == {"data": []}
        assert sorted(seen) == [1, 1, 1, 1, 2]


async def test_an_answer_that_has_begun_is_not_asked_for_again() -> None:
    """The server has seen such a request, so sending it again would have it done twice."""
    async with client_of(
        lambda _, asked: _ANSWER if asked == 0 else b"HTTP/1.1 200 OK\r\ncontent-"
    ) as (client, seen):
        await client.post("embeddings", {"input": []})
        with pytest.raises(ConnectionError, match="the connection broke"):
            await client.post("embeddings", {"input": []})
        assert seen == [2]


@pytest.fixture
def impatient() -> Generator[str]:
    """Run a server that closes idle connections early, in a thread, as if on another machine."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wait = None
        try:
            while True:
                async with asyncio.timeout(wait):
                    await _read(reader)
                wait = _IDLE_SECONDS
                writer.write(_ANSWER)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    url: Future[str] = Future()
    end = asyncio.Event()

    async def run() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            url.set_result(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
            await end.wait()
            # The connections close by themselves.
            await asyncio.sleep(2 * _IDLE_SECONDS)

    with asyncio.Runner() as runner, ThreadPoolExecutor() as threads:
        running = threads.submit(runner.run, run())
        yield url.result()
        runner.get_loop().call_soon_threadsafe(end.set)
        running.result()


async def test_calls_at_the_idle_limit_do_not_fail(impatient: str) -> None:
    """None of a thousand calls fails that come just when the server closes the connection."""
    chance = random.Random(1)  # noqa: S311 (it is no secret)

    async def call_fifty_times() -> None:
        client = OpenAIClient(impatient, max_retries=0, is_local=True)
        try:
            for _ in range(50):
                await client.post("embeddings", {"input": []})
                await asyncio.sleep(_IDLE_SECONDS + chance.uniform(-0.005, 0.005))
        finally:
            await client.close()

    await asyncio.gather(*(call_fifty_times() for _ in range(20)))

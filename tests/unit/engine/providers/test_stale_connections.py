"""A kept connection that the server has closed is no outage."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("aiohttp")

from rungraph.engine.providers.openai_client import OpenAIClient

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

_BODY = b'{"data": []}'
_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(_BODY),
    _BODY,
)


async def test_a_request_on_a_closed_connection_is_sent_again_on_a_new_one() -> None:
    """Once, at once, without a retry; a new connection that breaks is an error."""
    seen: list[int] = []
    answers_per_connection = [1, 1, 0]

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        number = len(seen)
        seen.append(0)
        answers = answers_per_connection[min(number, len(answers_per_connection) - 1)]
        while True:
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:
                break
            length = next(
                (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                 if line.startswith(b"content-length")), 0,
            )  # fmt: skip
            await reader.readexactly(length)
            seen[number] += 1
            if seen[number] > answers:
                break
            writer.write(_ANSWER)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = OpenAIClient(f"http://127.0.0.1:{port}/v1", max_retries=0, is_local=True)
    try:
        assert await client.post("embeddings", {"input": []}) == {"data": []}
        assert await client.post("embeddings", {"input": []}) == {"data": []}
        assert seen == [2, 1]
        with pytest.raises(ConnectionError, match="the connection broke"):
            await client.post("embeddings", {"input": []})
        assert seen == [2, 2, 1]
    finally:
        await client.close()
        server.close()

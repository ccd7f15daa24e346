"""An HTTP server whose answers a test writes byte by byte: for servers that misbehave."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def black_hole() -> Generator[tuple[socket.socket, int]]:
    """Hand out a socket, and its port, that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as hole:
        yield hole, hole.getsockname()[1]


@contextmanager
def serve_with(handler: type[BaseHTTPRequestHandler]) -> Generator[str]:
    """Serve HTTP in a thread, quietly, and hand out the URL."""

    class Quiet(handler):  # type: ignore[valid-type,misc]
        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002 (its name)

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@dataclass
class Request:
    """What a client asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class Wire:
    """A running server.

    Attributes:
        base_url: Where its OpenAI API is.
        port: Where it listens.
        requests: What was asked, oldest first.
        left: Set when a client goes while it is being answered.
    """

    base_url: str = ""
    port: int = 0
    requests: list[Request] = field(default_factory=list[Request])
    left: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Reply:
    """What a test answers with.

    Attributes:
        content: The body; an object is sent as JSON.
        status: The HTTP status.
        headers: More headers.
        hang: Send the body, and then neither more nor an end.
        pause: How many seconds pass before the body is sent.
        begun: Whether the head is sent before that pause.
    """

    content: bytes | object = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    hang: bool = False
    pause: float = 0.0
    begun: bool = False


def sse(*events: object, done: bool = True, hang: bool = False) -> Reply:
    """Return a stream of *events*: objects as JSON, texts as they are."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in events]
    text = "".join(f"data: {line}\n\n" for line in [*lines, *(["[DONE]"] if done else [])])
    return Reply(text.encode(), headers={"Content-Type": "text/event-stream"}, hang=hang)


MODELS = Reply({"object": "list", "data": [{"id": "small"}]})


@asynccontextmanager
async def serve(
    answer: Callable[[Request], Reply | Awaitable[Reply]], port: int = 0
) -> AsyncGenerator[Wire]:
    """Run a server at *port* (0: any) that answers every request with what *answer* returns.

    Lists of models are answered with :data:`MODELS`, unless *answer* is asked for ``/v1/models``
    and returns another reply than an empty one.
    """
    wire = Wire()
    connections: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            request = await _read(reader)
            wire.requests.append(request)
            found = answer(request)
            reply = found if isinstance(found, Reply) else await found
            if request.path.endswith("/models") and reply == Reply():
                reply = MODELS
            head, content = _bytes(reply)
            writer.write(head if reply.begun else b"")
            await asyncio.sleep(reply.pause)
            writer.write(content if reply.begun else head + content)
            await writer.drain()
            if reply.hang:
                await reader.read()
                wire.left.set()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            wire.left.set()
        finally:
            writer.close()
            connections.discard(task)

    server = await asyncio.start_server(converse, "127.0.0.1", port)
    wire.port = server.sockets[0].getsockname()[1]
    wire.base_url = f"http://127.0.0.1:{wire.port}/v1"
    try:
        yield wire
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {key.lower(): value for key, value in (line.split(": ", 1) for line in head[1:-2])}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, json.loads(body) if body else None)


def _bytes(reply: Reply) -> tuple[bytes, bytes]:
    """Return the head and the body of *reply*."""
    content = reply.content
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    headers = {"Content-Type": "application/json", "Connection": "close", **reply.headers}
    if not reply.hang:
        headers.setdefault("Content-Length", str(len(content)))
    lines = [
        f"HTTP/1.1 {reply.status} Told",
        *(f"{key}: {value}" for key, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n", content

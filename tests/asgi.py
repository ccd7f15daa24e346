"""Asks an ASGI application in this process, without a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from rungraph.engine.run.stack import Stack
from rungraph.engine.server.app import StackApp

App = Callable[..., Awaitable[None]]


@dataclass
class Answered:
    """What an application answered.

    Attributes:
        status: The HTTP status; 0 before it has begun to answer.
        headers: The headers.
        parts: The pieces of the body as they came.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict[str, str])
    parts: list[bytes] = field(default_factory=list[bytes])

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.parts)

    @property
    def error(self) -> Any:
        """What is said to be wrong."""
        return json.loads(self.body)["error"]


def app_of(stack: Stack, *how: Any) -> StackApp:
    """Return a server of *stack* that takes requests; *how* are its settings and its guard."""
    app = StackApp(stack, *how)
    app.open()
    return app


async def ask(
    app: App,
    method: str,
    path: str,
    body: bytes | object | None = b"",
    *,
    headers: dict[str, str] | None = None,
    query: str = "",
    again: Sequence[tuple[str, str]] = (),
    leaves: asyncio.Event | None = None,
) -> Answered:
    """Return what *app* answers.

    Args:
        app: The application.
        method: How it is asked.
        path: What it is asked for, as it stands in a request.
        body: What is sent: JSON if it is no bytes; None for one that never comes.
        headers: Headers of the request.
        query: What follows the path.
        again: More headers, whose names may be those of others.
        leaves: Set when the caller goes away; None for one that stays.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"host": "127.0.0.1:8321", "content-type": "application/json", **(headers or {})}
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [
            (key.encode(), value.encode("latin-1")) for key, value in (*sent.items(), *again)
        ],
        "client": ("127.0.0.1", 50000),
    }
    answered = Answered()
    is_sent = False

    async def receive() -> dict[str, Any]:
        nonlocal is_sent
        if is_sent or body is None:
            await (leaves or asyncio.Event()).wait()
            return {"type": "http.disconnect"}
        is_sent = True
        return {"type": "http.request", "body": content}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answered.status = message["status"]
            answered.headers = {key.decode(): one.decode() for key, one in message["headers"]}
        else:
            answered.parts.append(message["body"])

    await app(scope, receive, send)
    return answered

"""The model behind every counterpart: a llama.cpp server in this process, asked over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from rungraph.engine.providers.inline.llama_cpp.config import LlamaCppConfig
from rungraph.engine.providers.inline.llama_cpp.server import open_server
from rungraph.engine.weights import CATALOG, DEFAULT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

CONTEXT_SIZE = 2048
"""Tokens that a request and its answer may have together."""
_KEY = "of-the-counterpart"


class RefusedError(Exception):
    """A request that is refused.

    Attributes:
        status: The HTTP status.
        message: Why.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Llama:
    """Answers by a real model."""

    def __init__(self, weights: Path | None = None) -> None:
        config = LlamaCppConfig(context_size=CONTEXT_SIZE, parallel=1, threads=1, seed=1)
        path = weights or CATALOG[DEFAULT].path()
        self._server = open_server(path, ["model"], _KEY, config)
        self._session: aiohttp.ClientSession | None = None

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the whole answer to *body*.

        Raises:
            RefusedError: If llama.cpp refuses it.
        """
        async with self._open().post(path, json=body) as response:
            return await _accepted(response)

    async def events(self, path: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """Yield the events of a streamed answer to *body*.

        Raises:
            RefusedError: If llama.cpp refuses it.
        """
        async with self._open().post(path, json={**body, "stream": True}) as response:
            if response.status != 200:
                await _accepted(response)
            async for line in response.content:
                if line.startswith(b"data: {"):
                    yield json.loads(line[6:])

    async def count(self, text: str) -> int:
        """Return how many tokens *text* has."""
        found = await self.post("/tokenize", {"content": text, "add_special": True})
        return len(found["tokens"])

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                self._server.listening_address,
                # It closes connections as it likes, and a counterpart must not fail by that.
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                headers={"Authorization": f"Bearer {_KEY}"},
                timeout=aiohttp.ClientTimeout(),
            )
        return self._session

    async def close(self) -> None:
        """Close all connections to it."""
        if self._session is not None:
            await self._session.close()


class OneModel:
    """A server of one model, whose health is an empty answer.

    Args:
        llama: What answers.
        model: The name of the one model.
        key: What callers have to bring; empty for none.
    """

    def __init__(self, llama: Llama, model: str, key: str) -> None:
        self._llama = llama
        self._model = model
        self._key = key

    async def _health(self, _: web.Request) -> web.Response:
        return web.Response()


async def _accepted(response: aiohttp.ClientResponse) -> dict[str, Any]:
    body: dict[str, Any] = await response.json()
    if response.status != 200:
        raise RefusedError(response.status, body["error"]["message"])
    return body


async def stream(
    request: web.Request, media: str, lines: AsyncGenerator[bytes], **headers: str
) -> web.StreamResponse:
    """Answer *request* with *lines* as they come."""
    response = web.StreamResponse(headers={"Content-Type": media, **headers})
    await response.prepare(request)
    async for line in lines:
        await response.write(line)
    await response.write_eof()
    return response


def has_key(request: web.Request, key: str) -> bool:
    """Whether *request* brings *key*; every request does where there is none."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return not key or (scheme.lower() == "bearer" and given == key)

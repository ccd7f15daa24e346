"""A client's connections: kept for later requests, told apart when they are, through proxies.

Needs ``aiohttp``, so import it only where a provider is created.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

_IDLE_SECONDS = 4.0
"""How long a connection is kept for the next request: many servers close theirs after 5 seconds."""
_is_new: ContextVar[bool] = ContextVar("rungraph_is_new", default=False)


class Connector(aiohttp.TCPConnector):
    """Knows which connections have served a request; aiohttp's tracing costs far more.

    Args:
        is_fresh: Whether each request gets a connection of its own.
    """

    def __init__(self, *, is_fresh: bool) -> None:
        if is_fresh:
            super().__init__(limit=0, force_close=True)
        else:
            super().__init__(limit=0, keepalive_timeout=_IDLE_SECONDS)

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Return a connection for *req*."""
        if _is_new.get():
            _is_new.set(False)
        return await super().connect(req, traces, timeout)

    async def _create_connection(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> ResponseHandler:
        _is_new.set(True)
        return await super()._create_connection(req, traces, timeout)


def is_reused() -> bool:
    """Whether the connection of the latest request of this task had served another one."""
    return not _is_new.get()


def proxy_of(url: str) -> dict[str, Any]:
    """Return how *url* is reached as ``HTTPS_PROXY``, ``NO_PROXY`` and their like say."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme) or getproxies().get("all")
    if proxy is None or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return {}
    return {"proxy": proxy}

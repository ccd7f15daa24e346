"""A client's connections: kept for later requests, told apart when they are, through proxies.

Needs ``aiohttp``, so import it only where a provider is created.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass
from weakref import WeakSet

import aiohttp

if TYPE_CHECKING:
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

_IDLE_SECONDS = 4.0
"""How long a connection is kept for the next request: many servers close theirs after 5 seconds."""
_is_reused: ContextVar[bool] = ContextVar("rungraph_is_reused", default=False)


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
        self._known: WeakSet[object] = WeakSet()

    async def connect(
        self, req: aiohttp.ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Return a connection for *req*."""
        _is_reused.set(False)
        connection = await super().connect(req, traces, timeout)
        _is_reused.set(connection.protocol in self._known)
        self._known.add(connection.protocol)
        return connection


def is_reused() -> bool:
    """Whether the connection of the latest request of this task had served another one."""
    return _is_reused.get()


def proxy_of(url: str) -> dict[str, Any]:
    """Return how *url* is reached as ``HTTPS_PROXY``, ``NO_PROXY`` and their like say."""
    parts = urlsplit(url)
    proxy = getproxies().get(parts.scheme) or getproxies().get("all")
    if proxy is None or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return {}
    return {"proxy": proxy}

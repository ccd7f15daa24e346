"""Listens for HTTP. Needs ``rungraph[server]``, so import it only where a server is started."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from rungraph.engine.server.app import StackApp

_BACKLOG = 2048


def bound(host: str, port: int) -> socket.socket:
    """Return a socket at *host* and *port* (0: any that is free).

    Raises:
        OSError: If there can be none; the text says where.
    """
    try:
        (family, kind, _, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        listener = socket.socket(family, kind)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        msg = f"cannot listen at {host}:{port}: {reason}"
        raise OSError(msg) from error
    return listener


@asynccontextmanager
async def listening(
    app: StackApp,
    listener: socket.socket,
    certificate: Path | None = None,
    key: Path | None = None,
) -> AsyncGenerator[None]:
    """Serve *app* at *listener* while the block runs; then close it and every connection.

    Args:
        app: What answers.
        listener: Where.
        certificate: A file with the certificate for TLS; None for plain HTTP.
        key: A file with its private key, if that is not beside it.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=1,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    # Not serve(): that takes the signals for itself.
    await server.startup(sockets=[listener])
    turning = asyncio.create_task(server.main_loop(), name="the server's clock")
    try:
        yield
    finally:
        server.should_exit = True
        await turning
        await server.shutdown(sockets=[listener])

"""Listens for HTTP. Needs ``rungraph[server]``, so import it only where a server is started."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rungraph.engine.server.failures import RequestError, failure_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from uvicorn._types import ASGI3Application
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from rungraph.engine.server.app import StackApp

_BACKLOG = 2048
_MOST_HEAD = 64 * 1024
"""Bytes that the target and the headers of a request may have."""
_HEAD_SECONDS = 20.0
"""Seconds that a caller may take for them."""
_UNREAD_SECONDS = 60.0
"""Seconds that a caller may leave unread what no longer fits into the buffers: it holds a call."""
_LINGER_SECONDS = 2.0
"""Seconds that a caller who is refused may go on sending, to read the answer at last."""


class _Connection(HttpToolsProtocol):
    """A connection whose requests may be neither too long nor too slow at their head.

    Most heads come in one piece, and cost nothing here.
    """

    _is_in_head = False
    _is_refused = False
    _piece = 0
    _more_of_head = 0
    _timer: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._give_time()

    def connection_lost(self, exc: Exception | None) -> None:
        _end(self._timer)
        _end(self._unread)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(_UNREAD_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        _end(self._unread)
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        self._piece = len(data)
        if self._is_in_head:
            self._more_of_head += self._piece
        super().data_received(data)
        if self._is_refused or self.transport.is_closing():
            return
        if self._is_in_head and self._more_of_head > _MOST_HEAD:
            self.send_400_response("")
        elif self._timer is None and not (self.cycle and not self.cycle.response_complete):
            self._give_time()  # Between two requests.

    def on_message_begin(self) -> None:
        self._is_in_head = True
        self._more_of_head = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        _end(self._timer)
        self._timer = None
        # Only a long piece can have a long head in it: most heads are not measured.
        if self._more_of_head + self._piece > _MOST_HEAD and self._head_size() > _MOST_HEAD:
            self._more_of_head = _MOST_HEAD + 1
            msg = "the head is too long"
            raise ValueError(msg)  # The parser gives up, and so does the connection.
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        # Not as the loop makes tasks: while a stack runs, it has each watched that nobody waits
        # for. This one ends with an answer, whatever happens in it.
        task = asyncio.Task(cycle.run_asgi(app), loop=self.loop)
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    def send_400_response(self, msg: str) -> None:
        error = RequestError(400, msg)
        if self._more_of_head > _MOST_HEAD:
            error = RequestError(431, f"target and headers are longer than {_MOST_HEAD} bytes")
        failure = failure_of(error, "", str)
        lines = [
            f"HTTP/1.1 {failure.status} {HTTPStatus(failure.status).phrase}",
            "content-type: application/json",
            f"content-length: {len(failure.body)}",
            f"x-request-id: req_{secrets.token_hex(8)}",
            *(f"{name.decode()}: {value.decode()}" for name, value in failure.headers),
            "connection: close",
        ]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + failure.body)
        self._is_refused = True
        if self.transport.can_write_eof():
            # What still comes is read and dropped: closed now, the caller would miss the answer.
            self.transport.write_eof()
            self._give_time(_LINGER_SECONDS)
        else:
            self.transport.close()

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _give_time(self, seconds: float = _HEAD_SECONDS) -> None:
        _end(self._timer)
        self._timer = self.loop.call_later(seconds, self.transport.close)


def _end(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


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


def url_of(listener: socket.socket, *, is_secure: bool) -> str:
    """Return the URL at which *listener* listens."""
    host, port = listener.getsockname()[:2]
    at = f"[{host}]" if ":" in host else host
    return f"{'https' if is_secure else 'http'}://{at}:{port}"


def check_certificate(certificate: Path, key: Path | None) -> None:
    """Return if TLS can be served with a certificate and its private key.

    Raises:
        OSError: If not; the text names the files.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # Without a password of ours, OpenSSL would ask for one at the terminal.
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except ssl.SSLError as error:
        reason = "they do not belong together" if error.reason == "KEY_VALUES_MISMATCH" else ""
        reason = reason or "both must be PEM, the key without a password"
        files = f"the certificate {certificate} and the key {key or certificate}"
        msg = f"{files} cannot be used: {reason}"
        raise OSError(msg) from error


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
        http=_Connection,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        # It would read, for each request, what tells of the caller, and nothing here asks for that.
        proxy_headers=False,
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
        # Whoever is still answered has had the time of a drain, or follows what has ended.
        for connection in tuple(server.server_state.connections):
            cycle = connection.cycle if isinstance(connection, _Connection) else None
            if cycle is not None and not cycle.response_complete:
                connection.transport.close()
        server.server_state.tasks.clear()
        await server.shutdown(sockets=[listener])

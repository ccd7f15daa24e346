"""Asks many servers at once whether they are there: a connection, TLS, one HTTP request."""

from __future__ import annotations

import asyncio
import errno
import json
import resource
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from http.client import HTTPException, HTTPResponse
from importlib.metadata import version
from io import BytesIO
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast
from urllib.request import getproxies, proxy_bypass

from rungraph.engine.certificates import CertificatesError, tls_context
from rungraph.engine.waiting import thread_future

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.engine.preflight.endpoints import Endpoint

_MOST_AT_ONCE = 256
_NEXT_ADDRESS_AFTER = 0.25
"""Seconds after which another address of a name is tried beside the first (RFC 8305)."""
_LONGEST_STATUS_LINE = 8192
_LONGEST_ANSWER = 4_194_304
_HTTP2_SETTINGS = 4
"""The type of the frame that a server of HTTP/2 begins with (RFC 9113, sections 3.4 and 4.1)."""
_TLS_ALERT = b"\x15\x03"

_Trust = Callable[["bool | str"], ssl.SSLContext]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one endpoint answers.

    Attributes:
        said: What it answered, such as ``HTTP 401``; empty when it did not.
        seconds: How long that took.
        code: The code of the diagnostic when it did not answer; empty when it did.
        reason: Why it did not.
        help: The ways out.
        served: The names that it gives of what it has; None where it gives none.
    """

    said: str = ""
    seconds: float = 0.0
    code: str = ""
    reason: str = ""
    help: tuple[str, ...] = ()
    served: frozenset[str] | None = None


_WRONG_PORT = "check that the port is that of the API"
_CLOSED = Answer(
    code="H005",
    reason="it closes the connection without an answer",
    help=(f"{_WRONG_PORT}, and whether it wants TLS",),
)


async def reach(endpoints: Iterable[Endpoint], *, timeout: float) -> dict[Endpoint, Answer]:
    """Return what each of *endpoints* answers; they are asked at the same time, each once.

    A server of HTTP gets a GET request without any credentials, and whatever status it answers
    with, it is there. Other servers are connected to, with a TLS handshake where the scheme says
    so, and left again. No proxy is used.

    Args:
        endpoints: What to ask.
        timeout: Seconds that each may take, from looking its name up to the first line of its
            answer.
    """
    # A socket is a file; some must be left for the rest of the process.
    most = min(_MOST_AT_ONCE, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 4)
    turns = asyncio.Semaphore(most)
    trust = cache(tls_context)  # One is slow to make, and most endpoints share it.

    async def ask(endpoint: Endpoint) -> Answer:
        async with turns:
            return await _ask(endpoint, trust, timeout)

    distinct = tuple(dict.fromkeys(endpoints))
    answers = await asyncio.gather(*map(ask, distinct))
    return dict(zip(distinct, answers, strict=True))


async def _ask(endpoint: Endpoint, trust: _Trust, timeout: float) -> Answer:
    start = perf_counter()
    host, port = endpoint.host, endpoint.port
    writer: asyncio.StreamWriter | None = None
    missing = "its name cannot be looked up"
    try:
        async with asyncio.timeout(timeout):
            # asyncio looks names up in a few shared threads. A name server that never answers
            # would hold one up, so that the name has its own thread before asyncio gets it.
            await thread_future(socket.getaddrinfo, host, port)
            missing = "no connection"
            reader, writer = await asyncio.open_connection(
                host, port, happy_eyeballs_delay=_NEXT_ADDRESS_AFTER
            )
            if endpoint.speaks_tls:
                missing = "a connection, but no TLS handshake"
                await writer.start_tls(trust(endpoint.verify), server_hostname=host)
            answer = Answer("TLS" if endpoint.speaks_tls else "connected")
            if endpoint.speaks_http:
                missing = "a connection, but no answer"
                writer.write(_request(endpoint))
                received = await _first_line(reader)
                answer = _http_answer(received.partition(b"\n")[0])
                if endpoint.served_names and answer.said == "HTTP 200":
                    missing = "an answer, but not its end"
                    while len(received) < _LONGEST_ANSWER and (more := await reader.read(65_536)):
                        received += more
                    answer = replace(answer, served=_names_in(received, endpoint.served_names))
    except TimeoutError:
        ways_out = (
            "check the host and the port, and what is between here and there",
            "give it more time with --timeout SECONDS",
        )
        reason = f"{missing} within {timeout:g} s"
        return Answer(code="H003", reason=reason, help=(*ways_out, *_proxy(endpoint)))
    except CertificatesError as error:
        return Answer(code="H004", reason=str(error), help=("name a PEM file",))
    except (OSError, UnicodeError) as error:
        return _failure(endpoint, error)
    finally:
        if writer is not None:
            # A polite end could take as long as the whole conversation.
            writer.transport.abort()
    return replace(answer, seconds=perf_counter() - start)


def _request(endpoint: Endpoint) -> bytes:
    if not endpoint.host.isascii():
        endpoint = endpoint._replace(host=endpoint.host.encode("idna").decode())
    return (
        f"GET {endpoint.path or '/'} HTTP/1.1\r\n"
        f"Host: {endpoint.netloc}\r\n"
        f"User-Agent: rungraph/{version('rungraph')}\r\n"
        "Accept: */*\r\n"
        "Connection: close\r\n\r\n"
    ).encode()


async def _first_line(reader: asyncio.StreamReader) -> bytes:
    """Return what is received with the first line, or as much as shows that it is not HTTP."""
    line = b""
    while b"\n" not in line and len(line) < _LONGEST_STATUS_LINE and b"HTTP/".startswith(line[:5]):
        received = await reader.read(1024)
        if not received:
            break
        line += received
    return line


class _Received:
    """A socket as `http.client` asks it: for all that it has received."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, *_: object) -> BytesIO:
        return BytesIO(self._received)


def _names_in(received: bytes, path: str) -> frozenset[str] | None:
    """Return the texts at *path* in the JSON of a whole HTTP response; None if it is none."""
    response = HTTPResponse(cast("socket.socket", _Received(received)))
    try:
        response.begin()
        values: list[Any] = [json.loads(response.read())]
        for key in path.split("."):
            values = [one[key] for one in values]
            values = [one for value in values for one in (value if _is_list(value) else [value])]
    except (HTTPException, ValueError, LookupError, TypeError, RecursionError):
        return None
    return frozenset(one for one in values if isinstance(one, str))


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _http_answer(line: bytes) -> Answer:
    """Return what the first line of an answer to an HTTP request means."""
    if not line:
        return _CLOSED
    protocol, status, *_ = (*line.split(maxsplit=2), b"", b"")
    if protocol.startswith(b"HTTP/") and status.isdigit():
        return Answer(f"HTTP {status.decode()[:3]}")
    if line[3:4] == bytes([_HTTP2_SETTINGS]) and line[5:9] == bytes(4):
        return Answer("HTTP/2")
    is_tls = line.startswith(_TLS_ALERT)
    reason = "it speaks TLS" if is_tls else "it does not speak HTTP"
    way_out = "write https:// instead of http://" if is_tls else _WRONG_PORT
    return Answer(code="H005", reason=reason, help=(way_out,))


def _failure(endpoint: Endpoint, error: OSError | UnicodeError) -> Answer:
    """Return the answer of a server that *error* keeps from being asked."""
    if isinstance(error, socket.gaierror | UnicodeError):
        reason = f"the name '{endpoint.host}' is not known"
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            reason = f"the name '{endpoint.host}' cannot be looked up: no name server answers"
        ways_out: tuple[str, ...] = (
            "check the name: what counts is what it means where rungraph runs",
        )
        return Answer(code="H001", reason=reason, help=(*ways_out, *_proxy(endpoint)))
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message[:1].lower() + error.verify_message[1:].rstrip(".")
        ways_out = ("to trust it, name a file with its authority: export SSL_CERT_FILE=FILE",)
        return Answer(code="H004", reason=f"its certificate is not trusted: {why}", help=ways_out)
    if isinstance(error, ssl.SSLError):
        what = (error.reason or "it fails").lower().replace("_", " ")
        wants_none = error.reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE")
        reason = "it does not speak TLS" if wants_none else f"no TLS handshake: {what}"
        ways_out = ("write http:// if it speaks HTTP without TLS",) if wants_none else ()
        return Answer(code="H004", reason=reason, help=ways_out)
    # Where a name has several addresses, Python 3.11 puts all failures into one text.
    if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error):
        ways_out = ("start the server, or check the host and the port",)
        reason = "connection refused: nothing listens there"
        return Answer(code="H002", reason=reason, help=(*ways_out, *_proxy(endpoint)))
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return _CLOSED
    is_known = error.errno in errno.errorcode
    reason = (error.strerror or "").lower() if is_known else "no connection"
    ways_out = ("check the host and the network", *_proxy(endpoint))
    return Answer(code="H002", reason=reason, help=ways_out)


def _proxy(endpoint: Endpoint) -> tuple[str, ...]:
    """Return a hint at the proxy that the provider's own client may use to get there."""
    kind = "https" if endpoint.speaks_tls else "http"
    if not endpoint.speaks_http or kind not in getproxies() or proxy_bypass(endpoint.host):
        return ()
    return (f"{kind.upper()}_PROXY is set and was not used: the provider may get there by it",)

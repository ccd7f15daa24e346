"""Asks many servers at once whether they are there: a connection, TLS, one HTTP request."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
import ssl
from dataclasses import dataclass
from itertools import chain, zip_longest
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

from rungraph.engine.waiting import thread_future

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rungraph.engine.preflight.endpoints import Endpoint

_MOST_AT_ONCE = 256
_MOST_ADDRESSES = 3
"""How many addresses of one name are tried: a name can have dozens, and each costs a socket."""
_LONGEST_STATUS_LINE = 8192
_HTTP2_SETTINGS = 4
"""The type of the frame that a server of HTTP/2 begins with (RFC 9113, sections 3.4 and 4.1)."""
_TLS_ALERT = b"\x15\x03"

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking one endpoint.

    Attributes:
        said: What it answered, such as ``HTTP 401``; empty when it did not.
        seconds: How long that took.
        code: The code of the diagnostic when it did not answer; empty when it did.
        reason: Why it did not, in a few words.
        help: The ways out.
    """

    said: str = ""
    seconds: float = 0.0
    code: str = ""
    reason: str = ""
    help: tuple[str, ...] = ()


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
    names = _Names()
    trust = _Trust()

    async def ask(endpoint: Endpoint) -> Answer:
        async with turns:
            return await _ask(_Talk(endpoint, names, trust), timeout)

    distinct = tuple(dict.fromkeys(endpoints))
    answers = await asyncio.gather(*map(ask, distinct))
    return dict(zip(distinct, answers, strict=True))


async def _ask(talk: _Talk, timeout: float) -> Answer:
    start = perf_counter()
    try:
        async with asyncio.timeout(timeout):
            said = await talk.answer()
    except _NoAnswerError as error:
        return error.answer
    except TimeoutError:
        reason = f"{talk.awaited} within {timeout:g} s"
        ways_out = ("check the host and the port, and what is between here and there",)
        more = "give it more time with --timeout SECONDS"
        return Answer(code="H003", reason=reason, help=(*ways_out, more, *_proxy(talk.endpoint)))
    except (OSError, UnicodeError) as error:
        return _failure(talk.endpoint, error)
    finally:
        talk.leave()
    return Answer(said, perf_counter() - start)


class _NoAnswerError(Exception):
    """Raised when a conversation cannot go on for a reason that no operating system names."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


class _Names:
    """Looks names up, each once."""

    def __init__(self) -> None:
        self._found: dict[str, asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str) -> Sequence[str]:
        """Return the first IP addresses of *host*, of both families by turns."""
        if host not in self._found:
            # A thread of its own each: a silent name server must keep nobody else waiting.
            self._found[host] = thread_future(_look_up, host)
        return await asyncio.shield(self._found[host])


def _look_up(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    families: dict[int, list[str]] = {}
    for family, _, _, _, address in found:
        families.setdefault(family, []).append(str(address[0]))
    by_turns = chain.from_iterable(zip_longest(*families.values()))
    return [one for one in by_turns if one is not None][:_MOST_ADDRESSES]


class _Trust:
    """The TLS settings, made once for all who have the same."""

    def __init__(self) -> None:
        self._contexts: dict[bool | str, ssl.SSLContext] = {}

    def context(self, endpoint: Endpoint) -> ssl.SSLContext:
        """Return the settings for talking to *endpoint*.

        Raises:
            _NoAnswerError: If its file of certificates cannot be used.
        """
        verify = endpoint.verify
        if verify not in self._contexts:
            file = verify if isinstance(verify, str) else None
            try:
                context = ssl.create_default_context(cafile=file)
            except OSError as error:
                what = (error.strerror or "it holds none").lower()
                reason = f"the file of certificates to trust cannot be used: {what}"
                answer = Answer(code="H004", reason=reason, help=("name a PEM file",))
                raise _NoAnswerError(answer) from None
            if verify is False:
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            self._contexts[verify] = context
        return self._contexts[verify]


class _Talk:
    """One conversation with one server; what it still waits for is in *awaited*."""

    def __init__(self, endpoint: Endpoint, names: _Names, trust: _Trust) -> None:
        self.endpoint = endpoint
        self.awaited = "its name cannot be looked up"
        self._names = names
        self._trust = trust
        self._writer: asyncio.StreamWriter | None = None

    async def answer(self) -> str:
        """Return what the server answers.

        Raises:
            _NoAnswerError: If it answers something else.
            OSError: If there is no connection.
        """
        addresses = await self._names.addresses(self.endpoint.host)
        self.awaited = "no connection"
        reader, self._writer = await _connected(addresses, self.endpoint.port)
        if self.endpoint.speaks_tls:
            self.awaited = "a connection, but no TLS handshake"
            await self._writer.start_tls(
                self._trust.context(self.endpoint), server_hostname=self.endpoint.host
            )
        if self.endpoint.speaks_http:
            self.awaited = "a connection, but no answer"
            self._writer.write(_request(self.endpoint))
            return _understood(await _first_line(reader))
        return "TLS" if self.endpoint.speaks_tls else "connected"

    def leave(self) -> None:
        """Drop the connection; a polite end could take as long as the whole conversation."""
        if self._writer is not None:
            self._writer.transport.abort()


async def _connected(addresses: Sequence[str], port: int) -> _Streams:
    """Return the first connection that comes about; a dead address keeps no other one waiting.

    Raises:
        OSError: If none does.
    """
    tasks = [asyncio.ensure_future(asyncio.open_connection(one, port)) for one in addresses]
    winner: asyncio.Future[_Streams] | None = None
    try:
        pending = {*tasks}
        while pending and winner is None:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            winner = next((task for task in done if task.exception() is None), None)
        if winner is None:
            errors = [error for task in tasks if (error := task.exception()) is not None]
            # That nobody listens there says more than that a family of addresses is not in use.
            raise min(errors, key=lambda error: not isinstance(error, ConnectionRefusedError))
        return winner.result()
    finally:
        for task in tasks:
            task.cancel()
        for found in await asyncio.gather(*tasks, return_exceptions=True):
            is_spare = winner is None or found is not winner.result()
            if is_spare and not isinstance(found, BaseException):
                found[1].transport.abort()


def _request(endpoint: Endpoint) -> bytes:
    from importlib.metadata import version

    if not endpoint.host.isascii():
        endpoint = endpoint._replace(host=endpoint.host.encode("idna").decode())
    lines = (
        f"GET {endpoint.path or '/'} HTTP/1.1",
        f"Host: {endpoint.netloc}",
        f"User-Agent: rungraph/{version('rungraph')}",
        "Accept: */*",
        "Connection: close",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


async def _first_line(reader: asyncio.StreamReader) -> bytes:
    """Return what comes first, as far as it tells whether it is HTTP."""
    line = b""
    while b"\n" not in line and len(line) < _LONGEST_STATUS_LINE and b"HTTP/".startswith(line[:5]):
        piece = await reader.read(1024)
        if not piece:
            break
        line += piece
    return line.partition(b"\n")[0]


def _understood(line: bytes) -> str:
    """Return the status of a status line.

    Raises:
        _NoAnswerError: If it is none.
    """
    words = line.split(maxsplit=2)
    if line.startswith(b"HTTP/") and len(words) > 1 and words[1].isdigit():
        return f"HTTP {words[1].decode()[:3]}"
    if line[3:4] == bytes([_HTTP2_SETTINGS]) and line[5:9] == bytes(4):
        return "HTTP/2"
    if not line:
        raise _NoAnswerError(_CLOSED)
    is_tls = line.startswith(_TLS_ALERT)
    reason = "it speaks TLS" if is_tls else "it does not speak HTTP"
    way_out = "write https:// instead of http://" if is_tls else _WRONG_PORT
    raise _NoAnswerError(Answer(code="H005", reason=reason, help=(way_out,)))


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
    if isinstance(error, ConnectionRefusedError):
        ways_out = ("start the server, or check the host and the port",)
        reason = "connection refused: nothing listens there"
        return Answer(code="H002", reason=reason, help=(*ways_out, *_proxy(endpoint)))
    if isinstance(error, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return _CLOSED
    number = error.errno or 0
    words = errno.errorcode.get(number, "") and (error.strerror or "").lower()
    ways_out = ("check the host and the network", *_proxy(endpoint))
    return Answer(code="H002", reason=words or "no connection", help=ways_out)


def _proxy(endpoint: Endpoint) -> tuple[str, ...]:
    """Return a word on the proxy that the provider's own client may use to get there."""
    kind = "https" if endpoint.speaks_tls else "http"
    if not endpoint.speaks_http or kind not in getproxies() or proxy_bypass(endpoint.host):
        return ()
    return (f"{kind.upper()}_PROXY is set and was not used: the provider may get there by it",)

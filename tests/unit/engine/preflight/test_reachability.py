"""Asking servers: every way of answering and of not answering, on this machine alone."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.wire import black_hole

from rungraph.engine.preflight.endpoints import Endpoint
from rungraph.engine.preflight.reachability import Answer, reach

CERTIFICATE = Path(__file__).parent / "certificates" / "self_signed.pem"
HERE = "127.0.0.1"


class Told:
    """What a server answers, and what it was asked."""

    def __init__(self, *pieces: bytes, hangs: bool = False) -> None:
        self.pieces = pieces
        self.hangs = hangs
        self.asked: list[bytes] = []
        self._conversations: set[asyncio.Task[None]] = set()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._conversations.add(asyncio.ensure_future(self._talk(reader, writer)))

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.asked.append(await reader.read(65536))
            for piece in self.pieces:
                writer.write(piece)
                await asyncio.sleep(0.01)  # So that the pieces do not arrive as one.
            if self.hangs:
                await reader.read()
        except ConnectionError:
            return  # The client has left before the end.
        finally:
            writer.close()
            await asyncio.sleep(0)  # A transport closes when the loop comes round again.

    async def end(self) -> None:
        """Wait for the end of all conversations."""
        await asyncio.gather(*self._conversations)


@asynccontextmanager
async def serving(
    *pieces: bytes, hangs: bool = False, tls: bool = False, scheme: str = ""
) -> AsyncGenerator[tuple[Endpoint, Told]]:
    """Answer whoever asks with *pieces*, and hand out where."""
    told = Told(*pieces, hangs=hangs)
    context = None
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(CERTIFICATE)
    server = await asyncio.start_server(told.serve, HERE, 0, ssl=context)
    scheme = scheme or ("https" if tls else "http")
    try:
        yield Endpoint(scheme, HERE, server.sockets[0].getsockname()[1], "/v1"), told
    finally:
        server.close()
        await told.end()


async def ask(endpoint: Endpoint, timeout: float = 5) -> Answer:
    """Return the answer of one endpoint."""
    return (await reach([endpoint], timeout=timeout))[endpoint]


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        *(((f"HTTP/1.1 {status} Oh\r\n\r\n",), f"HTTP {status}") for status in (200, 401, 500)),
        (("HTTP/1.1 302\r\n\r\n",), "HTTP 302"),
        (("HT", "TP/1.1 20", "4 No Content\r\n"), "HTTP 204"),
        # A server of gRPC begins with a frame of settings.
        (("\0\0\0\4\0\0\0\0\0" + "\0" * 8,), "HTTP/2"),
    ],
)
async def test_whatever_a_server_of_http_says_is_an_answer(
    pieces: tuple[str, ...], said: str
) -> None:
    """Any status, put together from what arrives."""
    async with serving(*map(str.encode, pieces)) as (endpoint, _):
        answer = await ask(endpoint)
    assert (answer.said, answer.code) == (said, "")
    assert answer.seconds > 0


@pytest.mark.parametrize(
    ("said", "hangs", "reason"),
    [
        (b"-ERR unknown command\r\n", True, "it does not speak HTTP"),
        (b"\xff\xfe", True, "it does not speak HTTP"),
        (b"HTTP/1.1 oops\r\n", True, "it does not speak HTTP"),
        # A server that never ends its first line does not fill the memory.
        (b"HTTP/1.1" + b"x" * 1_000_000, True, "it does not speak HTTP"),
        (b"", False, "it closes the connection without an answer"),
        (b"\x15\x03\x01\x00\x02\x02\x16", False, "it speaks TLS"),
    ],
)
async def test_what_is_no_http_is_told(said: bytes, hangs: bool, reason: str) -> None:
    """Another service on the port is there, but not what was meant."""
    async with serving(said, hangs=hangs) as (endpoint, _):
        answer = await ask(endpoint)
    assert (answer.code, answer.reason) == ("H005", reason)


async def test_other_schemes_are_connected_to() -> None:
    """A database is there when it takes a connection, or a handshake; nothing is sent to it."""
    async with serving(scheme="postgresql") as (endpoint, told):
        assert (await ask(endpoint)).said == "connected"
    assert b"".join(told.asked) == b""
    async with serving(tls=True, scheme="rediss") as (endpoint, _):
        assert (await ask(endpoint._replace(verify=False))).said == "TLS"


async def test_a_request_names_the_host_and_holds_no_credentials() -> None:
    """It is an ordinary GET of the URL's path; who shares a server asks it once."""
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n") as (endpoint, told):
        assert len(await reach([endpoint] * 3, timeout=5)) == 1
    [request] = told.asked
    first, *lines = request.decode().splitlines()
    headers = dict(line.split(": ", 1) for line in lines if line)
    assert first == "GET /v1 HTTP/1.1"
    assert headers["Host"] == endpoint.netloc
    assert headers["User-Agent"].startswith("rungraph/")
    assert headers.keys() == {"Host", "User-Agent", "Accept", "Connection"}


async def test_a_closed_port_is_told_from_a_missing_host() -> None:
    """Refused connections and unknown names have codes of their own."""
    refused = await ask(Endpoint("http", HERE, 1))
    assert (refused.code, refused.reason) == ("H002", "connection refused: nothing listens there")
    unknown = await ask(Endpoint("http", "no-such-name.invalid", 80))
    assert unknown.code == "H001"
    assert "'no-such-name.invalid'" in unknown.reason
    too_long = await ask(Endpoint("http", "x" * 64 + ".example", 80))
    assert too_long.code == "H001"


@pytest.mark.parametrize(
    ("scheme", "reason"),
    [
        ("http", "a connection, but no answer within 0.2 s"),
        ("https", "a connection, but no TLS handshake within 0.2 s"),
    ],
)
async def test_silence_ends_with_the_deadline(scheme: str, reason: str) -> None:
    """A server that never says anything is told by how far it came."""
    with black_hole() as (_, port):
        answer = await ask(Endpoint(scheme, HERE, port), timeout=0.2)
    assert (answer.code, answer.reason) == ("H003", reason)
    assert answer.help[-1] == "give it more time with --timeout SECONDS"


async def test_a_silent_name_server_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is never looked up costs its own deadline and no thread that others need."""
    forever = threading.Event()
    look_up = socket.getaddrinfo

    def silent(host: str, *more: Any, **options: Any) -> Any:
        if host.endswith(".silent.example"):
            forever.wait()
        return look_up(host, *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    dead = [Endpoint("http", f"{number}.silent.example", 80) for number in range(50)]
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n") as (endpoint, _):
        living = endpoint._replace(host="localhost")
        answers = await reach([*dead, living], timeout=1)
    forever.set()
    assert answers[living].said == "HTTP 200"
    assert {(answers[one].code, answers[one].reason) for one in dead} == {
        ("H003", "its name cannot be looked up within 1 s")
    }


async def test_an_untrusted_certificate_is_named() -> None:
    """A self-signed certificate is no answer, unless it is trusted or nothing is verified."""
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n", tls=True) as (endpoint, _):
        answer = await ask(endpoint)
        assert answer.code == "H004"
        assert answer.reason == "its certificate is not trusted: self-signed certificate"
        assert (await ask(endpoint._replace(verify=False))).said == "HTTP 200"
        assert (await ask(endpoint._replace(verify=str(CERTIFICATE)))).said == "HTTP 200"
        wrong_name = endpoint._replace(verify=str(CERTIFICATE), host="localhost.localdomain")
        assert (await ask(wrong_name)).code in ("H001", "H004")
        nowhere = await ask(endpoint._replace(verify="/nowhere/ca.pem"))
        assert nowhere.reason == (
            "the file of certificates to trust cannot be used: no such file or directory"
        )


async def test_the_wrong_scheme_is_told() -> None:
    """HTTPS to a server of HTTP names what is wrong."""
    async with serving(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (endpoint, _):
        answer = await ask(endpoint._replace(scheme="https"))
    assert answer.code == "H004"
    assert answer.reason == "it does not speak TLS"


async def test_the_dead_are_asked_at_the_same_time_as_the_living() -> None:
    """Two hundred silent servers end together: each at its own deadline, none after another."""
    with black_hole() as (_, port):
        async with serving(b"HTTP/1.1 200 OK\r\n\r\n") as (good, _):
            dead = [Endpoint("http", HERE, port, f"/{number}") for number in range(200)]
            # One after another they would take far longer than the test waits.
            answers = await asyncio.wait_for(reach([*dead, good], timeout=3), 60)
    assert {answers[one].code for one in dead} == {"H003"}
    assert answers[good].said == "HTTP 200"
    assert list(answers) == [*dead, good]


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Have every name stand for *addresses*."""

    def look_up(host: object, port: int, *_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


async def test_a_name_with_several_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that lives is enough; where nothing listens at any, the name is refused."""
    async with serving(b"HTTP/1.1 200 OK\r\n\r\n") as (endpoint, _):
        resolve_to(monkeypatch, "127.0.0.3", HERE)
        assert (await ask(endpoint._replace(host="twofold.example"))).said == "HTTP 200"
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.3")
    answer = await ask(Endpoint("http", "twofold.example", 1))
    assert (answer.code, answer.reason) == ("H002", "connection refused: nothing listens there")


async def test_an_interruption_ends_all_conversations() -> None:
    """Cancelling leaves no connection and no task behind."""
    with black_hole() as (_, port):
        task = asyncio.ensure_future(reach([Endpoint("http", HERE, port)], timeout=60))
        await asyncio.sleep(0.05)  # Until the connection is there.
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_proxy_that_is_not_used_is_mentioned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the environment names a proxy, the provider may get through where we do not."""
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    answer = await ask(Endpoint("http", HERE, 1))
    assert answer.help[-1] == (
        "HTTP_PROXY is set and was not used: the provider may get there by it"
    )
    monkeypatch.setenv("no_proxy", HERE)
    assert len((await ask(Endpoint("http", HERE, 1))).help) == 1

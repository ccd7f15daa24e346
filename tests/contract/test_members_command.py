"""``rungraph members`` against a server that runs."""

from __future__ import annotations

import json
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler

import pytest
from tests.contract.command_line import HIDDEN, rungraph
from tests.contract.conftest import ConfigFile
from tests.peers import serving
from tests.wire import serve_with


@pytest.fixture
def server(config_file: ConfigFile) -> Generator[str]:
    """The URL of a server whose one model is of one provider alone."""
    with serving(config_file()) as url:
        yield url


def test_a_provider_is_drained_and_brought_back(server: str) -> None:
    """Both commands name the provider; the members of each model are listed."""
    listed = rungraph("members", "list", "--server", server, "--format", "json")
    assert json.loads(listed.out) == []
    assert rungraph("members", "list", "--server", server).out == (
        "no model is served by several members\n"
    )
    known = rungraph("members", "drain", "nobody", "--server", server)
    assert known.code == 1
    assert known.err.startswith("error: 'nobody' is not served\nserved: 'provider:")
    name = known.err.partition("provider:inference/")[2].partition("'")[0]
    drained = rungraph("members", "drain", name, "--server", server)
    assert (drained.code, drained.out) == (0, f"{name}: drained\n")
    back = rungraph("members", "undrain", name, "--server", server)
    assert (back.code, back.out) == (0, f"{name}: takes calls again\n")


@pytest.mark.parametrize(
    ("server", "code", "problem"),
    [
        (
            "http://127.0.0.1:9",
            1,
            "error: http://127.0.0.1:9 does not answer: connection refused\nhelp: is 'rungraph",
        ),
        ("http://me:k1ey@127.0.0.1:9", 1, "error: http://me:********@127.0.0.1:9 does not answer"),
        ("http://[::1", 1, "error: http://[::1 does not answer: invalid ipv6 url"),
        ("http://[zz]:1", 1, "error: http://[zz]:1 does not answer: 'zz' does not appear to be"),
        (f"http://{'a' * 64}.x", 1, "does not answer: encoding with 'idna' codec failed"),
        ("file:///etc/passwd", 2, "Invalid value for --server: 'file:///etc/passwd' is no URL"),
    ],
)
def test_what_is_no_server_is_named(server: str, code: int, problem: str) -> None:
    """Nothing that does not answer ends in a traceback."""
    found = rungraph("members", "drain", "foo", "--server", server)
    assert found.code == code
    assert problem in found.err


def test_a_key_stays_with_the_server_that_it_is_for() -> None:
    """Where a server sends to another one, that one is asked without it."""
    heard: list[tuple[str, str | None]] = []
    elsewhere: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append((self.path, self.headers["Authorization"]))
            self.send_response(302 if self.path == "/members" else 200)
            self.send_header("Location", "/".join([*elsewhere, "there"]))
            self.end_headers()
            self.wfile.write(b'{"data": []}')

    with serve_with(Answering) as url:
        elsewhere.append(url.replace("127.0.0.1", "localhost"))
        found = rungraph("members", "list", "--server", url, RUNGRAPH_SERVE_KEY=HIDDEN)
    assert found.code == 0
    assert heard == [("/members", f"Bearer {HIDDEN}"), ("/there", None)]

"""``rungraph members`` against a server that runs."""

from __future__ import annotations

import json
from collections.abc import Generator

import pytest
from tests.contract.command_line import rungraph
from tests.contract.conftest import ConfigFile
from tests.peers import serving


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
        ("http://127.0.0.1:9", 1, "error: http://127.0.0.1:9: [Errno 111] Connection refused\n"),
        ("file:///etc/passwd", 2, "--server must be a URL that begins with http:// or https://"),
    ],
)
def test_what_is_no_server_is_named(server: str, code: int, problem: str) -> None:
    """Nothing that does not answer ends in a traceback."""
    found = rungraph("members", "drain", "foo", "--server", server)
    assert found.code == code
    assert problem in found.err

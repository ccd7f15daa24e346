"""``rungraph run`` as systemd meets it: a real datagram socket in place of systemd's."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.contract.command_line import run, running
from tests.contract.conftest import ConfigFile


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """A socket that systemd would listen at."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(20)
        yield listening


def _told(manager: socket.socket) -> str:
    return manager.recv(1024).decode()


def test_systemd_is_told_that_a_stack_is_ready_alive_and_stopping(
    config_file: ConfigFile, manager: socket.socket
) -> None:
    """In this order; the signs of life go on for as long as the stack runs."""
    asked = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "200000"}
    with running(config_file(), "ready;", **asked) as process:
        assert [_told(manager) for _ in range(4)] == ["READY=1", *["WATCHDOG=1"] * 3]
        process.send_signal(signal.SIGTERM)
        while (last := _told(manager)) == "WATCHDOG=1":
            pass
        assert last == "STOPPING=1"
        assert process.wait(60) == 143


def test_a_stack_without_a_watchdog_gives_no_signs_of_life(
    config_file: ConfigFile, manager: socket.socket
) -> None:
    """Also not when the interval is meant for another process; nobody listening hurts nothing."""
    asked = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}
    with running(config_file(), "ready;", **asked) as process:
        assert _told(manager) == "READY=1"
        process.send_signal(signal.SIGTERM)
        assert _told(manager) == "STOPPING=1"
        assert process.wait(60) == 143
    ended = run(config_file(), "--call", "inspect.health", NOTIFY_SOCKET="/nobody/listens")
    assert ended.code == 0
    assert "cannot tell systemd READY=1 at NOTIFY_SOCKET: [Errno 2]" in ended.err

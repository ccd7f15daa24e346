"""What systemd is told of a stack, where that started the process."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest
from tests.unit.engine.run.models import until

from rungraph.engine.events import EventLog, StackReady, StackStopped
from rungraph.engine.run.service_manager import tell_service_manager


async def test_a_manager_that_does_not_listen_is_told_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """However many signs of life are lost; once more, if it has listened in between."""
    path = str(tmp_path / "notify")
    log = EventLog()
    tell_service_manager(log, {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000"})
    log.append(StackReady(0.0))
    await asyncio.sleep(0.05)
    assert [one.split(":")[0] for one in caplog.messages] == [
        "cannot tell systemd READY=1 at NOTIFY_SOCKET"
    ]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(path)
        listening.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(listening, 99) == b"WATCHDOG=1"
    await until(lambda: len(caplog.messages) > 1)
    await asyncio.sleep(0.05)
    assert [one.split(":")[0] for one in caplog.messages[1:]] == [
        "cannot tell systemd WATCHDOG=1 at NOTIFY_SOCKET"
    ]
    log.append(StackStopped(1.0))

"""A stack from start to stop: what its providers log is shown without harm."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from threading import Timer

import pytest
import uvloop

from rungraph.cli.progress.session import code_in
from rungraph.cli.terminal import tell
from rungraph.engine.run import signals
from rungraph.engine.run.stack import Stack
from rungraph.engine.scrubbed_log import ScrubbedLog
from rungraph.graph import Catalog, compile_config


def test_logs_of_providers_cannot_command_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters in what a provider logs are escaped; its lines stay lines."""
    graph = compile_config({"providers": {}}, catalog=Catalog())
    record = logging.LogRecord("provider", logging.WARNING, "", 0, "one\ntwo\x1b[2J", None, None)
    ScrubbedLog(graph.scrubbed, tell).emit(record)
    assert capsys.readouterr().err == "WARNING: provider: one\ntwo\\x1b[2J\n"


def test_what_cannot_be_written_is_told_and_hurts_nobody_who_logs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As with any handler of the standard library."""
    ScrubbedLog(str, tell).emit(logging.makeLogRecord({"name": "p", "msg": "%d", "args": ("x",)}))
    assert "p: cannot be written: TypeError: %d format" in capsys.readouterr().err


def _exit(*_: object) -> None:
    sys.exit(3)


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_signal_whose_handler_raises_is_not_lost(
    monkeypatch: pytest.MonkeyPatch, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """Although nobody has looked who has the signals since a provider took them."""
    monkeypatch.setattr(signals, "_INTERVAL", 60)
    sent = Timer(0.2, os.kill, (os.getpid(), signal.SIGTERM))

    async def work() -> int:
        async with Stack(compile_config({"providers": {}}, catalog=Catalog())).signals() as watch:
            signal.signal(signal.SIGTERM, _exit)
            sent.start()
            await asyncio.sleep(5)
        return watch.exit_code

    assert code_in(work(), new_loop) == 143

"""A stack from start to stop: what its providers log is shown without harm."""

from __future__ import annotations

import logging

import pytest

from rungraph.cli.progress.session import ScrubbedLog
from rungraph.graph import Catalog, compile_config


def test_logs_of_providers_cannot_command_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """Control characters in what a provider logs are escaped; its lines stay lines."""
    graph = compile_config({"providers": {}}, catalog=Catalog())
    record = logging.LogRecord("provider", logging.WARNING, "", 0, "one\ntwo\x1b[2J", None, None)
    ScrubbedLog(graph.scrubbed).emit(record)
    assert capsys.readouterr().err == "WARNING: provider: one\ntwo\\x1b[2J\n"


def test_what_cannot_be_written_is_told_and_hurts_nobody_who_logs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As with any handler of the standard library."""
    ScrubbedLog(str).emit(logging.makeLogRecord({"name": "p", "msg": "%d", "args": ("x",)}))
    assert "p: cannot be written: TypeError: %d format" in capsys.readouterr().err

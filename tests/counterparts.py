"""Servers that stand for those of vendors (``examples/counterparts``), each in a process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from tests.contract.command_line import ROOT

KEY = "the-key-of-the-counterpart"


@contextmanager
def serve_counterpart(kind: str, model: str, *words: str) -> Generator[str]:
    """Run the counterpart of a *kind* of server, with a model called *model*; yield its URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "counterparts", kind, model, "--api-key", KEY, *words],
        cwd=ROOT / "examples",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            # At the end of its input it ends, and leaving the block waits for that.
            process.stdin.close()

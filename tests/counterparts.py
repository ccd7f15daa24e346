"""Servers that stand for those of vendors (``examples/counterparts``), each in a process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
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


@pytest.fixture(scope="session")
def tgi(weights: Path) -> Generator[str]:
    """Return the URL of a TGI that serves ``org/small``."""
    with serve_counterpart("tgi", "org/small") as url:
        yield url


@pytest.fixture(scope="session")
def ollama(weights: Path) -> Generator[str]:
    """Return the URL of an Ollama that has ``small`` and ``e5``."""
    with serve_counterpart("ollama", "small") as url:
        yield url


@pytest.fixture(scope="session")
def vllm(weights: Path) -> Generator[str]:
    """Return the URL of a vLLM that serves ``org/small``."""
    with serve_counterpart("vllm", "org/small") as url:
        yield url

"""Real parts that tests run against: the weights of a small model, and a llama.cpp server."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from rungraph.engine.weights import CATALOG, DEFAULT

_CONFIG = {"context_size": 2048, "parallel": 1, "threads": 1, "seed": 1}
_PROGRAM = """
import json, os, sys
from pathlib import Path
from rungraph.engine.providers.inline.llama_cpp.config import LlamaCppConfig
from rungraph.engine.providers.inline.llama_cpp.server import open_server

path, names, key, config = json.loads(sys.stdin.readline())
server = open_server(Path(path), names, key, LlamaCppConfig(**config))
print(server.listening_address, flush=True)
sys.stdin.read()
os._exit(0)
"""


@dataclass(frozen=True)
class LlamaServer:
    """A llama.cpp server in a process of its own.

    Attributes:
        url: Where it answers; its OpenAI API is at ``/v1`` below.
        api_key: What it knows callers by.
        model: The first of *models*.
        models: The names under which it serves its one model.
    """

    url: str
    api_key: str
    models: tuple[str, ...]

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    @property
    def model(self) -> str:
        return self.models[0]


@contextmanager
def serve_llama(
    path: Path,
    models: Sequence[str] = ("small",),
    *,
    api_key: str = "key-of-the-tests",
    **config: object,
) -> Generator[LlamaServer]:
    """Run a llama.cpp server of the model at *path* under the names *models*."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        settings = [str(path), list(models), api_key, {**_CONFIG, **config}]
        process.stdin.write(json.dumps(settings) + "\n")
        process.stdin.flush()
        yield LlamaServer(process.stdout.readline().strip(), api_key, tuple(models))
        # At the end of its input the server ends, and leaving the block waits for that.
        process.stdin.close()


@pytest.fixture(scope="session")
def weights() -> Path:
    """Return the path of a small chat model; skip when there is none."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip('xllamacpp is not installed: pip install "rungraph[llama-cpp]"')
    small = CATALOG[DEFAULT]
    if not small.is_present():
        pytest.skip(f"the weights {DEFAULT!r} are not there: rungraph models pull")
    return small.path()


@pytest.fixture(scope="session")
def llama_server(weights: Path) -> Generator[LlamaServer]:
    """Return a server that serves the model as ``small`` and as ``tiny``."""
    with serve_llama(weights, ["small", "tiny"]) as server:
        yield server

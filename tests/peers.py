"""Packages that are driven as their users drive them, each in an environment of its own."""

from __future__ import annotations

import json
import shutil
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import pytest
from tests.contract.command_line import environment, opened, run_program

ROOT = Path(__file__).parents[1]
_ENVIRONMENTS = ROOT / "build" / "peers"


class Peer:
    """A client package; its programs are files of `tests/contract/clients`.

    Args:
        name: The folder of its environment.
        requirements: What is installed there.
        python: The version of Python that the package needs; empty for the one that runs.
    """

    def __init__(self, name: str, *requirements: str, python: str = "") -> None:
        self._version = python
        self._folder = _ENVIRONMENTS / name
        self._requirements = requirements

    def run(self, program: str, *words: str) -> dict[str, Any]:
        """Return what *program* prints, one JSON object a line: ``{"name": …, "value": …}``.

        The test is skipped if the package cannot be had.
        """
        path = ROOT / "tests" / "contract" / "clients" / program
        lines = [json.loads(line) for line in self.output_of(str(path), *words).splitlines()]
        return {line["name"]: line["value"] for line in lines}

    def output_of(self, *words: str) -> str:
        """Return what Python prints in the environment, called with *words*."""
        return self._output_of(self._python(), *words)

    def command(self, name: str, *words: str) -> str:
        """Return what the program *name* of the environment prints, called with *words*."""
        return self._output_of(str(Path(self._python()).with_name(name)), *words)

    @staticmethod
    def _output_of(*words: str) -> str:
        ended = run_program(*words, env={"PATH": environment()["PATH"]})
        assert ended.code == 0, ended.err or ended.out
        return ended.out

    def _python(self) -> str:
        self._folder.mkdir(parents=True, exist_ok=True)
        # Tests that run at the same time may need the same environment.
        with self._folder.with_suffix(".lock").open("w") as lock:
            flock(lock, LOCK_EX)
            return self._made()

    def _made(self) -> str:
        python = self._folder / "bin" / "python"
        installed = self._folder / "installed"
        if not installed.exists() or installed.read_text() != repr(self._requirements):
            interpreter = _interpreter(self._version) if self._version else sys.executable
            if interpreter is None:
                pytest.skip(f"there is no Python {self._version} here")
            uv = (sys.executable, "-m", "uv", "--quiet")
            run_program(*uv, "venv", "--clear", "--python", interpreter, self._folder)
            # A test runs the package often: so it is compiled once.
            options = ("--compile-bytecode", "--python", python)
            if run_program(*uv, "pip", "install", *options, *self._requirements).code:
                pytest.skip(f"cannot be installed: {', '.join(self._requirements)}")
            installed.write_text(repr(self._requirements))
        return str(python)


OPENAI = Peer("openai", "openai>=3")
"""The newest SDK of the OpenAI API."""


def _interpreter(version: str) -> str | None:
    """Return a Python of *version* that pyenv or the PATH has; None if neither has one."""
    installed = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    return str(installed[-1]) if installed else shutil.which(f"python{version}")


CHAT = "/inference/chat_completion"


def asked(text: str, **more: Any) -> dict[str, Any]:
    """Return the body of a chat request."""
    return {"model": "echo", "messages": [{"role": "user", "content": text}], **more}


@contextmanager
def serving(config: Path, *words: str | Path, **variables: str) -> Generator[str]:
    """Run ``rungraph serve`` at a free port; return its URL once it is up."""
    state = config.parent / "state"
    with opened(
        "serve", config, "--port", "0", "--state-dir", state, *words, **variables
    ) as process:
        said: list[str] = []
        for line in process.said:
            said.append(line)
            if line.startswith("serving "):
                # What nobody reads fills the pipe in the end, and the server waits.
                reading = threading.Thread(target=said.extend, args=(process.said,))
                reading.start()
                yield line.split()[1].rstrip(";")
                process.terminate()
                reading.join()
                assert process.wait(30) == 143, "".join(said)
                return
        pytest.fail("".join(said))

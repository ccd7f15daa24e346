"""The command line as a process of its own, for tests of exit codes, streams and signals."""

from __future__ import annotations

import atexit
import os
import pty
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Any, NamedTuple

import click
import pytest
from tests.contract.warm import WarmCommands

from rungraph.cli import main

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "configs" / "quickstart.yaml"
INVALID = ROOT / "configs" / "invalid"
PACKAGES = Path(__file__).parent / "cli_package"
HIDDEN = "sk-very-secret-0123456789"


def all_commands(group: click.Group = main) -> dict[str, click.Command]:
    """Return the commands by name; those of a group of commands by both names."""
    found: dict[str, click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": one for inner, one in all_commands(command).items()}
        elif command is not None:
            found[name] = command
    return found


class Ended(NamedTuple):
    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """Return a plain environment: no terminal, no colours asked for, our packages first."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
    paths = os.pathsep.join([str(ROOT / "src"), str(PACKAGES)])
    return {**kept, "PYTHONPATH": paths, "PYTHONWARNINGS": "error", **more}


def command(*words: str | Path) -> list[str]:
    """Return the command line with *words*."""
    return [sys.executable, "-m", "rungraph", *map(str, words)]


def run_program(*words: str | Path, **options: Any) -> Ended:
    """Run a program to its end; *options* are those of `subprocess.run`."""
    known: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 300}
    done = subprocess.run([*map(str, words)], text=True, check=False, **known | options)
    return Ended(done.returncode, done.stdout, done.stderr)


@cache
def _warm() -> WarmCommands:
    commands = WarmCommands(environment())
    atexit.register(commands.close)
    return commands


def rungraph(
    *words: str | Path, stdin: str = "", cwd: str | Path | None = None, **more: str
) -> Ended:
    """Run the command line to its end, in the folder *cwd* and with the variables *more*."""
    env, cwd = environment(**more), str(cwd or Path.cwd())
    if any(name.startswith("PYTHON") for name in more):  # Python heeds it as it begins.
        ended = run_program(*command(*words), input=stdin, cwd=cwd, env=env, timeout=60)
    else:
        ended = Ended(*_warm().run([*map(str, words)], stdin, cwd=cwd, env=env, seconds=60))
    assert "Traceback" not in ended.err or "RUNGRAPH_DEBUG" in more
    return ended


def run(path: Path, *words: str | Path, **more: str) -> Ended:
    """Run ``rungraph run`` to its end, with a state folder of its own."""
    return rungraph("run", path, "--state-dir", path.parent / "state", *words, **more)


class Process(subprocess.Popen[str]):
    """A command line that runs, with pipes for its output."""

    @property
    def said(self) -> IO[str]:
        """What it says on standard error."""
        assert self.stderr is not None
        return self.stderr

    @property
    def written(self) -> IO[str]:
        """What it writes to standard output."""
        assert self.stdout is not None
        return self.stdout

    def until(self, text: str) -> str:
        """Return the first line with *text* that it says; end it where none comes."""
        timer = threading.Timer(60, self.kill)
        timer.start()
        try:
            for line in self.said:
                if text in line:
                    return line
            pytest.fail(f"the process ended without saying {text!r}")
        finally:
            timer.cancel()

    def url(self) -> str:
        """Return where it serves, once it says so."""
        return self.until("serving ").split()[1].rstrip(";")

    def end(self, number: signal.Signals | None = None) -> tuple[int, str]:
        """Send it a signal; return its exit code, and what it says up to its end."""
        if number is not None:
            self.send_signal(number)
        rest = self.said.read()
        return self.wait(30), rest


@contextmanager
def opened(*words: str | Path, **more: str) -> Generator[Process]:
    """Start the command line with the variables *more*."""
    with Process(
        command(*words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**more),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def running(path: Path, until: str, *words: str | Path, **more: str) -> Generator[Process]:
    """Start ``rungraph run``, wait until it says *until*, and hand it out."""
    with opened("run", path, "--state-dir", path.parent / "state", *words, **more) as process:
        process.until(until)
        yield process


def until(condition: Callable[[], bool]) -> None:
    """Wait until *condition* holds, which is of another process."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def on_terminal(*words: str | Path, **more: str) -> tuple[int, str]:
    """Run the command line on a terminal; return its exit code and what the terminal shows."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command(*words),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=environment(**{"TERM": "xterm", **more}),
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # What Linux says when the other end is closed.
                break
            if not chunk:
                break
            shown += chunk
        os.close(ours)
        return process.wait(30), shown.decode()

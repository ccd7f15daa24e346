"""Command lines for which everything is imported already: each is a fork of one process.

A process of its own, with its own streams, folder and variables, and its own end, in a tenth of the
time.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from runpy import run_module
from tempfile import TemporaryFile

_ROOT = Path(__file__).parents[2]
_MOST = 1 << 20
"""The most bytes of a message."""


class WarmCommands:
    """Runs command lines, one at a time.

    Args:
        env: The variables with which Python begins.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._server, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            words = [sys.executable, "-m", __name__, str(theirs.fileno())]
            # Who has threads is not forked well, and numpy makes some.
            env = {**env, "OPENBLAS_NUM_THREADS": "1"}
            self._process = subprocess.Popen(words, pass_fds=[theirs.fileno()], env=env, cwd=_ROOT)

    def run(
        self, words: Sequence[str], stdin: str, *, cwd: str, env: Mapping[str, str], seconds: float
    ) -> tuple[int, str, str]:
        """Return the exit code of a command line, its output and what it says.

        Raises:
            TimeoutError: If it takes longer than *seconds*; it is ended then.
        """
        with self._lock, ExitStack() as opened:
            streams = [opened.enter_context(TemporaryFile("w+")) for _ in range(3)]
            streams[0].write(stdin)
            streams[0].seek(0)
            request = json.dumps([words, cwd, dict(env)]).encode()
            socket.send_fds(self._server, [request], [one.fileno() for one in streams])
            number = int(self._server.recv(_MOST))
            in_time = select.select([self._server], [], [], seconds)[0]
            if not in_time:
                os.kill(number, signal.SIGKILL)
            code = int(self._server.recv(_MOST))
            if not in_time:
                raise TimeoutError(*words)
            for one in streams:
                one.seek(0)
            return code, streams[1].read(), streams[2].read()

    def close(self) -> None:
        """End the process that they are forks of."""
        self._server.close()
        self._process.wait(60)


def _serve(asked: socket.socket) -> None:
    """Begin a command line for each request; return in its process, or when nobody asks any more.

    What is told of each is the number of its process and, when it has ended, its exit code.
    """
    while True:
        request, streams, *_ = socket.recv_fds(asked, _MOST, 3)
        if not request:
            return
        if not (number := os.fork()):
            asked.close()
            _begin(streams, *json.loads(request))
            return
        for one in streams:
            os.close(one)
        asked.send(str(number).encode())
        asked.send(str(os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])).encode())


def _begin(streams: Sequence[int], words: Sequence[str], cwd: str, env: dict[str, str]) -> None:
    for ours, theirs in enumerate(streams):
        os.dup2(theirs, ours)
        os.close(theirs)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    sys.argv = ["rungraph", *words]
    run_module("rungraph", run_name="__main__", alter_sys=True)


def _import_all() -> None:
    """Import all of ours that is there only to be imported."""
    package = import_module("rungraph")
    for module in walk_packages(package.__path__, "rungraph."):
        if ".engine.providers." not in module.name and module.name != "rungraph.__main__":
            import_module(module.name)
    gc.freeze()


if __name__ == "__main__":
    _import_all()
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        _serve(requests)

"""A worker process: started, awaited, stopped; what it says when it fails."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rungraph.engine.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAM = Path(__file__).with_name("worker.py")
_TAIL_BYTES = 8192
_GRACE_SECONDS = 2.0
_MOST_REASONS = 2


class WorkerError(EngineError, ConnectionError):
    """Raised when a worker process does not start, or is not there."""


class Worker:
    """A running worker process.

    Attributes:
        url: Where its server answers.
        api_key: What the server knows its caller by; drawn anew for every worker.
        pid: Its process id.
    """

    def __init__(self, process: asyncio.subprocess.Process, api_key: str) -> None:
        self.url = ""
        self.api_key = api_key
        self.pid = process.pid
        self._process = process
        self._tail = bytearray()
        self._draining = asyncio.create_task(self._drain(), name=f"worker-{process.pid}-stderr")

    @classmethod
    async def start(cls, settings: Mapping[str, Any], *, timeout: float) -> Worker:
        """Return a worker that answers.

        Args:
            settings: What the program ``worker.py`` takes, but for the key.
            timeout: How many seconds it may take.

        Raises:
            WorkerError: If it does not start, with what it said.
            TimeoutError: If it takes too long.
        """
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            # The program's folder must not shadow other modules.
            "-P",
            str(_PROGRAM),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl-C in a terminal is for the owner alone, which then stops the worker in order.
            start_new_session=True,
        )
        worker = cls(process, secrets.token_urlsafe(24))
        try:
            async with asyncio.timeout(timeout):
                await worker._begin(settings)
        except TimeoutError:
            await worker.stop(grace=0)
            msg = f"the worker did not answer within {timeout:g} s"
            raise TimeoutError(msg) from None
        except BaseException:
            await worker.stop(grace=0)
            raise
        return worker

    async def wait(self) -> int:
        """Return the exit code, once the process has ended."""
        return await self._process.wait()

    async def has_died(self, *, within: float) -> bool:
        """Return whether the process ends in so many seconds, as it does when it has crashed."""
        try:
            async with asyncio.timeout(within):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    async def stop(self, *, grace: float = _GRACE_SECONDS) -> None:
        """End the process; it is killed when that takes longer than *grace* seconds."""
        try:
            if self._process.stdin is not None:
                self._process.stdin.close()
            async with asyncio.timeout(grace):
                await self._process.wait()
        except TimeoutError:
            pass
        finally:
            # Also when this very call is cancelled: no process is left behind.
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()
        await self._draining
        if self._process.stdout is not None:
            await self._process.stdout.read()

    def reason(self) -> str:
        """Return why the process failed: the first errors that it told of, or its last words."""
        lines = self._tail.decode(errors="replace").splitlines()
        errors = [line.partition("E ")[2].strip() for line in lines if _is_error(line)]
        shown = errors[:_MOST_REASONS] or [line.strip() for line in lines[-_MOST_REASONS:]]
        return "\n".join(shown) or "it said nothing"

    async def _begin(self, settings: Mapping[str, Any]) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None  # noqa: S101 (both are pipes)
        assert stdout is not None  # noqa: S101
        try:
            stdin.write(json.dumps({**settings, "api_key": self.api_key}).encode() + b"\n")
            await stdin.drain()
        except ConnectionError:
            # It has ended already; why, is in what it said.
            pass
        line = await stdout.readline()
        if not line:
            await self._process.wait()
            await self._draining
            raise WorkerError(self.reason())
        self.url = json.loads(line)["url"]

    async def _drain(self) -> None:
        """Keep the end of what the process says, so that it never waits for a reader."""
        stderr = self._process.stderr
        assert stderr is not None  # noqa: S101 (it is a pipe)
        while block := await stderr.read(_TAIL_BYTES):
            self._tail += block
            del self._tail[:-_TAIL_BYTES]


def _is_error(line: str) -> bool:
    """Return whether *line* of llama.cpp's log, such as ``0.00.1 E srv: …``, is an error."""
    return line.startswith("E ") or line.partition(" ")[2].startswith("E ")

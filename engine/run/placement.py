"""A provider in a process of its own: started, called, watched, ended."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rungraph.engine.errors import ComplianceError, EngineError
from rungraph.engine.run.connection import Connection
from rungraph.engine.run.remote import Opened, RemoteInstance
from rungraph.engine.run.worker import LIMIT, OFFERED

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from rungraph.graph.address import Address

_PROGRAM = "from rungraph.engine.run.worker import main; main()"
_GRACE_SECONDS = 1.0
"""Seconds that a process has to end once its provider is shut down."""
_LAST_WORDS_SECONDS = 0.1
"""Seconds that it may take to read what a process has sent before its end."""


class ProcessError(EngineError, ConnectionError):
    """Raised when the process of a provider has ended, though it should run."""


class PlacedProvider(RemoteInstance):
    """A provider in a process of its own, by the methods of its API.

    It is opened, and shut down, in the task of its node, which a death of the process ends.
    """

    def __init__(
        self,
        connection: Connection,
        protocols: Sequence[type],
        opened: Opened,
        process: asyncio.subprocess.Process,
        watching: asyncio.TaskGroup,
    ) -> None:
        super().__init__(connection, "provider", protocols, opened.methods, OFFERED)
        self._has_shutdown = "shutdown" in opened.methods
        self._process = process
        self._watching = watching
        self.is_stopping = False

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    async def shutdown(self) -> None:
        """Shut the provider down and end its process; kill it if it does not end by itself."""
        self.is_stopping = True
        grace = _GRACE_SECONDS
        try:
            if self._has_shutdown and self._connection.is_open:
                await self._connection.call("provider", "shutdown")
        except asyncio.CancelledError:  # Its time is up.
            grace = 0.0
            raise
        finally:
            try:
                await end(self._process, grace=grace)
            finally:
                await _leave(self._watching, self._process)


class _Pipes(asyncio.subprocess.SubprocessStreamProtocol):
    """Those of a process: closed soon after its end, as what it has forked may hold them open."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._close = transport.close

    def process_exited(self) -> None:
        super().process_exited()
        asyncio.get_running_loop().call_later(_LAST_WORDS_SECONDS, self._close)


async def open_in_process(
    address: Address,
    module: str,
    entry_point: str,
    config: object,
    *,
    protocols: Mapping[str, type],
    dependencies: Mapping[str, tuple[str, object]],
    secrets: Collection[str] = (),
) -> PlacedProvider:
    """Return the provider of *address*, created in a process of its own.

    Args:
        address: The provider.
        module: Where its entry point is.
        entry_point: The function that creates it.
        config: Its config, which is sent there.
        protocols: What it must implement, by ``module:Class``.
        dependencies: By API, the Protocol of what it is handed, and the instance that answers its
            calls here.
        secrets: Those of its config, which nothing that it logs is to show.

    Raises:
        ComplianceError: If it does not implement its API.
        ProcessError: If the process ends.
    """
    loop = asyncio.get_running_loop()
    transport, pipes = await loop.subprocess_exec(
        lambda: _Pipes(LIMIT, loop),
        *(sys.executable, "-P", "-c", _PROGRAM, str(os.getpid())),
        stderr=None,
        # It finds the modules that are found here, wherever those come from.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        # Ctrl-C in a terminal is for the owner alone, which then ends the process in order.
        start_new_session=True,
    )
    process = asyncio.subprocess.Process(transport, pipes, loop)
    watching = asyncio.TaskGroup()
    await watching.__aenter__()
    placed: PlacedProvider | None = None
    try:
        assert process.stdin is not None  # noqa: S101 (both are pipes)
        assert process.stdout is not None  # noqa: S101
        here = {api: instance for api, (_, instance) in dependencies.items()}
        connection = Connection(process.stdout, process.stdin, here, lambda: _gone(process))

        async def watch() -> None:
            await connection.serve()
            # At once: a large process takes its time to end, and nobody is to be sent there.
            if placed is not None and not placed.is_stopping:
                raise _gone(process)  # noqa: TRY301  (what the group is there for)

        watching.create_task(watch(), name=f"process of {address}")
        opened: Opened = await connection.call(
            "host",
            "open",
            module,
            entry_point,
            config,
            [*protocols],
            {api: protocol for api, (protocol, _) in dependencies.items()},
            frozenset(secrets),
        )
        if opened.problems:
            raise ComplianceError(  # noqa: TRY301  (the process ends below)
                address, address.api, opened.problems
            )
        placed = PlacedProvider(connection, [*protocols.values()], opened, process, watching)
    except BaseException as error:
        has_ended = isinstance(error, ProcessError)
        try:
            await end(process, grace=_LAST_WORDS_SECONDS if has_ended else 0)
        finally:
            await _leave(watching, process)
        if has_ended:  # How, is known by now.
            raise _gone(process) from None
        raise
    return placed


async def end(process: asyncio.subprocess.Process, *, grace: float = _GRACE_SECONDS) -> None:
    """End *process*; it is killed after *grace* seconds, and in any case what it has begun."""
    try:
        if process.stdin is not None:
            process.stdin.close()
        async with asyncio.timeout(grace):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        # Also when this very call is cancelled: neither it nor what it has begun is left behind.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def _leave(watching: asyncio.TaskGroup, process: asyncio.subprocess.Process) -> None:
    try:
        await watching.__aexit__(None, None, None)
    except ExceptionGroup as group:  # Of the one task that is in it.
        [error] = group.exceptions
        # How the process has ended is known by now.
        raise (_gone(process) if isinstance(error, ProcessError) else error) from None


def _gone(process: asyncio.subprocess.Process) -> Exception:
    code = process.returncode
    how = "" if code is None else f" (signal {-code})" if code < 0 else f" (exit code {code})"
    return ProcessError(f"the process of the provider has ended{how}")

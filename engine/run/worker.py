"""The program that runs in a provider's process: it creates the provider and answers for it.

It ends as soon as its standard input does, and on Linux when its owner ends, whatever it is doing.
"""

from __future__ import annotations

import asyncio
import ctypes
import logging
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from inspect import signature
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, BinaryIO

from rungraph.engine.ending import end_soon
from rungraph.engine.errors import describe
from rungraph.engine.module_files import find_files
from rungraph.engine.outlet import release_output
from rungraph.engine.routing.signatures import methods_of
from rungraph.engine.run.compliance import check_compliance
from rungraph.engine.run.connection import Connection
from rungraph.engine.run.remote import Opened, RemoteInstance
from rungraph.engine.run.signals import SIGNALS, in_forks
from rungraph.engine.scrubbed_log import log_scrubbed
from rungraph.engine.waiting import awaited
from rungraph.graph.secrets.values import Scrubber
from rungraph.graph.wording import without_controls

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

_logger = logging.getLogger(__name__)

LIMIT = 1 << 20
"""Bytes of what is sent that are held back at most."""
OFFERED = ("health", "relay_openai", "upstreams")
"""What the owner calls besides the methods of the provider's API, and its shutdown."""
_PR_SET_PDEATHSIG = 1


class Host:
    """Creates the provider of this process; the owner's first call is for it."""

    def __init__(self) -> None:
        self.connection: Connection

    async def open(
        self,
        module: str,
        entry_point: str,
        config: object,
        protocols: Sequence[str],
        dependencies: Mapping[str, str],
        secrets: Collection[str],
    ) -> Opened:
        """Create the provider, and answer for it from now on.

        Args:
            module: Where its entry point is.
            entry_point: The function that creates it.
            config: Its config.
            protocols: What it must implement, as ``module:Class``.
            dependencies: The Protocol of each API that it is handed, which the owner answers for.
            secrets: Those of its config, which nothing that it logs is to show.
        """
        log_scrubbed(Scrubber(secrets), _write)
        deps = {
            api: RemoteInstance(self.connection, api, [resolve_name(protocol)])
            for api, protocol in dependencies.items()
        }
        function: Callable[..., Any] = getattr(import_module(module), entry_point)
        instance = await awaited(function(config, deps))
        self.connection.targets["provider"] = instance
        asked = [*map(resolve_name, protocols)]
        problems = [str(one) for each in asked for one in check_compliance(instance, each)]
        # No others: what looks like an attribute may be code that takes long, or fails.
        names = {"shutdown", *OFFERED, *(name for each in asked for name in methods_of(each))}
        named = {name: getattr(instance, name, None) for name in names}
        methods = {name: _defaults_of(one) for name, one in named.items() if callable(one)}
        return Opened(methods, tuple(problems))


def _write(text: str) -> None:
    with suppress(AttributeError, OSError, ValueError):  # There is none any more, or it is closed.
        sys.stderr.write(f"{without_controls(text)}\n")


def _defaults_of(method: Callable[..., Any]) -> tuple[str, ...]:
    try:
        parameters = signature(method).parameters.values()
    except (TypeError, ValueError):  # A callable that does not tell its signature.
        return ()
    return tuple(one.name for one in parameters if one.default is not one.empty)


async def serve(incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Answer calls that come in, until nothing comes any more."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), incoming)
    transport, protocol = await loop.connect_write_pipe(
        lambda: asyncio.streams.FlowControlMixin(loop), outgoing
    )
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    host = Host()
    host.connection = Connection(
        reader, writer, {"host": host}, lambda: ConnectionError("the stack is gone")
    )
    code = 1
    try:
        await host.connection.serve()
        code = 0
    finally:  # Whatever the provider has left behind, also where it has ended the event loop.
        end_soon(code)


def main() -> None:
    """Serve the owner, whose process id is the argument; what is printed goes to standard error."""
    _end_with(int(sys.argv[1]))
    _leave_signals_to_owner()
    incoming = os.fdopen(os.dup(0), "rb", buffering=0)
    outgoing = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # What is started here reads no calls.
    os.dup2(2, 1)
    release_output()
    find_files()
    try:
        asyncio.run(serve(incoming, outgoing))
    except BaseException as error:  # noqa: BLE001  (by a provider's code, which may do anything)
        _logger.critical("the event loop of a provider's process has ended: %s", describe(error))
        end_soon(1)


def _end_with(owner: int) -> None:
    """Let the system kill this process with its owner: busy code never sees that its input ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != owner:
            os._exit(1)


def _leave_signals_to_owner() -> None:
    """Do nothing on signals, which systemd sends to each process: the owner ends this one."""
    in_forks.update({number: signal.signal(number, _ignore) for number in SIGNALS})


def _ignore(_number: int, _frame: object) -> None:
    """Unlike SIG_IGN, this is not handed on to programs that are started here."""

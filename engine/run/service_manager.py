"""Tells systemd, where that started the process, how the stack is: the protocol of sd_notify(3)."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from typing import TYPE_CHECKING

from rungraph.engine.events import (
    RollbackStarted,
    StackReady,
    StackStopped,
    StackStopping,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.engine.events import Event, EventLog

_logger = logging.getLogger(__name__)

_MICROSECONDS = 1_000_000
_MOST_DIGITS = 20
"""Those of what systemd counts microseconds with: a number of 64 bits."""


def tell_service_manager(events: EventLog, environment: Mapping[str, str]) -> None:
    """Have *events* told to the service manager that *environment* names; nothing if there is none.

    It is told ``READY=1`` once the stack is ready, ``STOPPING=1`` once it begins to stop, and, if
    it asks for that, ``WATCHDOG=1`` twice in its interval for as long as the event loop turns: a
    stack whose loop a provider blocks is one that systemd may restart.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if address.startswith(("/", "@")):
        events.subscribe(_ServiceManager(address, _watchdog_seconds(environment)).take)


def _watchdog_seconds(environment: Mapping[str, str]) -> float | None:
    """Return within how many seconds the manager wants a sign of life; None if it wants none."""
    text, process = environment.get("WATCHDOG_USEC", ""), environment.get("WATCHDOG_PID", "")
    is_meant = process in ("", str(os.getpid()))
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    if not (is_meant and is_number and int(text)):
        return None
    return int(text) / _MICROSECONDS


class _ServiceManager:
    def __init__(self, address: str, watchdog_seconds: float | None) -> None:
        # An address in Linux's abstract namespace begins with a NUL, which no variable can hold.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._interval = watchdog_seconds and watchdog_seconds / 2
        self._next: asyncio.TimerHandle | None = None
        self._is_deaf = False

    def take(self, event: Event) -> None:
        if isinstance(event, StackReady):
            self._tell("READY=1")
            self._live()
        elif isinstance(event, StackStopping | RollbackStarted):
            self._tell("STOPPING=1")
        elif isinstance(event, StackStopped) and self._next is not None:
            self._next.cancel()

    def _live(self) -> None:
        if self._interval is not None:
            self._tell("WATCHDOG=1")
            self._next = asyncio.get_running_loop().call_later(self._interval, self._live)

    def _tell(self, state: str) -> None:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
                manager.setblocking(False)
                manager.sendto(state.encode(), self._address)
        except OSError as error:  # A stack does not stop because nobody listens.
            if not self._is_deaf:  # Said once, until somebody listens again.
                _logger.warning("cannot tell systemd %s at NOTIFY_SOCKET: %s", state, error)
            self._is_deaf = True
        else:
            self._is_deaf = False

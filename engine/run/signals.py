"""Ends a stack on a signal: the first one stops it in order, the second one at once."""

from __future__ import annotations

import asyncio
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable


SIGNALS = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""The signals that end a stack: Ctrl-C, an order to end, and a terminal that has gone."""


class SignalWatch:
    """What signals have come.

    Attributes:
        received: The first signal; None if there was none.
        exit_code: How a process that was ended by it exits: 130 for SIGINT, 143 for SIGTERM, 129
            for SIGHUP; 0 if there was none.
    """

    def __init__(self) -> None:
        self.received: signal.Signals | None = None

    @property
    def exit_code(self) -> int:
        """The exit code of a process that ends because of the signal."""
        return 128 + self.received if self.received is not None else 0


@asynccontextmanager
async def watch_signals(
    kill: Callable[[], None], reload: asyncio.Event | None = None
) -> AsyncGenerator[SignalWatch]:
    """Turn the first signal into a cancellation of the block, and the second into *kill*.

    With *reload*, SIGHUP sets that instead.

    The cancellation ends here: after the block, ask the watch what happened. Signals can only be
    watched in the main thread.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is None:
        msg = "signals are watched from within a task"
        raise RuntimeError(msg)
    owner, cancelled_before = task, task.cancelling()
    watch = SignalWatch()

    def take(number: signal.Signals) -> None:
        if number == getattr(signal, "SIGHUP", None) and reload is not None:
            reload.set()
        elif watch.received is None:
            watch.received = number
            owner.cancel()
        else:
            kill()

    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        loop.add_signal_handler(number, take, number)
    try:
        yield watch
        if watch.received is not None:  # The block has dealt with the cancellation itself.
            owner.uncancel()
    except asyncio.CancelledError:
        if watch.received is None or owner.uncancel() > cancelled_before:
            raise
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            if handler is not None:
                signal.signal(number, handler)

"""The way out when a stack does not listen: the third Ctrl-C ends the process itself."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_ENOUGH = 3


@contextmanager
def last_resort() -> Generator[None]:
    """End the process at once on the third signal that asks for its end.

    The first two are the stack's (`engine.run.signals`). They go through the event loop,
    which some provider's code may block. This goes past it: the event loop is woken by the signal
    itself, whatever function stands for it, so both see every signal.
    """
    count = 0

    def take(number: int, _: object) -> None:
        nonlocal count
        count += 1
        if count >= _ENOUGH:
            os._exit(128 + number)

    before = {number: signal.signal(number, take) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, function in before.items():
            signal.signal(number, function)

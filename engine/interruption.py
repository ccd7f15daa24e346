"""What becomes of code that holds the event loop for longer than it may."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from rungraph.engine.errors import BackgroundError, EngineError


class Interruption(asyncio.CancelledError):
    """Raised where code stands that holds the event loop for longer than it may.

    Code that goes on whatever fails lets it through, as an order to end. But nobody has cancelled
    anything: whoever waits for that code is told `LoopHeldError`.

    Attributes:
        holder: Whose code it is, as text.
    """

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder

    def __str__(self) -> str:
        return f"{self.holder} held the event loop for longer than it may"


@dataclass(eq=False)
class LoopHeldError(EngineError, TimeoutError):
    """Raised to those who wait for what was interrupted.

    Attributes:
        interruption: Says who held the event loop.
    """

    interruption: Interruption

    def __str__(self) -> str:
        return str(self.interruption)


def cancelled_from_within(
    cause: BaseException | None = None, text: str = "it was cancelled from within"
) -> EngineError:
    """Return what is raised in place of a cancellation that nobody has asked for.

    Args:
        cause: The cancellation; an `Interruption` says for itself what has happened.
        text: What any other one says.
    """
    if isinstance(cause, Interruption):
        return LoopHeldError(cause)
    error = BackgroundError(text)
    error.__cause__ = cause
    return error

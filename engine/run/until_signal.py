"""A stack that is started, used and stopped in one call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rungraph.engine.run.stack import Stack


async def run_until_signal(
    stack: Stack, work: Callable[[Stack], Awaitable[object]] | None = None
) -> int:
    """Run *stack* until *work* is done or a signal comes; return the exit code for the process.

    Args:
        stack: What to start and stop.
        work: What to do with the running stack; without it, the stack runs until a signal comes.

    Returns:
        0 when *work* was done, 130 after SIGINT, 143 after SIGTERM.

    Raises:
        StartError: If the stack did not start.
        StopError: If it did not stop as it should, and no signal ended it.
    """
    async with stack.signals() as signals, stack:
        if work is None:
            await asyncio.get_running_loop().create_future()
        else:
            await work(stack)
    return signals.exit_code

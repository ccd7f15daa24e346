"""Asks the providers of a table again and again what they serve."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container

    from rungraph.engine.routing.membership import Membership

_logger = logging.getLogger(__name__)
_SOON: Final = 1.0
"""Seconds within which a provider that has not said what it serves is asked again at first."""


async def refresh_on(
    refresh: Callable[[Container[str] | None], Awaitable[object]],
    members: Membership,
    interval: float,
) -> NoReturn:
    """Ask all *members* every *interval* seconds, and sooner those that have never answered.

    They are asked again within a second, then after one, two, four and so on.

    Args:
        refresh: Asks those of some ids, or all; what it raises is logged.
        members: Who is there.
        interval: Seconds.
    """
    loop = asyncio.get_running_loop()
    pause = tick = min(_SOON, interval)
    due, soon = loop.time() + interval, 0.0
    while True:
        await asyncio.sleep(tick)
        now = loop.time()
        silent = {one.provider_id for one in members.there if one.is_silent}
        if not silent:
            pause, soon = tick, now
        asked = None
        if now + tick / 2 >= due:
            due = now + interval
        elif silent and now >= soon:
            asked, soon, pause = silent, now + pause, 2 * pause
        else:
            continue
        try:
            await refresh(asked)
        except Exception:  # Whatever it is, the next time may do better.
            _logger.exception("a refresh of a routing table failed")

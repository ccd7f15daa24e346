"""Asks the providers of a table again and again what they serve."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container

    from rungraph.engine.routing.members import Member
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

    Each of them is asked again within a second, then after one, two, four and so on.

    Args:
        refresh: Asks those of some ids, or all; what it raises is logged.
        members: Who is there.
        interval: Seconds.
    """
    loop = asyncio.get_running_loop()
    tick = min(_SOON, interval)
    due = loop.time() + interval
    # When each that is silent is asked again, and how long it then is to the next time.
    waits: dict[Member, tuple[float, float]] = {}
    while True:
        await asyncio.sleep(tick)
        now = loop.time()
        waits = {one: waits.get(one, (now, tick)) for one in members.there if one.is_silent}
        late = [(one, pause) for one, (at, pause) in waits.items() if at <= now]
        waits |= {one: (now + pause, 2 * pause) for one, pause in late}
        asked = None
        if now + tick / 2 >= due:
            due = now + interval
        elif late:
            asked = {one.provider_id for one, _ in late}
        else:
            continue
        try:
            await refresh(asked)
        except Exception:  # Whatever it is, the next time may do better.
            _logger.exception("a refresh of a routing table failed")

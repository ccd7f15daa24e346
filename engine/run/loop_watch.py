"""Notices who holds the event loop: a thread looks at the loop's own thread while nothing turns."""

from __future__ import annotations

import _thread
import asyncio
import logging
import sys
import threading
import time
from traceback import walk_stack
from typing import TYPE_CHECKING, NamedTuple

from rungraph.engine.module_files import importable
from rungraph.graph.nodes import ProviderNode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import FrameType

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph

_INTERVAL = 0.05
"""Seconds between two looks."""
_LATE = 0.1
"""Seconds after which a loop that has not turned is held."""
WORTH_TELLING = 0.5
"""Seconds for which somebody must have held the loop to be told of."""
_WORTH_WARNING = 5.0
"""Seconds after which somebody who still holds the loop is named, and again after twice as many."""
_logger = logging.getLogger(__name__)


class Hold(NamedTuple):
    """A time in which the loop did not turn.

    Attributes:
        begin: When it began, on the loop's clock.
        end: Until when it is known to have lasted.
        holder: The node whose code ran; None when it was nobody's, such as in a process that was
            stopped.
    """

    begin: float
    end: float
    holder: Address | None


class LoopWatch:
    """Watches the running event loop from a thread of its own, until it is closed.

    Args:
        holder_of: Tells the node whose code frames run, given the name of their task.
        tell: Called in the loop, once it turns again, with the node that held it and for how long.
    """

    def __init__(
        self,
        holder_of: Callable[[Iterable[FrameType], str], Address | None],
        tell: Callable[[Address, float], None],
    ) -> None:
        self._holder_of = holder_of
        self._tell = tell
        self._loop = asyncio.get_running_loop()
        self._ident = threading.get_ident()
        self._holds: list[Hold] = []
        self._untold = 0
        self._turned = threading.Event()
        self._turned.set()
        self._is_over = threading.Event()
        self._looked = time.monotonic()
        # `Thread.start` would wait until the thread has had its turn.
        _thread.start_new_thread(self._watch, ())

    def held_by_others(self, address: Address, since: float, until: float) -> float:
        """Return for how many seconds of a time others than *address* held the loop."""
        self._look_after_all(time.monotonic())
        return sum(
            max(0.0, min(hold.end, until) - max(hold.begin, since))
            for hold in tuple(self._holds)
            if hold.holder != address
        )

    def close(self) -> None:
        """End the watching."""
        self._is_over.set()

    def _watch(self) -> None:
        asked, due, is_over = self._looked, _WORTH_WARNING, False
        while not is_over:
            now = time.monotonic()
            if self._turned.is_set():
                self._look_after_all(now)
                self._turned.clear()
                asked, self._looked, due = now, now, _WORTH_WARNING
                try:
                    self._loop.call_soon_threadsafe(self._has_turned)
                except RuntimeError:  # The loop is closed.
                    return
            elif now - asked > _LATE:
                self._look(now - self._looked)
                self._looked = now
                if now - asked > due and (holder := self._holds[-1].holder) is not None:
                    due *= 2
                    # No event: the loop that would hand it out is what is held.
                    what = (
                        "%s has held the event loop for %d s: nothing else runs, nor any deadline"
                    )
                    _logger.warning(what, holder, now - asked)
            is_over = self._is_over.wait(_INTERVAL)

    def _look_after_all(self, now: float) -> None:
        """Look for the thread if it was kept from running, as by who keeps Python's lock."""
        if (late := now - self._looked - _INTERVAL) > _LATE:
            self._looked = now
            self._look(late)

    def _look(self, seconds: float) -> None:
        task = asyncio.current_task(self._loop)
        frame = sys._current_frames().get(self._ident)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  (documented)
        frames = [one for one, _ in walk_stack(frame)] if frame is not None else []
        holder = self._holder_of(frames, task.get_name() if task is not None else "")
        end = self._loop.time()
        last = self._holds[-1] if len(self._holds) > self._untold else None
        if last is not None and last.holder == holder:
            self._holds[-1] = last._replace(end=end)
        else:
            self._holds.append(Hold(end - seconds, end, holder))

    def _has_turned(self) -> None:
        held, self._untold = self._holds[self._untold :], len(self._holds)
        self._turned.set()
        for hold in held:
            if hold.holder is not None and hold.end - hold.begin >= WORTH_TELLING:
                self._tell(hold.holder, hold.end - hold.begin)


def owner_of(
    frames: Iterable[FrameType], task: str, graph: RunGraph, instances: Mapping[Address, object]
) -> Address | None:
    """Return the provider whose code *frames* run, or else the node that *task* is named by.

    Args:
        frames: Frames, the innermost first.
        task: The name of the task that runs them.
        graph: What runs.
        instances: The providers, as far as they are known.
    """
    names = {str(address): address for address in graph}
    for one in frames:
        module = str(one.f_globals.get("__name__", ""))
        found = [
            node.address
            for node in graph.nodes.values()
            if isinstance(node, ProviderNode)
            and node.spec is not None
            and f"{module}.".startswith(f"{importable(node.spec.module, node)}.")
        ]
        if len(found) == 1:
            return found[0]
        own = one.f_locals.get("self") if found else None
        for address in found:
            if own is not None and instances.get(address) is own:
                return address
        if found and names.get(task) in found:
            return names[task]
    return names.get(task)

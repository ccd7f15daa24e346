"""Notices who holds the event loop: a thread looks at the loop's own thread while nothing turns.

Whoever holds it beyond a deadline is interrupted, as by Ctrl-C, where the loop runs in the main
thread: no cancellation gets through while nothing turns.
"""

from __future__ import annotations

import _thread
import asyncio
import logging
import signal
import sys
import threading
import time
from functools import partial
from itertools import takewhile
from traceback import walk_stack
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from rungraph.engine.run.task_watch import maker_of
from rungraph.engine.waiting import HeldError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from rungraph.engine.run.code_owners import CodeOwners
    from rungraph.graph.address import Address

_INTERVAL = 0.05
"""Seconds between two looks."""
_LATE = 0.1
"""Seconds after which a loop that has not turned is held."""
WORTH_TELLING = 0.5
"""Seconds for which somebody must have held the loop to be told of."""
_WORTH_WARNING = 5.0
"""Seconds after which somebody who still holds the loop is named, and again after twice as many."""
_SIGNAL: signal.Signals | None = getattr(signal, "SIGURG", None)
"""What interrupts the main thread. Where nobody takes it, it does nothing."""
_GRACE = 1.0
"""Seconds within which who is interrupted lets go, or perhaps never does."""
beyond_help: list[Callable[[Address], None]] = []
"""What is called, in another thread, with who keeps all others from ending in order."""
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
        owners: Tells whose code runs.
        tell: Called in the loop, once it turns again, with the node that held it and for how long.
        is_overdue: Tells, from another thread, whether a node, if it is one, that has held the loop
            since a time, in a task if in any, is to let go.
        never_lets_go: Called from another thread with who does not even when interrupted.

    Attributes:
        ordered_ends: When signals came that end what runs, on the loop's clock.
    """

    def __init__(
        self,
        owners: CodeOwners,
        tell: Callable[[Address, float], None],
        is_overdue: Callable[[Address | None, asyncio.Task[Any] | None, float], bool],
        never_lets_go: Callable[[Address], None],
    ) -> None:
        self._owners = owners
        self._tell = tell
        self._is_overdue = is_overdue
        self._never_lets_go = never_lets_go
        self.ordered_ends: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._ident = threading.get_ident()
        self._holds: list[Hold] = []
        self._untold = 0
        self._turned = threading.Event()
        self._turned.set()
        self._is_over = threading.Event()
        self._looked = time.monotonic()
        self._condemned: tuple[asyncio.Task[Any] | None] | None = None
        self._wake = _waking(self)
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
        _no_more(self)

    def _watch(self) -> None:
        asked, due, overdue, is_over = self._looked, _WORTH_WARNING, 0.0, False
        while not is_over:
            now = time.monotonic()
            if self._turned.is_set():
                self._look_after_all(now)
                self._turned.clear()
                asked, self._looked, due, overdue = now, now, _WORTH_WARNING, 0.0
                try:
                    self._loop.call_soon_threadsafe(self._has_turned)
                except RuntimeError:  # The loop is closed.
                    return
            elif now - asked > _LATE:
                task, (begin, _, holder) = self._look(now - self._looked), self._holds[-1]
                self._looked = now
                if holder is not None and now - asked > due:
                    due *= 2
                    # No event: the loop that would hand it out is what is held.
                    _logger.warning(
                        "%s has held the event loop for %d s: nothing else runs",
                        holder,
                        now - asked,
                    )
                if self._is_overdue(holder, task, begin):
                    overdue = overdue or now
                    self._condemned = (task,)
                    self._wake()
                    if holder is not None and now - overdue > _GRACE:
                        self._never_lets_go(holder)
            is_over = self._is_over.wait(_INTERVAL)

    def _look_after_all(self, now: float) -> None:
        """Look for the thread if it was kept from running, as by who keeps Python's lock."""
        if (late := now - self._looked - _INTERVAL) > _LATE:
            self._looked = now
            self._look(late)

    def take_order(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take note of a signal that ends what runs in *loop*."""
        if loop is self._loop:
            self.ordered_ends.append(loop.time())

    def interrupt(self, frame: FrameType | None) -> None:
        """Cancel what is to let go, if it runs still, in *frame*.

        Raises:
            HeldError: If so.
        """
        condemned, self._condemned = self._condemned, None
        if condemned is None or frame is None or self._turned.is_set():
            return
        # Our own code is not cut off amid its work: only what it has called.
        called = takewhile(_is_foreign, (one for one, _ in walk_stack(frame)))
        is_theirs = not all(map(_is_of_python, called))
        if is_theirs and asyncio.current_task(self._loop) is condemned[0]:
            msg = "it held the event loop longer than it may"
            raise HeldError(msg)

    def _look(self, seconds: float) -> asyncio.Task[Any] | None:
        """Take note of who has held the loop for so many *seconds*; return the task that runs."""
        task = asyncio.current_task(self._loop)
        frame = sys._current_frames().get(self._ident)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  (documented)
        frames = [one for one, _ in walk_stack(frame)] if frame is not None else []
        maker, name = maker_of(frames), task.get_name() if task is not None else ""
        holder = self._owners.holder_of(frames, name if maker is None else str(maker.address))
        end = self._loop.time()
        last = self._holds[-1] if len(self._holds) > self._untold else None
        if last is not None and last.holder == holder:
            self._holds[-1] = last._replace(end=end)
        else:
            self._holds.append(Hold(end - seconds, end, holder))
        return task

    def _has_turned(self) -> None:
        held, self._untold = self._holds[self._untold :], len(self._holds)
        self._turned.set()
        for hold in held:
            if hold.holder is not None and hold.end - hold.begin >= WORTH_TELLING:
                self._tell(hold.holder, hold.end - hold.begin)


_listening: WeakSet[LoopWatch] = WeakSet()


def _waking(watch: LoopWatch) -> Callable[[], object]:
    """Return what has *watch* asked in the current thread; only the main thread can be woken so."""
    is_main = threading.current_thread() is threading.main_thread()
    if _SIGNAL is None or not is_main:
        return lambda: None
    if signal.getsignal(_SIGNAL) not in {signal.SIG_DFL, _take}:
        return lambda: None
    signal.signal(_SIGNAL, _take)
    _listening.add(watch)
    return partial(signal.pthread_kill, threading.get_ident(), _SIGNAL)


def _no_more(watch: LoopWatch) -> None:
    _listening.discard(watch)
    if _SIGNAL is None or _listening or threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(_SIGNAL) is _take:
        signal.signal(_SIGNAL, signal.SIG_DFL)


def _take(_number: int, frame: FrameType | None) -> None:
    for watch in tuple(_listening):
        watch.interrupt(frame)


def order_end(loop: asyncio.AbstractEventLoop) -> None:
    """Take note that a signal has come that ends what runs in *loop*, held or not."""
    for watch in tuple(_listening):
        watch.take_order(loop)


def _is_foreign(frame: FrameType) -> bool:
    module = f"{_module_of(frame)}."
    return not module.startswith("rungraph.") or module.startswith("rungraph.engine.providers.")


def _is_of_python(frame: FrameType) -> bool:
    return _module_of(frame).partition(".")[0] in sys.stdlib_module_names


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))

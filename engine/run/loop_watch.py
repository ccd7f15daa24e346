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
from contextlib import suppress
from functools import partial
from itertools import takewhile
from traceback import walk_stack
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakSet

from rungraph.engine.interruption import Interruption
from rungraph.engine.run.task_watch import called_by_loop, maker, maker_of
from rungraph.engine.waiting import watches

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
_MOST_KNOWN = 4096
"""How many of the latest holds are known."""
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


class _Held(NamedTuple):
    """What the loop has called and waits for.

    Attributes:
        task: The task; None for a callback.
        handle: What the loop knows it by; None if the loop does not tell.
    """

    task: asyncio.Task[Any] | None
    handle: asyncio.Handle | None


class LoopWatch:
    """Watches the running event loop from a thread of its own, until it is closed.

    It begins when it is told to.

    Args:
        owners: Tells whose code runs.
        tell: Called in the loop, once it turns again, with the node that held it and for how long.
        is_overdue: Tells, from another thread, whether a node, if it is one, that has held the loop
            since a time, in a task if in any, is to let go.
        never_lets_go: Called from another thread with who does not even when interrupted.

    Attributes:
        loop: The event loop.
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
        self.loop = asyncio.get_running_loop()
        self._ident = threading.get_ident()
        self._holds: list[Hold] = []
        self._untold = 0
        self._turned = threading.Event()
        self._turned.set()
        self._is_over = threading.Event()
        self._looked = time.monotonic()
        self._overdue: tuple[_Held, float] | None = None
        self._condemned: tuple[_Held, str] | None = None
        self._wake = _waking(self)

    def begin(self) -> None:
        """Begin to watch: from now on, the functions that it was given may be called."""
        self._looked = time.monotonic()
        watches.append(self)
        # `Thread.start` would wait until the thread has had its turn.
        _thread.start_new_thread(self._watch, ())

    def held_by_others(self, owner: str, since: float) -> float:
        """Return for how many seconds since some time others than *owner* held the loop."""
        self._look_after_all(time.monotonic())
        recent = takewhile(lambda hold: hold.end > since, reversed(tuple(self._holds)))
        return sum(one.end - max(one.begin, since) for one in recent if str(one.holder) != owner)

    def close(self) -> None:
        """End the watching; again is harmless."""
        self._is_over.set()
        if self in watches:
            watches.remove(self)
        _no_more(self)

    def _watch(self) -> None:
        asked, due, is_over = self._looked, _WORTH_WARNING, False
        while not is_over:
            now = time.monotonic()
            if self.loop.is_closed():  # Without an end of what ran in it.
                self.close()
            elif not self.loop.is_running():  # Nobody holds what is not turned at all.
                asked = self._looked = now
            elif self._turned.is_set():
                self._look_after_all(now)
                self._turned.clear()
                asked, self._looked, due, self._overdue = now, now, _WORTH_WARNING, None
                with suppress(RuntimeError):  # The loop is closed: the next look finds that.
                    self.loop.call_soon_threadsafe(self._has_turned)
            elif now - asked > _LATE:
                held, (begin, _, holder) = self._look(now - self._looked), self._holds[-1]
                self._looked = now
                if self._is_overdue(holder, held.task, begin):
                    self._interrupt(held, holder, now)
                if holder is not None and now - asked > due:
                    due *= 2
                    # No event: the loop that would hand it out is what is held.
                    _logger.warning(
                        "%s has held the event loop for %d s: nothing else runs",
                        holder,
                        now - asked,
                    )
            is_over = self._is_over.wait(_INTERVAL)

    def _interrupt(self, held: _Held, holder: Address | None, now: float) -> None:
        if self._overdue is None or self._overdue[0] != held:
            self._overdue = held, now
        self._condemned = held, f"'{holder}'" if holder is not None else "it"
        self._wake()
        if holder is not None and now - self._overdue[1] > _GRACE:
            self._never_lets_go(holder)

    def _look_after_all(self, now: float) -> None:
        """Look for the thread if it was kept from running, as by who keeps Python's lock."""
        if (late := now - self._looked - _INTERVAL) > _LATE:
            self._looked = now
            self._look(late)

    def take_order(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take note of a signal that ends what runs in *loop*."""
        if loop is self.loop:
            self.ordered_ends.append(loop.time())

    def interrupt(self, frame: FrameType | None) -> None:
        """Interrupt what is to let go, if it runs still, in *frame*.

        Neither our own code is cut off amid its work nor that of the program around us: only what
        we have called, or what a provider has had the event loop call.

        Raises:
            Interruption: If so.
        """
        condemned, self._condemned = self._condemned, None
        if condemned is None or frame is None or self._turned.is_set():
            return
        frames, handle = called_by_loop(one for one, _ in walk_stack(frame))
        held, holder = condemned
        if _Held(asyncio.current_task(self.loop), handle) != held:
            return
        foreign = [*takewhile(_is_foreign, frames)]
        if len(foreign) == len(frames):
            is_theirs = maker() is not None
        else:
            is_theirs = not all(map(_is_of_python, foreign))
        if is_theirs:
            raise Interruption(holder)

    def _look(self, seconds: float) -> _Held:
        """Take note of who has held the loop for so many *seconds*; return what runs."""
        task = asyncio.current_task(self.loop)
        frame = sys._current_frames().get(self._ident)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  (documented)
        frames = [one for one, _ in walk_stack(frame)] if frame is not None else []
        handle = called_by_loop(frames)[1]
        run, name = maker_of(handle, task), task.get_name() if task is not None else ""
        holder = self._owners.holder_of(frames, name if run is None else str(run.address))
        end = self.loop.time()
        last = self._holds[-1] if len(self._holds) > self._untold else None
        if last is not None and last.holder == holder:
            self._holds[-1] = last._replace(end=end)
        else:
            self._holds.append(Hold(end - seconds, end, holder))
        return _Held(task, handle)

    def _has_turned(self) -> None:
        held = self._holds[self._untold :]
        del self._holds[:-_MOST_KNOWN]
        self._untold = len(self._holds)
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
    if not _is_free(_SIGNAL):
        return lambda: None
    signal.signal(_SIGNAL, _take)
    _listening.add(watch)
    return partial(_send, _SIGNAL, threading.get_ident())


def _is_free(number: signal.Signals) -> bool:
    handler = signal.getsignal(number)
    return handler is signal.SIG_DFL or handler is _take


def _send(number: signal.Signals, thread: int) -> None:
    if signal.getsignal(number) is _take:  # It may have become somebody else's.
        signal.pthread_kill(thread, number)


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


def forget_orders(loop: asyncio.AbstractEventLoop) -> None:
    """Take note that what was to end in *loop* has ended, and that all else goes on."""
    for watch in tuple(_listening):
        if watch.loop is loop:
            watch.ordered_ends.clear()


def _is_foreign(frame: FrameType) -> bool:
    module = f"{_module_of(frame)}."
    return not module.startswith("rungraph.") or module.startswith("rungraph.engine.providers.")


def _is_of_python(frame: FrameType) -> bool:
    return _module_of(frame).partition(".")[0] in sys.stdlib_module_names


def _module_of(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))

"""Ends a stack on a signal: the first one stops it in order, the second one at once."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from rungraph.engine.run.loop_watch import forget_orders, order_end

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable
    from types import FrameType

    from rungraph.engine.events import EventLog

SIGNALS = tuple(
    signal.Signals[name] for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""The signals that end a stack: Ctrl-C, an order to end, and a terminal that has gone."""
_INTERVAL = 0.05
"""Seconds between two looks at who has the signals."""
_watches: dict[SignalWatch, Callable[[], None]] = {}
"""Those that watch now, each with what takes the signals for it: the last one has them."""
_sockets: list[_Wakeups] = []
"""What reads signals for those that watch."""
in_forks: dict[signal.Signals, Any] = {}
"""What a process that is forked does on signals instead: whoever has forked it may end it so."""


def _leave_to_fork() -> None:
    for number, handler in in_forks.items():
        signal.signal(number, handler)
    if in_forks:  # Before Python 3.12, asyncio takes the signals of a fork for its own.
        signal.set_wakeup_fd(-1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_fork)


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


class _Arrival:
    """What is called when a signal comes, before the event loop has it.

    Args:
        watch: Whose it is.
        note: Takes note of the signal's number.
        theirs: What somebody has set for the signal meanwhile; it is called as well.
    """

    def __init__(self, watch: SignalWatch, note: Callable[[int], None], theirs: Any = None) -> None:
        self.watch = watch
        self._note = note
        self._theirs = theirs

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._note(number)
        if callable(self._theirs):
            # It stands amid whatever runs, and what is to end does so without it.
            with suppress(Exception, SystemExit, KeyboardInterrupt, asyncio.CancelledError):
                self._theirs(number, frame)


class _Wakeups:
    """Reads which signals come, whatever handler stands for them and whatever that raises.

    An event loop that runs the handlers itself, as uvloop does, forgets a signal whose handler
    raises. Python writes the numbers of all signals into one place, which is the loop's: those that
    are not *taken* go on to it.

    Args:
        loop: Runs what reads.
        taken: The numbers of the signals to take.
        take: Takes one.

    Attributes:
        before: Where Python wrote signals before; -1 if nowhere.
        theirs: Where somebody has had them written since.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        taken: Iterable[signal.Signals],
        take: Callable[[signal.Signals], None],
    ) -> None:
        self._loop, self._taken, self._take = loop, {int(one): one for one in taken}, take
        self._read, self._written = socket.socketpair()
        for end in (self._read, self._written):
            end.setblocking(False)
        self.before = self.theirs = -1
        self.hold()
        self.before = self.theirs
        loop.add_reader(self._read, self._hand_out)
        _sockets.append(self)

    def hold(self) -> None:
        """Have Python write signals here, if somebody has taken them elsewhere."""
        ours = self._written.fileno()
        if (earlier := signal.set_wakeup_fd(ours, warn_on_full_buffer=False)) != ours:
            self.theirs = earlier

    def close(self) -> None:
        """Give signals back to whoever had them."""
        self._loop.remove_reader(self._read)
        _sockets.remove(self)
        now, ours = signal.set_wakeup_fd(-1), self._written.fileno()
        for other in _sockets:  # One that has begun later gives them to whoever had them before.
            other.before = self.before if other.before == ours else other.before
            other.theirs = self.theirs if other.theirs == ours else other.theirs
        if self.before >= 0:
            now = self.before
        elif now == ours:
            now = self.theirs
        with suppress(ValueError, OSError):  # Whoever had them may be over.
            signal.set_wakeup_fd(now, warn_on_full_buffer=False)
        self._read.close()
        self._written.close()

    def _hand_out(self) -> None:
        for number in self._read.recv(4096):
            if (one := self._taken.get(number)) is not None:
                self._take(one)
            elif self.theirs >= 0:
                with suppress(OSError):
                    os.write(self.theirs, bytes((number,)))


@asynccontextmanager
async def watch_signals(
    events: EventLog,
    end: Callable[[], None],
    kill: Callable[[], None],
    reload: asyncio.Event | None = None,
) -> AsyncGenerator[SignalWatch]:
    """Turn the first signal into *end* and a cancellation of the block, the second into *kill*.

    With *reload*, SIGHUP sets that instead; else it is ignored where it was, as ``nohup`` wants.
    A handler that somebody sets meanwhile is called as well, from the next of *events* on or from a
    moment later, and whatever it raises is passed over.

    The cancellation ends here: after the block, ask the watch what happened.

    Raises:
        RuntimeError: If this is no task of the main thread, the only one that Python gives signals.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is None or threading.current_thread() is not threading.main_thread():
        msg = "signals are watched from within a task of the main thread"
        raise RuntimeError(msg)
    owner, cancelled_before = task, task.cancelling()
    watch = SignalWatch()

    def take(number: signal.Signals) -> None:
        if number.name == "SIGHUP" and reload is not None:
            reload.set()
        elif watch.received is None:
            watch.received = number
            end()
            owner.cancel()
        else:
            kill()

    def arrived(number: int) -> None:
        """Take note at once, even of a signal that the event loop, which is held, takes later."""
        if number != getattr(signal, "SIGHUP", None) or reload is None:
            order_end(loop)

    before = {
        one: handler
        for one in SIGNALS
        if (handler := signal.getsignal(one) or signal.SIG_DFL) is not signal.SIG_IGN
        or one.name != "SIGHUP"
        or reload is not None
    }
    in_forks.update(before | in_forks)
    wakeups = _Wakeups(loop, before, take)

    def hold(number: signal.Signals, theirs: object) -> None:
        loop.add_signal_handler(number, take, number)
        signal.signal(number, _Arrival(watch, arrived, theirs))

    def hold_on(_: object = None) -> None:
        if next(reversed(_watches)) is not watch:
            return
        for number in before:
            if not isinstance(theirs := signal.getsignal(number), _Arrival):
                hold(number, theirs)
        wakeups.hold()

    timer: asyncio.TimerHandle | None = None

    def hold_on_forever() -> None:
        nonlocal timer
        hold_on()
        timer = loop.call_later(_INTERVAL, hold_on_forever)

    _watches[watch] = hold_on
    for number in before:
        hold(number, None)
    hold_on_forever()
    unsubscribe = events.subscribe(hold_on)
    try:
        yield watch
        if watch.received is not None:  # The block has dealt with the cancellation itself.
            owner.uncancel()
    except asyncio.CancelledError:
        if watch.received is None or owner.uncancel() > cancelled_before:
            raise
    finally:
        unsubscribe()
        if timer is not None:
            timer.cancel()
        del _watches[watch]
        forget_orders(loop)
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            is_over = isinstance(handler, _Arrival) and handler.watch not in _watches
            signal.signal(number, in_forks[number] if is_over else handler)
        wakeups.close()
        if _watches:
            _watches[next(reversed(_watches))]()
        else:
            in_forks.clear()

"""The end of a process, which nothing that is left in it holds up."""

from __future__ import annotations

import atexit
import faulthandler
import os
from threading import Lock, Timer

from rungraph.engine.outlet import END_SECONDS, finish_output

_MOMENT = 0.25
"""Seconds that threads have to end, and again what is to be called at the end."""
_ending = Lock()


def end_soon(code: int) -> None:
    """Have this process end with *code*: when its main thread does, or else in a moment.

    What is registered with `atexit` is called in any case, and has a moment as well. Then the
    process is over. Python would go on and remove all modules: what a destructor does then could
    take for ever, and no other thread runs any more that could end it. Code that keeps even other
    threads from running is ended, too, but with 1.
    """
    for count, step in enumerate((_end_in_order, _end), start=1):
        timer = Timer(count * _MOMENT, step, [code])
        timer.daemon = True
        timer.start()
    atexit.register(_end_in_order, code)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    # Later than the second step, even if nobody reads the output that it gives a moment to.
    faulthandler.dump_traceback_later(2 * _MOMENT + 1.5 * END_SECONDS, exit=True, file=nowhere)


def _end_in_order(code: int) -> None:
    _ending.acquire()  # For good: the main thread and a timer may both come here.
    atexit.unregister(_end_in_order)
    # What is registered first is called last, and others are always earlier.
    atexit._run_exitfuncs()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    _end(code)


def _end(code: int) -> None:
    finish_output()
    os._exit(code)

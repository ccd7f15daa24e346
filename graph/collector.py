"""The garbage collector out of the way while something large is built."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def collector_paused() -> Generator[None]:
    """Keep the garbage collector from walking a growing tree, which holds no garbage, many times.

    Compiling 10,000 providers takes 1.3 times as long as reading their YAML through libyaml with
    it running, and 0.6 times without. When it was not running before, it is not afterwards. What
    is young stays young: in the oldest generation the garbage of a program that compiles again and
    again would pile up.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

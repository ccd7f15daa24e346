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

    Two thirds of the time of loading a large document go there otherwise. When it was not running
    before, it is not afterwards.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

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
            _age()
            gc.enable()


def _age() -> None:
    """Hand all that is young to the oldest generation, without a walk through it.

    Otherwise the collector walks what was built three times more, once a generation.
    """
    if not gc.get_freeze_count():  # What somebody else has frozen stays frozen.
        gc.freeze()
        gc.unfreeze()

"""The garbage collector is out of the way while a config is read, and back afterwards."""

from __future__ import annotations

import gc
import weakref

from rungraph.graph import compile_config


class _Loop:
    def __init__(self) -> None:
        self.itself = self


def test_garbage_does_not_grow_old_by_a_compilation() -> None:
    """Or a program that compiles and draws again and again would keep all it has thrown away."""
    gc.collect()
    garbage = weakref.ref(_Loop())
    compile_config("providers: {}\n", environment={})
    gc.collect(1)
    assert garbage() is None
    assert gc.isenabled()

"""The garbage collector is out of the way while a config is read, and back afterwards."""

from __future__ import annotations

import gc
import weakref

import pytest

from rungraph.graph import compile_config


class _Loop:
    def __init__(self) -> None:
        self.itself = self


def test_garbage_does_not_pile_up_with_compilations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a program that compiles and draws again and again would keep all it has thrown away."""
    monkeypatch.setattr("rungraph.graph.collector._MOST_HANDED_ON", 100_000)
    gc.collect()
    garbage = weakref.ref(_Loop())
    for _ in range(20):
        compile_config({"providers": {}}, environment={})
    assert garbage() is None
    assert gc.isenabled()

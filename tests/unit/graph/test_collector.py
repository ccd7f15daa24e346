"""The garbage collector is out of the way while a config is read, and back afterwards."""

from __future__ import annotations

import gc
import weakref

import pytest

from rungraph.graph import compile_config
from rungraph.graph.plan import make_plan


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


def test_a_plan_is_made_without_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is made of is no garbage, and of 10,000 providers a walk over it takes long."""
    config = {"providers": {"inference": [
        {"provider_id": f"p{number}", "provider_type": "remote::tgi"} for number in range(300)
    ]}}  # fmt: skip
    graph = compile_config(config, environment={})
    monkeypatch.setattr("rungraph.graph.collector._handed_on", 0)
    seen: list[str] = []
    gc.callbacks.append(lambda phase, _: seen.append(phase))
    make_plan(graph)
    gc.callbacks.pop()
    assert seen == []

"""Stacks whose calls are traced: telemetry that hangs, is replaced, or goes away."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import Any

import pytest
from tests.builders import entry
from tests.unit.engine.fakes import Telemetry, install_module
from tests.unit.engine.run.models import install, quick, until

from rungraph.engine.catalog import CATALOG
from rungraph.engine.errors import NotRunningError, StopError
from rungraph.engine.provider import SpanEvent
from rungraph.engine.run.stack import Stack
from rungraph.graph import RunGraph, compile_config

_MODULE = "rungraph_fake_telemetry"


class FakeTelemetry(Telemetry):
    """Telemetry that counts what it is told, and can ignore being cut off.

    Attributes:
        made: All there are.
    """

    made: list[FakeTelemetry]

    def __init__(self) -> None:
        super().__init__()
        self.told = self.told_late = 0
        self.has_stopped = False
        self.is_deaf = False
        self.made.append(self)

    def count(self) -> None:
        self.told += 1
        self.told_late += self.has_stopped

    async def log_event(self, event: Any) -> None:
        self.count()
        while self.gate is not None and not self.gate.is_set():
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                if not self.is_deaf:
                    raise

    async def get_trace(self, trace_id: str) -> Any:
        raise NotImplementedError

    async def shutdown(self) -> None:
        self.has_stopped = True


class DirectTelemetry(FakeTelemetry):
    """The same, which takes spans as they are."""

    def take_span(self, event: SpanEvent) -> None:
        self.count()


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    monkeypatch.setattr(FakeTelemetry, "made", [], raising=False)

    async def create(config: Any, deps: object) -> FakeTelemetry:
        return DirectTelemetry() if config["is_direct"] else FakeTelemetry()

    install_module(monkeypatch, _MODULE, get_provider_impl=create)


def traced_graph(*telemetry: dict[str, Any]) -> RunGraph:
    """Return the graph of a model, and of telemetry with each of these configs."""
    model = entry("foo", "inline::fake", "rungraph_fake_models", serves="foo-model")
    providers = {"inference": [model]}
    if telemetry:
        providers["telemetry"] = [entry("t", "inline::t", _MODULE, **one) for one in telemetry]
    return compile_config({"providers": providers}, catalog=CATALOG, environment={})


@pytest.mark.parametrize("is_direct", [True, False])
@pytest.mark.parametrize("is_replaced", [True, False])
async def test_telemetry_that_has_gone_is_told_nothing(
    is_direct: bool, is_replaced: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither of what was waiting, nor of later calls, also where a caller has kept a method."""
    config = {"is_direct": is_direct}
    new = [config | {"changed": 1}] if is_replaced else []
    async with Stack(traced_graph(config), quick()) as stack:
        router = stack["inference"]
        embeddings = router.embeddings
        await embeddings("foo-model", ["x"])
        await stack.apply(traced_graph(*new))
        assert FakeTelemetry.made[0].has_stopped
        for call in embeddings, router.embeddings:
            await call("foo-model", ["x"])
        await until(lambda: not is_replaced or FakeTelemetry.made[1].told >= 4)
    caplog.clear()
    with pytest.raises(NotRunningError):
        await embeddings("foo-model", ["x"])
    await asyncio.sleep(0.02)  # For as long as spans wait for others.
    assert [one.told_late for one in FakeTelemetry.made] == [0] * (1 + is_replaced)
    assert not caplog.records


@pytest.mark.parametrize("is_killed", [True, False])
@pytest.mark.parametrize("is_replaced", [True, False])
async def test_deaf_telemetry_leaves_no_task_behind(is_killed: bool, is_replaced: bool) -> None:
    """Whoever runs the program would wait for it without an end; its successor is told all."""
    config = {"is_direct": False}
    stack = Stack(traced_graph(config), quick())
    await stack.__aenter__()
    deaf = FakeTelemetry.made[0]
    deaf.gate, deaf.is_deaf, before = asyncio.Event(), True, deaf.told
    await stack["inference"].embeddings("foo-model", ["x"])
    await until(lambda: deaf.told > before)
    try:
        if is_replaced:
            await stack.apply(traced_graph(config | {"changed": 1}))
            await until(lambda: FakeTelemetry.made[1].told)
        if is_killed:
            stack.kill()
        with pytest.raises(StopError) if is_killed else nullcontext():
            await stack.__aexit__(None, None, None)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert deaf.told == before + 1
    finally:
        deaf.gate.set()


async def test_hanging_telemetry_lets_a_router_stop_in_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """However short a time it has for that."""
    async with Stack(traced_graph({"is_direct": False}), quick()) as stack:
        FakeTelemetry.made[0].gate = asyncio.Event()
        await stack["inference"].embeddings("foo-model", ["x"])
    assert [record.getMessage() for record in caplog.records] == [
        "telemetry does not take all spans: no answer within 0.25 s"
    ]

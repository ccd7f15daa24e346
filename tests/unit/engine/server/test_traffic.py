"""What a server tells of the calls of the last minute."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.asgi import app_of, ask
from tests.builders import entry

from rungraph.engine.routing.errors import BusyError
from rungraph.engine.run.stack import Stack
from rungraph.engine.server.exchange import Called, Exchange
from rungraph.engine.server.metrics import Metrics
from rungraph.engine.server.traffic import Traffic
from rungraph.graph import compile_config
from rungraph.graph.address import Address

TABLE, ROUTER = Address.table("models"), Address.router("inference")


class Minute:
    """Traffic at a time of the test's own."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._traffic = Traffic(lambda: self.now)
        self._known = set[tuple[Address, Address]]()

    def call(self, seconds: float, error: BaseException | None = None, provider: str = "a") -> None:
        """Count a call that is over now."""
        edges = (Address.provider("inference", provider), TABLE), (TABLE, ROUTER)
        self._known.update(edges)
        self._traffic.along(*edges)(self.now - seconds, error)

    def edges(self) -> dict[str, tuple[int, int, float]]:
        """Return calls, errors and 95th percentile by what was called."""
        told = self._traffic.edges(frozenset(self._known))
        return {one["dependency"]: (one["calls"], one["errors"], one["p95"]) for one in told}


def test_a_call_counts_for_a_minute() -> None:
    """After it, an edge on which nothing else went is not told any more."""
    minute = Minute()
    minute.call(1.0)
    minute.now += 50
    minute.call(1.0, ConnectionError(), "b")
    assert minute.edges() == {
        "provider:inference/a": (1, 0, 1.0),
        "provider:inference/b": (1, 1, 1.0),
        "table:models": (2, 1, 1.0),
    }
    minute.now += 12
    assert minute.edges().keys() == {"provider:inference/b", "table:models"}
    minute.now += 60
    assert minute.edges() == {}


def test_the_percentile_is_told_within_a_tenth() -> None:
    """Nineteen of twenty calls take no longer."""
    minute = Minute()
    for hundredths in range(1, 101):
        minute.call(hundredths / 100)
    assert minute.edges()["table:models"][2] == pytest.approx(0.95, rel=0.1)


@pytest.mark.parametrize(
    ("error", "is_error"),
    [
        (ValueError(), 0),
        (GeneratorExit(), 0),
        (TimeoutError(), 1),
        (RuntimeError(), 1),
        (BusyError("provider:inference/a", 1, 0, None), 1),
    ],
)
def test_what_a_caller_does_wrong_or_gives_up_is_no_error(
    error: BaseException, is_error: int
) -> None:
    """What the provider does wrong is."""
    minute = Minute()
    minute.call(1.0, error)
    assert minute.edges()["table:models"][:2] == (1, is_error)


async def test_edges_that_the_graph_has_no_more_are_not_told() -> None:
    """A reload has dropped a provider: the page could draw nothing for what went along."""
    fake = "tests.contract.cli_package.fake_provider"
    one, other = (entry(name, "inline::fake", fake, model=name) for name in ("one", "other"))
    stack = Stack(compile_config({"providers": {"inference": [one, other]}}))
    app = app_of(stack)
    async with stack:
        for model in ("one", "other"):
            body = {"model": model, "messages": [{"role": "user", "content": "hi"}]}
            assert (await ask(app, "POST", "/inference/chat_completion", body)).status == 200
        await stack.apply(compile_config({"providers": {"inference": [one]}}))
        edges = json.loads((await ask(app, "GET", "/graph/traffic")).body)["edges"]
    assert {one["dependency"]: one["calls"] for one in edges} == {
        "provider:inference/one": 1,
        "table:models": 2,
    }


async def test_what_is_kept_is_bounded_however_many_names_are_called() -> None:
    """Who may register makes names without end: from some on they are counted as others."""

    async def unused(*_: object) -> Any: ...

    metrics = Metrics(lambda: 0)
    scope = {"method": "POST", "path": "/x", "query_string": b"", "headers": []}
    for number in range(3_000):
        exchange = Exchange(scope, unused, unused, request_id="", most_bytes=0)
        exchange.called = Called("inference", "chat_completion", f"m{number}", "a")
        metrics.count(exchange)
    (calls,) = (one for one in metrics.collect() if one.name == "rungraph_calls")
    kept = [(one.labels["resource"], one.value) for one in calls.samples]
    assert len(kept) == 1_001
    assert kept[-1] == ("others", 2_000)

"""What a server tells of the calls of the last minute."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from rungraph.engine.catalog import CATALOG
from rungraph.engine.server.exchange import Called
from rungraph.engine.server.tally import Tally
from rungraph.engine.server.traffic import traffic


class Minute:
    """Traffic at a time of the test's own."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.tally = Tally(lambda: self.now)

    def call(
        self, seconds: float, status: int = 200, provider: str = "a", resource: str = "m"
    ) -> None:
        """Count a call that is over now."""
        exchange: Any = SimpleNamespace(
            route="/x",
            called=Called("inference", "chat_completion", resource, provider),
            status=status,
            has_failed=False,
            began_at=self.now - seconds,
            upstream=0.0,
            is_stream=False,
            usage=None,
        )
        self.tally.count(exchange)

    def edges(self) -> dict[str, tuple[int, int, float]]:
        """Return calls, errors and 95th percentile by what was called."""
        told = traffic(self.tally, CATALOG)
        return {one["dependency"]: (one["calls"], one["errors"], one["p95"]) for one in told}


def test_a_call_counts_for_a_minute() -> None:
    """After it, an edge on which nothing else went is not told any more."""
    minute = Minute()
    minute.call(1.0)
    minute.now += 50
    minute.call(1.0, 502, "b")
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


def test_of_what_several_serve_no_provider_is_made_up() -> None:
    """The call counts up to the table: who was asked is not known."""
    minute = Minute()
    minute.call(1.0, provider="")
    assert minute.edges().keys() == {"table:models"}


def test_what_is_kept_is_bounded_however_many_names_are_called() -> None:
    """Who may register makes names without end: from some on they are counted as others."""
    minute = Minute()
    for number in range(3_000):
        minute.call(1.0, resource=f"m{number}")
    kept = [(one.called and one.called.resource, sum(one.whole.counts)) for one in minute.tally]
    assert len(kept) == 1_001
    assert kept[-1] == ("others", 2_000)

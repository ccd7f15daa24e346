"""What a server counts and measures, for Prometheus. A label is never a text of a caller."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from rungraph.engine.server.exchange import Called

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.server.exchange import Exchange

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_LAG_SECONDS = 0.25
_MOST_CALLED = 1_000


class Metrics:
    """The metrics of one server.

    Args:
        in_flight: Tells how many requests are being answered.
    """

    def __init__(self, in_flight: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "rungraph_requests",
            "Requests by the route that served them and the status of the answer",
            ("route", "status"),
            registry=self._registry,
        )
        self._duration = Histogram(
            "rungraph_request_duration_seconds",
            "From the request to the end of its answer",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._first = Histogram(
            "rungraph_time_to_first_event_seconds",
            "From the request to the first event of a streamed answer: of a model, its first token",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._calls = Counter(
            "rungraph_calls",
            "Routed calls by what they call and the status of the answer",
            ("api", "method", "resource", "provider", "status"),
            registry=self._registry,
        )
        self._tokens = Counter(
            "rungraph_tokens",
            "Tokens of translated and native calls, where the provider tells them",
            ("resource", "provider", "kind"),
            registry=self._registry,
        )
        self._known: set[Called] = set()
        self._own = Histogram(
            "rungraph_own_seconds",
            "What the server itself takes for a request: its duration without others' work",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        Gauge(
            "rungraph_requests_in_flight", "Calls that are being answered", registry=self._registry
        ).set_function(in_flight)
        self._lag = Gauge(
            "rungraph_event_loop_lag_seconds",
            "By how much the event loop was late at most since the last look at this",
            registry=self._registry,
        )
        self._worst_lag = 0.0
        # To look series up by their labels takes longer than to count.
        self._series: dict[tuple[str, int], tuple[Counter, Histogram, Histogram, Histogram]] = {}

    def count(self, exchange: Exchange) -> None:
        """Count an exchange that is over."""
        key = (exchange.route or "unknown", exchange.status)
        series = self._series.get(key)
        if series is None:
            route, status = key
            # A caller who has gone before the answer began has no status.
            series = self._series[key] = (
                self._requests.labels(route, str(status or "none")),
                self._duration.labels(route),
                self._own.labels(route),
                self._first.labels(route),
            )
        requests, duration, own, first = series
        requests.inc()
        seconds = perf_counter() - exchange.began_at
        duration.observe(seconds)
        own.observe(seconds - exchange.upstream)
        if exchange.called is not None:
            self._count_call(exchange, exchange.called)
        if exchange.is_stream and exchange.answered_at is not None:
            first.observe(exchange.answered_at - exchange.began_at)

    def _count_call(self, exchange: Exchange, called: Called) -> None:
        if called not in self._known:
            # Who may register could make series without end.
            if len(self._known) >= _MOST_CALLED:
                called = Called(called.api, called.method, "others", "others")
            self._known.add(called)
        self._calls.labels(*called, str(exchange.status or "none")).inc()
        if exchange.usage is not None:
            for kind in ("prompt", "completion"):
                tokens = getattr(exchange.usage, f"{kind}_tokens")
                self._tokens.labels(called.resource, called.provider, kind).inc(tokens)

    async def watch_lag(self) -> None:
        """Measure again and again by how much the event loop is late; never returns."""
        while True:
            due = perf_counter() + _LAG_SECONDS
            await asyncio.sleep(_LAG_SECONDS)
            self._worst_lag = max(self._worst_lag, perf_counter() - due)

    async def metrics(self, exchange: Exchange) -> None:
        """Answer with all metrics in Prometheus' text format."""
        self._lag.set(self._worst_lag)
        self._worst_lag = 0.0
        content = generate_latest(self._registry)
        await exchange.answer(content, media=CONTENT_TYPE_LATEST.encode())

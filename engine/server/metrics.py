"""What a server counts and measures, for Prometheus. A label is never a text of a caller."""

from __future__ import annotations

import asyncio
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rungraph.engine.server.exchange import Called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rungraph.engine.routing.balancer import Member
    from rungraph.engine.routing.groups import Group
    from rungraph.engine.server.exchange import Exchange

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_LAG_SECONDS = 0.25
_MOST_CALLED = 1_000


class _Series(NamedTuple):
    """What counts the exchanges that are alike in route, status and target.

    Attributes:
        called: The target, as its labels have it; None for what is no routed call.
        calls: Counts routed calls.
    """

    requests: Counter
    duration: Histogram
    own: Histogram
    first: Histogram
    called: Called | None
    calls: Counter | None


class Metrics:
    """The metrics of one server.

    Args:
        in_flight: Tells how many requests are being answered.
        groups: Tells what several providers serve together.
    """

    def __init__(
        self, in_flight: Callable[[], int], groups: Callable[[], Iterable[Group]] = tuple
    ) -> None:
        self._registry = CollectorRegistry()
        counter = partial(Counter, registry=self._registry)
        histogram = partial(
            Histogram, labelnames=("route",), buckets=_SECONDS, registry=self._registry
        )
        self._requests = counter(
            "rungraph_requests",
            "Requests by the route that served them and the status: of the answer, or of its end",
            ("route", "status"),
        )
        self._duration = histogram(
            "rungraph_request_duration_seconds", "From the request to the end of its answer"
        )
        self._first = histogram(
            "rungraph_time_to_first_event_seconds",
            "From the request to the first event of a stream: of a model, its first token",
        )
        self._own = histogram(
            "rungraph_own_seconds",
            "What the server itself takes for a request: its duration without others' work",
        )
        self._calls = counter(
            "rungraph_calls",
            "Routed calls by what they call and the status: of the answer, or of its end",
            ("api", "method", "resource", "provider", "status"),
        )
        self._tokens = counter(
            "rungraph_tokens",
            "Tokens of calls, where the provider tells them",
            ("resource", "provider", "kind"),
        )
        for name, text, value in (
            ("rungraph_requests_in_flight", "Calls that are being answered", in_flight),
            ("rungraph_tasks", "Tasks that the event loop has now", _task_count),
        ):
            Gauge(name, text, registry=self._registry).set_function(value)
        self._lag = Gauge(
            "rungraph_event_loop_lag_seconds",
            "By how much the event loop was late at most since the last look at this",
            registry=self._registry,
        )
        self._registry.register(_OfMembers(groups))
        self._worst_lag = 0.0
        self._called: set[Called] = set()
        # To look series up by their labels takes longer than to count.
        self._series: dict[tuple[str, int, Called | None], _Series] = {}

    def count(self, exchange: Exchange) -> None:
        """Count an exchange that is over."""
        key = exchange.route, exchange.status, exchange.called
        series = self._series.get(key)
        if series is None:
            key = exchange.route, exchange.status, self._bounded(exchange.called)
            series = self._series.setdefault(key, self._series_of(*key))
        series.requests.inc()
        seconds = perf_counter() - exchange.began_at
        series.duration.observe(seconds)
        series.own.observe(seconds - exchange.upstream)
        if exchange.is_stream and exchange.answered_at is not None:
            series.first.observe(exchange.answered_at - exchange.began_at)
        target = series.called
        if target is None or series.calls is None:
            return
        series.calls.inc()
        if exchange.usage is not None:
            for kind in ("prompt", "completion"):
                tokens = getattr(exchange.usage, f"{kind}_tokens")
                self._tokens.labels(target.resource, target.provider, kind).inc(tokens)

    def _bounded(self, called: Called | None) -> Called | None:
        """Return the labels for a call: who may register could make series without end."""
        if called is None or called in self._called:
            return called
        if len(self._called) >= _MOST_CALLED:
            return Called(called.api, called.method, "others", "others")
        self._called.add(called)
        return called

    def _series_of(self, route: str, status: int, called: Called | None) -> _Series:
        # A caller who has gone before the answer began has no status.
        route, told = route or "unknown", str(status or "none")
        return _Series(
            self._requests.labels(route, told),
            self._duration.labels(route),
            self._own.labels(route),
            self._first.labels(route),
            called,
            self._calls.labels(*called, told) if called is not None else None,
        )

    async def watch_lag(self) -> None:
        """Measure again and again by how much the event loop is late; never returns."""
        while True:
            due = perf_counter() + _LAG_SECONDS
            await asyncio.sleep(_LAG_SECONDS)
            self._worst_lag = max(self._worst_lag, perf_counter() - due)

    async def metrics(self, exchange: Exchange) -> None:
        """Answer with all metrics in Prometheus' text format."""
        self._lag.set(self._worst_lag)
        content = generate_latest(self._registry)
        self._worst_lag = 0.0
        await exchange.answer(content, media=CONTENT_TYPE_LATEST.encode())


class _OfMembers(Collector):
    """What is known of each provider that serves something together with others.

    Args:
        groups: Tells what several providers serve together.
    """

    def __init__(self, groups: Callable[[], Iterable[Group]]) -> None:
        self._groups = groups

    def collect(self) -> Iterator[Metric]:
        """Yield what is known of each member; a caller makes no series."""
        labels = ("resource", "provider")
        latency = "The average time to a first chunk, as members are chosen by it"
        families: list[
            tuple[GaugeMetricFamily | CounterMetricFamily, Callable[[Member], float]]
        ] = [
            (
                GaugeMetricFamily("rungraph_member_in_flight", "Its running calls", labels=labels),
                lambda one: one.in_flight,
            ),
            (
                GaugeMetricFamily("rungraph_member_out", "Whether it gets no calls", labels=labels),
                lambda one: one.out_until is not None,
            ),
            (
                GaugeMetricFamily("rungraph_member_latency_seconds", latency, labels=labels),
                lambda one: one.latency or 0.0,
            ),
            (
                CounterMetricFamily("rungraph_member_calls", "Tries of calls", labels=labels),
                lambda one: one.calls,
            ),
            (
                CounterMetricFamily("rungraph_member_failures", "Failed tries", labels=labels),
                lambda one: one.failures,
            ),
        ]
        for family, value_of in families:
            for group in self._groups():
                for one in group.balancer.members:
                    family.add_metric((group.identifier, one.name), value_of(one))
            yield family


def _task_count() -> int:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # It is asked outside of a loop when it is registered.
        return 0

"""What a server counts and measures, for Prometheus. A label is never a text of a caller."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from rungraph.engine.server.exchange import Called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rungraph.engine.routing.balancer import Member
    from rungraph.engine.routing.groups import Group
    from rungraph.engine.server.exchange import Exchange

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_BOUNDS = (*map(str, _SECONDS), "+Inf")
_LAG_SECONDS = 0.25
_MOST_CALLED = 1_000


class _Times:
    """How many times there were up to each bound, and their sum."""

    def __init__(self) -> None:
        self._counts = [0] * len(_BOUNDS)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(_SECONDS, seconds)] += 1
        self._sum += seconds

    def tell(self, family: HistogramMetricFamily, route: str) -> None:
        buckets = list(zip(_BOUNDS, map(float, accumulate(self._counts)), strict=True))
        family.add_metric((route,), buckets, self._sum)


class _Route:
    """The times of one route."""

    def __init__(self) -> None:
        self.duration, self.first, self.own = _Times(), _Times(), _Times()


class _Series:
    """What is alike in route, status and target.

    Attributes:
        route: The times of its route.
        requests: How many there were.
    """

    def __init__(self, route: _Route) -> None:
        self.route = route
        self.requests = 0


class Metrics(Collector):
    """The metrics of one server.

    It counts in numbers of its own, which are told when they are asked for: a server is asked for
    metrics now and then, and counts all the time, in one thread.

    Args:
        in_flight: Tells how many requests are being answered.
        groups: Tells what several providers serve together.
    """

    def __init__(
        self, in_flight: Callable[[], int], groups: Callable[[], Iterable[Group]] = tuple
    ) -> None:
        self._groups = groups
        self._in_flight = in_flight
        self._worst_lag = 0.0
        self._routes: defaultdict[str, _Route] = defaultdict(_Route)
        self._series: dict[tuple[str, int, Called | None], _Series] = {}
        self._called: set[Called] = set()
        self._tokens: Counter[tuple[str, str, str]] = Counter()
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def count(self, exchange: Exchange) -> None:
        """Count an exchange that is over."""
        called = exchange.called
        series = self._series.get((exchange.route, exchange.status, called))
        if series is None:
            called = self._bounded(called)
            key = (exchange.route, exchange.status, called)
            series = self._series.setdefault(key, _Series(self._routes[exchange.route]))
        series.requests += 1
        seconds = perf_counter() - exchange.began_at
        series.route.duration.add(seconds)
        series.route.own.add(seconds - exchange.upstream)
        if exchange.is_stream and exchange.answered_at is not None:
            series.route.first.add(exchange.answered_at - exchange.began_at)
        if exchange.usage is not None and called is not None:
            self._tokens[called.resource, called.provider, "prompt"] += exchange.usage.prompt_tokens
            completion = exchange.usage.completion_tokens
            self._tokens[called.resource, called.provider, "completion"] += completion

    def _bounded(self, called: Called | None) -> Called | None:
        """Return the labels for a call: who may register could make series without end."""
        if called is None or called in self._called:
            return called
        if len(self._called) >= _MOST_CALLED:
            return Called(called.api, called.method, "others", "others")
        self._called.add(called)
        return called

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, for Prometheus."""
        requests: Counter[tuple[str, str]] = Counter()
        calls: Counter[tuple[str, ...]] = Counter()
        for (route, status, called), series in self._series.items():
            # A caller who has gone before the answer began has no status.
            told = str(status or "none")
            requests[route or "unknown", told] += series.requests
            if called is not None:
                calls[(*called, told)] += series.requests
        for name, text, labels, counts in (
            (
                "rungraph_requests",
                "Requests by the route that served them and the status of the answer",
                ("route", "status"),
                requests,
            ),
            (
                "rungraph_calls",
                "Routed calls by what they call and the status of the answer",
                ("api", "method", "resource", "provider", "status"),
                calls,
            ),
            (
                "rungraph_tokens",
                "Tokens of calls, where the provider tells them",
                ("resource", "provider", "kind"),
                self._tokens,
            ),
        ):
            counter = CounterMetricFamily(name, text, labels=labels)
            for values, count in counts.items():
                counter.add_metric(values, count)
            yield counter
        for kind, name, text in (
            (
                "duration",
                "rungraph_request_duration_seconds",
                "From the request to the end of its answer",
            ),
            (
                "first",
                "rungraph_time_to_first_event_seconds",
                "From the request to the first event of a stream: of a model, its first token",
            ),
            (
                "own",
                "rungraph_own_seconds",
                "What the server itself takes for a request: its duration without others' work",
            ),
        ):
            histogram = HistogramMetricFamily(name, text, labels=("route",))
            for route, times in self._routes.items():
                getattr(times, kind).tell(histogram, route or "unknown")
            yield histogram
        yield from self._of_members()
        yield GaugeMetricFamily(
            "rungraph_requests_in_flight", "Calls that are being answered", self._in_flight()
        )
        yield GaugeMetricFamily(
            "rungraph_tasks", "Tasks that the event loop has now", _task_count()
        )
        yield GaugeMetricFamily(
            "rungraph_event_loop_lag_seconds",
            "By how much the event loop was late at most since the last look at this",
            self._worst_lag,
        )

    def _of_members(self) -> Iterator[Metric]:
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

    async def watch_lag(self) -> None:
        """Measure again and again by how much the event loop is late; never returns."""
        while True:
            due = perf_counter() + _LAG_SECONDS
            await asyncio.sleep(_LAG_SECONDS)
            self._worst_lag = max(self._worst_lag, perf_counter() - due)

    async def metrics(self, exchange: Exchange) -> None:
        """Answer with all metrics in Prometheus' text format."""
        content = generate_latest(self._registry)
        self._worst_lag = 0.0
        await exchange.answer(content, media=CONTENT_TYPE_LATEST.encode())


def _task_count() -> int:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # It is asked outside of a loop when it is registered.
        return 0

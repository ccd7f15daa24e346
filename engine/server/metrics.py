"""What a server counts and measures, for Prometheus. A label is never a text of a caller."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from itertools import accumulate
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from rungraph.engine.server.exchange import Called
from rungraph.engine.server.tally import BOUNDS, Durations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rungraph.engine.routing.balancer import Member
    from rungraph.engine.routing.groups import Group
    from rungraph.engine.server.exchange import Exchange
    from rungraph.engine.server.tally import Tally

    _Kind = type[CounterMetricFamily | GaugeMetricFamily]

_LAG_SECONDS = 0.25
_MEMBER = ("resource", "provider")
_BOUNDS = (*(str(float(bound)) for bound in BOUNDS), "+Inf")
_DURATIONS = (
    ("whole", "rungraph_request_duration_seconds", "From the request to the end of its answer"),
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
)
_OF_MEMBERS: tuple[tuple[str, str, _Kind, Callable[[Member], float]], ...] = (
    ("in_flight", "Its running calls", GaugeMetricFamily, lambda one: one.in_flight),
    ("out", "Whether it gets no calls", GaugeMetricFamily, lambda one: one.out_until is not None),
    (
        "latency_seconds",
        "The average time to a first chunk, as members are chosen by it",
        GaugeMetricFamily,
        lambda one: one.latency or 0.0,
    ),
    ("calls", "Tries of calls", CounterMetricFamily, lambda one: one.calls),
    ("failures", "Failed tries", CounterMetricFamily, lambda one: one.failures),
)


class Metrics(Collector):
    """The metrics of one server, made when somebody asks.

    Args:
        tally: What has been counted.
        in_flight: Tells how many requests are being answered.
        groups: Tells what several providers serve together.
    """

    def __init__(
        self,
        tally: Tally,
        in_flight: Callable[[], int],
        groups: Callable[[], Iterable[Group]] = tuple,
    ) -> None:
        self._tally = tally
        self._in_flight = in_flight
        self._groups = groups
        self._worst_lag = 0.0

    async def watch_lag(self) -> None:
        """Measure again and again by how much the event loop is late; never returns."""
        while True:
            due = perf_counter() + _LAG_SECONDS
            await asyncio.sleep(_LAG_SECONDS)
            self._worst_lag = max(self._worst_lag, perf_counter() - due)

    async def metrics(self, exchange: Exchange) -> None:
        """Answer with all metrics in Prometheus' text format."""
        content = generate_latest(self)
        self._worst_lag = 0.0
        await exchange.answer(content, media=CONTENT_TYPE_LATEST.encode())

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        requests, calls, tokens = (Counter[tuple[str, ...]]() for _ in range(3))
        durations: dict[str, defaultdict[tuple[str, ...], Durations]] = {
            kind: defaultdict(Durations) for kind, *_ in _DURATIONS
        }
        for one in self._tally:
            count = sum(one.whole.counts)
            requests[one.route, one.status] += count
            # What is no routed call has the labels of one all the same: a series is of one kind.
            labelled = (one.route, *(one.called or [""] * len(Called._fields)))
            for kind, by_labels in durations.items():
                if any((found := getattr(one, kind)).counts):
                    by_labels[labelled].add(found)
            if one.called is not None:
                calls[(*one.called, one.status)] += count
                for kind, told in one.tokens.items():
                    tokens[one.called.resource, one.called.provider, kind] += told
        yield _family(
            CounterMetricFamily,
            "rungraph_requests",
            "Requests by the route that served them and the status: of the answer, or of its end",
            ("route", "status"),
            requests.items(),
        )
        for kind, name, text in _DURATIONS:
            histogram = HistogramMetricFamily(name, text, labels=("route", *Called._fields))
            for labelled, those in durations[kind].items():
                buckets = list(zip(_BOUNDS, accumulate(those.counts), strict=True))
                histogram.add_metric(labelled, buckets, those.seconds)
            yield histogram
        yield _family(
            CounterMetricFamily,
            "rungraph_calls",
            "Routed calls by what they call and the status: of the answer, or of its end",
            (*Called._fields, "status"),
            calls.items(),
        )
        yield _family(
            CounterMetricFamily,
            "rungraph_tokens",
            "Tokens of calls, where the provider tells them",
            (*_MEMBER, "kind"),
            tokens.items(),
        )
        late = "By how much the event loop was late at most since the last look at this"
        for name, text, value in (
            ("requests_in_flight", "Calls that are being answered", self._in_flight()),
            ("tasks", "Tasks that the event loop has now", len(asyncio.all_tasks())),
            ("event_loop_lag_seconds", late, self._worst_lag),
        ):
            yield _family(GaugeMetricFamily, f"rungraph_{name}", text, (), [((), value)])
        members = [(group, one) for group in self._groups() for one in group.balancer.members]
        for name, text, of_metric, value_of in _OF_MEMBERS:
            values = [((group.identifier, one.name), value_of(one)) for group, one in members]
            yield _family(of_metric, f"rungraph_member_{name}", text, _MEMBER, values)


def _family(
    kind: _Kind,
    name: str,
    text: str,
    labels: Sequence[str],
    values: Iterable[tuple[Sequence[str], float]],
) -> Metric:
    family = kind(name, text, labels=labels)
    for labelled, value in values:
        family.add_metric(labelled, value)
    return family

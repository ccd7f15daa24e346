"""What a server counts and measures, for Prometheus. A label is never a text of a caller."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rungraph.engine.routing.balancer import Member
    from rungraph.engine.routing.groups import Group
    from rungraph.engine.server.exchange import Exchange

    _Kind = type[CounterMetricFamily | GaugeMetricFamily]

_LAG_SECONDS = 0.25
_MEMBER = ("resource", "provider")
_MOST_CALLED = 1_000
_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Seconds up to which durations are counted together."""
_BUCKETS = (*(str(float(bound)) for bound in _BOUNDS), "+Inf")
_DURATIONS = (
    ("rungraph_request_duration_seconds", "From the request to the end of its answer"),
    (
        "rungraph_own_seconds",
        "What the server itself takes for a request: its duration without others' work",
    ),
    (
        "rungraph_time_to_first_event_seconds",
        "From the request to the first event of a stream: of a model, its first token",
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


@dataclass(slots=True, eq=False)
class _Alike:
    """Requests that one route serves and that call the same.

    Attributes:
        ended: How many ended alike: with a status (of the answer, or of its end; 0 for none, of a
            caller who has gone before) and within bounds of `_BOUNDS` for each of `_DURATIONS`, of
            which the first event of what is no stream has none.
        seconds: How long they took, all together, by `_DURATIONS`.
        tokens: The tokens of *prompt* and *completion*, where the provider tells them.
    """

    ended: Counter[tuple[int, ...]] = field(default_factory=Counter[tuple[int, ...]])
    seconds: list[float] = field(default_factory=lambda: [0.0] * len(_DURATIONS))
    tokens: Counter[str] = field(default_factory=Counter[str])


class Metrics(Collector):
    """The metrics of one server: counted once a request, and made when somebody asks.

    What it keeps is bounded by the config, however many calls there are and whatever they name.

    Args:
        in_flight: Tells how many requests are being answered.
        groups: Tells what several providers serve together.
    """

    def __init__(
        self, in_flight: Callable[[], int], groups: Callable[[], Iterable[Group]] = tuple
    ) -> None:
        self._alike: dict[tuple[str, Called | None], _Alike] = {}
        self._called: set[Called] = set()
        self._in_flight = in_flight
        self._groups = groups
        self._worst_lag = 0.0

    async def watch_lag(self) -> None:
        """Measure again and again by how much the event loop is late; never returns."""
        while True:
            due = perf_counter() + _LAG_SECONDS
            await asyncio.sleep(_LAG_SECONDS)
            self._worst_lag = max(self._worst_lag, perf_counter() - due)

    def count(self, exchange: Exchange) -> None:
        """Count an exchange that is over."""
        key = exchange.route, exchange.called
        alike = self._alike.get(key) or self._alike_to(*key)
        whole = perf_counter() - exchange.began_at
        own, of_kind = whole - exchange.upstream, alike.seconds
        of_kind[0] += whole
        of_kind[1] += own
        end = exchange.status, bisect_left(_BOUNDS, whole), bisect_left(_BOUNDS, own)
        if exchange.is_stream and exchange.answered_at is not None:
            first = exchange.answered_at - exchange.began_at
            of_kind[2] += first
            alike.ended[*end, bisect_left(_BOUNDS, first)] += 1
        else:
            alike.ended[end] += 1
        if (usage := exchange.usage) is not None and exchange.called is not None:
            alike.tokens["prompt"] += usage.prompt_tokens
            alike.tokens["completion"] += usage.completion_tokens

    def _alike_to(self, route: str, called: Called | None) -> _Alike:
        if called is not None and called not in self._called:
            if len(self._called) >= _MOST_CALLED:
                # Who may register could make series without end.
                called = called._replace(resource="others")
            self._called.add(called)
        return self._alike.setdefault((route, called), _Alike())

    async def metrics(self, exchange: Exchange) -> None:
        """Answer with all metrics in Prometheus' text format."""
        content = generate_latest(self)
        self._worst_lag = 0.0
        await exchange.answer(content, media=CONTENT_TYPE_LATEST.encode())

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        requests, calls, tokens = (Counter[tuple[str, ...]]() for _ in range(3))
        labels = ("route", *Called._fields)
        durations = [HistogramMetricFamily(*told, labels=labels) for told in _DURATIONS]
        for (route, called), alike in self._alike.items():
            # What is no routed call has the labels of one all the same: a series is of one kind.
            labelled = (route or "unknown", *(called or [""] * len(Called._fields)))
            within = [[0] * len(_BUCKETS) for _ in _DURATIONS]
            for (status, *bounds), count in alike.ended.items():
                for counts, bound in zip(within, bounds, strict=False):
                    counts[bound] += count
                requests[labelled[0], str(status or "none")] += count
                if called is not None:
                    calls[(*called, str(status or "none"))] += count
            if called is not None:
                for kind, told in alike.tokens.items():
                    tokens[called.resource, called.provider, kind] += told
            for histogram, counts, seconds in zip(durations, within, alike.seconds, strict=True):
                if any(counts):
                    buckets = list(zip(_BUCKETS, accumulate(counts), strict=True))
                    histogram.add_metric(labelled, buckets, seconds)
        yield _family(
            CounterMetricFamily,
            "rungraph_requests",
            "Requests by the route that served them and the status: of the answer, or of its end",
            ("route", "status"),
            requests.items(),
        )
        yield from durations
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

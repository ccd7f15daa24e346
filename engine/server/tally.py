"""How many requests ended how, and how long they took: counted once, for metrics and traffic."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from dataclasses import dataclass, field
from http import HTTPStatus
from math import log2
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rungraph.engine.server.exchange import Called, Exchange

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Seconds up to which durations are counted together."""
SECONDS = 60
"""How long a call is one of the last ones."""
STEPS = 8
"""So many steps double a duration: a step is 9 %, which is as exact as a percentile is told."""
_SLOT_SECONDS = 5
_MOST_CALLED = 1_000


class Durations:
    """Durations, counted by the bound of `BOUNDS` that they stay within; the last has none."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.seconds = 0.0

    def count(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def add(self, other: Durations) -> None:
        """Count those of *other*, too."""
        self.counts = [one + more for one, more in zip(self.counts, other.counts, strict=True)]
        self.seconds += other.seconds


class Edge(NamedTuple):
    """Which provider of an API a call went to, and whether it failed."""

    api: str
    provider: str
    has_failed: bool


@dataclass(slots=True, eq=False)
class Alike:
    """Requests that are alike in the route that served them, their status and what they call.

    Attributes:
        route: The route.
        status: The status of the answer, or of its end.
        called: What they call; None for what is no routed call.
        edge: Where that is in the graph.
        whole: How long they took.
        own: How long without others' work.
        first: How long until the first event of a stream.
        tokens: The tokens of *prompt* and *completion*, where the provider tells them.
    """

    route: str
    status: str
    called: Called | None
    edge: Edge | None
    whole: Durations = field(default_factory=Durations)
    own: Durations = field(default_factory=Durations)
    first: Durations = field(default_factory=Durations)
    tokens: dict[str, int] = field(default_factory=dict[str, int])


class Tally:
    """Counts requests that are over.

    What it keeps is bounded by the config, however many calls there are and whatever they name.

    Args:
        clock: Tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._alike: dict[tuple[str, int, Called | None, bool], Alike] = {}
        self._called: set[Called] = set()
        self._slot: defaultdict[Edge, defaultdict[int, int]]
        self._slots: deque[tuple[float, defaultdict[Edge, defaultdict[int, int]]]] = deque(
            maxlen=SECONDS // _SLOT_SECONDS
        )
        self._slot_ends = 0.0

    def count(self, exchange: Exchange) -> None:
        """Count an exchange that is over."""
        now = self._clock()
        key = exchange.route, exchange.status, exchange.called, exchange.has_failed
        alike = self._alike.get(key) or self._alike_to(*key)
        seconds = now - exchange.began_at
        alike.whole.count(seconds)
        alike.own.count(seconds - exchange.upstream)
        if exchange.is_stream and exchange.answered_at is not None:
            alike.first.count(exchange.answered_at - exchange.began_at)
        if alike.edge is None:
            return
        if (usage := exchange.usage) is not None:
            tokens = alike.tokens
            tokens["prompt"] = tokens.get("prompt", 0) + usage.prompt_tokens
            tokens["completion"] = tokens.get("completion", 0) + usage.completion_tokens
        if now >= self._slot_ends:
            self._slot = defaultdict(lambda: defaultdict(int))
            self._slot_ends = (now // _SLOT_SECONDS + 1) * _SLOT_SECONDS
            self._slots.append((self._slot_ends, self._slot))
        self._slot[alike.edge][round(log2(max(seconds, 1e-6)) * STEPS)] += 1

    def __iter__(self) -> Iterator[Alike]:
        """Yield all that was ever counted."""
        return iter(self._alike.values())

    def last_minute(self) -> Iterator[tuple[Edge, Mapping[int, int]]]:
        """Yield how many calls of the last minute took how long, in steps of their logarithm."""
        oldest = (self._clock() // _SLOT_SECONDS + 1) * _SLOT_SECONDS - SECONDS
        for ends, slot in self._slots:
            if ends > oldest:
                yield from slot.items()

    def _alike_to(self, route: str, status: int, called: Called | None, has_failed: bool) -> Alike:
        if called is not None and called not in self._called:
            if len(self._called) >= _MOST_CALLED:
                # Who may register could make series without end.
                called = called._replace(resource="others")
            self._called.add(called)
        key = route, status, called, has_failed
        if key not in self._alike:
            is_error = has_failed or status >= HTTPStatus.INTERNAL_SERVER_ERROR
            edge = None if called is None else Edge(called.api, called.provider, is_error)
            # A caller who has gone before the answer began has no status.
            self._alike[key] = Alike(route or "unknown", str(status or "none"), called, edge)
        return self._alike[key]

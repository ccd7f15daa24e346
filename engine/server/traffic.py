"""What went along the edges of the graph in the last minute, of the calls that a server answers."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from http import HTTPStatus
from itertools import accumulate
from math import ceil, log2
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rungraph.graph.address import Address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rungraph.engine.server.exchange import Exchange
    from rungraph.graph.catalog.specs import Catalog

SECONDS = 60
"""How long a call counts."""
_SLOT_SECONDS = 5
_STEPS = 8
"""So many steps double a duration: a step is 9 %, which is as exact as a percentile is told."""
_SHARE = 0.95


@dataclass(slots=True)
class _Sum:
    """Calls that are alike.

    Attributes:
        calls: How many ended.
        errors: How many of them failed.
        durations: How many took how long, by the step of the duration.
    """

    calls: int = 0
    errors: int = 0
    durations: Counter[int] = field(default_factory=Counter[int])

    def add(self, other: _Sum) -> None:
        self.calls += other.calls
        self.errors += other.errors
        self.durations.update(other.durations)

    def percentile(self) -> float:
        """Return in how many seconds 95 of 100 calls were over."""
        steps, wanted = sorted(self.durations), ceil(_SHARE * self.calls)
        ended = accumulate(self.durations[step] for step in steps)
        step = next(step for step, count in zip(steps, ended, strict=True) if count >= wanted)
        return float(2 ** (step / _STEPS))


class Traffic:
    """Counts the routed calls of the last minute.

    What it keeps is bounded by the providers of the config, however many calls there are.

    Args:
        clock: Tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._slots: deque[tuple[int, defaultdict[tuple[str, str], _Sum]]] = deque(
            maxlen=SECONDS // _SLOT_SECONDS
        )

    def count(self, exchange: Exchange) -> None:
        """Count an exchange that is over, if it was a routed call."""
        called, now = exchange.called, self._clock()
        if called is None:
            return
        number = int(now // _SLOT_SECONDS)
        if not self._slots or self._slots[-1][0] != number:
            self._slots.append((number, defaultdict(_Sum)))
        one = self._slots[-1][1][called.api, called.provider]
        one.calls += 1
        is_error = exchange.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        one.errors += is_error or exchange.has_failed
        one.durations[round(log2(max(now - exchange.began_at, 1e-6)) * _STEPS)] += 1

    def edges(self, catalog: Catalog) -> list[dict[str, Any]]:
        """Return what went from each router to its table and from there to each provider."""
        found: defaultdict[tuple[Address, Address], _Sum] = defaultdict(_Sum)
        oldest = self._clock() // _SLOT_SECONDS - SECONDS // _SLOT_SECONDS
        for number, slot in self._slots:
            for (api, provider), calls in slot.items() if number > oldest else ():
                for edge in _way(catalog, api, provider):
                    found[edge].add(calls)
        return [
            {
                "dependency": str(dependency),
                "dependent": str(dependent),
                "calls": one.calls,
                "errors": one.errors,
                "rate": one.calls / SECONDS,
                "p95": one.percentile(),
            }
            for (dependency, dependent), one in sorted(
                found.items(), key=lambda item: item[0][::-1]
            )
        ]


def _way(catalog: Catalog, api: str, provider: str) -> Iterator[tuple[Address, Address]]:
    """Yield the edges that a call of *api* goes along, each with what is called first."""
    if (pair := catalog.pair_of_router(api)) is None:
        return
    table = Address.table(pair.table_api)
    yield table, Address.router(api)
    if provider:  # Of a call that two members were asked at once it is not told which answered.
        yield Address.provider(api, provider), table

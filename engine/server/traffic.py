"""What went along the edges of the graph in the last minute, of the calls that a server answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import accumulate
from math import ceil
from typing import TYPE_CHECKING, Any

from rungraph.engine.server.tally import SECONDS, STEPS
from rungraph.graph.address import Address

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.engine.server.tally import Tally
    from rungraph.graph.catalog.specs import Catalog

_SHARE = 0.95


def traffic(tally: Tally, catalog: Catalog) -> list[dict[str, Any]]:
    """Return what went from each router to its table and from there to each provider."""
    calls: defaultdict[tuple[Address, Address], Counter[int]] = defaultdict(Counter[int])
    errors = Counter[tuple[Address, Address]]()
    for (api, provider, has_failed), durations in tally.last_minute():
        for edge in _way(catalog, api, provider):
            calls[edge].update(durations)
            errors[edge] += has_failed * sum(durations.values())
    return [
        {
            "dependency": str(edge[0]),
            "dependent": str(edge[1]),
            "calls": durations.total(),
            "errors": errors[edge],
            "rate": durations.total() / SECONDS,
            "p95": _percentile(durations),
        }
        for edge, durations in sorted(calls.items(), key=lambda item: item[0][::-1])
    ]


def _percentile(durations: Counter[int]) -> float:
    """Return in how many seconds 95 of 100 calls were over."""
    steps, wanted = sorted(durations), ceil(_SHARE * durations.total())
    ended = accumulate(durations[step] for step in steps)
    step = next(step for step, count in zip(steps, ended, strict=True) if count >= wanted)
    return float(2 ** (step / STEPS))


def _way(catalog: Catalog, api: str, provider: str) -> Iterator[tuple[Address, Address]]:
    """Yield the edges that a call of *api* goes along, each with what is called first."""
    if (pair := catalog.pair_of_router(api)) is None:
        return
    table = Address.table(pair.table_api)
    yield table, Address.router(api)
    if provider:  # Of a call that two members were asked at once it is not told which answered.
        yield Address.provider(api, provider), table

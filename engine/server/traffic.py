"""What went along the edges of the graph in the last minute, of the calls that a server answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
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


@dataclass(slots=True)
class _Sum:
    """Calls that went along one edge.

    Attributes:
        errors: How many of them failed.
        durations: How many took how long, by the step of the duration.
    """

    errors: int = 0
    durations: Counter[int] = field(default_factory=Counter[int])

    def percentile(self) -> float:
        """Return in how many seconds 95 of 100 calls were over."""
        steps, wanted = sorted(self.durations), ceil(_SHARE * self.durations.total())
        ended = accumulate(self.durations[step] for step in steps)
        step = next(step for step, count in zip(steps, ended, strict=True) if count >= wanted)
        return float(2 ** (step / STEPS))


def traffic(tally: Tally, catalog: Catalog) -> list[dict[str, Any]]:
    """Return what went from each router to its table and from there to each provider."""
    found: defaultdict[tuple[Address, Address], _Sum] = defaultdict(_Sum)
    for (api, provider, has_failed), durations in tally.last_minute():
        for edge in _way(catalog, api, provider):
            found[edge].errors += sum(durations.values()) if has_failed else 0
            found[edge].durations.update(durations)
    return [
        {
            "dependency": str(dependency),
            "dependent": str(dependent),
            "calls": one.durations.total(),
            "errors": one.errors,
            "rate": one.durations.total() / SECONDS,
            "p95": one.percentile(),
        }
        for (dependency, dependent), one in sorted(found.items(), key=lambda item: item[0][::-1])
    ]


def _way(catalog: Catalog, api: str, provider: str) -> Iterator[tuple[Address, Address]]:
    """Yield the edges that a call of *api* goes along, each with what is called first."""
    if (pair := catalog.pair_of_router(api)) is None:
        return
    table = Address.table(pair.table_api)
    yield table, Address.router(api)
    if provider:  # Of a call that two members were asked at once it is not told which answered.
        yield Address.provider(api, provider), table

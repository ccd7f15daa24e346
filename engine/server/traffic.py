"""What went along the edges of the graph in the last minute: the calls between the nodes."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from dataclasses import dataclass, field
from itertools import accumulate
from math import ceil, inf, log2
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rungraph.engine.server.failures import is_failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.routing.gate import Observe
    from rungraph.graph.address import Address

    Edge = tuple[Address, Address]

SECONDS = 60
"""How long a call is one of the last ones."""
_SLOT_SECONDS = 5
_SHARE = 0.95
_STEPS = 8
"""So many steps double a duration: a step is 9 %, which is as exact as a percentile is told."""


@dataclass(slots=True)
class _Slot:
    """Some seconds: when they end, how many calls took how long, in steps, and how many failed."""

    ends: float
    durations: defaultdict[float, int] = field(default_factory=lambda: defaultdict(int))
    errors: int = 0


class Traffic:
    """Counts the calls of the last minute; what it keeps is bounded by the edges that there were.

    Args:
        clock: Tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._slots: dict[tuple[Edge, ...], deque[_Slot]] = {}

    def along(self, *edges: Edge) -> Observe:
        """Return what counts a call along *edges*, each from a dependency to its dependent."""
        most = SECONDS // _SLOT_SECONDS
        slots = self._slots.setdefault(edges, deque([_Slot(-inf)], maxlen=most))

        def count(began: float, error: BaseException | None) -> None:
            now, slot = self._clock(), slots[-1]
            if now >= slot.ends:
                slot = _Slot((now // _SLOT_SECONDS + 1) * _SLOT_SECONDS)
                slots.append(slot)
            slot.durations[(log2(now - began + 1e-6) * _STEPS + 0.5) // 1] += 1
            if error is not None:
                slot.errors += is_failure(error)

        return count

    def edges(self, known: frozenset[Edge]) -> list[dict[str, Any]]:
        """Return what went along each of the *known* edges that anything went along, as JSON."""
        oldest = (self._clock() // _SLOT_SECONDS + 1) * _SLOT_SECONDS - SECONDS
        calls: defaultdict[Edge, Counter[float]] = defaultdict(Counter[float])
        errors: Counter[Edge] = Counter()
        for edges, slots in self._slots.items():
            for slot in slots:
                if slot.ends > oldest:
                    for edge in known.intersection(edges):
                        calls[edge].update(slot.durations)
                        errors[edge] += slot.errors
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


def _percentile(durations: Counter[float]) -> float:
    """Return in how many seconds 95 of 100 calls were over."""
    steps, wanted = sorted(durations), ceil(_SHARE * durations.total())
    ended = accumulate(durations[step] for step in steps)
    step = next(step for step, count in zip(steps, ended, strict=True) if count >= wanted)
    return float(2 ** (step / _STEPS))

"""The times of a start, as a page takes them: what `rungraph.engine.timeline` makes of events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from rungraph.graph.address import Address


class Span(Protocol):
    """One node's times, in seconds since the start began; None for what did not happen."""

    @property
    def available(self) -> float:
        """When the last of the nodes that it depends on was ready or out of the way."""
        ...

    @property
    def starting(self) -> float | None:
        """When its own start began."""
        ...

    @property
    def settled(self) -> float | None:
        """When its start was over, one way or the other."""
        ...

    @property
    def state(self) -> str:
        """What it was doing at the end."""
        ...


class Timeline(Protocol):
    """The times of all nodes, in start order."""

    @property
    def nodes(self) -> Mapping[Address, Span]:
        """The times by address."""
        ...

    @property
    def total(self) -> float:
        """Seconds until all nodes were ready or out of the way."""
        ...

    @property
    def critical_path(self) -> Collection[Address]:
        """The chain of nodes that no schedule can start faster."""
        ...

    @property
    def critical_time(self) -> float:
        """Seconds that the own starts of the critical path take together."""
        ...


def timeline_json(timeline: Timeline) -> dict[str, Any]:
    """Return *timeline* as the page's script reads it: times in seconds, rounded to 10 µs."""
    return {
        "total": round(timeline.total, 5),
        "criticalTime": round(timeline.critical_time, 5),
        "rows": [
            [
                str(address),
                round(span.available, 5),
                None if span.starting is None else round(span.starting, 5),
                None if span.settled is None else round(span.settled, 5),
                str(span.state),
                int(address in timeline.critical_path),
            ]
            for address, span in timeline.nodes.items()
        ],
    }

"""The times of a start, as a page takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rungraph.viz.timeline import Schedule


def timeline_json(schedule: Schedule) -> dict[str, Any]:
    """Return *schedule* as the page's script reads it: times in seconds, rounded to 10 µs."""
    critical = frozenset(schedule.critical_path)
    return {
        "captions": list(schedule.captions),
        "total": round(schedule.total, 5),
        "rows": [
            [
                str(span.address),
                round(span.available, 5),
                None if span.starting is None else round(span.starting, 5),
                None if span.settled is None else round(span.settled, 5),
                span.state,
                int(span.address in critical),
            ]
            for span in schedule.spans
        ],
    }

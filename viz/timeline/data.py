"""A start as data for other programs: JSON, and Mermaid text."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from rungraph.graph.wording import printable
from rungraph.viz.timeline.schedule import NOT_UP

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.viz.timeline.schedule import Schedule, Span

FORMAT_VERSION = "1.0"
"""A new minor version adds keys; a new major breaks."""
_SPECIAL = re.compile(r"[^\w ./@-]", re.ASCII)


def json_of(schedule: Schedule) -> str:
    """Return *schedule* as JSON; times are seconds since the stack began to start."""
    efficiency = schedule.efficiency
    found = {
        "kind": "timeline",
        "format_version": FORMAT_VERSION,
        "name": schedule.title,
        "seconds": _rounded(schedule.total),
        "critical_path": [str(address) for address in schedule.critical_path],
        "critical_seconds": _rounded(schedule.critical_time),
        "own_seconds": _rounded(schedule.own),
        "most_at_once": schedule.most_at_once,
        "efficiency": None if efficiency is None else round(efficiency, 4),
        "nodes": [span_values(span) for span in schedule.spans],
    }
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def span_values(span: Span) -> dict[str, Any]:
    """Return *span* as JSON values."""
    values: dict[str, Any] = {
        "address": str(span.address),
        "generation": span.generation,
        "state": span.state,
        "available": _rounded(span.available),
        "starting": _rounded(span.starting),
        "settled": _rounded(span.settled),
        "waited_for_needs": _rounded(span.waited_for_needs),
        "waited_for_turn": _rounded(span.waited_for_turn),
        "own": _rounded(span.own),
        "slack": _rounded(span.slack),
    }
    return values | ({"detail": span.detail} if span.detail else {})


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)


def mermaid_of(schedule: Schedule) -> str:
    """Return *schedule* as a Mermaid Gantt chart, in milliseconds.

    A bar is the own start of a node; the critical path is marked. Nodes that never began are
    milestones at the end of what they waited for.
    """
    return "\n".join(_lines(schedule)) + "\n"


def _lines(schedule: Schedule) -> Iterator[str]:
    yield "gantt"
    yield f"  title {_escaped(schedule.title)}"
    yield "  dateFormat x"
    yield "  axisFormat %S.%L"
    critical = set(schedule.critical_path)
    number = 0
    for generation, spans in schedule.generations.items():
        yield f"  section generation {generation}"
        for span in spans:
            words = [f"t{number}"]
            number += 1
            name = str(span.address)
            if span.state in NOT_UP:
                name += f" ({span.state})"
                words.insert(0, "done")
            elif span.address in critical:
                words.insert(0, "crit")
            if span.starting is None:
                words.insert(0, "milestone")
            begin = span.available if span.starting is None else span.starting
            # Mermaid draws nothing shorter than a millisecond.
            words += [str(round(begin * 1000)), f"{max(round(span.own * 1000), 1)}ms"]
            yield f"  {_escaped(name)} :{', '.join(words)}"


def _escaped(text: str) -> str:
    """Return *text* with what has a meaning in a line of Mermaid as entities."""
    return _SPECIAL.sub(
        lambda found: f"#{ord(found[0])};" if found[0].isascii() else found[0], printable(text)
    )

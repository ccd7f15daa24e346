"""The start-up summary: who took how long, who waited for whom, and what the start could be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.engine.events import State
from rungraph.graph.diagnostic_text import plain
from rungraph.graph.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from rungraph.engine.run.timeline import NodeTimes, Timeline
    from rungraph.graph import RunGraph
    from rungraph.graph.diagnostic_text import Style

_BAR = 24
"""Columns of a node's bar."""
_MOST_ROWS = 40
"""Nodes in one table; of more, the slowest are shown."""
_SECONDS = ("waited_for_needs", "waited_for_turn", "own")
_NOT_UP = (State.FAILED, State.SKIPPED)
_LEGEND = """\
needs: waiting for what it depends on; turn: for its generation or a free place; own: its own start\
"""


def render_summary(graph: RunGraph, timeline: Timeline, style: Style = plain) -> str:
    """Return when the nodes of *graph* started and what they waited for, as a table.

    A bar is the time of the whole start: ``.`` waiting for what the node needs, ``-`` waiting for
    its turn, ``#`` its own start.
    """
    rows = _rows(timeline)
    width = max((len(str(times.address)) for times in rows), default=0)
    head = f"  {'':<{width}}  {'needs':>8}  {'turn':>8}  {'own':>8}"
    count, down = len(timeline.nodes), len(timeline.in_state(*_NOT_UP))
    up = f"{count - down} of {counted(count, 'node')}" if down else counted(count, "node")
    title = f"{graph.name or graph.file} is ready: {up} in {timeline.total:.2f} s"
    lines = [title, "", style(head, "place")]
    generation = -1
    for times in rows:
        if times.generation != generation:
            generation = times.generation
            lines.append(style(f"generation {generation}", "place"))
        is_critical = times.address in timeline.critical_path
        lines.append(_row(times, timeline.total, width, style, is_critical=is_critical))
    if len(rows) < len(timeline.nodes):
        lines.append(f"  and {len(timeline.nodes) - len(rows)} more that started faster")
    path = " > ".join(map(str, timeline.critical_path))
    seconds = f"{timeline.critical_time:.2f} s of {timeline.total:.2f} s"
    lines += ["", f"{style('*', 'warning')} critical path, {seconds}: {path}", _LEGEND]
    return "\n".join(line.rstrip() for line in lines)


def _rows(timeline: Timeline) -> Sequence[NodeTimes]:
    everyone = tuple(timeline.nodes.values())
    if len(everyone) <= _MOST_ROWS:
        return everyone
    shown = {times.address for times in timeline.slowest[:_MOST_ROWS]}
    shown.update(timeline.critical_path[:_MOST_ROWS])
    shown.update(times.address for times in timeline.in_state(*_NOT_UP))
    return [times for times in everyone if times.address in shown]


def _row(times: NodeTimes, total: float, width: int, style: Style, *, is_critical: bool) -> str:
    mark = style("*", "warning") if is_critical else " "
    name = f"{mark} {times.address!s:<{width}}"
    if times.starting is None or times.state in _NOT_UP:
        return f"{name}  {style(times.state.value, 'error')}"
    columns = "  ".join(f"{getattr(times, name):6.2f} s" for name in _SECONDS)
    return f"{name}  {columns}  {_bar(times, total, style)}"


def _bar(times: NodeTimes, total: float, style: Style) -> str:
    scale = _BAR / total if total else 0.0
    begin = times.waited_for_needs + times.waited_for_turn
    first, second, end = (
        round(at * scale) for at in (times.waited_for_needs, begin, begin + times.own)
    )
    end = min(max(end, second + 1), _BAR)  # Even the fastest start is seen.
    second = min(second, end - 1)
    first = min(first, second)
    return "." * first + "-" * (second - first) + style("#" * (end - second), "help")


def summary_to_dict(graph: RunGraph, timeline: Timeline) -> dict[str, Any]:
    """Return the summary as JSON values; times in seconds."""
    return {
        "name": graph.name,
        "seconds": round(timeline.total, 6),
        "critical_path": [str(address) for address in timeline.critical_path],
        "critical_seconds": round(timeline.critical_time, 6),
        "nodes": [
            {
                "address": str(times.address),
                "generation": times.generation,
                "state": times.state.value,
                **{name: round(getattr(times, name), 6) for name in _SECONDS},
            }
            for times in timeline.nodes.values()
        ],
    }

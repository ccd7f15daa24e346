"""The slowest nodes, and what a node waited for: as ``systemd-analyze`` shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.graph.diagnostic_text import plain
from rungraph.graph.wording import counted, duration, printable
from rungraph.viz.timeline.schedule import NOT_UP, Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.diagnostic_text import Style
    from rungraph.viz.timeline.schedule import Span


def blamed(schedule: Schedule) -> tuple[Span, ...]:
    """Return the nodes that began to start, the longest own start first, equal ones by address."""
    begun = [span for span in schedule.spans if span.starting is not None]
    return tuple(sorted(begun, key=lambda span: (-span.own, span.address)))


def render_blame(schedule: Schedule, style: Style = plain) -> str:
    """Return the nodes by their own start, the slowest first: a line each."""
    spans = blamed(schedule)
    times = [duration(span.own) for span in spans]
    width = max(map(len, times), default=0)
    lines = [
        f"{time:>{width}}  {_named(span, schedule, style)}{_ending(span, style)}"
        for time, span in zip(times, spans, strict=True)
    ]
    silent = len(schedule.spans) - len(spans)
    if silent:
        lines.append(style(f"{counted(silent, 'node')} did not begin to start", "faint"))
    return "\n".join(lines)


def render_chain(schedule: Schedule, chain: Sequence[Address], style: Style = plain) -> str:
    """Return *chain* from its end back to its beginning, a line a node, each deeper than the last.

    Args:
        schedule: The start.
        chain: Nodes of which each needs the one before it.
        style: Colours text.
    """
    span_of = {span.address: span for span in schedule.spans}
    lines = ['when its own start began follows "@", how long that took follows "+"', ""]
    for depth, address in enumerate(reversed(chain)):
        span = span_of[address]
        lead = "  " * (depth - 1) + "└─" if depth else ""
        lines.append(f"{lead}{_named(span, schedule, style)}{' '.join(_moments(span, style))}")
    own = sum(span_of[address].own for address in chain)
    turn = sum(span_of[address].waited_for_turn for address in chain)
    waiting = f", and {duration(turn)} of waiting for a turn" if round(turn, 3) else ""
    lines += ["", f"{counted(len(chain), 'node')}, own starts of {duration(own)}{waiting}"]
    return "\n".join(lines)


def _named(span: Span, schedule: Schedule, style: Style) -> str:
    name = printable(str(span.address))
    if span.state in NOT_UP:
        return style(name, "error")
    return style(name, "bold") if span.address in schedule.critical_path else name


def _moments(span: Span, style: Style) -> Iterable[str]:
    if span.starting is None:
        yield f" {style(span.state, 'error')}"
        return
    yield f" @{duration(span.starting)}"
    yield style(f"+{duration(span.own)}", "warning" if span.own else "faint")
    if round(span.waited_for_turn, 3):
        yield style(f"(waited {duration(span.waited_for_turn)} for its turn)", "faint")
    if span.state in NOT_UP:
        yield style(span.state, "error")


def _ending(span: Span, style: Style) -> str:
    if span.state not in NOT_UP:
        return ""
    first = span.detail.partition("\n")[0]
    return f"  {style(span.state, 'error')}" + (f": {printable(first)}" if first else "")

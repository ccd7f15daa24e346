"""A start as text for a terminal: a bar a node, the slowest nodes, a chain of nodes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from rungraph.graph.diagnostic_text import plain
from rungraph.graph.wording import counted, duration, printable
from rungraph.viz.formats.glyphs import tones_of
from rungraph.viz.formats.terminal import Terminal
from rungraph.viz.timeline.schedule import NOT_UP, Schedule, ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from rungraph.graph.address import Address
    from rungraph.graph.diagnostic_text import Style
    from rungraph.viz.timeline.schedule import Span

NARROWEST = 50
"""Cells; a narrower terminal has to wrap."""
_NARROWEST_PLOT = 16
_GAP = 2
_DEEPEST = 30
"""Levels of a chain that are drawn deeper than the last: half of a terminal."""
_NEEDS, _TURN, _SLACK = "·", "░", "╌"
"""What bars are drawn with: waiting for what a node needs, for its turn; its slack."""
_BLOCKS = "▏▎▍▌▋▊▉█"
"""A node's own start: a cell of it from one eighth to full."""


def render_schedule_text(
    schedule: Schedule,
    *,
    width: int = 100,
    is_ascii: bool = False,
    style: Style = plain,
    most: int = sys.maxsize,
) -> str:
    """Return *schedule* as lines of text, without an end of line after the last.

    Args:
        schedule: A start.
        width: Cells in a line.
        is_ascii: Whether there are no characters but ASCII.
        style: Colours text, each API in a colour of its own.
        most: How many nodes are shown; of more, those that say most (`Schedule.shown`).
    """
    terminal = Terminal(max(width, NARROWEST), is_ascii, style)
    blocks, critical = ("#", "*") if is_ascii else (_BLOCKS, "◆")
    tones = tones_of(span.family for span in schedule.spans)
    chart = _Chart(schedule, *schedule.shown(most), terminal, tones, blocks, critical)
    return "\n".join(line.rstrip() for line in chart.lines())


@dataclass(frozen=True, slots=True)
class _Chart:
    schedule: Schedule
    rows: Mapping[int, tuple[Span, ...]]
    captions: tuple[str, ...]
    terminal: Terminal
    tones: Mapping[str, str]
    blocks: str
    critical: str

    def lines(self) -> Iterator[str]:
        terminal, spans = self.terminal, [span for row in self.rows.values() for span in row]
        yield terminal.style(terminal.clipped(self.schedule.title, terminal.width), "bold")
        yield from terminal.notes(self.captions)
        if not spans:
            return
        yield ""
        gutter = len(str(max(self.rows))) + 1
        endings = max(len(self._ending(span)) for span in spans)
        most = max(terminal.width - gutter - endings - _NARROWEST_PLOT - 6, 12)
        names = min(max(cell_len(terminal.spelled(str(span.address))) for span in spans), most)
        plot = max(terminal.width - gutter - names - endings - 6, _NARROWEST_PLOT)
        yield from (" " * (gutter + names + 4) + line for line in self._axis(plot))
        for generation, members in self.rows.items():
            for index, span in enumerate(members):
                number = "" if index else str(generation)
                head = self._faint(f"{number:>{gutter - 1}}") + " "
                yield head + self._row(span, names, plot, endings)
        yield ""
        yield from terminal.legend(self._legend())

    def _row(self, span: Span, names: int, plot: int, endings: int) -> str:
        style = self.terminal.style
        is_critical = span.address in self.schedule.critical_path
        tone = "error" if span.state in NOT_UP else self.tones[span.family]
        mark = style(self.critical, "magenta") if is_critical else " "
        name = style(self.terminal.filled(str(span.address), names), tone)
        ending = f"{self._ending(span):>{endings}}"
        if span.state in NOT_UP:
            ending = style(ending, "error")
        return f"{mark} {name}  {self._bar(span, plot, tone)}  {ending}"

    def _ending(self, span: Span) -> str:
        if span.state in NOT_UP or span.starting is None:
            return span.state
        if span.settled is None:
            return self.terminal.spelled(f"{span.state}…")
        return duration(span.own)

    def _bar(self, span: Span, plot: int, tone: str) -> str:
        """Return the bar of a node, *plot* cells wide."""
        scale = plot / self.schedule.total if self.schedule.total else 0.0
        if span.starting is None:
            waited = min(round(span.available * scale), plot)
            return self._faint(_NEEDS * waited) + " " * (plot - waited)
        settled = self.schedule.total if span.settled is None else span.settled
        begin = min(int(span.starting * scale), plot - 1)
        needs = min(round(span.waited_for_needs * scale), begin)
        own = self._own(settled * scale - begin, plot - begin)
        slack = min(round((settled + (span.slack or 0.0)) * scale), plot) - begin - len(own)
        waiting = self._faint(_NEEDS * needs) + self._faint(_TURN * (begin - needs))
        rest = " " * (plot - begin - len(own) - max(slack, 0))
        return waiting + self.terminal.style(own, tone) + self._faint(_SLACK * slack) + rest

    def _own(self, length: float, most: int) -> str:
        """Return *length* cells of a node's own start; even the shortest is seen."""
        steps = len(self.blocks)
        whole, rest = divmod(max(min(round(length * steps), most * steps), 1), steps)
        return self.blocks[-1] * whole + (self.blocks[rest - 1] if rest else "")

    def _axis(self, plot: int) -> Iterator[str]:
        ticks = ticks_of(self.schedule.total, max(plot // 12, 1))
        labels, rule = [" "] * (plot + 12), ["─"] * plot
        for time, label in ticks:
            at = min(int(time / self.schedule.total * plot), plot - 1) if time else 0
            rule[at] = "┬"
            if at + len(label) <= plot + _GAP:  # The column behind the bars has no heading.
                labels[at : at + len(label)] = label
        yield self._faint("".join(labels).rstrip())
        yield self._faint("".join(rule))

    def _legend(self) -> Iterator[str]:
        spans = self.schedule.spans
        if any(span.waited_for_needs for span in spans):
            yield f"{_NEEDS * 2} waiting for what it needs"
        if any(span.waited_for_turn for span in spans):
            yield f"{_TURN * 2} waiting for its turn"
        if any(span.starting is not None for span in spans):
            yield f"{self.blocks[-1] * 2} its own start"
        if any(span.slack for span in spans):
            yield f"{_SLACK * 2} slack"
        if self.schedule.critical_path:
            yield f"{self.critical} critical path"

    def _faint(self, text: str) -> str:
        return self.terminal.style(self.terminal.spelled(text), "faint") if text else ""


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
    """Return *chain* from its end back to its beginning, a line a node.

    Each is deeper than the last, as far as a terminal is wide.

    Args:
        schedule: The start.
        chain: Nodes of which each needs the one before it.
        style: Colours text.
    """
    span_of = {span.address: span for span in schedule.spans}
    lines = ['when its own start began follows "@", how long that took follows "+"', ""]
    for depth, address in enumerate(reversed(chain)):
        span = span_of[address]
        lead = "  " * (min(depth, _DEEPEST) - 1) + "└─" if depth else ""
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

"""A start as text for a terminal: a bar a node."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.diagnostic_text import plain
from rungraph.graph.wording import duration
from rungraph.viz.formats.glyphs import tones_of
from rungraph.viz.formats.terminal_width import clipped, padded, width_of
from rungraph.viz.model.labels import printable
from rungraph.viz.timeline.schedule import NOT_UP, Schedule, ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from rungraph.graph.diagnostic_text import Style
    from rungraph.viz.timeline.schedule import Span

NARROWEST = 50
"""Cells; a narrower terminal has to wrap."""
_NARROWEST_PLOT = 16
_GAP = 2


class Alphabet(NamedTuple):
    """What bars are drawn with.

    Attributes:
        needs: Waiting for what a node needs.
        turn: Waiting for its turn.
        own: Its own start, and its last cell from one eighth to full.
        slack: How much later it could have been ready.
        critical: What marks the critical path.
        ellipsis: What stands for what is cut.
        rule: What the axis is drawn with.
        tick: A round time on it.
    """

    needs: str
    turn: str
    own: str
    slack: str
    critical: str
    ellipsis: str
    rule: str
    tick: str


_BLOCKS = Alphabet("·", "░", "▏▎▍▌▋▊▉█", "╌", "◆", "…", "─", "┬")
_ASCII = Alphabet(".", "-", "#", "~", "*", "...", "-", "+")


def render_schedule_text(
    schedule: Schedule, *, width: int = 100, is_ascii: bool = False, style: Style = plain
) -> str:
    """Return *schedule* as lines of text, without an end of line after the last.

    Args:
        schedule: A start.
        width: Cells in a line.
        is_ascii: Whether there are no characters but ASCII.
        style: Colours text, each API in a colour of its own.
    """
    alphabet = _ASCII if is_ascii else _BLOCKS
    tones = tones_of(span.family for span in schedule.spans)
    chart = _Chart(schedule, max(width, NARROWEST), alphabet, style, tones, is_ascii)
    return "\n".join(line.rstrip() for line in chart.lines())


@dataclass(frozen=True, slots=True)
class _Chart:
    schedule: Schedule
    width: int
    alphabet: Alphabet
    style: Style
    tones: Mapping[str, str]
    is_ascii: bool

    def lines(self) -> Iterator[str]:
        yield self.style(clipped(self._spelled(self.schedule.title), self.width), "bold")
        for text in self.schedule.captions:
            for line in wrap(text, self.width):
                yield self.style(line, "faint")
        if not self.schedule.spans:
            return
        yield ""
        gutter = len(str(max(self.schedule.generations))) + 1
        names = max(width_of(self._name(span)) for span in self.schedule.spans)
        endings = max(len(self._ending(span)) for span in self.schedule.spans)
        names = min(names, max(self.width - gutter - endings - _NARROWEST_PLOT - 6, 12))
        plot = max(self.width - gutter - names - endings - 6, _NARROWEST_PLOT)
        yield from (" " * (gutter + names + 4) + line for line in self._axis(plot))
        for generation, spans in self.schedule.generations.items():
            for index, span in enumerate(spans):
                number = "" if index else str(generation)
                head = self.style(f"{number:>{gutter - 1}}", "faint") + " "
                yield head + self._row(span, names, plot, endings)
        yield ""
        yield from self._legend()

    def _name(self, span: Span) -> str:
        return self._spelled(str(span.address))

    def _row(self, span: Span, names: int, plot: int, endings: int) -> str:
        is_critical = span.address in self.schedule.critical_path
        tone = "error" if span.state in NOT_UP else self.tones[span.family]
        mark = self.style(self.alphabet.critical, "magenta") if is_critical else " "
        name = self.style(
            padded(clipped(self._name(span), names, self.alphabet.ellipsis), names), tone
        )
        ending = f"{self._ending(span):>{endings}}"
        if span.state in NOT_UP:
            ending = self.style(ending, "error")
        return f"{mark} {name}  {self._bar(span, plot, tone)}  {ending}"

    def _ending(self, span: Span) -> str:
        if span.state in NOT_UP or span.starting is None:
            return span.state
        return (
            duration(span.own)
            if span.settled is not None
            else f"{span.state}{self.alphabet.ellipsis}"
        )

    def _bar(self, span: Span, plot: int, tone: str) -> str:
        """Return the bar of a node, *plot* cells wide."""
        scale = plot / self.schedule.total if self.schedule.total else 0.0
        if span.starting is None:
            waited = min(round(span.available * scale), plot)
            return self.style(self.alphabet.needs * waited, "faint") + " " * (plot - waited)
        settled = self.schedule.total if span.settled is None else span.settled
        begin = min(int(span.starting * scale), plot - 1)
        needs = min(round(span.waited_for_needs * scale), begin)
        own = self._own(settled * scale - begin, plot - begin)
        slack = min(round((settled + span.slack) * scale), plot) - begin - len(own)
        parts = (
            (self.alphabet.needs * needs, "faint"),
            (self.alphabet.turn * (begin - needs), "faint"),
            (own, tone),
            (self.alphabet.slack * max(slack, 0), "faint"),
        )
        bar = "".join(self.style(text, shade) for text, shade in parts if text)
        return bar + " " * (plot - sum(len(text) for text, _ in parts))

    def _own(self, cells: float, most: int) -> str:
        """Return so many cells of a node's own start; even the shortest is seen."""
        own = self.alphabet.own
        eighths = max(min(round(cells * len(own)), most * len(own)), 1)
        whole, rest = divmod(eighths, len(own))
        return own[-1] * whole + (own[rest - 1] if rest else "")

    def _axis(self, plot: int) -> Iterator[str]:
        ticks = ticks_of(self.schedule.total, max(plot // 12, 1))
        labels, rule = [" "] * (plot + 12), [self.alphabet.rule] * plot
        for time, label in ticks:
            at = min(int(time / self.schedule.total * plot), plot - 1) if time else 0
            rule[at] = self.alphabet.tick
            if at + len(label) <= plot + _GAP:  # The column behind the bars has no heading.
                labels[at : at + len(label)] = label
        yield self.style("".join(labels).rstrip(), "faint")
        yield self.style("".join(rule), "faint")

    def _legend(self) -> Iterator[str]:
        spans, alphabet = self.schedule.spans, self.alphabet
        used = (
            (alphabet.needs, "waiting for what it needs", any(s.waited_for_needs for s in spans)),
            (alphabet.turn, "waiting for its turn", any(s.waited_for_turn for s in spans)),
            (alphabet.own[-1], "its own start", any(s.starting is not None for s in spans)),
            (alphabet.slack, "slack", any(s.slack for s in spans)),
        )
        pieces = [f"{sign * 2} {word}" for sign, word, is_used in used if is_used]
        if self.schedule.critical_path:
            pieces.append(f"{alphabet.critical} critical path")
        text = "   ".join(piece.replace(" ", "\xa0") for piece in pieces)
        for line in wrap(text, self.width):
            yield self.style(line.replace("\xa0", " "), "faint")

    def _spelled(self, text: str) -> str:
        shown = printable(text)
        return shown.encode("ascii", "backslashreplace").decode() if self.is_ascii else shown

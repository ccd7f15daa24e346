"""A start as a matplotlib figure, and that as SVG, PNG or PDF. Loads matplotlib."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rungraph.graph.wording import duration, printable
from rungraph.viz.formats.pen import Pen, Stroke, settings, to_bytes
from rungraph.viz.layout.fonts import Font, text_width
from rungraph.viz.layout.geometry import Point, Rect, Size
from rungraph.viz.model.overlay import Role
from rungraph.viz.model.palette import Colour
from rungraph.viz.model.theme import night_of_day, theme_of
from rungraph.viz.timeline.schedule import NOT_UP, Schedule, Span, ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.figure import Figure

    from rungraph.viz.formats.pen import Format
    from rungraph.viz.model.theme import Theme, ThemeName

MOST_ROWS = 400
"""How many nodes are drawn; of more, those that say most."""
_MARGIN, _PLOT, _GAP = 18.0, 560.0, 10.0
_WIDEST_NAME = 300.0
_TITLE_SIZE, _LINE = 13.0, 13.0
_AXIS = 20.0
_HEADING = 12.0
_SHORTEST = 1.4
"""How long the bar of the fastest start is, so that it can be seen."""


def draw_schedule(schedule: Schedule, *, theme: ThemeName = "auto") -> Figure:
    """Return *schedule* as a Gantt chart, generation by generation.

    Each row is a node: a thin line while it waited for what it needs, a pale one while it waited
    for its turn, a bar in its API's colour for its own start, a line to an end for its slack. The
    critical path is outlined and joined. The figure belongs to the caller; it is not known to
    pyplot. Every bar has ``span|<address>`` as its ``gid``, which is its id in an SVG.

    Args:
        schedule: A start. Of more than `MOST_ROWS` nodes the slowest are drawn, with those of the
            critical path and those that did not start.
        theme: ``light`` or ``dark``; ``auto`` is light.
    """
    with settings():
        return _Chart(schedule, theme_of(theme)).drawn()


def render_schedule(
    schedule: Schedule,
    format: Format = "svg",  # noqa: A002 (the word of every library that writes pictures)
    *,
    theme: ThemeName = "auto",
) -> bytes:
    """Return the chart that `draw_schedule` makes as a file. Equal schedules give equal bytes.

    Args:
        schedule: A start.
        format: ``svg``, ``png`` or ``pdf``.
        theme: As for `draw_schedule`; an SVG of the theme ``auto`` follows its reader's.
    """
    figure = draw_schedule(schedule, theme=theme)
    night = night_of_day(span.family for span in schedule.spans) if theme == "auto" else None
    return to_bytes(figure, format, night)


class _Chart:
    """A schedule on its way to a figure: measured, placed, drawn."""

    def __init__(self, schedule: Schedule, theme: Theme) -> None:
        self._schedule = schedule
        self._theme = theme
        self._colours: Mapping[str, Colour] = theme.palette_of(
            span.family for span in schedule.spans
        )
        self._critical = frozenset(schedule.critical_path)
        self._rows = _shown(schedule)
        count = sum(map(len, self._rows.values()))
        self._height = 15.0 if count <= 60 else 12.0 if count <= 150 else 10.0
        size = min(7.6, self._height * 0.6)
        self._note = Font(7.6, theme.note)
        self._font = Font(size, theme.ink)
        self._bold = Font(size, theme.roles[Role.CRITICAL], "bold")
        self._bad = Font(size, theme.roles[Role.FAILED])
        self._names = max(
            (text_width(self._name_of(s), self._font_of(s)) for s in self._spans()), default=0.0
        )
        self._endings = max(
            (text_width(_ending(s), self._font) for s in self._spans()), default=0.0
        )
        self._left = _MARGIN + self._names + _GAP

    def _spans(self) -> Iterator[Span]:
        return (span for spans in self._rows.values() for span in spans)

    def _font_of(self, span: Span) -> Font:
        if span.state in NOT_UP:
            return self._bad
        return self._bold if span.address in self._critical else self._font

    def _name_of(self, span: Span) -> str:
        return _cut(printable(str(span.address)), self._font_of(span), _WIDEST_NAME)

    def drawn(self) -> Figure:
        captions = [*self._schedule.captions, *self._missing()]
        top = _MARGIN + _TITLE_SIZE + _LINE * len(captions) + 14
        body = sum(_HEADING + self._height * len(spans) for spans in self._rows.values())
        right = self._left + _PLOT + _GAP + self._endings + _MARGIN
        legend = list(self._legend(right - _MARGIN))
        bottom = top + _AXIS + body + 8
        rows = max((row for _, _, row in legend), default=-1) + 1
        pen = Pen(Size(right, bottom + rows * 16 + _MARGIN), page=self._theme.page)
        title = Font(_TITLE_SIZE, self._theme.ink, "bold")
        at = _MARGIN + _TITLE_SIZE / 2
        pen.text(Point(_MARGIN, at), printable(self._schedule.title)[:100], title, align="left")
        for number, text in enumerate(captions):
            line = Point(_MARGIN, at + 17 + _LINE * number)
            pen.text(line, text, self._note, align="left")
        y = top + _AXIS
        self._draw_bands(pen, y, right)
        self._draw_axis(pen, y, body)
        middles: dict[object, float] = {}
        for generation, spans in self._rows.items():
            heading = Font(6.6, self._theme.note)
            place = Point(_MARGIN, y + _HEADING / 2 + 1)
            pen.text(place, f"generation {generation}", heading, align="left")
            y += _HEADING
            for span in spans:
                middles[span.address] = y + self._height / 2
                y += self._height
        self._draw_path(pen, middles)
        for span in self._spans():
            self._draw_row(pen, span, middles[span.address])
        for kind, x, row in legend:
            self._draw_entry(pen, kind, Point(x, bottom + 8 + 16 * row))
        return pen.figure

    def _missing(self) -> Iterator[str]:
        missing = len(self._schedule.spans) - sum(1 for _ in self._spans())
        if missing:
            yield f"{missing:,} nodes that started faster are not drawn"

    def _x(self, seconds: float) -> float:
        total = self._schedule.total
        return self._left + (min(seconds / total, 1.0) * _PLOT if total else 0.0)

    def _draw_bands(self, pen: Pen, top: float, right: float) -> None:
        y = top
        for number, spans in enumerate(self._rows.values()):
            height = _HEADING + self._height * len(spans)
            if number % 2 == 0:
                rect = Rect(_MARGIN - 6, y, right - 2 * _MARGIN + 12, height)
                pen.box(rect, fill=self._theme.band)
            y += height

    def _draw_axis(self, pen: Pen, top: float, height: float) -> None:
        for time, label in ticks_of(self._schedule.total, 8):
            x = self._x(time)
            pen.box(Rect(x - 0.25, top - 4, 0.5, height + 4), fill=self._theme.pale)
            pen.text(Point(x, top - 10), label, self._note)

    def _draw_row(self, pen: Pen, span: Span, y: float) -> None:
        name = self._name_of(span)
        pen.text(Point(_MARGIN, y), name, self._font_of(span), align="left")
        ending = _ending(span)
        x = self._left + _PLOT + _GAP + self._endings - text_width(ending, self._font)
        font = self._bad if span.state in NOT_UP else self._font
        pen.text(Point(x, y), ending, font, align="left")
        begin = span.available if span.starting is None else span.starting
        self._draw_wait(pen, span, y, begin)
        if span.starting is None:
            return
        settled = self._schedule.total if span.settled is None else span.settled
        if span.slack:
            self._draw_slack(pen, self._x(settled), self._x(settled + span.slack), y)
        elif span.state in NOT_UP:
            self._draw_reason(pen, span, self._x(settled) + 6, y)
        colour = self._colours[span.family]
        stroke = Stroke(colour.line, 0.8)
        if span.state in NOT_UP:
            colour = Colour(self._theme.page, self._theme.roles[Role.FAILED])
            stroke = Stroke(colour.line, 1.2, (2.0, 1.4))
        elif span.address in self._critical:
            stroke = Stroke(self._theme.roles[Role.CRITICAL], 1.6)
        half = self._height * 0.31
        width = max(self._x(settled) - self._x(span.starting), _SHORTEST)
        rect = Rect(self._x(span.starting), y - half, width, 2 * half)
        fill = colour.line if span.state not in NOT_UP else colour.fill
        pen.box(rect, fill=fill, stroke=stroke, gid=printable(f"span|{span.address}"))

    def _draw_wait(self, pen: Pen, span: Span, y: float, begin: float) -> None:
        """Draw what a node waited: for what it needs a thin line, for its turn a broad one."""
        first, second = self._x(span.waited_for_needs), self._x(begin)
        if first > self._left:
            pen.box(Rect(self._left, y - 0.4, first - self._left, 0.8), fill=self._theme.pale)
        if second > first:
            pen.box(Rect(first, y - 1.6, second - first, 3.2), fill=self._theme.pale)

    def _draw_reason(self, pen: Pen, span: Span, x: float, y: float) -> None:
        """Write why a node did not start, as far as there is room behind its bar."""
        room = self._left + _PLOT - x
        text = _cut(printable(span.detail.partition("\n")[0]), self._bad, room)
        pen.text(Point(x, y), text, self._bad, align="left")

    def _draw_slack(self, pen: Pen, left: float, right: float, y: float) -> None:
        pen.box(Rect(left, y - 0.25, right - left, 0.5), fill=self._theme.note)
        pen.box(Rect(right - 0.4, y - 2.4, 0.8, 4.8), fill=self._theme.note)

    def _draw_path(self, pen: Pen, middles: Mapping[object, float]) -> None:
        """Join the bars of the critical path, where one ends and the next could begin."""
        span_of = {span.address: span for span in self._spans()}
        for before, after in pairwise(self._schedule.critical_path):
            if before not in span_of or after not in span_of:
                continue
            settled = span_of[before].settled
            if settled is None:
                continue
            y, end = middles[before], middles[after]
            rect = Rect(self._x(settled) - 0.5, min(y, end), 1.0, abs(end - y))
            pen.box(rect, fill=self._theme.roles[Role.CRITICAL])

    def _legend(self, right: float) -> Iterator[tuple[str, float, int]]:
        """Yield what has to be explained, each with its place: x, and the row."""
        spans = tuple(self._spans())
        used = {
            "waiting for what it needs": any(span.waited_for_needs for span in spans),
            "waiting for its turn": any(span.waited_for_turn for span in spans),
            "its own start, in its API's colour": any(span.is_up for span in spans),
            "critical path": any(s.address in self._critical for s in spans),
            "did not start": any(span.state in NOT_UP for span in spans),
            "slack: so much later would have done": any(span.slack for span in spans),
        }
        x, row = _MARGIN, 0
        for text, is_used in used.items():
            width = 28 + text_width(text, self._note) + 18
            if not is_used:
                continue
            if x > _MARGIN and x + width > right:
                x, row = _MARGIN, row + 1
            yield text, x, row
            x += width

    def _draw_entry(self, pen: Pen, text: str, at: Point) -> None:
        theme, x, y = self._theme, at.x, at.y
        rect = Rect(x, y - 4, 22, 8)
        match text.partition(" ")[0]:
            case "waiting":
                thin = 0.4 if "needs" in text else 1.6
                pen.box(Rect(x, y - thin, 22, 2 * thin), fill=theme.pale)
            case "slack:":
                self._draw_slack(pen, x, x + 22, y)
            case "critical":
                stroke = Stroke(theme.roles[Role.CRITICAL], 1.6)
                pen.box(rect, fill=theme.page, stroke=stroke)
            case "did":
                stroke = Stroke(theme.roles[Role.FAILED], 1.2, (2.0, 1.4))
                pen.box(rect, fill=theme.page, stroke=stroke)
            case _:
                pen.box(rect, fill=theme.note)
        pen.text(Point(x + 28, y), text, self._note, align="left")


def _cut(text: str, font: Font, room: float) -> str:
    """Return *text*, its end left out where it needs more than *room* points."""
    if text_width(text, font) <= room:
        return text
    end = len(text)
    while end and text_width(f"{text[:end]}…", font) > room:
        end -= 1
    return f"{text[:end]}…" if end else ""


def _ending(span: Span) -> str:
    if span.state in NOT_UP or span.settled is None:
        return span.state
    return duration(span.own)


def _shown(schedule: Schedule) -> dict[int, tuple[Span, ...]]:
    """Return the nodes that are drawn, by generation."""
    if len(schedule.spans) <= MOST_ROWS:
        return dict(schedule.generations)
    wanted = set(schedule.critical_path)
    slowest = sorted(schedule.spans, key=lambda span: (-span.own, span.address))
    first = [span for span in slowest if span.state in NOT_UP] + slowest
    for span in first:
        if len(wanted) >= MOST_ROWS:
            break
        wanted.add(span.address)
    shown = {
        number: tuple(span for span in spans if span.address in wanted)
        for number, spans in schedule.generations.items()
    }
    return {number: spans for number, spans in shown.items() if spans}

"""A start as a matplotlib figure, and that as SVG, PNG or PDF. Loads matplotlib."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from rungraph.graph.wording import duration, printable
from rungraph.viz.formats.legend import SAMPLE, Entry, Placed, place_entries
from rungraph.viz.formats.pen import Pen, Stroke, settings, to_bytes
from rungraph.viz.layout.fonts import Font, text_width
from rungraph.viz.layout.geometry import Point, Rect, Size
from rungraph.viz.model.labels import fitting
from rungraph.viz.model.overlay import Role
from rungraph.viz.model.theme import night_of_day, theme_of
from rungraph.viz.timeline.schedule import NOT_UP, Schedule, Span, ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from matplotlib.figure import Figure

    from rungraph.graph.address import Address
    from rungraph.viz.formats.pen import Format
    from rungraph.viz.model.theme import Colour, Theme, ThemeName

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
        self._rows, self._captions = schedule.shown(MOST_ROWS)
        count = sum(map(len, self._rows.values()))
        self._height = 15.0 if count <= 60 else 12.0 if count <= 150 else 10.0
        size = min(7.6, self._height * 0.6)
        self._note = Font(7.6, theme.note)
        self._font = Font(size, theme.ink)
        self._bold = Font(size, theme.roles[Role.CRITICAL], "bold")
        self._bad = Font(size, theme.roles[Role.FAILED])
        self._critical_stroke = Stroke(theme.roles[Role.CRITICAL], 1.6)
        self._failed_stroke = Stroke(theme.roles[Role.FAILED], 1.2, (2.0, 1.4))
        spans = tuple(self._spans())
        names = (text_width(self._name_of(span), self._font_of(span)) for span in spans)
        self._left = _MARGIN + max(names, default=0.0) + _GAP
        endings = (text_width(_ending(span), self._font) for span in spans)
        self._right = self._left + _PLOT + _GAP + max(endings, default=0.0)

    def _spans(self) -> Iterator[Span]:
        return (span for spans in self._rows.values() for span in spans)

    def _font_of(self, span: Span) -> Font:
        if span.state in NOT_UP:
            return self._bad
        return self._bold if span.address in self._critical else self._font

    def _name_of(self, span: Span) -> str:
        return _cut(printable(str(span.address)), self._font_of(span), _WIDEST_NAME)

    def drawn(self) -> Figure:
        theme, schedule = self._theme, self._schedule
        shown = sum(map(len, self._rows.values()))
        top = _MARGIN + _TITLE_SIZE + _LINE * len(self._captions) + 14 + _AXIS
        height = _HEADING * len(self._rows) + self._height * shown
        legend, legend_height = place_entries(
            [self._legend()], self._right - _MARGIN, lambda text: text_width(text, self._note)
        )
        bottom = top + height + 8
        page = Size(self._right + _MARGIN, bottom + legend_height + _MARGIN)
        pen = Pen(page, page=theme.page)
        at = _MARGIN + _TITLE_SIZE / 2
        title = Font(_TITLE_SIZE, theme.ink, "bold")
        pen.text(Point(_MARGIN, at), printable(schedule.title)[:100], title, align="left")
        for number, text in enumerate(self._captions):
            line = Point(_MARGIN, at + 17 + _LINE * number)
            pen.text(line, text, self._note, align="left")
        middles = self._draw_generations(pen, top)
        for time, label in ticks_of(schedule.total, 8):
            x = self._x(time)
            pen.box(Rect(x - 0.25, top - 4, 0.5, height + 4), fill=theme.pale)
            pen.text(Point(x, top - 10), label, self._note)
        self._draw_path(pen, middles)
        for span in self._spans():
            self._draw_row(pen, span, middles[span.address])
        for placed in legend:
            self._draw_entry(pen, placed, Point(_MARGIN, bottom))
        return pen.figure

    def _draw_generations(self, pen: Pen, y: float) -> dict[Address, float]:
        """Draw the bands and headings of the generations; return the y of each node's row."""
        middles: dict[Address, float] = {}
        heading = Font(6.6, self._theme.note)
        for index, (generation, spans) in enumerate(self._rows.items()):
            height = _HEADING + self._height * len(spans)
            if index % 2 == 0:
                band = Rect(_MARGIN - 6, y, self._right - _MARGIN + 12, height)
                pen.box(band, fill=self._theme.band)
            place = Point(_MARGIN, y + _HEADING / 2 + 1)
            pen.text(place, f"generation {generation}", heading, align="left")
            for row, span in enumerate(spans):
                middles[span.address] = y + _HEADING + self._height * (row + 0.5)
            y += height
        return middles

    def _x(self, seconds: float) -> float:
        total = self._schedule.total
        return self._left + (min(seconds / total, 1.0) * _PLOT if total else 0.0)

    def _draw_row(self, pen: Pen, span: Span, y: float) -> None:
        theme, is_down = self._theme, span.state in NOT_UP
        pen.text(Point(_MARGIN, y), self._name_of(span), self._font_of(span), align="left")
        ending = Point(self._right - text_width(_ending(span), self._font), y)
        pen.text(ending, _ending(span), self._bad if is_down else self._font, align="left")
        # It waited for what it needs: a thin line; then for its turn: a broad one.
        needs = self._x(span.waited_for_needs)
        begin = self._x(span.available if span.starting is None else span.starting)
        if needs > self._left:
            pen.box(Rect(self._left, y - 0.4, needs - self._left, 0.8), fill=theme.pale)
        if begin > needs:
            pen.box(Rect(needs, y - 1.6, begin - needs, 3.2), fill=theme.pale)
        if span.starting is None:
            return
        settled = self._schedule.total if span.settled is None else span.settled
        end = self._x(settled)
        if span.slack:
            self._draw_slack(pen, end, self._x(settled + span.slack), y)
        elif is_down:
            room = self._left + _PLOT - end - 6
            reason = _cut(printable(span.detail.partition("\n")[0]), self._bad, room)
            pen.text(Point(end + 6, y), reason, self._bad, align="left")
        fill = self._colours[span.family].line
        stroke = Stroke(fill, 0.8)
        if is_down:
            fill, stroke = theme.page, self._failed_stroke
        elif span.address in self._critical:
            stroke = self._critical_stroke
        half = self._height * 0.31
        rect = Rect(begin, y - half, max(end - begin, _SHORTEST), 2 * half)
        pen.box(rect, fill=fill, stroke=stroke, gid=printable(f"span|{span.address}"))

    def _draw_slack(self, pen: Pen, left: float, right: float, y: float) -> None:
        pen.box(Rect(left, y - 0.25, right - left, 0.5), fill=self._theme.note)
        pen.box(Rect(right - 0.4, y - 2.4, 0.8, 4.8), fill=self._theme.note)

    def _draw_path(self, pen: Pen, middles: Mapping[Address, float]) -> None:
        """Join the bars of the critical path, where one ends and the next could begin."""
        settled = {span.address: span.settled for span in self._spans()}
        for before, after in pairwise(self._schedule.critical_path):
            moment = settled.get(before)
            if moment is not None and after in settled:
                y, end = middles[before], middles[after]
                rect = Rect(self._x(moment) - 0.5, min(y, end), 1.0, abs(end - y))
                pen.box(rect, fill=self._theme.roles[Role.CRITICAL])

    def _legend(self) -> tuple[Entry, ...]:
        """Return what has to be explained."""
        spans = tuple(self._spans())
        used = {
            ("needs", "waiting for what it needs"): any(s.waited_for_needs for s in spans),
            ("turn", "waiting for its turn"): any(s.waited_for_turn for s in spans),
            ("own", "its own start, in its API's colour"): any(s.is_up for s in spans),
            ("critical", "critical path"): any(s.address in self._critical for s in spans),
            ("failed", "did not start"): any(s.state in NOT_UP for s in spans),
            ("slack", "slack: so much later would have done"): any(s.slack for s in spans),
        }
        return tuple(Entry(*entry) for entry, is_used in used.items() if is_used)

    def _draw_entry(self, pen: Pen, placed: Placed, origin: Point) -> None:
        theme, x, y = self._theme, origin.x + placed.x, origin.y + placed.y
        rect = Rect(x, y - 4, SAMPLE.width, 8)
        match placed.entry.sample:
            case "needs" | "turn" as sample:
                thickness = 0.8 if sample == "needs" else 3.2
                pen.box(Rect(x, y - thickness / 2, 22, thickness), fill=theme.pale)
            case "slack":
                self._draw_slack(pen, x, x + SAMPLE.width, y)
            case "critical":
                pen.box(rect, fill=theme.page, stroke=self._critical_stroke)
            case "failed":
                pen.box(rect, fill=theme.page, stroke=self._failed_stroke)
            case _:
                pen.box(rect, fill=theme.note)
        pen.text(Point(origin.x + placed.text_x, y), placed.entry.text, self._note, align="left")


def _cut(text: str, font: Font, room: float) -> str:
    """Return *text*, its end left out where it needs more than *room* points."""
    if text_width(text, font) <= room:
        return text
    end = fitting(text, lambda start: text_width(f"{start}…", font), room)
    return f"{text[:end]}…" if end else ""


def _ending(span: Span) -> str:
    if span.state in NOT_UP or span.settled is None:
        return span.state
    return duration(span.own)

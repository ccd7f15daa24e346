"""A diagram on its way to a figure: measured, placed, drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.diagnostics import Severity
from rungraph.graph.nodes import Strength
from rungraph.graph.wording import printable
from rungraph.viz.formats.legend import SAMPLE, Placed, entries_of, place_entries
from rungraph.viz.formats.pen import Pen, Stroke
from rungraph.viz.formats.sizing import BADGE_PADDING, LEADING, Line, Sort, laid_out, lines_of
from rungraph.viz.layout.fonts import Font, text_width
from rungraph.viz.layout.geometry import Point, Rect, Size
from rungraph.viz.model.elements import Arrow
from rungraph.viz.model.labels import broken
from rungraph.viz.model.overlay import Role
from rungraph.viz.model.theme import LOOKS, Colour

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rungraph.viz.formats.pen import Head
    from rungraph.viz.layout.geometry import Direction
    from rungraph.viz.layout.layered import Layout
    from rungraph.viz.model.elements import Box, Diagram
    from rungraph.viz.model.theme import Theme

_MARGIN = 18.0
_NARROWEST = 440.0
_TITLE_SIZE, _TITLE_WIDTH, _TITLE_HEIGHT, _NOTE_HEIGHT = 13.0, 640.0, 16.0, 12.0
_HEADING = {"LR": 25.0, "TB": 74.0}
"""The room for the headings of the generations: above them, or to their left."""
_BAND = 9.0
"""How far the band of a generation reaches beyond its boxes."""
_ROUNDING = 7.0
_STACKED = 3.0
"""How far the box behind a box that stands for several shows."""
_WIDTHS = {Strength.HARD: 1.1, Strength.MEMBER: 0.9, Strength.SOFT: 1.0}
_DASHED, _DOTTED, _GHOSTLY = (4.5, 3.0), (1.2, 2.2), (3.0, 2.4)


SMALLEST_TEXT = 7.2
"""The size of the smallest text in a picture, in points."""


class Picture:
    """What is drawn of a diagram, in one direction and in the colours of one theme.

    Attributes:
        layout: Where the boxes and lines go, before they are moved below title and headings.
    """

    def __init__(self, diagram: Diagram, theme: Theme, direction: Direction) -> None:
        self._diagram = diagram
        self._theme = theme
        self._direction: Direction = direction
        self._colours: Mapping[str, Colour] = theme.palette_of(diagram.families)
        self._note = Font(7.6, theme.note)
        self._fonts: dict[Sort, Font] = {
            "title": Font(9.0, theme.ink, "bold"),
            "detail": Font(SMALLEST_TEXT, theme.detail),
            "mark": Font(7.6, theme.ink, "bold"),
            "problems": Font(SMALLEST_TEXT, theme.page, "bold"),
        }
        self.layout: Layout[Address] = laid_out(diagram, self._fonts, direction)
        self._has_headings = any(column.heading for column in diagram.columns)
        self._heading = _HEADING[direction] if self._has_headings else _BAND

    def drawn(self, axes: Axes | None = None) -> Figure:
        """Draw everything, what lies behind first."""
        theme, diagram = self._theme, self._diagram
        is_down = self._direction == "TB"
        title_font = Font(_TITLE_SIZE, theme.ink, "bold")
        titles = broken(diagram.title, lambda text: text_width(text, title_font), _TITLE_WIDTH)
        before = (self._heading, _BAND) if is_down else (_BAND, self._heading)
        content = Size(*(a + b + _BAND for a, b in zip(self.layout.size, before, strict=True)))
        width = max(content.width, _NARROWEST, *(text_width(one, title_font) for one in titles))
        notes = [
            line
            for text in (diagram.subtitle, *diagram.notes)
            for line in broken(text, lambda text: text_width(text, self._note), width)
        ]
        top = _MARGIN + len(titles) * _TITLE_HEIGHT + 4.0 + len(notes) * _NOTE_HEIGHT + 10.0
        legend, legend_height = place_entries(
            entries_of(diagram), width, lambda text: text_width(text, self._note)
        )
        bottom = top + (content.height if diagram.boxes else 0.0)
        page = Size(width + 2 * _MARGIN, bottom + 12 + legend_height + _MARGIN)
        pen = Pen(page, page=theme.page, axes=axes)
        y = _MARGIN + 6
        for line in titles:
            pen.text(Point(_MARGIN, y), line, title_font, align="left")
            y += _TITLE_HEIGHT
        for line in notes:
            pen.text(Point(_MARGIN, y + 1.0), line, self._note, align="left")
            y += _NOTE_HEIGHT
        left = _MARGIN + (width - content.width) / 2
        origin = Point(left + before[0], top + before[1])
        self._draw_bands(pen, origin)
        self._draw_arrows(pen, origin)
        for key, box in diagram.boxes.items():
            self._draw_box(pen, box, self.layout.boxes[key].moved(origin))
        for placed in legend:
            self._draw_entry(pen, placed, Point(_MARGIN, bottom + 12))
        return pen.figure

    def _draw_bands(self, pen: Pen, origin: Point) -> None:
        spans: dict[tuple[int, str], list[float]] = {}
        for column, extent in zip(self._diagram.columns, self.layout.columns, strict=True):
            spans.setdefault((column.generation, column.heading), []).extend(extent)
        width, height = self.layout.size
        for (_, text), span in spans.items():
            begin, length = min(span) - _BAND, max(span) - min(span) + 2 * _BAND
            if self._direction == "TB":
                band = Rect(-self._heading, begin, width + self._heading + _BAND, length)
            else:
                band = Rect(begin, -self._heading, length, height + self._heading + _BAND)
            rect = band.moved(origin)
            pen.box(rect, fill=self._theme.band, rounding=6.0)
            if self._has_headings and self._direction == "TB":
                pen.text(Point(rect.x + 8.0, rect.middle), text, self._note, align="left")
            elif self._has_headings:
                pen.text(Point(rect.x + rect.width / 2, rect.y + 11.0), text, self._note)

    def _draw_arrows(self, pen: Pen, origin: Point) -> None:
        drawn = zip(self._diagram.arrows, self.layout.lines, strict=True)
        # What steps back lies below, what stands out above.
        for arrow, line in sorted(drawn, key=lambda one: _depth_of(one[0])):
            points = [Point(origin.x + x, origin.y + y) for x, y in self._reaching(arrow, line)]
            pen.line(
                points,
                self._stroke_of(arrow),
                direction=self._direction,
                head=_head_of(arrow),
                gid=printable(f"edge|{arrow.dependency}|{arrow.dependent}"),
            )

    def _reaching(self, arrow: Arrow, line: Sequence[Point]) -> Iterable[Point]:
        """Return the points of a line that ends at outlines, not at the rectangles around them."""
        first, last = self._at_outline(arrow.dependency, line[0]), line[-1]
        return dict.fromkeys((first, *line, self._at_outline(arrow.dependent, last)))

    def _at_outline(self, key: Address, port: Point) -> Point:
        rect = self.layout.boxes[key]
        radius = _rounding_of(self._diagram.boxes[key].kind, rect)
        is_down = self._direction == "TB"
        if is_down:
            corner = min(port.x - rect.x, rect.right - port.x)
        else:
            corner = min(port.y - rect.y, rect.bottom - port.y)
        inset = radius - math.sqrt(max(radius**2 - max(radius - corner, 0.0) ** 2, 0.0))
        if is_down:
            return port._replace(y=port.y + (inset if port.y == rect.y else -inset))
        return port._replace(x=port.x + (inset if port.x == rect.x else -inset))

    def _draw_box(self, pen: Pen, box: Box, rect: Rect) -> None:
        colour, stroke = self._look_of(box)
        if len(box.addresses) > 1:
            down = _STACKED if self._direction == "TB" else -_STACKED
            _draw_shape(pen, box.kind, rect.moved(Point(_STACKED, down)), colour.fill, stroke)
        gid = printable(f"node|{box.key}")
        _draw_shape(pen, box.kind, rect, colour.fill, stroke, gid=gid)
        lines = lines_of(box)
        x = rect.x + rect.width / 2
        y = rect.middle - sum(self._fonts[line.sort].size for line in lines) * LEADING / 2
        for line in lines:
            font = self._font_of(box, line)
            height = font.size * LEADING
            if line.sort == "problems":
                width = text_width(line.text, font) + 2 * BADGE_PADDING
                badge = self._theme.badges[box.severity is not Severity.ERROR]
                pill = Rect(x - width / 2, y, width, height)
                pen.box(pill, fill=badge, rounding=height / 2)
            pen.text(Point(x, y + height / 2), line.text, font)
            y += height

    def _font_of(self, box: Box, line: Line) -> Font:
        font = self._fonts[line.sort]
        if line.sort == "mark" and box.mark:
            return font._replace(colour=self._theme.roles[box.mark.role])
        if (box.is_pale or box.is_ghost) and line.sort != "problems":
            return font._replace(colour=self._theme.note)
        return font

    def _look_of(self, box: Box) -> tuple[Colour, Stroke]:
        theme = self._theme
        colour = self._colours[box.family]
        if box.is_in_cycle:
            return colour, Stroke(theme.cycle, 1.9)
        fill = theme.page if box.is_pale or box.is_ghost else colour.fill
        dashes = _GHOSTLY if box.is_ghost else ()
        if box.mark and LOOKS[box.mark.role].is_loud:
            line = theme.roles[box.mark.role]
            return Colour(fill, line), Stroke(line, 1.9, dashes)
        if box.is_ghost:
            return Colour(fill, theme.note), Stroke(theme.note, 1.0, dashes)
        if box.is_pale:
            return Colour(fill, theme.pale), Stroke(theme.pale, 1.1)
        if box.is_selected and any(not one.is_selected for one in self._diagram.boxes.values()):
            return colour, Stroke(theme.ink, 1.9)
        return colour, Stroke(colour.line, 1.2)

    def _stroke_of(self, arrow: Arrow) -> Stroke:
        theme = self._theme
        colour, width = theme.lines[arrow.strength], _WIDTHS[arrow.strength]
        dashes = _DASHED if arrow.strength is Strength.SOFT else ()
        if arrow.is_dropped:
            dashes, width = _DOTTED, 1.3
        if arrow.is_in_cycle:
            return Stroke(theme.cycle, 1.8)
        if arrow.mark and arrow.mark.role is not Role.PLAIN:
            return Stroke(theme.roles[arrow.mark.role], 1.8, dashes)
        if arrow.is_ghost:
            return Stroke(theme.note, 0.9, _GHOSTLY)
        return Stroke(theme.pale if arrow.is_pale else colour, width, dashes)

    def _draw_entry(self, pen: Pen, placed: Placed, origin: Point) -> None:
        x, y = origin.x + placed.x, origin.y + placed.y
        sample, theme = placed.entry.sample, self._theme
        rect = Rect(x, y - SAMPLE.height / 2, *SAMPLE)
        if isinstance(sample, Arrow):
            ends = [Point(x, y), Point(x + SAMPLE.width, y)]
            pen.line(ends, self._stroke_of(sample), head=_head_of(sample))
        elif isinstance(sample, Role):
            colour = theme.roles[sample]
            dashes = _GHOSTLY if sample in (Role.REMOVED, Role.LEFT_OUT) else ()
            outline = Stroke(theme.pale if sample is Role.PLAIN else colour, 1.5, dashes)
            _draw_shape(pen, NodeKind.PROVIDER, rect, theme.page, outline)
            if symbol := LOOKS[sample].symbol:
                pen.text(Point(x + SAMPLE.width / 2, y), symbol, Font(7.6, colour, "bold"))
        elif isinstance(sample, NodeKind):
            _draw_shape(pen, sample, rect, theme.page, Stroke(theme.note, 1.1))
        elif isinstance(sample, Severity):
            badge = theme.badges[sample is not Severity.ERROR]
            pen.box(rect, fill=badge, rounding=rect.height / 2)
        else:
            api = self._colours[sample]
            _draw_shape(pen, NodeKind.PROVIDER, rect, api.fill, Stroke(api.line, 1.2))
        pen.text(Point(origin.x + placed.text_x, y), placed.entry.text, self._note, align="left")


def _draw_shape(
    pen: Pen, kind: NodeKind, rect: Rect, fill: str, stroke: Stroke, *, gid: str | None = None
) -> None:
    pen.box(rect, fill=fill, stroke=stroke, rounding=_rounding_of(kind, rect), gid=gid)


def _rounding_of(kind: NodeKind, rect: Rect) -> float:
    if kind is NodeKind.ROUTER:
        return min(rect.height, rect.width) / 2
    return min(_ROUNDING, rect.height / 3) if kind is NodeKind.PROVIDER else 0.0


def _depth_of(arrow: Arrow) -> int:
    is_loud = arrow.is_in_cycle or (arrow.mark is not None and arrow.mark.role is not Role.PLAIN)
    return 2 if is_loud else 0 if arrow.is_pale or arrow.is_ghost else 1


def _head_of(arrow: Arrow) -> Head:
    return "dot" if arrow.strength is Strength.MEMBER else "arrow"

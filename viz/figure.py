"""A graph as a matplotlib figure, and that as SVG, PNG or PDF. Loads matplotlib only to draw."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.address import Address, NodeKind
from rungraph.graph.nodes import Strength
from rungraph.viz.diagram import diagram_of
from rungraph.viz.labels import printable
from rungraph.viz.layout import Layout, Point, Rect, Size, lay_out
from rungraph.viz.legend import SAMPLE, Placed, entries_of, place_entries
from rungraph.viz.palette import CYCLE, Colour, palette_of
from rungraph.viz.parts import Arrow, Box, Diagram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from matplotlib.figure import Figure

    from rungraph.graph.model import RunGraph
    from rungraph.viz.grouping import View
    from rungraph.viz.overlay import Overlay
    from rungraph.viz.pen import Font, Format, Pen, Stroke

_MARGIN = 18.0
_NARROWEST = 440.0
_TOP = 46.0
"""From the upper margin to the headings of the generations."""
_HEADING_HEIGHT = 26.0
_BAND = 13.0
"""How far the band of a generation reaches beyond its boxes."""
_PADDING = Size(11.0, 8.0)
_NARROWEST_BOX = 78.0
_LEADING = 1.32
_ROUNDING = 7.0
_STACKED = 3.0
"""How far the box behind a box that stands for several shows."""
_LINES = {
    Strength.HARD: ("#475569", 1.1),
    Strength.MEMBER: ("#94a3b8", 1.0),
    Strength.SOFT: ("#64748b", 1.0),
}
_DASHED, _DOTTED = (4.5, 3.0), (1.2, 2.2)


class Fonts(NamedTuple):
    """The fonts of a picture."""

    title: Font
    heading: Font
    detail: Font
    note: Font


def draw(
    graph: RunGraph,
    *,
    view: View = "auto",
    reduced: bool | None = None,
    select: Iterable[Address] | None = None,
    depth: int | None = None,
    overlay: Overlay | None = None,
) -> Figure:
    """Return a picture of *graph*: generations from left to right, arrows to what needs them.

    The figure belongs to the caller; it is not known to pyplot. Every box and arrow has its
    address as ``gid``, which is its id in an SVG: ``node|<address>``, ``edge|<address>|<address>``.

    Args:
        graph: Any graph, also one that cannot be run.
        view: How much is drawn, as in `rungraph.viz.diagram.diagram_of`.
        reduced: Whether arrows that follow from others are left out; None where that helps.
        select: The nodes to draw; None for all.
        depth: How many steps around *select* are drawn too; None for none.
        overlay: What is laid over it.

    Raises:
        KeyError: If *select* names a node that is not there.
    """
    from rungraph.viz.pen import Font, settings

    fonts = Fonts(
        title=Font(13.0, "#0f172a", "bold"),
        heading=Font(9.0, "#0f172a", "bold"),
        detail=Font(7.2, "#475569"),
        note=Font(7.6, "#64748b"),
    )
    diagram = diagram_of(
        graph, view=view, reduced=reduced, select=select, depth=depth, overlay=overlay
    )
    with settings():
        return _Picture(diagram, fonts).drawn()


def render(
    graph: RunGraph,
    format: Format = "svg",  # noqa: A002 (the word of every library that writes pictures)
    *,
    view: View = "auto",
    reduced: bool | None = None,
    select: Iterable[Address] | None = None,
    depth: int | None = None,
    overlay: Overlay | None = None,
) -> bytes:
    """Return the picture that `draw` makes as a file. Equal graphs give equal bytes.

    Raises:
        ValueError: If *format* is none of ``svg``, ``png`` and ``pdf``.
    """
    from rungraph.viz.pen import to_bytes

    if format not in ("svg", "png", "pdf"):
        msg = f"unknown picture format '{format}'; known: pdf, png, svg"
        raise ValueError(msg)
    figure = draw(graph, view=view, reduced=reduced, select=select, depth=depth, overlay=overlay)
    return to_bytes(figure, format)


class _Picture:
    """A diagram on its way to a figure: measured, placed, drawn."""

    def __init__(self, diagram: Diagram, fonts: Fonts) -> None:
        from rungraph.viz.pen import text_width

        self._diagram = diagram
        self._fonts = fonts
        self._text_width: Callable[[str, Font], float] = text_width
        self._colours: Mapping[str, Colour] = palette_of(diagram.families)
        sizes = {key: self._size_of(box) for key, box in diagram.boxes.items()}
        columns = [column.boxes for column in diagram.columns]
        ends = [(arrow.dependency, arrow.dependent) for arrow in diagram.arrows]
        self._layout: Layout[Address] = lay_out(columns, sizes, ends)

    def _size_of(self, box: Box) -> Size:
        heading, detail = self._fonts.heading, self._fonts.detail
        widths = [self._text_width(line, heading) for line in box.title]
        widths += [self._text_width(line, detail) for line in box.details]
        height = (len(box.title) * heading.size + len(box.details) * detail.size) * _LEADING
        return Size(max(_NARROWEST_BOX, *widths) + 2 * _PADDING.width, height + 2 * _PADDING.height)

    def drawn(self) -> Figure:
        """Draw everything, what lies behind first."""
        from rungraph.viz.pen import Pen

        title = self._text_width(self._diagram.title, self._fonts.title)
        content = self._layout.size.width + 2 * _BAND
        width = max(content, title, _NARROWEST)
        legend, legend_height = place_entries(
            entries_of(self._diagram), width, lambda text: self._text_width(text, self._fonts.note)
        )
        bottom = _MARGIN + _TOP + _HEADING_HEIGHT + self._layout.size.height + _BAND
        pen = Pen(Size(width + 2 * _MARGIN, bottom + 12 + legend_height + _MARGIN))
        pen.text(Point(_MARGIN, _MARGIN + 6), self._diagram.title, self._fonts.title, align="left")
        pen.text(
            Point(_MARGIN, _MARGIN + 25), self._diagram.subtitle, self._fonts.note, align="left"
        )
        origin = Point(_MARGIN + _BAND + (width - content) / 2, _MARGIN + _TOP + _HEADING_HEIGHT)
        self._draw_bands(pen, origin)
        for arrow, line in zip(self._diagram.arrows, self._layout.lines, strict=True):
            points = [Point(origin.x + x, origin.y + y) for x, y in self._reaching(arrow, line)]
            pen.line(
                points,
                _stroke_of(arrow),
                gid=printable(f"edge|{arrow.dependency}|{arrow.dependent}"),
            )
        for key, box in self._diagram.boxes.items():
            rect = self._layout.boxes[key]
            self._draw_box(pen, box, rect._replace(x=origin.x + rect.x, y=origin.y + rect.y))
        for placed in legend:
            self._draw_entry(pen, placed, Point(_MARGIN, bottom + 12))
        return pen.figure

    def _reaching(self, arrow: Arrow, line: Sequence[Point]) -> Iterable[Point]:
        """Return the points of a line that ends at outlines, not at the rectangles around them."""
        start, end = line[0], line[-1]
        first = Point(self._outline(arrow.dependency, start), start.y)
        return dict.fromkeys((first, *line, Point(self._outline(arrow.dependent, end), end.y)))

    def _outline(self, key: Address, port: Point) -> float:
        rect = self._layout.boxes[key]
        if self._diagram.boxes[key].kind is not NodeKind.ROUTER:
            return port.x
        radius = rect.height / 2
        inset = radius - math.sqrt(radius**2 - (port.y - rect.middle) ** 2)
        return port.x + inset if port.x == rect.x else port.x - inset

    def _draw_bands(self, pen: Pen, origin: Point) -> None:
        spans: dict[str, list[float]] = {}
        for column, extent in zip(self._diagram.columns, self._layout.columns, strict=True):
            spans.setdefault(column.heading, []).extend(extent)
        top, height = origin.y - _HEADING_HEIGHT, self._layout.size.height + _HEADING_HEIGHT + _BAND
        for heading, span in spans.items():
            left, right = origin.x + min(span), origin.x + max(span)
            pen.box(
                Rect(left - _BAND, top, right - left + 2 * _BAND, height),
                fill="#f6f7f9",
                rounding=6.0,
            )
            pen.text(Point((left + right) / 2, top + 11), heading, self._fonts.note)

    def _draw_box(self, pen: Pen, box: Box, rect: Rect) -> None:
        if len(box.addresses) > 1:
            behind = rect._replace(x=rect.x + _STACKED, y=rect.y - _STACKED)
            self._draw_shape(pen, box.kind, behind, self._colours[box.family])
        colour = self._colours[box.family]
        self._draw_shape(
            pen,
            box.kind,
            rect,
            colour,
            is_in_cycle=box.is_in_cycle,
            gid=printable(f"node|{box.key}"),
        )
        x, y = rect.x + rect.width / 2, rect.y + _PADDING.height
        for lines, font in ((box.title, self._fonts.heading), (box.details, self._fonts.detail)):
            for line in lines:
                pen.text(Point(x, y + font.size * _LEADING / 2), line, font)
                y += font.size * _LEADING

    def _draw_shape(
        self,
        pen: Pen,
        kind: NodeKind,
        rect: Rect,
        colour: Colour,
        *,
        is_in_cycle: bool = False,
        gid: str | None = None,
    ) -> None:
        from rungraph.viz.pen import Stroke

        rounding = {
            NodeKind.PROVIDER: min(_ROUNDING, rect.height / 3),
            NodeKind.ROUTER: rect.height / 2,
        }.get(kind, 0.0)
        stroke = Stroke(CYCLE, 1.8) if is_in_cycle else Stroke(colour.line, 1.1)
        pen.box(rect, fill=colour.fill, stroke=stroke, rounding=rounding, gid=gid)

    def _draw_entry(self, pen: Pen, placed: Placed, origin: Point) -> None:
        x, y = origin.x + placed.x, origin.y + placed.y
        sample = placed.entry.sample
        rect = Rect(x, y - SAMPLE.height / 2, *SAMPLE)
        if isinstance(sample, Arrow):
            pen.line([Point(x, y), Point(x + SAMPLE.width, y)], _stroke_of(sample))
        elif isinstance(sample, NodeKind):
            self._draw_shape(pen, sample, rect, Colour("#ffffff", "#64748b"))
        else:
            self._draw_shape(pen, NodeKind.PROVIDER, rect, self._colours[sample])
        pen.text(
            Point(origin.x + placed.text_x, y), placed.entry.text, self._fonts.note, align="left"
        )


def _stroke_of(arrow: Arrow) -> Stroke:
    from rungraph.viz.pen import Stroke

    colour, width = _LINES[arrow.strength]
    if arrow.is_dropped:
        return Stroke(colour, 1.3, _DOTTED)
    if arrow.is_in_cycle:
        return Stroke(CYCLE, 1.7)
    return Stroke(colour, width, _DASHED if arrow.strength is Strength.SOFT else ())

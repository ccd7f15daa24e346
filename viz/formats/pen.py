"""Shapes, lines and text on a matplotlib figure. The only module that draws with matplotlib."""

from __future__ import annotations

import math
import re
import warnings
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch, PathPatch
from matplotlib.path import Path

from rungraph.viz.layout.fonts import SVG_FAMILIES, Font, properties_of
from rungraph.viz.layout.geometry import Point, Rect, Size
from rungraph.viz.layout.layered import segments_of

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from matplotlib.axes import Axes

    from rungraph.viz.layout.geometry import Direction

Format = Literal["svg", "png", "pdf"]
Head = Literal["arrow", "dot"]

_PIXELS_AN_INCH = 144.0
_MOST_PIXELS = 20e6
_LONGEST_SIDE = 30_000.0
_HEAD = Size(5.5, 5.0)
_DOT = 4.2
_NOTHING = 1e-6
"""A length that only rounding makes."""
_SETTINGS: Any = {
    "font.sans-serif": list(SVG_FAMILIES),
    "path.simplify": False,
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "rungraph",
    "text.usetex": False,
}
# No dates and no versions: equal graphs give equal bytes.
_METADATA: Mapping[str, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


class Stroke(NamedTuple):
    """How a line looks; *dashes* are lengths on and off, in line widths, none for a solid line."""

    colour: str
    width: float
    dashes: tuple[float, ...] = ()


@contextmanager
def settings() -> Generator[None]:
    """Draw and save inside this, so that the user's own matplotlib settings change nothing."""
    with style.context(["default", _SETTINGS]), warnings.catch_warnings():
        # A viewer has its own fonts for what the measuring font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


class Pen:
    """Draws a page. Lengths are in points, from the left upper corner.

    Attributes:
        figure: What it draws on: a figure of its own, or that of the given axes.
    """

    def __init__(self, size: Size, *, page: str, axes: Axes | None = None) -> None:
        # matplotlib's own types are unknown in part: here, and where the figure is saved.
        if axes is None:
            self.figure: Figure = Figure(
                figsize=(size.width / 72, size.height / 72), facecolor=page
            )
            FigureCanvasAgg(self.figure)
            self._axes: Any = cast("Any", self.figure).add_axes((0.0, 0.0, 1.0, 1.0))
            self._scale = 1.0
        else:
            self._axes = cast("Any", axes)
            self.figure = cast("Figure", self._axes.get_figure())
            room = self._axes.get_window_extent()
            dots = self.figure.dpi / 72
            self._scale = min(room.width / size.width, room.height / size.height) / dots
            self._axes.set_aspect("equal")
        self._axes.set_axis_off()
        self._axes.set_xlim(0.0, size.width)
        self._axes.set_ylim(size.height, 0.0)
        if axes is not None:
            self.box(Rect(0.0, 0.0, *size), fill=page)

    def box(
        self,
        rect: Rect,
        *,
        fill: str,
        stroke: Stroke | None = None,
        rounding: float = 0.0,
        gid: str | None = None,
    ) -> None:
        """Draw a box with corners rounded by *rounding*."""
        rounded = f"round,pad=0,rounding_size={rounding}" if rounding else "square,pad=0"
        patch = FancyBboxPatch(
            (rect.x, rect.y),
            rect.width,
            rect.height,
            boxstyle=rounded,
            facecolor=fill,
            edgecolor=stroke.colour if stroke else "none",
            linewidth=stroke.width * self._scale if stroke else 0.0,
            linestyle=(0, stroke.dashes) if stroke and stroke.dashes else "solid",
            gid=gid,
        )
        self._add(patch)

    def line(
        self,
        points: Sequence[Point],
        stroke: Stroke,
        *,
        direction: Direction = "LR",
        head: Head = "arrow",
        gid: str | None = None,
    ) -> None:
        """Draw the line of a `Layout`, with a head at its end."""
        vertices: list[tuple[float, float]] = [points[0]]
        codes: list[Any] = [Path.MOVETO]
        for piece in segments_of(points, direction):
            vertices += piece
            codes += [Path.LINETO] if len(piece) == 1 else [Path.CURVE4] * 3
        self._head(vertices, stroke, head, gid)
        patch = PathPatch(
            Path(vertices, codes),
            facecolor="none",
            edgecolor=stroke.colour,
            linewidth=stroke.width * self._scale,
            linestyle=(0, stroke.dashes) if stroke.dashes else "solid",
            capstyle="butt",
            gid=gid,
        )
        self._add(patch)

    def _head(
        self, vertices: list[tuple[float, float]], stroke: Stroke, head: Head, gid: str | None
    ) -> None:
        """Draw the head; the line's end moves inside it, or it would show around the tip."""
        x, y = vertices[-1]
        before = (
            (x - px, y - py)
            for px, py in reversed(vertices)
            if abs(px - x) + abs(py - y) > _NOTHING
        )
        dx, dy = next(before, (1.0, 0.0))
        length = math.hypot(dx, dy)
        dx, dy = dx / length, dy / length
        if head == "dot":
            path = Path.circle((x - dx * _DOT / 2, y - dy * _DOT / 2), _DOT / 2)
            vertices[-1] = (x - dx * _DOT / 2, y - dy * _DOT / 2)
        else:
            back, half = _HEAD.width, _HEAD.height / 2
            corners = [
                (x, y),
                (x - dx * back - dy * half, y - dy * back + dx * half),
                (x - dx * back + dy * half, y - dy * back - dx * half),
                (x, y),
            ]
            path = Path(corners, closed=True)
            vertices[-1] = (x - dx * back * 0.8, y - dy * back * 0.8)
        self._add(
            PathPatch(
                path,
                facecolor=stroke.colour,
                edgecolor="none",
                linewidth=0.0,
                gid=gid and f"{gid}|head",
            )
        )

    def _add(self, patch: Patch) -> None:
        # Nothing reaches beyond the page, and the page's limits are known: no clipping, no scaling.
        patch.set_clip_on(False)
        self._axes.add_artist(patch)

    def text(
        self, at: Point, text: str, font: Font, *, align: Literal["left", "center"] = "center"
    ) -> None:
        """Write one line; *at* is its left end or its middle, half-way up a capital letter."""
        self._axes.text(
            at.x,
            at.y + 0.36 * font.size,
            text,
            color=font.colour,
            fontproperties=properties_of(text, font, self._scale),
            horizontalalignment=align,
            verticalalignment="baseline",
            parse_math=False,
        )


def to_bytes(
    figure: Figure, file_format: Format, night_of_day: Mapping[str, str] | None = None
) -> bytes:
    """Return *figure* as a file. Equal figures give equal bytes.

    Args:
        figure: What `Pen` drew.
        file_format: As what.
        night_of_day: For an SVG, the colour that each of its colours gives way to where the reader
            prefers dark pages; None leaves them as they are.
    """
    width, height = figure.get_size_inches()
    dots = min(
        _PIXELS_AN_INCH,
        _LONGEST_SIDE / max(width, height),
        math.sqrt(_MOST_PIXELS / (width * height)),
    )
    target = BytesIO()
    with settings():
        if file_format == "svg":
            _name_families(figure)
        cast("Any", figure).savefig(
            target, format=file_format, dpi=dots, metadata=_METADATA[file_format]
        )
    written = target.getvalue()
    return _with_night(written, night_of_day) if file_format == "svg" and night_of_day else written


def _name_families(figure: Figure) -> None:
    """Let the viewer choose the fonts: which ones this machine has must not show in the file."""
    for axes in cast("Any", figure).axes:
        for text in axes.texts:
            text.set_fontfamily("sans-serif")


def _with_night(svg: bytes, night_of_day: Mapping[str, str]) -> bytes:
    """Return *svg* with a style that exchanges its colours where dark pages are preferred."""
    text = svg.decode()
    rules = [
        f'[style*="{what}: {day}"]{{{what}:{night_of_day[day]}!important}}'
        for what, day in sorted(set(re.findall(r"(fill|stroke): (#[0-9a-f]{6})", text)))
        if day in night_of_day
    ]
    style_text = "\n".join(["@media screen and (prefers-color-scheme: dark) {", *rules, "}"])
    return text.replace(
        "</defs>", f'<style type="text/css">\n{style_text}\n</style>\n</defs>', 1
    ).encode()

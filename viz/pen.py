"""Shapes, lines and text on a matplotlib figure. The only module that loads matplotlib."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast
from unicodedata import east_asian_width

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import FancyBboxPatch, Patch, PathPatch
from matplotlib.path import Path
from matplotlib.textpath import text_to_path

from rungraph.viz.layout import BOW, Point, Rect, Size

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

Format = Literal["svg", "png", "pdf"]

_PIXELS_AN_INCH = 150.0
_MOST_PIXELS = 20e6
_LONGEST_SIDE = 30_000.0
_HEAD = Size(5.5, 5.0)
_NOTHING = 1e-6
"""A length that only rounding makes."""
_SETTINGS: Any = {
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Helvetica", "Arial"],
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


class Font(NamedTuple):
    """How text looks; the size is in points."""

    size: float
    colour: str
    weight: Literal["normal", "bold"] = "normal"


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


def text_width(text: str, font: Font) -> float:
    """Return how wide *text* is."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, _properties(font), ismath=False)
    # The measuring font may lack wide characters; a viewer's font makes them a square.
    wide = sum(east_asian_width(char) in "WF" for char in text)
    return max(
        float(width), wide * font.size + 0.5 * (len(text) - wide) * font.size if wide else 0.0
    )


def _properties(font: Font) -> FontProperties:
    return FontProperties(family="sans-serif", size=font.size, weight=font.weight)


class Pen:
    """Draws on a figure of its own. Lengths are in points, from the left upper corner.

    Attributes:
        figure: The figure.
    """

    def __init__(self, size: Size) -> None:
        self.figure: Figure = Figure(figsize=(size.width / 72, size.height / 72), facecolor="white")
        FigureCanvasAgg(self.figure)
        # matplotlib's own types are unknown in part: here, and where the figure is saved.
        self._axes: Any = cast("Any", self.figure).add_axes((0.0, 0.0, 1.0, 1.0))
        self._axes.set_axis_off()
        self._axes.set_xlim(0.0, size.width)
        self._axes.set_ylim(size.height, 0.0)

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
            linewidth=stroke.width if stroke else 0.0,
            gid=gid,
        )
        self._add(patch)

    def line(
        self,
        points: Sequence[Point],
        stroke: Stroke,
        *,
        has_head: bool = True,
        gid: str | None = None,
    ) -> None:
        """Draw the line of a `Layout`, with an arrow head at its end."""
        vertices: list[tuple[float, float]] = [points[0]]
        codes: list[Any] = [Path.MOVETO]
        for a, b in pairwise(points):
            if a.y == b.y:
                vertices.append(b)
                codes.append(Path.LINETO)
            else:
                bend = a.x + BOW if a.x == b.x else (a.x + b.x) / 2
                vertices += [(bend, a.y), (bend, b.y), b]
                codes += [Path.CURVE4] * 3
        if has_head:
            self._head(vertices, stroke, gid)
        patch = PathPatch(
            Path(vertices, codes),
            facecolor="none",
            edgecolor=stroke.colour,
            linewidth=stroke.width,
            linestyle=(0, stroke.dashes) if stroke.dashes else "solid",
            capstyle="butt",
            gid=gid,
        )
        self._add(patch)

    def _head(self, vertices: list[tuple[float, float]], stroke: Stroke, gid: str | None) -> None:
        x, y = vertices[-1]
        came_from = next((one[0] for one in reversed(vertices) if abs(one[0] - x) > _NOTHING), x)
        back = math.copysign(_HEAD.width, came_from - x)
        half = _HEAD.height / 2
        # The line ends inside its head, or it would show around the tip.
        vertices[-1] = (x + back * 0.8, y)
        path = Path([(x, y), (x + back, y - half), (x + back, y + half), (x, y)], closed=True)
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
            fontproperties=_properties(font),
            horizontalalignment=align,
            verticalalignment="baseline",
            parse_math=False,
        )


def to_bytes(figure: Figure, file_format: Format) -> bytes:
    """Return *figure* as a file. Equal figures give equal bytes."""
    width, height = figure.get_size_inches()
    dots = min(
        _PIXELS_AN_INCH,
        _LONGEST_SIDE / max(width, height),
        math.sqrt(_MOST_PIXELS / (width * height)),
    )
    target = BytesIO()
    with settings():
        cast("Any", figure).savefig(
            target, format=file_format, dpi=dots, metadata=_METADATA[file_format]
        )
    return target.getvalue()

"""A graph as a matplotlib figure, and that as SVG, PNG or PDF. Loads matplotlib only to draw."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, Unpack, cast

from rungraph.graph.budgets import MOST_DRAWN
from rungraph.viz.layout.layered_graph import PictureError
from rungraph.viz.model.diagram import diagram_of
from rungraph.viz.model.theme import night_of_day, theme_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rungraph.graph.model import RunGraph
    from rungraph.viz.formats.pen import Format
    from rungraph.viz.layout.geometry import Direction
    from rungraph.viz.model.diagram import DiagramOptions
    from rungraph.viz.model.theme import ThemeName


def draw(
    graph: RunGraph,
    *,
    direction: Direction = "LR",
    theme: ThemeName = "auto",
    ax: Axes | None = None,
    **options: Unpack[DiagramOptions],
) -> Figure:
    """Return a picture of *graph*: generations in start order, arrows to what needs them.

    The figure belongs to the caller; it is not known to pyplot. Every box and arrow has its
    address as ``gid``, which is its id in an SVG: ``node|<address>``, ``edge|<address>|<address>``.

    Args:
        graph: Any graph, also one that cannot be run: its problems are marked.
        direction: Where later generations go: ``LR`` to the right, ``TB`` down.
        theme: ``light`` or ``dark``; ``auto`` is light, and in an SVG that `render` makes the
            reader's own.
        ax: Where to draw, as large as it fits there now; None for a figure of its own.
        options: Which part is drawn, and how much of it: those of
            `rungraph.viz.model.diagram.diagram_of`, such as *view*, *select* and *overlay*. The
            view ``auto`` has a box for each API, and says so, where else the picture would have
            text below 9 pixels on a slide of 1,600 by 900; not with an overlay.

    Raises:
        KeyError: If *select* names a node that is not there.
        PictureError: If there are more than ``MOST_DRAWN`` boxes and arrows, or more than
            ``MOST_LAID_OUT`` with the columns that arrows pass.
        ValueError: If *view*, *depth*, *direction* or *theme* is nothing of the kind.
    """
    from rungraph.viz.formats.drawing import Picture
    from rungraph.viz.formats.pen import settings

    if direction not in ("LR", "TB"):
        msg = f"unknown direction '{direction}'; known: LR, TB"
        raise ValueError(msg)
    colours = theme_of(theme)
    diagram = diagram_of(graph, **options)
    if len(diagram.boxes) + len(diagram.arrows) > MOST_DRAWN:
        what = f"{len(diagram.boxes):,} boxes and {len(diagram.arrows):,} arrows"
        raise PictureError(what, MOST_DRAWN)
    with settings():
        figure = Picture(diagram, colours, direction).drawn(ax)
        is_free = (
            ax is None and options.get("view", "auto") == "auto" and not options.get("overlay")
        )
        if not is_free or diagram.view == "collapsed" or _least_text(figure) >= _READABLE:
            return figure
        options["view"] = "collapsed"
        by_api = diagram_of(graph, **options)
        notes = (*by_api.notes, "single nodes would be too small to read on a slide")
        smaller = Picture(replace(by_api, notes=notes), colours, direction).drawn()
        return max(figure, smaller, key=_least_text)


_SLIDE = (1600.0, 900.0)
_READABLE = 9.0
"""Pixels of the smallest text that can be read on a slide, or in the column of a README."""


def _least_text(figure: Figure) -> float:
    """Return how many pixels the smallest text of a picture has where that fills a slide."""
    from rungraph.viz.formats.drawing import SMALLEST_TEXT

    width, height = (72 * float(inches) for inches in figure.get_size_inches())
    return SMALLEST_TEXT * min(_SLIDE[0] / width, _SLIDE[1] / height)


def render(
    graph: RunGraph,
    format: Format = "svg",  # noqa: A002 (the word of every library that writes pictures)
    *,
    direction: Direction = "LR",
    theme: ThemeName = "auto",
    **options: Unpack[DiagramOptions],
) -> bytes:
    """Return the picture that `draw` makes as a file. Equal graphs give equal bytes.

    Raises:
        KeyError: If *select* names a node that is not there.
        PictureError: If there are more than ``MOST_DRAWN`` boxes and arrows, or more than
            ``MOST_LAID_OUT`` with the columns that arrows pass.
        ValueError: If *format* is none of ``svg``, ``png`` and ``pdf``, or another argument is
            nothing of its kind.
    """
    if format not in ("svg", "png", "pdf"):
        msg = f"unknown picture format '{format}'; known: pdf, png, svg"
        raise ValueError(msg)
    from rungraph.viz.formats.pen import to_bytes

    figure = draw(graph, direction=direction, theme=theme, **options)
    families = {address.api for address in graph.nodes}
    return to_bytes(figure, format, night_of_day(families) if theme == "auto" else None)


def show_the_same(one: bytes, other: bytes) -> bool:
    """Whether two PNG files show the same: other versions of zlib pack the same pixels otherwise.

    What is no PNG shows nothing.
    """
    from matplotlib import image

    try:
        first, second = (
            cast("Any", image).imread(BytesIO(content), format="png") for content in (one, other)
        )
    except (OSError, ValueError, SyntaxError):  # All three mean that it is no whole PNG.
        return False
    return bool(first.shape == second.shape and (first == second).all())

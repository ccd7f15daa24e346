"""A graph as a matplotlib figure, and that as SVG, PNG or PDF. Loads matplotlib only to draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.viz.formats.theme import night_of_day, theme_of
from rungraph.viz.model.diagram import diagram_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph
    from rungraph.viz.formats.pen import Format
    from rungraph.viz.formats.theme import ThemeName
    from rungraph.viz.layout.layered import Direction
    from rungraph.viz.model.elements import View
    from rungraph.viz.model.overlay import Overlay


def draw(
    graph: RunGraph,
    *,
    view: View = "auto",
    reduced: bool | None = None,
    select: Iterable[Address] | None = None,
    depth: int | None = None,
    overlay: Overlay | None = None,
    late: bool = False,
    direction: Direction = "LR",
    theme: ThemeName = "auto",
    ax: Axes | None = None,
) -> Figure:
    """Return a picture of *graph*: generations in start order, arrows to what needs them.

    The figure belongs to the caller; it is not known to pyplot. Every box and arrow has its
    address as ``gid``, which is its id in an SVG: ``node|<address>``, ``edge|<address>|<address>``.

    Args:
        graph: Any graph, also one that cannot be run: its problems are marked.
        view: ``full`` draws each node, ``factored`` makes one box of providers with the same
            neighbours, ``collapsed`` one of each API with its table and router; ``auto`` takes the
            first of these that can be read.
        reduced: Whether arrows that follow from others are left out; None where that helps.
        select: The nodes to draw; None for all.
        depth: How many steps around *select* are drawn too; None for none.
        overlay: What is laid over it; `rungraph.viz.model.overlay_sources` makes them.
        late: Whether a node stands next to what needs it first, rather than in the generation that
            it starts in: arrows are shorter and cross less.
        direction: Where later generations go: ``LR`` to the right, ``TB`` down.
        theme: ``light`` or ``dark``; ``auto`` is light, and in an SVG that `render` makes the
            reader's own.
        ax: Where to draw, as large as it fits there now; None for a figure of its own.

    Raises:
        KeyError: If *select* names a node that is not there.
        ValueError: If *view*, *depth*, *direction* or *theme* is nothing of the kind.
    """
    from rungraph.viz.formats.drawing import Picture
    from rungraph.viz.formats.pen import settings

    if direction not in ("LR", "TB"):
        msg = f"unknown direction '{direction}'; known: LR, TB"
        raise ValueError(msg)
    colours = theme_of(theme)
    diagram = diagram_of(
        graph,
        view=view,
        reduced=reduced,
        select=select,
        depth=depth,
        overlay=overlay,
        late=late,
    )
    with settings():
        return Picture(diagram, colours, direction).drawn(ax)


def render(
    graph: RunGraph,
    format: Format = "svg",  # noqa: A002 (the word of every library that writes pictures)
    *,
    view: View = "auto",
    reduced: bool | None = None,
    select: Iterable[Address] | None = None,
    depth: int | None = None,
    overlay: Overlay | None = None,
    late: bool = False,
    direction: Direction = "LR",
    theme: ThemeName = "auto",
) -> bytes:
    """Return the picture that `draw` makes as a file. Equal graphs give equal bytes.

    Raises:
        KeyError: If *select* names a node that is not there.
        ValueError: If *format* is none of ``svg``, ``png`` and ``pdf``, or another argument is
            nothing of its kind.
    """
    if format not in ("svg", "png", "pdf"):
        msg = f"unknown picture format '{format}'; known: pdf, png, svg"
        raise ValueError(msg)
    from rungraph.viz.formats.pen import to_bytes

    figure = draw(
        graph,
        view=view,
        reduced=reduced,
        select=select,
        depth=depth,
        overlay=overlay,
        late=late,
        direction=direction,
        theme=theme,
    )
    families = {address.api for address in graph.nodes}
    return to_bytes(figure, format, night_of_day(families) if theme == "auto" else None)

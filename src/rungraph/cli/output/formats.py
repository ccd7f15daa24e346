"""A graph in every format that ``rungraph graph`` knows."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

from rungraph import viz
from rungraph.cli.terminal import screen, tell
from rungraph.viz.formats.mermaid import EASY_ARROWS, MOST_ARROWS, mermaid_of
from rungraph.viz.model.diagram import diagram_of

if TYPE_CHECKING:
    from rungraph.cli.output.pictures import Renderers
    from rungraph.graph import RunGraph
    from rungraph.viz.model.diagram import DiagramOptions
    from rungraph.viz.timeline import Schedule

FILE_WIDTH = 120
"""Cells in a line of a text file, whatever terminal it is written from."""


def renderers_of(
    graph: RunGraph,
    options: DiagramOptions,
    *,
    direction: Literal["LR", "TB"] = "LR",
    theme: Literal["auto", "light", "dark"] = "auto",
    start: Schedule | None = None,
) -> Renderers:
    """Return what draws *graph*, by format; equal graphs give equal bytes.

    A page has the *start* of a recorded run of the graph as a tab.
    """

    def image(form: Literal["png", "svg", "pdf"]) -> bytes:
        return viz.render(graph, form, direction=direction, theme=theme, **options)

    return {
        "screen": lambda _: viz.render_text(graph, **screen(sys.stdout), **options) + "\n",
        "text": lambda _: viz.render_text(graph, width=FILE_WIDTH, **options) + "\n",
        "mermaid": lambda _: _mermaid(graph, options, direction),
        "dot": lambda _: viz.render_dot(graph, direction=direction, **options),
        "json": lambda _: viz.render_json(graph, **options),
        "graphml": lambda _: viz.render_graphml(graph, **options),
        "html": lambda _: viz.render_html(graph, direction=direction, timeline=start, **options),
        **dict.fromkeys(("png", "svg", "pdf"), image),
    }


def _mermaid(graph: RunGraph, options: DiagramOptions, direction: Literal["LR", "TB"]) -> str:
    diagram = diagram_of(graph, **options)
    if len(diagram.arrows) > EASY_ARROWS:
        verb = "refuses" if len(diagram.arrows) > MOST_ARROWS else "hardly manages"
        tell(
            f"warning: {len(diagram.arrows)} arrows: Mermaid {verb} so many (GitHub's limit is "
            f"{MOST_ARROWS})\n  help: draw less with --view collapsed, --reduced or --select"
        )
    return mermaid_of(diagram, direction)

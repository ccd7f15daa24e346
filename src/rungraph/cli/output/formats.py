"""A graph in every format that ``rungraph graph`` knows."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rungraph.cli.terminal import is_unicode, style_of, tell, width_of

if TYPE_CHECKING:
    from rungraph.graph import RunGraph
    from rungraph.viz.formats.options import DiagramOptions
    from rungraph.viz.timeline import Schedule

FILE_WIDTH = 120
"""Cells in a line of a text file, whatever terminal it is written from."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What is drawn.

    Attributes:
        graph: Of which graph.
        options: Which part, and how much of it.
        direction: Where later nodes are drawn.
        theme: For which background.
        start: How a recorded run of it started; a page has that as a tab.
    """

    graph: RunGraph
    options: DiagramOptions
    direction: Literal["LR", "TB"] = "LR"
    theme: Literal["auto", "light", "dark"] = "auto"
    start: Schedule | None = None

    def on_screen(self, _: str) -> bytes:
        """Return it as text for standard output as that is: its width, its characters, colours."""
        from rungraph.viz import render_text

        text = render_text(
            self.graph,
            width=width_of(sys.stdout),
            is_ascii=not is_unicode(sys.stdout),
            style=style_of(sys.stdout),
            **self.options,
        )
        return f"{text}\n".encode()

    def as_file(self, form: str) -> bytes:
        """Return it in the format *form*; equal graphs give equal bytes."""
        from rungraph import viz

        match form:
            case "text":
                return f"{viz.render_text(self.graph, width=FILE_WIDTH, **self.options)}\n".encode()
            case "mermaid":
                return self._mermaid().encode()
            case "dot":
                return viz.render_dot(self.graph, direction=self.direction, **self.options).encode()
            case "json":
                return viz.render_json(self.graph, **self.options).encode()
            case "graphml":
                return viz.render_graphml(self.graph, **self.options).encode()
            case "html":
                return viz.render_html(
                    self.graph, direction=self.direction, timeline=self.start, **self.options
                ).encode()
            case "png" | "svg" | "pdf":
                return viz.render(
                    self.graph, form, direction=self.direction, theme=self.theme, **self.options
                )
            case _:
                msg = f"unknown format '{form}'"
                raise ValueError(msg)

    def _mermaid(self) -> str:
        from rungraph.viz.formats.mermaid import EASY_ARROWS, MOST_ARROWS, mermaid_of
        from rungraph.viz.model.diagram import diagram_of

        diagram = diagram_of(self.graph, **self.options)
        if len(diagram.arrows) > EASY_ARROWS:
            verb = "refuses" if len(diagram.arrows) > MOST_ARROWS else "hardly manages"
            tell(
                f"warning: {len(diagram.arrows)} arrows: Mermaid {verb} so many (GitHub's limit is "
                f"{MOST_ARROWS})\n  help: draw less with --view collapsed, --reduced or --select"
            )
        return mermaid_of(diagram, self.direction)

"""Pictures of a run graph. Importing this loads no drawing library; drawing something does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph._lazy import lazy_names

if TYPE_CHECKING:
    from rungraph.viz.formats.dot import render_dot
    from rungraph.viz.formats.exports import render_graphml, render_json
    from rungraph.viz.formats.figure import draw, render
    from rungraph.viz.formats.mermaid import render_mermaid
    from rungraph.viz.formats.text import render_text
    from rungraph.viz.html import render_html

__all__ = [
    "draw",
    "render",
    "render_dot",
    "render_graphml",
    "render_html",
    "render_json",
    "render_mermaid",
    "render_text",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    __all__,
    {
        "formats.dot": ["render_dot"],
        "formats.exports": ["render_graphml", "render_json"],
        "formats.figure": ["draw", "render"],
        "formats.mermaid": ["render_mermaid"],
        "formats.text": ["render_text"],
    },
    otherwise="html",
)

"""A start as a Gantt chart: as a figure, as text, as data. Importing this loads no drawing library.

What is drawn is a `Schedule` of plain values: this package knows no engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph._lazy import lazy_names

if TYPE_CHECKING:
    from rungraph.viz.timeline.data import json_of, mermaid_of
    from rungraph.viz.timeline.figure import draw_schedule, render_schedule
    from rungraph.viz.timeline.page import html_of
    from rungraph.viz.timeline.schedule import Schedule, Span
    from rungraph.viz.timeline.text import render_blame, render_chain, render_schedule_text

__all__ = [
    "Schedule",
    "Span",
    "draw_schedule",
    "html_of",
    "json_of",
    "mermaid_of",
    "render_blame",
    "render_chain",
    "render_schedule",
    "render_schedule_text",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    __all__,
    {
        "data": ["json_of", "mermaid_of"],
        "figure": ["draw_schedule", "render_schedule"],
        "page": ["html_of"],
        "text": ["render_blame", "render_chain", "render_schedule_text"],
    },
    otherwise="schedule",
)

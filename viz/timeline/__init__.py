"""A start as a Gantt chart: as a figure, as text, as data. Importing this loads no drawing library.

What is drawn is a `Schedule` of plain values: this package knows no engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rungraph.viz.timeline.schedule import Schedule, Span

if TYPE_CHECKING:
    from rungraph.viz.timeline.data import json_of, mermaid_of
    from rungraph.viz.timeline.figure import draw_schedule, render_schedule
    from rungraph.viz.timeline.lists import render_blame, render_chain
    from rungraph.viz.timeline.page import html_of
    from rungraph.viz.timeline.text import render_schedule_text

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

_MODULES = {
    "draw_schedule": "figure",
    "html_of": "page",
    "json_of": "data",
    "mermaid_of": "data",
    "render_blame": "lists",
    "render_chain": "lists",
    "render_schedule": "figure",
    "render_schedule_text": "text",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

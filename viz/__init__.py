"""Pictures of a run graph. Importing this loads no drawing library; drawing something does."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rungraph.viz.figure import draw, render
    from rungraph.viz.html import render_html
    from rungraph.viz.mermaid import render_mermaid

__all__ = ["draw", "render", "render_html", "render_mermaid"]

_MODULES = {
    "draw": "figure",
    "render": "figure",
    "render_html": "html",
    "render_mermaid": "mermaid",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"rungraph.viz.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

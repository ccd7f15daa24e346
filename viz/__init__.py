"""Pictures of a run graph. Importing this loads no drawing library; drawing something does."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

_MODULES = {
    "draw": "formats.figure",
    "render": "formats.figure",
    "render_dot": "formats.dot",
    "render_graphml": "formats.exports",
    "render_html": "html",
    "render_json": "formats.exports",
    "render_mermaid": "formats.mermaid",
    "render_text": "formats.text",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"rungraph.viz.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

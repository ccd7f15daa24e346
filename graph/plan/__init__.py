"""The plan of a graph: what will start, in which order and why; text, JSON and Markdown. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph._lazy import lazy_names

if TYPE_CHECKING:
    from rungraph.graph.json_format import FORMAT_VERSION
    from rungraph.graph.plan.make import make_plan
    from rungraph.graph.plan.markdown import plan_to_markdown
    from rungraph.graph.plan.model import Plan
    from rungraph.graph.plan.plan_json import PlanError, is_plan, load_plan, plan_to_json
    from rungraph.graph.plan.text import render_plan

__all__ = [
    "FORMAT_VERSION",
    "Plan",
    "PlanError",
    "is_plan",
    "load_plan",
    "make_plan",
    "plan_to_json",
    "plan_to_markdown",
    "render_plan",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    __all__,
    {
        "make": ["make_plan"],
        "markdown": ["plan_to_markdown"],
        "model": ["FORMAT_VERSION", "Plan"],
        "text": ["render_plan"],
    },
    otherwise="plan_json",
)

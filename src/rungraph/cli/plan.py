"""``rungraph plan``: what would start, in which order and why."""

from __future__ import annotations

import sys

import click

from rungraph.cli.options import (
    allow_unset_env_option,
    catalog_option,
    file_argument,
    format_option,
    level_option,
)
from rungraph.cli.terminal import show, style_of


@click.command(short_help="Show what a run config starts, in which order and why.")
@file_argument()
@level_option
@catalog_option
@allow_unset_env_option
@format_option
def plan(file: str, level: str, catalog: str | None, form: str, *, allow_unset_env: bool) -> int:
    """Show what a run config starts, without starting it; FILE - is standard input.

    Shows the nodes by generation, what each of them needs, and every problem. Nothing is imported
    unless --level import asks for it, and no server is asked anything. Secrets are masked.
    """
    from rungraph.cli.loading import has_errors, load_graph
    from rungraph.graph import Level
    from rungraph.graph.plan import plan_to_json, render_plan

    depth = Level[level.upper()]
    graph = load_graph(file, depth, catalog=catalog, allow_unset_env=allow_unset_env)
    if form == "json":
        text = plan_to_json(graph, depth)
    else:
        text = render_plan(graph, depth, style_of(sys.stdout))
    show(text.removesuffix("\n"))
    return 1 if has_errors(graph) else 0

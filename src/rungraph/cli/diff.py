"""``rungraph diff``: what differs between two run configs, and what that touches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.options import (
    allow_unset_env_option,
    catalog_option,
    edges_option,
    level_option,
)
from rungraph.cli.terminal import show, style_of, tell

if TYPE_CHECKING:
    from rungraph.graph.diff import Edges

DIFFERS = 3
"""The exit code that tells of differences, for those who ask for one."""


@click.command(short_help="Compare two run configs, and say what the difference touches.")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@level_option
@catalog_option
@allow_unset_env_option
@edges_option
@click.option("--exit-code", "has_code", is_flag=True, help="End with 3 when they differ.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How results are written; markdown is for a pull request.",
)
def diff(
    old: str,
    new: str,
    *,
    level: str,
    catalog: str | None,
    allow_unset_env: bool,
    edges: Edges,
    has_code: bool,
    form: str,
) -> int:
    """Compare the graphs of two run configs, and say what depends on what differs.

    OLD and NEW are run configs, plans or graphs that were saved as JSON, - for standard input, or
    git:REV:path for a file at a revision (git:HEAD:run.yaml). The order of the YAML, comments and
    places do not count. Secrets are compared and never shown. Configs with errors are compared,
    too; the exit code is 1 only when one cannot be read at all.
    """
    from rungraph.cli.inputs.comparable import load_side
    from rungraph.cli.inputs.loading import tell_problems
    from rungraph.graph import Level
    from rungraph.graph.diff import diff_graphs, diff_to_json, diff_to_markdown, render_diff

    if old == new == "-":
        msg = "OLD and NEW cannot both be standard input"
        raise click.UsageError(msg)
    depth = Level[level.upper()]
    sides = [
        load_side(name, depth, catalog=catalog, allow_unset_env=allow_unset_env)
        for name in (old, new)
    ]
    unreadable = [graph for side in sides if (graph := side.unreadable) is not None]
    for graph in unreadable:
        tell_problems(graph)
    if unreadable:
        return 1
    for side in sides:
        if side.problems:
            tell(f"{side.name}: {side.problems}")
    found = diff_graphs(sides[0].graph, sides[1].graph, edges=edges)
    if form == "json":
        text = diff_to_json(found, old=old, new=new)
    elif form == "markdown":
        text = diff_to_markdown(found, old=old, new=new)
    else:
        text = render_diff(found, old=old, new=new, style=style_of(sys.stdout))
    show(text, end="")
    return DIFFERS if has_code and not found.is_empty else 0

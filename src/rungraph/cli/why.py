"""``rungraph why``: why a node is in a graph, or how two nodes hang together."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.comparables import load_askable
from rungraph.cli.inputs.options import edges_option, format_option, reading_options
from rungraph.cli.terminal import show, show_json, style_of
from rungraph.graph.why import (
    between_to_dict,
    node_named,
    presence_to_dict,
    render_between,
    render_presence,
    why_between,
    why_present,
)

if TYPE_CHECKING:
    from rungraph.cli.inputs.options import Reading
    from rungraph.graph.paths import Edges

_MOST = 10


@click.command()
@click.argument("config", metavar="CONFIG")
@click.argument("first", metavar="A")
@click.argument("second", metavar="[B]", required=False)
@click.option("--all", "wants_all", is_flag=True, help="Show several paths, the shortest first.")
@click.option(
    "--most",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"With --all: how many paths are shown; the rest is counted.  [default: {_MOST}]",
)
@edges_option
@reading_options
@format_option()
def why(
    config: str,
    first: str,
    second: str | None,
    *,
    wants_all: bool,
    most: int | None,
    edges: Edges,
    form: str,
    reading: Reading,
) -> None:
    """Say why node A is in the graph of a run config, or how A and B hang together.

    With A alone: where it is configured, why its API is served, and who needs it. With B: the
    shortest path between the two, whichever of them needs the other, with the reason of each step.
    A and B are addresses, their last parts, or queries that select one node each; the exit code is
    2 when they do not, and 1 when the config cannot be read.
    """
    if (wants_all or most) and second is None:
        msg = "--all and --most are about the paths between A and B: name B, too"
        raise click.UsageError(msg)
    graph = load_askable(config, reading)
    node = node_named(graph, first)
    if second is None:
        presence = why_present(graph, node)
        if form == "json":
            show_json(presence_to_dict(graph, presence), sort_keys=True)
        else:
            show(render_presence(graph, presence, style_of(sys.stdout)), end="")
        return
    count = (most or _MOST) if wants_all or most else 1
    between = why_between(graph, node, node_named(graph, second), edges=edges, most=count)
    if form == "json":
        show_json(between_to_dict(graph, between), sort_keys=True)
    else:
        show(render_between(graph, between, style_of(sys.stdout)), end="")

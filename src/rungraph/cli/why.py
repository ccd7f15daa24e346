"""``rungraph why``: why a node is in a graph, or how two nodes hang together."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from rungraph.cli.options import (
    allow_unset_env_option,
    catalog_option,
    edges_option,
    format_option,
)
from rungraph.cli.terminal import show, style_of

if TYPE_CHECKING:
    from rungraph.graph.why import Edges

_MOST = 10


@click.command(short_help="Say why a node is in the graph, or how two nodes hang together.")
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
@catalog_option
@allow_unset_env_option
@format_option
def why(
    config: str,
    first: str,
    second: str | None,
    *,
    wants_all: bool,
    most: int | None,
    edges: Edges,
    catalog: str | None,
    allow_unset_env: bool,
    form: str,
) -> None:
    """Say why node A is in the graph of a run config, or how A and B hang together.

    With A alone: where it is configured, why its API is served, and who needs it. With B: the
    shortest path between the two, whichever of them needs the other, with the reason of each step.
    A and B are addresses, their last parts, or queries that select one node each.
    """
    from rungraph.cli.loading import load_graph
    from rungraph.graph import Level
    from rungraph.graph.why import (
        between_to_dict,
        node_named,
        presence_to_dict,
        render_between,
        render_presence,
        why_between,
        why_present,
    )

    if (wants_all or most) and second is None:
        msg = "--all and --most are about the paths between A and B: name B, too"
        raise click.UsageError(msg)
    graph = load_graph(config, Level.ENV, catalog=catalog, allow_unset_env=allow_unset_env)
    style = style_of(sys.stdout)
    found: Any
    if second is None:
        presence = why_present(graph, node_named(graph, first))
        found, text = presence_to_dict(presence), render_presence(graph, presence, style)
    else:
        count = (most or _MOST) if wants_all or most else 1
        ends = node_named(graph, first), node_named(graph, second)
        between = why_between(graph, *ends, edges=edges, most=count)
        found, text = between_to_dict(between), render_between(graph, between, style)
    if form == "json":
        import json

        text = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    show(text, end="")

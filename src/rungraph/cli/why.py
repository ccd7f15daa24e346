"""``rungraph why``: why a node is in a graph, or how two nodes hang together."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from rungraph.cli.inputs.options import (
    allow_unset_env_option,
    catalog_option,
    edges_option,
    format_option,
)
from rungraph.cli.terminal import complain, show, style_of

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
) -> int:
    """Say why node A is in the graph of a run config, or how A and B hang together.

    With A alone: where it is configured, why its API is served, and who needs it. With B: the
    shortest path between the two, whichever of them needs the other, with the reason of each step.
    A and B are addresses, their last parts, or queries that select one node each; the exit code is
    2 when they do not, and 1 when the config cannot be read.
    """
    from rungraph.cli.inputs.comparable import load_askable
    from rungraph.graph import QueryError
    from rungraph.graph.why import (
        AmbiguousNameError,
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
    graph = load_askable(config, catalog=catalog, allow_unset_env=allow_unset_env)
    if graph is None:
        return 1
    try:
        nodes = [node_named(graph, name) for name in (first, second) if name is not None]
    except (QueryError, AmbiguousNameError) as error:
        complain(str(error))
        return 2
    style = style_of(sys.stdout)
    found: Any
    if len(nodes) == 1:
        presence = why_present(graph, nodes[0])
        found, text = presence_to_dict(presence), render_presence(graph, presence, style)
    else:
        count = (most or _MOST) if wants_all or most else 1
        between = why_between(graph, nodes[0], nodes[1], edges=edges, most=count)
        found, text = between_to_dict(between), render_between(graph, between, style)
    if form == "json":
        import json

        text = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    show(text, end="")
    return 0

"""``rungraph query``: which nodes of a run config a query selects."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.comparables import load_askable
from rungraph.cli.inputs.configs import load_check_file
from rungraph.cli.inputs.options import (
    check_standard_input,
    edges_option,
    file_argument,
    format_option,
    reading_options,
)
from rungraph.cli.terminal import complain, show, show_json, style_of, tell
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.query import Selection, rendering
from rungraph.graph.query import query as query_graph
from rungraph.graph.query.expectation import FORMS, parse_expectation
from rungraph.graph.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.cli.inputs.options import Reading
    from rungraph.cli.inputs.recorded import Recorded
    from rungraph.graph import Address, RunGraph
    from rungraph.graph.paths import Edges
    from rungraph.graph.query.expectation import Expectation

_OUTPUTS = ("label", "table", "tree", "path", "json", "dot", "mermaid", "location", "count")
_HELP = """Select the nodes of a run config that any QUERY selects; FILE - is standard input.

\b
router:safety           a node; also api:X, type:X, tag:X, an id, globs
+x  x+  2+x             what x needs, what needs x, two levels of it
@x                      x, what needs it, and all that those need
a | b   a & b   a - b   union, intersection, difference; !a is all but a
somepath(a, b)          a shortest path from a to b that it needs
allpaths(a, b)          all that is on a path from a to b
model:x  shield:x  …    what serves a resource
serves(x)               x, and the tables and routers that calls reach it by
filter(re, x)  attr(path, re, x)  siblings(x)  some(x, n)
roots(x)                what no other of x needs; Dagster's sinks
leaves(x)               what needs no other of x; Dagster's roots
cycles()  critical()    nodes on cycles; the longest chain
count(x)                how many x are; the whole of a query
let a = x in $a+ - $a   a name for a part

A name in quotes is meant as it is written: "'my [provider]'+". Configs with errors can be queried
all the same. Exit codes: 1 when --expect does not hold or the config cannot be read, 2 for a
query that is none or selects by a name that is not there.
"""


def _expected(_: click.Context, __: click.Parameter, text: str | None) -> Expectation | None:
    found = None if text is None else parse_expectation(text)
    if text is not None and found is None:
        hint = did_you_mean(text, ("empty", "nonempty"))
        msg = f"'{text}' is not {FORMS}{f'; {hint}' if hint else ''}"
        raise click.BadParameter(msg)
    return found


@click.command(help=_HELP)
@file_argument()
@click.argument("queries", nargs=-1, required=True, metavar="QUERY...")
@click.option(
    "--output",
    type=click.Choice(_OUTPUTS),
    help="Path is for somepath and critical.  [default: label; of count(x), count]",
)
@format_option()
@edges_option
@click.option(
    "--order",
    "--sort",
    "order",
    type=click.Choice(["start", "label", "type"]),
    help="In start order, by address, or by type.  [default: start; a path in its own order]",
)
@click.option(
    "--expect",
    metavar="empty|nonempty|N",
    callback=_expected,
    help="End with 1 unless no node, any node or N nodes are selected; patterns may match none.",
)
@click.option(
    "--exclude",
    "excluded",
    multiple=True,
    metavar="QUERY",
    help="Leave out what these queries select; patterns may match none.",
)
@click.option("--against", metavar="OLD", help="The config that 'state:' compares with.")
@click.option(
    "--status",
    "recording",
    metavar="EVENTS",
    help="The events of an earlier run, for 'status:'; critical() then adds up seconds.",
)
@click.option("--selectors", "more", metavar="FILE", help="A file with more 'selectors:'.")
@reading_options
def query(
    file: str,
    queries: tuple[str, ...],
    *,
    output: str | None,
    form: str,
    edges: Edges,
    order: str | None,
    expect: Expectation | None,
    excluded: tuple[str, ...],
    against: str | None,
    recording: str | None,
    more: str | None,
    reading: Reading,
) -> int:
    """Select nodes."""
    check_standard_input({"FILE": file, "OLD": against})
    if form == "json" and output not in (None, "json"):
        msg = f"--format json and --output {output} cannot both hold"
        raise click.UsageError(msg)
    output = "json" if form == "json" else output
    graph = load_askable(file, reading)
    old = load_askable(against, reading) if against else None
    selectors = load_check_file(more) if more is not None else None
    if selectors and errors_in(selectors.diagnostics):
        return 1
    run = _run(recording) if recording is not None else None
    ask = partial(
        query_graph,
        graph,
        edges=edges,
        against=old,
        status=run.states if run else None,
        durations=run.durations if run else None,
        selectors=selectors.selectors if selectors else {},
    )
    found = ask(*queries, may_miss=expect is not None)
    if excluded:
        left_out = ask(*excluded, may_miss=True, may_count=False)
        kept = tuple(one for one in found if one not in left_out)
        found = Selection(kept, is_count=found.is_count)
    if output == "path" and found.path is None:
        msg = "only one query that is somepath(a, b) or critical() has a path"
        raise click.UsageError(msg)
    nodes: Sequence[Address] = found.addresses
    if order == "label":
        nodes = sorted(found)
    elif order == "type":
        nodes = sorted(found, key=lambda one: (_type_of(one, graph, old), one))
    elif order is None and found.path is not None and output != "json":
        nodes = found.path
    shown = rendering.Shown(graph, nodes, edges, old, run.states if run else None)
    if output == "json":
        show_json(rendering.selection_to_dict(shown, queries, found))
    else:
        show(_as_text(shown, found, output), end="")
    if expect is not None and not expect.holds(len(found)):
        complain(f"expected {expect}, found {len(found):,}")
        return 1
    return 0


def _type_of(address: Address, graph: RunGraph, old: RunGraph | None) -> str:
    source = graph if address in graph or old is None else old
    return getattr(source.nodes[address], "provider_type", "")


def _run(file: str) -> Recorded:
    # Only a recording needs the engine.
    from rungraph.cli.inputs.recorded import load_run

    return load_run(file)


def _as_text(shown: rendering.Shown, found: Selection, output: str | None) -> str:
    match output or ("count" if found.is_count else "label"):
        case "count":
            return f"{len(found)}\n"
        case "table":
            return rendering.render_table(shown, style_of(sys.stdout))
        case "path":
            return rendering.render_path(found.path or ())
        case "location":
            return rendering.render_locations(shown)
        case "tree":
            return rendering.render_tree(shown)
        case "dot" | "mermaid":
            from rungraph import viz  # Only a picture needs it.

            gone = [address for address in found if address not in shown.graph]
            if gone:
                tell(f"not drawn, because they are gone: {', '.join(map(str, gone))}")
            part = shown.graph.subgraph(address for address in found if address in shown.graph)
            return viz.render_dot(part) if output == "dot" else viz.render_mermaid(part)
        case _:
            return rendering.render_labels(shown)

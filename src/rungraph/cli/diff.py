"""``rungraph diff``: what differs between two run configs, and what that touches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.comparables import Comparable, load_diffable
from rungraph.cli.inputs.configs import check_readable
from rungraph.cli.inputs.options import (
    check_standard_input,
    edges_option,
    exit_code_option,
    format_option,
    level_option,
    reading_options,
)
from rungraph.cli.terminal import DIFFERS, show, show_json_text, style_of, tell
from rungraph.graph.diff import diff_graphs, diff_to_json, diff_to_markdown, render_diff
from rungraph.graph.diff.node_link import as_node_link

if TYPE_CHECKING:
    from rungraph.cli.inputs.options import Reading
    from rungraph.graph import RunGraph
    from rungraph.graph.diff import Snapshot
    from rungraph.graph.paths import Edges


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@level_option()
@reading_options
@edges_option
@exit_code_option("End with 3 when they differ.")
@format_option("markdown", help="How results are written; markdown is for a pull request.")
def diff(
    old: str,
    new: str,
    *,
    edges: Edges,
    has_code: bool,
    form: str,
    reading: Reading,
) -> int:
    """Compare the graphs of two run configs, and say what depends on what differs.

    OLD and NEW are run configs, JSON that 'plan' or 'graph' wrote, - for standard input, or
    git:REV:path for a file at a revision (git:HEAD:run.yaml). With JSON of 'graph', nodes, types,
    tags and edges are compared, which is all that it has. The order of the YAML, comments and
    places do not count. Secrets are compared and never shown; where JSON, or both configs,
    have a mask in place of one, it is told as not comparable. Configs with errors are compared,
    too; the exit code is 1 only when one cannot be read at all.
    """
    check_standard_input({"OLD": old, "NEW": new})
    graphs = _graphs_of(old, new, reading)
    found = diff_graphs(*graphs, edges=edges)
    if form == "json":
        show_json_text(diff_to_json(found, old=old, new=new), end="")
    elif form == "markdown":
        show(diff_to_markdown(found, old=old, new=new), end="")
    else:
        show(render_diff(found, old=old, new=new, style=style_of(sys.stdout)), end="")
    return DIFFERS if has_code and not found.is_empty else 0


def _graphs_of(
    old: str, new: str, reading: Reading
) -> tuple[RunGraph | Snapshot, RunGraph | Snapshot]:
    """Return what *old* and *new* name, each without what is not known of the other."""
    before, after = (load_diffable(name, reading) for name in (old, new))
    for one in (before, after):
        if isinstance(one, Comparable):
            check_readable(one.graph)
            if one.problems:
                tell(f"{one.name}: {one.problems}")
    if isinstance(before, Comparable) and isinstance(after, Comparable):
        level = min(before.level, after.level)
        return before.graph.up_to(level), after.graph.up_to(level)
    tell("only nodes, types, tags and edges are compared: JSON of 'rungraph graph' has no more")
    first, second = (
        as_node_link(one.graph if isinstance(one, Comparable) else one) for one in (before, after)
    )
    return first, second

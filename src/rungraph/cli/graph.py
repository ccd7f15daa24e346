"""``rungraph graph``: a picture of a run config's graph."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from rungraph.cli.inputs.options import allow_unset_env_option, catalog_option, file_argument
from rungraph.cli.output.overlays import OVERLAYS, overlay_kind
from rungraph.cli.output.pictures import FORMATS, output_of
from rungraph.cli.terminal import complain, tell

if TYPE_CHECKING:
    from rungraph.cli.inputs.comparable import Side
    from rungraph.graph import RunGraph
    from rungraph.viz.formats.options import DiagramOptions
    from rungraph.viz.model.elements import View

_HELP = """Draw the graph of a run config; FILE - is standard input.

Without -o the picture is text, as wide as the terminal. The suffix of the file that -o names says
what is drawn: .png .svg .pdf .html .mmd .dot .json .graphml .txt.

\b
    rungraph graph run.yaml
    rungraph graph run.yaml -o docs/graph.svg
    rungraph graph run.yaml --select 'inference/*' --depth 1
    rungraph graph run.yaml --against git:HEAD:run.yaml -o diff.png
    rungraph graph run.yaml --assume-failed inference/llm
    rungraph graph run.yaml --check docs/graph.svg

Drawing is not checking: a config with errors is drawn, its problems marked, and the exit code is 0
if there is a picture. --check ends with 3 when the file no longer shows what would be drawn.
"""


@click.command(help=_HELP, short_help="Draw a run config's graph: in the terminal or to a file.")
@file_argument()
@click.option("-o", "--output", metavar="FILE", help="Where to draw; - is standard output.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="What is drawn, whatever -o is.")
@click.option(
    "--check",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw nothing; say whether FILE shows what would be drawn.",
)
@click.option(
    "--view",
    type=click.Choice(["auto", "full", "factored", "collapsed"]),
    default="auto",
    show_default=True,
    help="Each node by itself, like providers as one box, or each API as one box; auto takes the "
    "first of them that can be read.",
)
@click.option(
    "--reduced/--no-reduced",
    default=None,
    help="Leave out arrows that follow from others.  [default: where that helps]",
)
@click.option(
    "--select",
    multiple=True,
    metavar="QUERY",
    help="Draw only what these queries select, such as 'inference/*' or '+router:safety'.",
)
@click.option(
    "--depth",
    type=click.IntRange(min=0),
    metavar="N",
    help="Draw what is up to N steps away from the selection, too.",
)
@click.option(
    "--direction",
    type=click.Choice(["LR", "TB"]),
    default="LR",
    show_default=True,
    help="Where later nodes are drawn: to the right, or below.",
)
@click.option(
    "--late",
    is_flag=True,
    help="Draw each node next to what needs it first, not in the generation it starts in.",
)
@click.option(
    "--theme",
    type=click.Choice(["auto", "light", "dark"]),
    default="auto",
    show_default=True,
    help="For which background; auto is light, and in an SVG the reader's own.",
)
@click.option(
    "--overlay",
    type=click.Choice(OVERLAYS),
    help="Lay over it what a plan says, a difference, or a recorded run's states or times.",
)
@click.option("--against", metavar="OLD", help="For --overlay diff: what to compare with.")
@click.option(
    "--events",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="For --overlay status and times: what 'rungraph run --events' has written.",
)
@click.option(
    "--assume-failed",
    multiple=True,
    metavar="QUERY",
    help="For --overlay plan: show what becomes of the rest when these nodes fail.",
)
@catalog_option
@allow_unset_env_option
@click.pass_context
def graph(
    context: click.Context,
    *,
    file: str,
    output: str | None,
    form: str | None,
    check: Path | None,
    view: View,
    reduced: bool | None,
    select: tuple[str, ...],
    depth: int | None,
    direction: Literal["LR", "TB"],
    late: bool,
    theme: Literal["auto", "light", "dark"],
    overlay: str | None,
    against: str | None,
    events: Path | None,
    assume_failed: tuple[str, ...],
    catalog: str | None,
    allow_unset_env: bool,
) -> int:
    """Draw a graph."""
    target = output_of(output, form, check)
    kind = overlay_kind(overlay, against=against, events=events, failing=assume_failed)
    if depth is not None and not select:
        msg = "--depth is how far around a selection to draw: add --select"
        raise click.UsageError(msg)
    if file == against == "-":
        msg = "FILE and --against cannot both be standard input"
        raise click.UsageError(msg)
    from rungraph.cli.inputs.comparable import Side, load_side
    from rungraph.cli.inputs.loading import load_graph
    from rungraph.cli.inputs.recorded import schedule_of
    from rungraph.cli.output.formats import Picture
    from rungraph.cli.output.overlays import overlay_of, run_of
    from rungraph.graph import Level, QueryError, RunGraph
    from rungraph.graph.query import query

    drawn = load_graph(file, Level.ENV, catalog=catalog, allow_unset_env=allow_unset_env)
    other = None
    if against is not None:
        other = load_side(against, Level.ENV, catalog=catalog, allow_unset_env=allow_unset_env)
    if _is_unreadable(Side(file, drawn), other):
        return 1
    _tell_briefly(drawn, file, catalog)
    run = run_of(drawn, events) if events else None
    try:
        failing = query(drawn, *assume_failed) if assume_failed else ()
        selected = (
            None
            if not select
            else query(
                drawn,
                *select,
                against=other.graph if other and isinstance(other.graph, RunGraph) else None,
                status=run.states if run else None,
                durations=run.durations if run else None,
            )
        )
    except QueryError as error:
        complain(str(error))
        return 2
    options: DiagramOptions = {
        "view": view,
        "reduced": reduced,
        "select": selected,
        "depth": depth,
        "overlay": overlay_of(kind, drawn, side=other, run=run, failing=failing),
        "late": late,
    }
    picture = Picture(drawn, options, direction, theme, schedule_of(run) if run else None)
    return target.finish(picture.on_screen if target.is_screen else picture.as_file, context)


def _is_unreadable(*sides: Side | None) -> bool:
    """Whether there is nothing to draw, or nothing to compare with; says why."""
    from rungraph.cli.inputs.loading import tell_problems

    unreadable = [graph for side in sides if side and (graph := side.unreadable) is not None]
    for graph in unreadable:
        tell_problems(graph)
    return bool(unreadable)


def _tell_briefly(graph: RunGraph, file: str, catalog: str | None) -> None:
    from rungraph.graph import Severity
    from rungraph.graph.diagnostic_text import count_text

    if any(one.severity is not Severity.NOTE for one in graph.diagnostics):
        words = ["rungraph", "validate", file, *(["--catalog", catalog] if catalog else [])]
        tell(f"{file}: {count_text(graph.diagnostics)}; '{shlex.join(words)}' says more")

"""``rungraph graph``: a picture of a run config's graph."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Literal

import click

from rungraph.cli.inputs.configs import check_readable, load_comparable, load_graph
from rungraph.cli.inputs.options import (
    FILE,
    check_standard_input,
    choice_option,
    file_argument,
    reading_options,
)
from rungraph.cli.output.formats import renderers_of
from rungraph.cli.output.overlays import OVERLAYS, overlay_kind, overlay_of, run_of
from rungraph.cli.output.pictures import picture_options, target_of, theme_option
from rungraph.cli.terminal import tell
from rungraph.graph import RunGraph, Severity
from rungraph.graph.diagnostic_text import count_text
from rungraph.graph.query import query

if TYPE_CHECKING:
    from pathlib import Path

    from rungraph.cli.inputs.options import Reading
    from rungraph.viz.model.diagram import DiagramOptions
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


@click.command(help=_HELP)
@file_argument()
@picture_options
@choice_option(
    "--view",
    choices=("auto", "full", "factored", "collapsed"),
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
@choice_option(
    "--direction",
    choices=("LR", "TB"),
    help="Where later nodes are drawn: to the right, or below.",
)
@click.option(
    "--late",
    is_flag=True,
    help="Draw each node next to what needs it first, not in the generation it starts in.",
)
@theme_option
@click.option(
    "--overlay",
    type=click.Choice(OVERLAYS),
    help="Lay over it what a plan says, a difference, or a recorded run's states or times.",
)
@click.option("--against", metavar="OLD", help="For --overlay diff: what to compare with.")
@click.option(
    "--events",
    type=FILE,
    help="For --overlay status and times: what 'rungraph run --events' has written.",
)
@click.option(
    "--assume-failed",
    multiple=True,
    metavar="QUERY",
    help="For --overlay plan: show what becomes of the rest when these nodes fail.",
)
@reading_options
def graph(
    file: str,
    *,
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
    reading: Reading,
) -> int:
    """Draw a graph."""
    target = target_of(output, form, check)
    kind = overlay_kind(overlay, against=against, events=events, failing=assume_failed)
    if depth is not None and not select:
        msg = "--depth is how far around a selection to draw: add --select"
        raise click.UsageError(msg)
    check_standard_input({"FILE": file, "--against": against})
    drawn = load_graph(file, reading)
    old = None if against is None else load_comparable(against, reading).graph
    check_readable(drawn, old)
    _tell_briefly(drawn, file, reading.catalog)
    run = run_of(drawn, events) if events else None
    failing = query(drawn, *assume_failed) if assume_failed else ()
    selected = None
    if select:
        selected = query(
            drawn,
            *select,
            against=old if isinstance(old, RunGraph) else None,
            status=run.states if run else None,
            durations=run.durations if run else None,
        )
    options: DiagramOptions = {
        "view": view,
        "reduced": reduced,
        "select": selected,
        "depth": depth,
        "overlay": overlay_of(kind, drawn, old=old, run=run, failing=failing),
        "late": late,
    }
    return target.write(
        renderers_of(
            drawn, options, direction=direction, theme=theme, start=run.schedule if run else None
        )
    )


def _tell_briefly(graph: RunGraph, file: str, catalog: str | None) -> None:
    if any(one.severity is not Severity.NOTE for one in graph.diagnostics):
        command = ["rungraph", "validate", file, *(["--catalog", catalog] if catalog else [])]
        tell(f"{file}: {count_text(graph.diagnostics)}; '{shlex.join(command)}' says more")

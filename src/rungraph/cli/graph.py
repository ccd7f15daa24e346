"""``rungraph graph``: a picture of a run config's graph."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING, Any, cast

import click

from rungraph import viz
from rungraph.cli.inputs.comparables import load_comparable
from rungraph.cli.inputs.configs import check_readable, load_graph
from rungraph.cli.inputs.options import (
    FILE,
    check_standard_input,
    choice_option,
    file_argument,
    reading_options,
)
from rungraph.cli.output.targets import FILE_WIDTH, picture_options, target_of, theme_option
from rungraph.cli.terminal import screen, tell
from rungraph.graph import RunGraph, Severity
from rungraph.graph.diagnostic_text import count_text
from rungraph.graph.diff import diff_graphs
from rungraph.graph.failures import assume_failed
from rungraph.graph.query import query
from rungraph.graph.wording import listed
from rungraph.viz.formats.mermaid import EASY_ARROWS, MOST_ARROWS, mermaid_of
from rungraph.viz.model import overlay as overlays
from rungraph.viz.model.diagram import diagram_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rungraph.cli.inputs.options import Reading
    from rungraph.cli.inputs.recorded import Recorded
    from rungraph.cli.output.targets import Renderers
    from rungraph.graph import Address
    from rungraph.graph.diff import Snapshot
    from rungraph.viz.formats.pen import Format
    from rungraph.viz.layout.geometry import Direction
    from rungraph.viz.model.diagram import DiagramOptions
    from rungraph.viz.model.elements import View
    from rungraph.viz.model.overlay import Overlay
    from rungraph.viz.model.theme import ThemeName
    from rungraph.viz.timeline import Schedule

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

_OVERLAYS = ("plan", "diff", "status", "times")
_NEEDS = {"diff": "--against OLD", "status": "--events FILE", "times": "--events FILE"}
_MOST_NAMED = 3


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
    type=click.Choice(_OVERLAYS),
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
    direction: Direction,
    late: bool,
    theme: ThemeName,
    overlay: str | None,
    against: str | None,
    events: Path | None,
    assume_failed: tuple[str, ...],
    reading: Reading,
) -> int:
    """Draw a graph."""
    target = target_of(output, form, check)
    kind = _overlay_kind(overlay, against=against, events=events, failing=assume_failed)
    if depth is not None and not select:
        msg = "--depth is how far around a selection to draw: add --select"
        raise click.UsageError(msg)
    check_standard_input({"FILE": file, "--against": against})
    drawn = load_graph(file, reading)
    old = None if against is None else load_comparable(against, reading).graph
    check_readable(drawn, old)
    _tell_briefly(drawn, file, reading.catalog)
    run = _run_of(drawn, events) if events else None
    failing = query(drawn, *assume_failed, may_count=False) if assume_failed else ()
    selected = None
    if select:
        selected = query(
            drawn,
            *select,
            against=old if isinstance(old, RunGraph) else None,
            status=run.states if run else None,
            durations=run.durations if run else None,
            may_count=False,
        )
    options: DiagramOptions = {
        "view": view,
        "reduced": reduced,
        "select": selected,
        "depth": depth,
        "overlay": _overlay_of(kind, drawn, old=old, run=run, failing=failing),
        "late": late,
    }
    return target.write(
        _renderers_of(
            drawn, options, direction=direction, theme=theme, start=run.schedule if run else None
        )
    )


def _tell_briefly(graph: RunGraph, file: str, catalog: str | None) -> None:
    if any(one.severity is not Severity.NOTE for one in graph.diagnostics):
        command = ["rungraph", "validate", file, *(["--catalog", catalog] if catalog else [])]
        tell(f"{file}: {count_text(graph.diagnostics)}; '{shlex.join(command)}' says more")


def _renderers_of(
    graph: RunGraph,
    options: DiagramOptions,
    *,
    direction: Direction,
    theme: ThemeName,
    start: Schedule | None,
) -> Renderers:
    """Return what draws *graph*, by format; equal graphs give equal bytes.

    A page has the *start* of a recorded run of the graph as a tab.
    """

    def image(form: Format) -> bytes:
        return viz.render(graph, form, direction=direction, theme=theme, **options)

    return {
        "screen": lambda _: viz.render_text(graph, **screen(sys.stdout), **options) + "\n",
        "text": lambda _: viz.render_text(graph, width=FILE_WIDTH, **options) + "\n",
        "mermaid": lambda _: _mermaid(graph, options, direction),
        "dot": lambda _: viz.render_dot(graph, direction=direction, **options),
        "json": lambda _: viz.render_json(graph, **options),
        "graphml": lambda _: viz.render_graphml(graph, **options),
        "html": lambda _: viz.render_html(graph, direction=direction, timeline=start, **options),
        **dict.fromkeys(("png", "svg", "pdf"), image),
    }


def _mermaid(graph: RunGraph, options: DiagramOptions, direction: Direction) -> str:
    diagram = diagram_of(graph, **options)
    if len(diagram.arrows) > EASY_ARROWS:
        verb = "refuses" if len(diagram.arrows) > MOST_ARROWS else "hardly manages"
        tell(
            f"warning: {len(diagram.arrows)} arrows: Mermaid {verb} so many (GitHub's limit is "
            f"{MOST_ARROWS})\n  help: draw less with --view collapsed, --reduced or --select"
        )
    return mermaid_of(diagram, direction)


def _overlay_kind(
    kind: str | None, *, against: str | None, events: Path | None, failing: Sequence[str]
) -> str | None:
    """Return which overlay the options ask for; an option that one overlay has implies it.

    Raises:
        click.UsageError: If they contradict each other, or one is missing.
    """
    given = {
        "--against": (against, ("diff",)),
        "--events": (events, ("times", "status")),
        "--assume-failed": (failing or None, ("plan",)),
    }
    for option, (value, meant) in given.items():
        if value is None:
            continue
        kind = kind or meant[0]
        if kind not in meant:
            msg = f"{option} is for --overlay {' or '.join(meant)}, not for {kind}"
            raise click.UsageError(msg)
    need = _NEEDS.get(kind or "", "")
    if need and given[need.partition(" ")[0]][0] is None:
        msg = f"--overlay {kind} needs {need}"
        raise click.UsageError(msg)
    return kind


def _run_of(graph: RunGraph, path: Path) -> Recorded:
    """Return what the recording *path* says, with a warning if it is of another graph.

    Raises:
        RecordingError: If it is no recording.
    """
    # Only a recording needs the engine.
    from rungraph.cli.inputs.recorded import load_run

    run = load_run(path)
    unknown = [address for address in run.times.nodes if address not in graph]
    if unknown:
        names = listed(unknown, _MOST_NAMED)
        tell(f"warning: {path} is of another graph: {names} not in this one")
    return run


def _overlay_of(
    kind: str | None,
    graph: RunGraph,
    *,
    old: RunGraph | Snapshot | None,
    run: Recorded | None,
    failing: Sequence[Address],
) -> Overlay | None:
    """Return what the overlay *kind*, one of `_OVERLAYS`, lays over *graph*; None for nothing."""
    if old is not None:
        # The cast is for pyright, to which a cached property is none.
        return overlays.diff_overlay(cast("Any", diff_graphs(old, graph)))
    if run is not None and kind == "status":
        return overlays.status_overlay({at: one for at, one in run.states.items() if at in graph})
    if run is not None:
        spans = {at: span for at, span in run.spans.items() if at in graph}
        return overlays.times_overlay(
            spans,
            [at for at in run.schedule.critical_path if at in graph],
            {at: one for at, one in run.states.items() if at in graph},
        )
    if kind == "plan":
        return overlays.plan_overlay(graph, assume_failed(graph, failing) if failing else None)
    return None

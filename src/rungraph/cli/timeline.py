"""``rungraph timeline``: the start of a recorded run as a Gantt chart."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from rungraph.cli.output.pictures import FORMATS, output_of
from rungraph.cli.terminal import is_unicode, style_of, width_of

if TYPE_CHECKING:
    from rungraph.viz.timeline import Schedule

_NO_GRAPH = {
    form: f"a timeline is no graph: {form} cannot hold it; 'rungraph graph CONFIG --events FILE' "
    "lays the times over a graph"
    for form in ("dot", "graphml")
}
_HELP = """Draw the start of a recorded run as a Gantt chart; EVENTS - is standard input.

EVENTS is what 'rungraph run CONFIG --events EVENTS' has written. A bar is the own start of a node,
apart from what it waited for; the critical path is marked. Without -o the chart is text, as wide as
the terminal.

\b
    rungraph run run.yaml --events run.jsonl
    rungraph timeline run.jsonl
    rungraph timeline run.jsonl -o start.svg
"""


@click.command(help=_HELP, short_help="Draw the start of a recorded run as a Gantt chart.")
@click.argument("events", metavar="EVENTS")
@click.option("-o", "--output", metavar="FILE", help="Where to draw; - is standard output.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="What is drawn, whatever -o is.")
@click.option(
    "--check",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Draw nothing; say whether FILE shows what would be drawn.",
)
@click.option(
    "--theme",
    type=click.Choice(["auto", "light", "dark"]),
    default="auto",
    show_default=True,
    help="For which background; auto is light, and in an SVG the reader's own.",
)
@click.pass_context
def timeline(
    context: click.Context,
    *,
    events: str,
    output: str | None,
    form: str | None,
    check: Path | None,
    theme: Literal["auto", "light", "dark"],
) -> int:
    """Draw a Gantt chart."""
    target = output_of(output, form, check, impossible=_NO_GRAPH)
    from rungraph.cli.inputs.recorded import load_run, schedule_of

    schedule = schedule_of(load_run(events))
    if target.is_screen:
        return target.finish(lambda _: _on_screen(schedule), context)
    return target.finish(lambda found: _as_file(schedule, found, theme), context)


def _on_screen(schedule: Schedule) -> bytes:
    from rungraph.viz.timeline import render_schedule_text

    text = render_schedule_text(
        schedule,
        width=width_of(sys.stdout),
        is_ascii=not is_unicode(sys.stdout),
        style=style_of(sys.stdout),
    )
    return f"{text}\n".encode()


def _as_file(schedule: Schedule, form: str, theme: Literal["auto", "light", "dark"]) -> bytes:
    from rungraph.cli.output.formats import FILE_WIDTH
    from rungraph.viz import timeline

    match form:
        case "text":
            return f"{timeline.render_schedule_text(schedule, width=FILE_WIDTH)}\n".encode()
        case "json":
            return timeline.json_of(schedule).encode()
        case "mermaid":
            return timeline.mermaid_of(schedule).encode()
        case "html":
            return timeline.html_of(schedule).encode()
        case "png" | "svg" | "pdf":
            return timeline.render_schedule(schedule, form, theme=theme)
        case _:
            msg = f"unknown format '{form}'"
            raise ValueError(msg)

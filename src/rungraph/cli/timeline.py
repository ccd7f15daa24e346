"""``rungraph timeline``: the start of a recorded run as a Gantt chart."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.recorded import load_run
from rungraph.cli.output.targets import FILE_WIDTH, picture_options, target_of, theme_option
from rungraph.cli.terminal import screen
from rungraph.viz import timeline as charts

if TYPE_CHECKING:
    from pathlib import Path

    from rungraph.viz.formats.pen import Format
    from rungraph.viz.model.theme import ThemeName

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


@click.command(help=_HELP)
@click.argument("events", metavar="EVENTS")
@picture_options
@theme_option
def timeline(
    events: str,
    *,
    output: str | None,
    form: str | None,
    check: Path | None,
    theme: ThemeName,
) -> int:
    """Draw a Gantt chart."""
    target = target_of(output, form, check, impossible=_NO_GRAPH)
    schedule = load_run(events).schedule

    def image(form: Format) -> bytes:
        return charts.render_schedule(schedule, form, theme=theme)

    return target.write(
        {
            "screen": lambda _: charts.render_schedule_text(schedule, **screen(sys.stdout)) + "\n",
            "text": lambda _: charts.render_schedule_text(schedule, width=FILE_WIDTH) + "\n",
            "json": lambda _: charts.json_of(schedule),
            "mermaid": lambda _: charts.mermaid_of(schedule),
            "html": lambda _: charts.html_of(schedule),
            **dict.fromkeys(("png", "svg", "pdf"), image),
        }
    )

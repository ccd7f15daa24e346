"""``rungraph blame``: the slowest nodes of a recorded start."""

from __future__ import annotations

import sys

import click

from rungraph.cli.inputs.options import format_option
from rungraph.cli.terminal import show, style_of


@click.command(short_help="List the nodes of a recorded start, the slowest first.")
@click.argument("events", metavar="EVENTS")
@format_option
def blame(events: str, form: str) -> int:
    """List the nodes of a recorded start by their own start, the slowest first.

    EVENTS is what 'rungraph run CONFIG --events EVENTS' has written; - is standard input. A slow
    node need not make the start slow: 'rungraph critical-chain' shows which ones do.
    """
    from rungraph.cli.inputs.recorded import load_run, schedule_of
    from rungraph.viz.timeline import render_blame

    schedule = schedule_of(load_run(events))
    if form == "json":
        import json

        from rungraph.viz.timeline.data import span_values
        from rungraph.viz.timeline.lists import blamed

        found = [span_values(span) for span in blamed(schedule)]
        show(json.dumps({"kind": "blame", "nodes": found}, ensure_ascii=False, indent=2))
    elif schedule.spans:
        show(render_blame(schedule, style_of(sys.stdout)))
    return 0

"""``rungraph blame``: the slowest nodes of a recorded start."""

from __future__ import annotations

import sys

import click

from rungraph.cli.inputs.options import format_option
from rungraph.cli.inputs.recorded import load_run
from rungraph.cli.terminal import show, show_json, style_of
from rungraph.viz.timeline import render_blame
from rungraph.viz.timeline.data import FORMAT_VERSION, span_values
from rungraph.viz.timeline.text import blamed


@click.command()
@click.argument("events", metavar="EVENTS")
@format_option()
def blame(events: str, form: str) -> None:
    """List the nodes of a recorded start by their own start, the slowest first.

    EVENTS is what 'rungraph run CONFIG --events EVENTS' has written; - is standard input. A slow
    node need not make the start slow: 'rungraph critical-chain' shows which ones do.
    """
    schedule = load_run(events).schedule
    if form == "json":
        nodes = [span_values(span) for span in blamed(schedule)]
        show_json({"kind": "blame", "format_version": FORMAT_VERSION, "nodes": nodes})
    elif schedule.spans:
        show(render_blame(schedule, style_of(sys.stdout)))

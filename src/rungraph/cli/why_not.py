"""``rungraph why-not``: why something is not in a graph, or did not run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.comparables import load_askable
from rungraph.cli.inputs.options import file_argument, format_option, reading_options
from rungraph.cli.inputs.recorded import cause_in
from rungraph.cli.terminal import show, show_json, style_of
from rungraph.engine.run.recording import read_recording
from rungraph.graph.why import absence_to_dict, render_absence, why_absent

if TYPE_CHECKING:
    from rungraph.cli.inputs.options import Reading


@click.command("why-not")
@file_argument()
@click.argument("name", metavar="X")
@click.option(
    "--events",
    metavar="EVENTS",
    help="A file that 'rungraph run --events' wrote: also say what that run made of it.",
)
@reading_options
@format_option()
def why_not(file: str, name: str, *, events: str | None, form: str, reading: Reading) -> int:
    """Say why X is not in the graph of a run config: switched off, not served, unknown.

    X is an address, a provider id, a provider type, an API or a resource such as model:x. With the
    events of a run, also why a node that is in the graph did not run. The exit code is 1 when
    nothing of that name is known, or when the config cannot be read.
    """
    if not name:
        msg = "it is empty: write an address, a provider id, a provider type or an API"
        raise click.BadParameter(msg, param_hint="X")
    happened = None if events is None else read_recording(events).events
    graph = load_askable(file, reading)
    absence = why_absent(graph, name)
    if happened is not None and absence.addresses:
        known = [one for one in absence.causes if one.reason != "present"]
        seen = [cause_in(graph, happened, address) for address in absence.addresses]
        absence = absence._replace(causes=(*known, *seen))
    if form == "json":
        show_json(absence_to_dict(graph, absence), sort_keys=True)
    else:
        show(render_absence(absence, style_of(sys.stdout)), end="")
    return 0 if absence.is_known else 1

"""``rungraph why-not``: why something is not in a graph, or did not run."""

from __future__ import annotations

import sys

import click

from rungraph.cli.inputs.options import (
    allow_unset_env_option,
    catalog_option,
    file_argument,
    format_option,
)
from rungraph.cli.terminal import show, style_of


@click.command("why-not", short_help="Say why something is not in the graph, or did not run.")
@file_argument()
@click.argument("name", metavar="X")
@click.option(
    "--events",
    metavar="EVENTS",
    help="A file that 'rungraph run --events' wrote: also say what that run made of it.",
)
@catalog_option
@allow_unset_env_option
@format_option
def why_not(
    file: str,
    name: str,
    *,
    events: str | None,
    catalog: str | None,
    allow_unset_env: bool,
    form: str,
) -> int:
    """Say why X is not in the graph of a run config: switched off, not served, unknown.

    X is an address, a provider id, a provider type or an API. With the events of a run, also why a
    node that is in the graph did not run. The exit code is 1 when nothing of that name is known, or
    when the config cannot be read.
    """
    from dataclasses import replace

    from rungraph.cli.inputs.comparable import load_askable
    from rungraph.graph.why import absence_to_dict, render_absence, why_absent

    if not name:
        msg = "it is empty: write an address, a provider id, a provider type or an API"
        raise click.BadParameter(msg, param_hint="X")
    happened = None
    if events is not None:
        from rungraph.engine.run.recording import read_events

        happened = read_events(events)
    graph = load_askable(file, catalog=catalog, allow_unset_env=allow_unset_env)
    if graph is None:
        return 1
    absence = why_absent(graph, name)
    if happened is not None and absence.addresses:
        from rungraph.cli.inputs.run_causes import cause_in

        known = [one for one in absence.causes if one.reason != "present"]
        seen = [cause_in(graph, happened, address) for address in absence.addresses]
        absence = replace(absence, causes=(*known, *seen))
    if form == "json":
        import json

        found = absence_to_dict(absence)
        text = json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    else:
        text = render_absence(absence, style_of(sys.stdout))
    show(text, end="")
    return 0 if absence.is_known else 1

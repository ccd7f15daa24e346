"""``rungraph plan``: what would start, in which order and why."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.options import (
    allow_unset_env_option,
    catalog_option,
    file_argument,
    level_option,
)
from rungraph.cli.terminal import complain, is_terminal, show, style_of, tell

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.cli.inputs.comparable import Side
    from rungraph.graph import Address
    from rungraph.graph.plan import Plan

_DIFFERS = 3


@click.command(short_help="Show what a run config starts, in which order and why.")
@file_argument()
@level_option
@catalog_option
@allow_unset_env_option
@click.option(
    "--assume-failed",
    multiple=True,
    metavar="QUERY",
    help="Show what fails, what goes on and which APIs remain when these nodes fail; repeatable.",
)
@click.option(
    "--timings",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="EVENTS",
    help="The events of an earlier run: show when each node is expected to start.",
)
@click.option(
    "--against",
    metavar="OLD",
    help="Compare with a run config, a saved plan or git:REV:path: show what is to be done.",
)
@click.option(
    "--exit-code", "has_code", is_flag=True, help="With --against: end with 3 when they differ."
)
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the plan to FILE, for 'rungraph run --plan FILE'.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How the plan is written; markdown is for a pull request.",
)
def plan(
    file: str,
    *,
    level: str,
    catalog: str | None,
    allow_unset_env: bool,
    assume_failed: tuple[str, ...],
    timings: Path | None,
    against: str | None,
    has_code: bool,
    save: Path | None,
    form: str,
) -> int:
    """Show what a run config starts, without starting it; FILE - is standard input.

    Shows the nodes by generation: why each is there, what it waits for and what stops if it fails;
    then what is left out, and every problem. Nothing is imported unless --level import asks for it,
    and no server is asked anything. Secrets are masked.
    """
    from rungraph.cli.inputs.loading import has_errors, load_graph, tell_problems
    from rungraph.graph import Level, QueryError
    from rungraph.graph.plan import make_plan
    from rungraph.graph.rules.checklist import is_usable

    if has_code and against is None:
        msg = "--exit-code is for --against OLD"
        raise click.UsageError(msg)
    if file == against == "-":
        msg = "FILE and --against cannot both be standard input"
        raise click.UsageError(msg)
    if save is not None:
        from rungraph.cli.inputs.saved_plans import check_target

        check_target(save)
    depth = Level[level.upper()]
    graph = load_graph(file, depth, catalog=catalog, allow_unset_env=allow_unset_env)
    if form != "json" and not is_usable(graph):
        tell_problems(graph)
        return 1
    old: Side | None = None
    if against is not None:
        from rungraph.cli.inputs.comparable import load_side

        old = load_side(against, depth, catalog=catalog, allow_unset_env=allow_unset_env)
        if old.unreadable is not None:
            tell_problems(old.unreadable)
            return 1
    try:
        from rungraph.graph.query import query

        failed = query(graph, *assume_failed) if assume_failed else ()
    except QueryError as error:
        complain(str(error))
        return 2
    if assume_failed and not failed:
        tell("warning: --assume-failed selects no node, so nothing fails")
    found = make_plan(
        graph,
        depth,
        failed=tuple(failed),
        durations=_durations(timings) if timings else None,
        against=old.graph if old else None,
        against_name=against or "",
        catalog_named=catalog,
        allow_unset_env=allow_unset_env,
    )
    show(_as_text(found, form), end="")
    if save is not None:
        from rungraph.cli.inputs.saved_plans import save_plan

        save_plan(found, graph, save)
        tell(f"saved to {save}")
    if has_errors(graph) or found.errored:
        return 1
    differs = found.against is not None and not found.against.equal
    return _DIFFERS if has_code and differs else 0


def _durations(events: Path) -> Mapping[Address, float]:
    """Return the seconds that the own start of each node took that became ready."""
    from rungraph.engine.run.recording import read_events
    from rungraph.engine.run.timeline import timeline

    nodes = timeline(read_events(events)).nodes
    return {address: one.own for address, one in nodes.items() if one.ready is not None}


def _as_text(plan: Plan, form: str) -> str:
    from rungraph.graph.plan import plan_to_json, plan_to_markdown, render_plan

    if form == "json":
        return plan_to_json(plan)
    if form == "markdown":
        return plan_to_markdown(plan)
    width = os.get_terminal_size(sys.stdout.fileno()).columns if is_terminal(sys.stdout) else None
    return render_plan(plan, style_of(sys.stdout), width=width)

"""``rungraph plan``: what would start, in which order and why."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.comparables import load_comparable
from rungraph.cli.inputs.configs import check_readable, load_graph
from rungraph.cli.inputs.options import (
    FILE,
    SERVER_KEY,
    TARGET,
    check_standard_input,
    exit_code_option,
    file_argument,
    format_option,
    level_option,
    reading_options,
)
from rungraph.cli.inputs.saved_plans import check_target, save_plan
from rungraph.cli.terminal import DIFFERS, is_terminal, show, show_json_bytes, style_of, tell
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.plan import make_plan, plan_to_markdown, render_plan
from rungraph.graph.plan.explain_masking import explain_masking as masking_of
from rungraph.graph.plan.plan_json import plan_to_bytes
from rungraph.graph.query import query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rungraph.cli.inputs.options import Reading
    from rungraph.graph import Address
    from rungraph.graph.plan import Plan


@click.command()
@file_argument()
@level_option()
@reading_options
@click.option(
    "--assume-failed",
    multiple=True,
    metavar="QUERY",
    help="Show what fails, what goes on and which APIs remain when these nodes fail; repeatable.",
)
@click.option(
    "--timings",
    type=FILE,
    metavar="EVENTS",
    help="The events of an earlier run: show when each node is expected to start.",
)
@click.option(
    "--against",
    metavar="OLD",
    help="Compare with a run config, a saved plan or git:REV:path: show what is to be done.",
)
@click.option(
    "--against-running",
    "url",
    metavar="URL",
    help="Compare with what the server at URL runs: show what a reload does. "
    f"{SERVER_KEY} is sent as the key. Secrets are not compared: no server tells them.",
)
@exit_code_option("With --against: end with 3 when they differ.")
@click.option(
    "--save",
    type=TARGET,
    metavar="FILE",
    help="Write the plan to FILE, for 'rungraph run --plan FILE'.",
)
@click.option(
    "--explain-masking",
    is_flag=True,
    help="Say below the plan which rule masks what.",
)
@format_option("markdown", help="How the plan is written; markdown is for a pull request.")
def plan(
    file: str,
    *,
    assume_failed: tuple[str, ...],
    timings: Path | None,
    against: str | None,
    url: str | None,
    has_code: bool,
    save: Path | None,
    explain_masking: bool,
    form: str,
    reading: Reading,
) -> int:
    """Show what a run config starts, without starting it; FILE - is standard input.

    Shows the nodes by generation: why each is there, what it waits for and what stops if it fails;
    then what is left out, and every problem. Nothing is imported unless --level import asks for it,
    and no server is asked anything. Secrets are masked.
    """
    if against is not None and url is not None:
        msg = "--against and --against-running are two comparisons: give one of them"
        raise click.UsageError(msg)
    if has_code and against is None and url is None:
        msg = "--exit-code is for --against OLD"
        raise click.UsageError(msg)
    check_standard_input({"FILE": file, "--against": against})
    if save is not None:
        check_target(save)
    graph = load_graph(file, reading)
    if form != "json":
        check_readable(graph)
    old = None if against is None else load_comparable(against, reading)
    abilities: Mapping[str, list[str]] = {}
    if url is not None:
        # Only this one asks a server.
        from rungraph.cli.inputs.running import load_running

        old, abilities = load_running(url, reading)
    check_readable(old and old.graph)
    failed = query(graph, *assume_failed, may_count=False) if assume_failed else ()
    if assume_failed and not failed:
        tell("warning: --assume-failed selects no node, so nothing fails")
    found = make_plan(
        graph,
        reading.level,
        failed=tuple(failed),
        durations=_durations(timings) if timings else None,
        against=old and old.graph,
        against_level=old.level if old else reading.level,
        against_name=against or url or "",
        abilities=abilities,
        catalog_named=reading.catalog,
        allow_unset_env=reading.allow_unset_env,
    )
    if form == "json":
        show_json_bytes(plan_to_bytes(found))
    else:
        show(_as_text(found, form), end="")
    if explain_masking:
        # Below a text; what a program reads stays what it is.
        write = show if form == "text" else tell
        write(f"\nmasked, and why:\n{masking_of(graph)}")
    if save is not None:
        save_plan(found, graph, save)
        tell(f"saved to {save}")
    if errors_in(graph.diagnostics) or found.errored:
        return 1
    differs = found.against is not None and not found.against.equal
    return DIFFERS if has_code and differs else 0


def _durations(events: Path) -> Mapping[Address, float]:
    # Only a recording needs the engine.
    from rungraph.cli.inputs.recorded import load_run

    return load_run(events).durations


def _as_text(plan: Plan, form: str) -> str:
    if form == "markdown":
        return plan_to_markdown(plan)
    width = os.get_terminal_size(sys.stdout.fileno()).columns if is_terminal(sys.stdout) else None
    return render_plan(plan, style_of(sys.stdout), width=width)

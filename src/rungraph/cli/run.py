"""``rungraph run``: start a stack, call it, stop it."""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rungraph.cli.files import FileWriteError
from rungraph.cli.inputs.call_option import CallingCommand, call_option
from rungraph.cli.inputs.configs import load_runnable, tell_diagnostics
from rungraph.cli.inputs.options import (
    FILE,
    catalog_option,
    choice_option,
    failure_option,
    format_option,
    state_dir_option,
    timeout_options,
    watch_option,
)
from rungraph.cli.inputs.recorded import Recorded
from rungraph.cli.output.answers import Answers
from rungraph.cli.output.masks import Masks
from rungraph.cli.progress.lines import LineProgress
from rungraph.cli.progress.session import Session
from rungraph.cli.progress.watched_file import WatchedFile
from rungraph.cli.terminal import complain, is_terminal, screen, show_json, tell, tell_styled
from rungraph.engine.errors import NotServedError
from rungraph.engine.outlet import END_SECONDS, Outlet
from rungraph.engine.run.calls import CallError, read_call
from rungraph.engine.run.recording import EventFile
from rungraph.engine.run.settings import StackSettings
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.rules.checklist import is_usable
from rungraph.viz.timeline.data import span_values
from rungraph.viz.timeline.text import render_schedule_text

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from rungraph.cli.inputs.call_option import WrittenCall
    from rungraph.engine.events import Event
    from rungraph.engine.run.calls import Call
    from rungraph.engine.run.timeline import Timeline
    from rungraph.graph import RunGraph
    from rungraph.viz.timeline import Schedule

_HELP = """Start a run config's stack, make calls, and stop it; FILE - is standard input.

Every check comes first. Without --call, the stack runs until Ctrl-C or SIGTERM: the first stops it
in order, the second at once.

\b
    rungraph run stack.yaml --call inference.chat_completion \\
        model=small messages="What is a graph?" stream=true

Answers go to standard output: as JSON, a streamed text as it comes. With --format json, standard
output has one JSON object a line, with a "kind": ready, answer, chunk, end, error.
"""

_MOST_ROWS = 40
"""Nodes in the summary of a start; of more, those that say most."""


@click.command(cls=CallingCommand, help=_HELP)
@click.argument("file", required=False, metavar="FILE")
@call_option
@click.option(
    "--plan",
    "saved",
    type=FILE,
    metavar="PLAN",
    help="Start only if all is as it was when 'rungraph plan --save PLAN' was run; FILE is then "
    "by default the plan's own.",
)
@choice_option(
    "--schedule",
    choices=("generations", "ready"),
    help="Start one generation after the other, or each node when its own needs are ready.",
)
@click.option(
    "--parallelism",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many nodes may be starting at the same time.  [default: no limit]",
)
@failure_option
@timeout_options
@state_dir_option
@click.option(
    "--events",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write every event to this file, one JSON object a line.",
)
@watch_option
@click.option("-v", "--verbose", is_flag=True, help="Show how each node started, as a chart.")
@click.option("-q", "--quiet", is_flag=True, help="Write answers and errors, nothing else.")
@catalog_option
@format_option()
def run(
    file: str | None,
    *,
    calls: Sequence[WrittenCall],
    saved: Path | None,
    events: Path | None,
    watches: bool,
    catalog: str | None,
    form: str,
    verbose: bool,
    quiet: bool,
    **settings: Any,
) -> int:
    """Start a stack, call it, stop it; *settings* are those of `StackSettings`."""
    if watches and (calls or saved or file is None):
        msg = "--watch is for a FILE that runs until a signal comes, without --call and --plan"
        raise click.UsageError(msg)
    if verbose and quiet:
        msg = "--verbose shows more and --quiet less: give one of them"
        raise click.UsageError(msg)
    watched = WatchedFile.at(file, catalog) if watches and file else None
    seconds = settings["start_timeout"]
    graph = _planned(file, saved, catalog, seconds) if saved else _loaded(file, catalog, seconds)
    tell_diagnostics(errors_in(graph.diagnostics) if quiet else graph.diagnostics)
    if errors_in(graph.diagnostics):
        complain(f"{graph.file} cannot be run")
        return 1
    ready_calls = _read_calls(graph, calls)
    masks = Masks(graph)
    return Session(
        graph,
        StackSettings(**settings),
        ready_calls,
        Answers(is_json=form == "json", scrub=masks),
        _progress_of(graph, masks),
        _summarizer(graph, form, is_quiet=quiet, is_long=verbose),
        masks,
        nullcontext() if events is None else _recorded(graph, masks, events),
        watched,
        is_quiet=quiet,
    ).run()


@contextmanager
def _recorded(graph: RunGraph, masks: Masks, path: Path) -> Generator[Callable[[Event], None]]:
    """Hand out what writes events to *path*, until that cannot be written any more.

    The stack goes on then, but the command fails in the end.

    Raises:
        FileWriteError: If some of it could not be written.
    """
    failure: FileWriteError | None = None

    @contextmanager
    def writing() -> Generator[None]:
        nonlocal failure
        try:
            yield
        except OSError as error:
            if failure is None:
                failure = FileWriteError(path, error)
                tell(f"warning: {failure}; nothing more is recorded")

    def take(event: Event) -> None:
        if failure is None:
            with writing():
                file.take(event)

    with path.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        outlet = Outlet(stream, drops=False)
        file = EventFile(outlet, masks, graph.name or graph.file)
        try:
            outlet.finish()
        except OSError as error:
            raise FileWriteError(path, error) from error
        try:
            yield take
        finally:
            with writing():
                outlet.finish(END_SECONDS)
    if failure is not None:
        raise failure


def _loaded(file: str | None, catalog: str | None, seconds: float) -> RunGraph:
    """Return the graph of *file*."""
    if file is None:
        msg = "Missing argument 'FILE'."
        raise click.UsageError(msg)
    return load_runnable(file, catalog, seconds)


def _planned(file: str | None, saved: Path, catalog: str | None, seconds: float) -> RunGraph:
    """Return the graph that the plan in the file *saved* was made of.

    Raises:
        SavedPlanError: If that is no plan that can be run, or if something has moved since.
    """
    # Few runs are of a plan, and to read one takes a tenth of a start.
    from rungraph.cli.inputs.saved_plans import check_moves, config_of, load_saved

    plan = load_saved(saved)
    graph = _loaded(file or config_of(plan, saved), catalog or plan.config.catalog.named, seconds)
    if is_usable(graph):
        check_moves(plan, saved, graph)
    return graph


def _read_calls(graph: RunGraph, written: Sequence[WrittenCall]) -> list[Call]:
    calls: list[Call] = []
    problems: list[str] = []
    for target, arguments in written:
        try:
            calls.append(read_call(graph, target, arguments))
        except (CallError, NotServedError) as error:
            problems.append(f"--call {target}: {error}")
    if problems:
        raise click.UsageError("\n".join(problems))
    return calls


def _summarizer(
    graph: RunGraph, form: str, *, is_quiet: bool, is_long: bool
) -> Callable[[Timeline], None]:
    """Return what tells of a start that went well: in a line, or as a chart."""

    def summarize(timeline: Timeline) -> None:
        name = f"{graph.name or graph.file} is ready"
        start = Recorded(name, timeline, timeline.total, is_ready=True).schedule
        if form == "json":
            show_json({"kind": "ready", "name": graph.name, **_times(start)}, indent=None)
        elif is_long:
            text = render_schedule_text(start, **screen(sys.stderr), most=_MOST_ROWS)
            tell_styled(text + "\n")
        elif not is_quiet:
            tell(f"{name}: {start.captions[0]}")

    return summarize


def _times(start: Schedule) -> dict[str, Any]:
    """Return what is told of a start that went well, as JSON values; times in seconds."""
    fields = ("address", "generation", "state", "waited_for_needs", "waited_for_turn", "own")
    return {
        "seconds": round(start.total, 6),
        "critical_path": [str(address) for address in start.critical_path],
        "critical_seconds": round(start.critical_time, 6),
        "nodes": [{name: span_values(span)[name] for name in fields} for span in start.spans],
    }


def _progress_of(graph: RunGraph, masks: Masks) -> LineProgress:
    """Return what shows the progress of *graph* on standard error: lines, or a live picture."""
    if not is_terminal(sys.stderr):
        return LineProgress(graph, masks)
    # Only a terminal needs the display library.
    from rungraph.cli.progress.live import LiveProgress

    return LiveProgress(graph, masks)

"""``rungraph validate``: what is wrong with run configs, check by check."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.options import (
    LEVELS,
    allow_unset_env_option,
    catalog_option,
    file_argument,
    format_option,
)
from rungraph.cli.terminal import complain, show, style_of, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rungraph.cli.output.validation import FileReport
    from rungraph.graph import Level, RunGraph
    from rungraph.graph.query.config_checks import CheckAnswer, CheckFile


@click.command(short_help="Check run configs.")
@file_argument(several=True)
@click.option(
    "--level",
    type=click.Choice([*LEVELS, "health"]),
    default="env",
    show_default=True,
    help="How deep to check: the file's form; what needs what; the environment; whether the "
    "providers' modules, packages and config classes accept it; whether their servers answer.",
)
@format_option
@click.option("-v", "--verbose", is_flag=True, help="Say of each check what it looks for.")
@click.option("--deny-warnings", is_flag=True, help="Take warnings as failures.")
@catalog_option
@allow_unset_env_option
@click.option(
    "--checks",
    "checks_file",
    metavar="FILE",
    help="Also ask the checks of this file, which are queries; see 'checks' of a config.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How long a server may take to answer, at the level health.",
)
def validate(
    files: tuple[str, ...],
    *,
    level: str,
    form: str,
    verbose: bool,
    deny_warnings: bool,
    catalog: str | None,
    allow_unset_env: bool,
    checks_file: str | None,
    timeout: float,
) -> int:
    """Check run configs; FILE - is standard input.

    Every problem goes to standard error, with its place and the way out. To standard output goes
    what each check came to, including those that were not made; of several files, a line each.
    With --format json, one JSON object a line and file goes to standard output.

    Up to the level import nothing is started or asked. The level health connects to the servers of
    all remote providers at the same time, without credentials.
    """
    from rungraph.cli.output.validation import report_as_json, report_as_text, summary_of
    from rungraph.graph import Level

    depth = Level[level.upper()]
    code, checks = _checks_of(checks_file)

    def loaded(file: str) -> FileReport:
        return _report(file, depth, catalog, checks, allow_unset_env=allow_unset_env)

    reports: Iterable[FileReport] = map(loaded, files)
    if depth >= Level.HEALTH:
        reports = _with_health(reports, timeout)
    counted: list[FileReport] = []
    for report in reports:
        if deny_warnings:
            report = report.without_tolerance()
        counted.append(report)
        _tell(report, is_text=form == "text")
        if form == "json":
            show(report_as_json(report))
        else:
            is_alone = len(files) == 1
            show(report_as_text(report, style_of(sys.stdout), is_alone=is_alone, verbose=verbose))
    if len(files) > 1 and form == "text":
        show(summary_of(counted))
    return max(code, *(0 if report.is_fine else 1 for report in counted))


def _checks_of(file: str | None) -> tuple[int, CheckFile | None]:
    """Return the checks of a file of them, and the exit code that its problems make."""
    if file is None:
        return 0, None
    from rungraph.cli.inputs.loading import tell_diagnostics
    from rungraph.graph import Severity
    from rungraph.graph.query.config_checks import load_checks

    checks = load_checks(file)
    tell_diagnostics(checks.diagnostics)
    return int(any(one.severity is Severity.ERROR for one in checks.diagnostics)), checks


def _report(
    file: str,
    depth: Level,
    catalog: str | None,
    checks: CheckFile | None,
    *,
    allow_unset_env: bool,
) -> FileReport:
    """Return what the checks of one file came to, those of its servers apart.

    Raises:
        RungraphError: If *catalog* is none; every file would say so.
    """
    from rungraph.cli.inputs.loading import load_graph
    from rungraph.cli.output.validation import FileReport
    from rungraph.graph import RungraphError
    from rungraph.graph.rules.checklist import checklist

    try:
        graph = load_graph(file, depth, catalog=catalog, allow_unset_env=allow_unset_env)
    except RungraphError as error:
        if catalog is not None:
            raise
        # What one config names as its catalog is no reason to leave the other files unchecked.
        return FileReport(file, depth, failure=str(error))
    graph, answers = _asked(graph, depth, checks)
    return FileReport(file, depth, graph, checklist(graph, depth, answers=answers))


def _asked(
    graph: RunGraph, depth: Level, checks: CheckFile | None
) -> tuple[RunGraph, tuple[CheckAnswer, ...]]:
    """Return *graph* with what the checks that are queries have found, and their answers."""
    from rungraph.graph import Level
    from rungraph.graph.rules.checklist import is_usable

    wanted = (*graph.checks, *(checks.checks if checks else ()))
    if not wanted or depth < Level.GRAPH or not is_usable(graph):
        return graph, ()
    from rungraph.graph.query.config_checks import ask

    answers = ask(graph, wanted, selectors=checks.selectors if checks else None)
    return graph.with_diagnostics(one.diagnostic for one in answers if one.diagnostic), answers


def _with_health(reports: Iterable[FileReport], timeout: float) -> Iterator[FileReport]:
    """Yield *reports* with what the servers of their remote providers answer, all asked at once."""
    from rungraph.engine.preflight.health import check_remotes

    whole = list(reports)
    graphs = [report.graph for report in whole if report.graph is not None]
    found = iter(check_remotes(graphs, timeout=timeout))
    for report in whole:
        yield report if report.graph is None else report.with_health(next(found))


def _tell(report: FileReport, *, is_text: bool) -> None:
    """Write the problems of a file to standard error; in JSON they are on standard output."""
    from rungraph.cli.inputs.loading import tell_problems

    if report.failure:
        complain(f"{report.file}: {report.failure}")
    elif is_text and report.graph is not None:
        tell_problems(report.graph)
    if is_text and report.is_denied:
        tell(f"{report.file}: warnings count as failures, because of --deny-warnings\n")

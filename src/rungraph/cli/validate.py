"""``rungraph validate``: what is wrong with run configs, check by check."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from rungraph.cli.inputs.configs import load_check_file, load_graph, tell_diagnostics
from rungraph.cli.inputs.options import (
    SECONDS,
    file_argument,
    format_option,
    level_option,
    reading_options,
)
from rungraph.cli.output.validation import (
    FileReport,
    report_as_text,
    report_to_dict,
    summary_of,
)
from rungraph.cli.terminal import complain, show, show_json, style_of, tell
from rungraph.graph import Level, RungraphError
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.rules.checklist import checklist, is_usable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rungraph.cli.inputs.options import Reading
    from rungraph.graph.query.check_file import CheckFile
    from rungraph.graph.query.config_checks import CheckAnswer


@click.command()
@file_argument(several=True)
@level_option(is_for_checking=True)
@format_option()
@click.option("-v", "--verbose", is_flag=True, help="Say of each check what it looks for.")
@click.option("--deny-warnings", is_flag=True, help="Take warnings as failures.")
@reading_options
@click.option(
    "--checks",
    "checks_file",
    metavar="FILE",
    help="Also ask the checks of this file, which are queries; see 'checks' of a config.",
)
@click.option(
    "--timeout",
    type=SECONDS,
    default=5.0,
    metavar="SECONDS",
    help="How long a server may take to answer, at the level health.",
)
def validate(
    files: tuple[str, ...],
    *,
    form: str,
    verbose: bool,
    deny_warnings: bool,
    checks_file: str | None,
    timeout: float,
    reading: Reading,
) -> int:
    """Check run configs; FILE - is standard input.

    Every problem goes to standard error, with its place and the way out. To standard output goes
    what each check came to, including those that were not made; of several files, a line each.
    With --format json, one JSON object a line and file goes to standard output.

    Unless --level says otherwise, no code that the config itself names runs: configs are held
    against the config classes of the types that installed packages offer. The level import imports
    what the config names. Up to it nothing is started or asked. The level health connects to the
    servers of all remote providers at the same time, without credentials.
    """
    checks = load_check_file(checks_file) if checks_file else None
    reports: Iterable[FileReport] = (
        _report(file, checks, reading, is_strict=deny_warnings) for file in files
    )
    if reading.level is Level.HEALTH:
        reports = _with_health(reports, timeout)
    finished: list[FileReport] = []
    for report in reports:
        finished.append(report)
        _tell(report, is_text=form == "text")
        if form == "json":
            show_json(report_to_dict(report), indent=None)
        else:
            is_alone = len(files) == 1
            show(report_as_text(report, style_of(sys.stdout), is_alone=is_alone, verbose=verbose))
    if len(files) > 1 and form == "text":
        show(summary_of(finished))
    is_fine = not errors_in(checks.diagnostics if checks else ())
    is_fine = is_fine and all(report.is_fine for report in finished)
    return 0 if is_fine else 1


def _report(
    file: str, checks: CheckFile | None, reading: Reading, *, is_strict: bool
) -> FileReport:
    """Return what the checks of one file came to, those of its servers apart.

    Raises:
        RungraphError: If the catalog that the user named is none; every file would say so.
    """
    level = reading.level
    try:
        graph = load_graph(file, reading)
    except RungraphError as error:
        if reading.catalog is not None:
            raise
        # What one config names as its catalog is no reason to leave the other files unchecked.
        return FileReport(file, level, failure=str(error), is_strict=is_strict)
    answers: tuple[CheckAnswer, ...] = ()
    asked = (*graph.checks, *(checks.checks if checks else ()))
    if asked and level >= Level.GRAPH and is_usable(graph):
        # Few configs have checks, and reading the query language takes a tenth of the command.
        from rungraph.graph.query.config_checks import ask

        answers = ask(graph, asked, selectors=checks.selectors if checks else None)
        graph = graph.with_diagnostics(found for one in answers for found in one.diagnostics)
    if not (reading.holds_configs or level >= Level.IMPORT) or not is_usable(graph):
        results = checklist(graph, level, answers=answers)
        return FileReport(file, level, graph, results, is_strict=is_strict)
    from rungraph.engine.preflight.held_configs import configs_of_others, configs_unread

    of_others = () if level >= Level.IMPORT else configs_of_others(graph)
    absent = configs_unread(graph, of_others=level >= Level.IMPORT)
    more = ("resources-accepted", "configs-accepted")
    results = checklist(graph, level, answers=answers, more=more)
    report = FileReport(file, level, graph, results, is_strict=is_strict)
    return replace(report, of_others=of_others, absent=absent)


def _with_health(reports: Iterable[FileReport], timeout: float) -> Iterator[FileReport]:
    """Yield *reports* with what the servers of their remote providers answer, all asked at once."""
    # Only this level needs an event loop.
    from rungraph.engine.preflight.health import check_remotes

    whole = list(reports)
    graphs = [report.graph for report in whole if report.graph is not None]
    found = iter(check_remotes(graphs, timeout=timeout))
    for report in whole:
        if report.graph is None:
            yield report
            continue
        health = next(found)
        graph = report.graph.with_diagnostics(health.diagnostics, health.unseen)
        answers = [one.answer for one in report.results if one.answer]
        results = checklist(graph, report.level, answers=answers)
        yield replace(report, graph=graph, results=results, servers=health.answers)


def _tell(report: FileReport, *, is_text: bool) -> None:
    """Write the problems of a file to standard error; in JSON they are on standard output."""
    if report.failure:
        complain(f"{report.file}: {report.failure}")
    elif is_text:
        tell_diagnostics(report.diagnostics)
    if is_text and report.is_denied:
        tell(f"{report.file}: warnings count as failures, because of --deny-warnings\n")

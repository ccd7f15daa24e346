"""What ``rungraph validate`` says of one file: as text and as JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from rungraph.cli.terminal import counted
from rungraph.graph import Level, Severity
from rungraph.graph.diagnostic_text import count_text, diagnostic_to_dict
from rungraph.graph.rules.checklist import CheckResult, Result, checklist, is_usable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.engine.preflight.health import HealthCheck, RemoteAnswer
    from rungraph.graph import RunGraph
    from rungraph.graph.diagnostic_text import Style

_WIDTH = 100
_HELD = "\0"
"""Stands for a space at which no line is to be broken."""
_ROLES = {
    Result.PASSED: "help",
    Result.NOTED: "note",
    Result.WARNED: "warning",
    Result.FAILED: "error",
    Result.NOT_CHECKED: "",
}
_WORST_FIRST = (Result.FAILED, Result.WARNED, Result.NOTED, Result.PASSED, Result.NOT_CHECKED)


@dataclass(frozen=True)
class FileReport:
    """What the checks of one file came to.

    Attributes:
        file: The file, as the user named it.
        depth: The deepest level that was checked.
        graph: Its graph with every diagnostic; None when it could not be compiled.
        results: What each check came to.
        servers: What the servers of its remote providers answered.
        failure: Why it could not be compiled.
        denies_warnings: Whether a warning is a failure.
    """

    file: str
    depth: Level
    graph: RunGraph | None = None
    results: tuple[CheckResult, ...] = ()
    servers: tuple[RemoteAnswer, ...] = ()
    failure: str = ""
    denies_warnings: bool = False

    def with_health(self, health: HealthCheck) -> FileReport:
        """Return this report with what its servers answered."""
        if self.graph is None:
            return self
        graph = self.graph.with_diagnostics(health.diagnostics)
        answers = [one.answer for one in self.results if one.answer]
        results = checklist(graph, self.depth, answers=answers)
        return replace(self, graph=graph, results=results, servers=health.answers)

    def without_tolerance(self) -> FileReport:
        """Return this report, warnings being failures."""
        return replace(self, denies_warnings=True)

    @property
    def has_errors(self) -> bool:
        """Whether the config cannot be run, or not even be compiled."""
        return self.graph is None or self._has(Severity.ERROR)

    @property
    def is_denied(self) -> bool:
        """Whether nothing but warnings makes it a failure."""
        return self.denies_warnings and not self.has_errors and self._has(Severity.WARNING)

    @property
    def is_fine(self) -> bool:
        """Whether it is no reason for an exit code other than 0."""
        return not self.has_errors and not self.is_denied

    def _has(self, severity: Severity) -> bool:
        found = self.graph.diagnostics if self.graph is not None else ()
        return any(one.severity is severity for one in found)


def report_as_json(report: FileReport) -> str:
    """Return *report* as one line of JSON."""
    import json

    found: dict[str, Any] = {
        "file": report.graph.file if report.graph is not None else report.file,
        "valid": report.is_fine,
        "checked": [level.name.lower() for level in Level if level <= report.depth],
        "not_checked": [level.name.lower() for level in Level if level > report.depth],
        "checks": [_check_as_dict(one) for one in report.results],
    }
    if report.depth >= Level.HEALTH:
        found["servers"] = [_server_as_dict(one) for one in report.servers]
    diagnostics = report.graph.diagnostics if report.graph is not None else ()
    found["diagnostics"] = [diagnostic_to_dict(one) for one in diagnostics]
    if report.failure:
        found["failure"] = report.failure
    return json.dumps(found, ensure_ascii=False)


def _check_as_dict(check: CheckResult) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": check.name,
        "level": check.level.name.lower(),
        "result": check.result.value,
        "problems": len(check.diagnostics),
    }
    if (answer := check.answer) is not None:
        found |= {"query": answer.check.query, "expect": answer.check.expect}
        if answer.selection is not None:
            found["found"] = [str(one) for one in answer.selection]
    return found


def _server_as_dict(server: RemoteAnswer) -> dict[str, Any]:
    found: dict[str, Any] = {
        "address": str(server.address),
        "url": server.url,
        "answered": server.is_there,
    }
    if server.is_there:
        return {**found, "said": server.said, "milliseconds": _milliseconds(server)}
    return {**found, "reason": server.reason}


def report_as_text(
    report: FileReport, style: Style, *, is_alone: bool = True, verbose: bool = False
) -> str:
    """Return *report* as text: a line for the file, and what each check came to below it.

    Args:
        report: What to tell.
        style: Colours.
        is_alone: Whether it is the only one; one of several without much to say is one line.
        verbose: Whether each check has a line and says what it looks for.
    """
    head = _head(report, style)
    graph = report.graph
    if graph is None:
        return head
    if verbose:
        lines = _checks_in_full(report.results, style)
    elif is_alone:
        lines = _checks_by_level(report.results, style)
    else:
        missing = ", ".join(level.name.lower() for level in Level if level > report.depth)
        bad = [one.name for one in report.results if one.result is Result.FAILED]
        parts = [f"failed: {', '.join(map(_named, bad))}"] if bad else []
        parts += [f"not checked: {missing}"] if missing else []
        return "\n".join(["; ".join([head, *parts]), *_servers_in_full(report.servers, style)])
    return "\n".join([head, *lines, *_servers_in_full(report.servers, style)])


def summary_of(reports: Sequence[FileReport]) -> str:
    """Return one line on all files, such as ``3 files: 2 valid, 1 with errors``."""
    kinds = {
        "valid": sum(report.is_fine for report in reports),
        "with warnings, which are denied": sum(report.is_denied for report in reports),
        "with errors": sum(report.has_errors for report in reports),
    }
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    return f"{counted(len(reports), 'file')}: {told}"


def _head(report: FileReport, style: Style) -> str:
    graph = report.graph
    if graph is None:
        return f"{report.file}: {style('cannot be checked', 'error')}"
    worst = Severity.ERROR if report.has_errors else Severity.WARNING
    found = count_text(graph.diagnostics)
    told = style(found, worst.value) if found else style("no problems", "help")
    if not is_usable(graph):
        return f"{graph.file}: {told}; the rest could not be checked"
    size = f"{counted(len(graph), 'node')}, {counted(len(graph.generations()), 'generation')}"
    return f"{graph.file}: {told} ({size})"


def _checks_by_level(results: Sequence[CheckResult], style: Style) -> list[str]:
    """Return the names of the checks by level and result, the worst first."""
    lines: list[str] = []
    for level, several in groupby(results, key=lambda one: one.level):
        checks = list(several)
        for result in _WORST_FIRST:
            names = [_named(one.name) for one in checks if one.result is result]
            if not names:
                continue
            margin = f"  {level.name.lower():<7}  {_word(result):<11}  "
            # No name is broken apart, wherever its hyphens are.
            first, *more = wrap(
                ", ".join(name.replace(" ", _HELD) for name in names),
                _WIDTH - len(margin),
                break_on_hyphens=False,
                break_long_words=False,
            )
            shown = margin.replace(_word(result), style(_word(result), _ROLES[result]), 1)
            lines += [shown + first, *(" " * len(margin) + line for line in more)]
    return [line.replace(_HELD, " ") for line in lines]


def _checks_in_full(results: Sequence[CheckResult], style: Style) -> list[str]:
    width = max(len(one.name) for one in results)
    return [
        f"  {one.level.name.lower():<7}  "
        + style(f"{_word(one.result):<11}", _ROLES[one.result])
        + f"  {one.name:<{width}}  {' '.join(one.states.split())}".rstrip()
        for one in results
    ]


def _servers_in_full(servers: Sequence[RemoteAnswer], style: Style) -> list[str]:
    width = max((len(str(one.address)) for one in servers), default=0)
    url_width = max((len(one.url) for one in servers), default=0)
    return [
        f"  {one.address!s:<{width}}  {one.url:<{url_width}}  "
        + (
            f"{style('answered', 'help')} in {_milliseconds(one)} ms ({one.said})"
            if one.is_there
            else f"{style('no answer', 'error')}: {one.reason}"
        )
        for one in servers
    ]


def _milliseconds(server: RemoteAnswer) -> int:
    return max(1, round(server.seconds * 1000))


def _named(name: str) -> str:
    """Return a check's name, in quotes when it is made of words."""
    return f"'{name}'" if " " in name or "," in name else name


def _word(result: Result) -> str:
    return result.value.replace("_", " ")

"""What ``rungraph validate`` says of one file: as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rungraph.graph import Level, Severity
from rungraph.graph.diagnostic_text import count_text
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.rules.checklist import CheckResult, Result, is_usable
from rungraph.graph.secrets.known import NOTHING_KNOWN
from rungraph.graph.secrets.masking import masked_text
from rungraph.graph.wording import counted, listed, printable, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rungraph.engine.preflight.health import RemoteAnswer
    from rungraph.graph import Address, Diagnostic, RunGraph
    from rungraph.graph.diagnostic_text import Style
    from rungraph.graph.secrets.known import KnownSecrets

_WIDTH = 100
_ROLES = {
    Result.FAILED: "error",
    Result.WARNED: "warning",
    Result.NOTED: "note",
    Result.PASSED: "help",
    Result.NOT_CHECKED: "",
}
"""The roles of results, the worst first."""


@dataclass(frozen=True)
class FileReport:
    """What the checks of one file came to.

    Attributes:
        file: The file, as the user named it.
        level: The deepest level that was checked.
        graph: Its graph with every diagnostic; None when it could not be compiled.
        results: What each check came to.
        servers: What the servers of its remote providers answered.
        failure: Why it could not be compiled.
        is_strict: Whether a warning is a failure.
        of_others: The providers whose configs were not held against a config class, though that was
            asked for: no installed package offers their types.
        absent: Those whose config classes cannot be imported.
    """

    file: str
    level: Level
    graph: RunGraph | None = None
    results: tuple[CheckResult, ...] = ()
    servers: tuple[RemoteAnswer, ...] = ()
    failure: str = ""
    is_strict: bool = False
    of_others: tuple[Address, ...] = ()
    absent: tuple[Address, ...] = ()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every problem of the graph."""
        return () if self.graph is None else self.graph.diagnostics

    @property
    def has_errors(self) -> bool:
        """Whether the config cannot be run, or not even be compiled."""
        return self.graph is None or bool(errors_in(self.diagnostics))

    @property
    def is_denied(self) -> bool:
        """Whether nothing but warnings makes it a failure."""
        has_warnings = any(one.severity is Severity.WARNING for one in self.diagnostics)
        return self.is_strict and has_warnings and not self.has_errors

    @property
    def is_fine(self) -> bool:
        """Whether it is no reason for an exit code other than 0."""
        return not self.has_errors and not self.is_denied


def report_to_dict(report: FileReport) -> dict[str, Any]:
    """Return *report* as JSON values."""
    known = report.graph.known if report.graph else NOTHING_KNOWN
    found: dict[str, Any] = {
        "file": report.file if report.graph is None else report.graph.file,
        "catalog": report.graph.catalog.to_json() if report.graph else None,
        "valid": report.is_fine,
        "checked": report.level.checked,
        "not_checked": report.level.not_checked,
        "checks": [_check_to_dict(one, known) for one in report.results],
        "configs_not_checked": sorted(map(str, (*report.of_others, *report.absent))),
    }
    if report.level >= Level.HEALTH:
        found["servers"] = [_server_to_dict(one) for one in report.servers]
    # Only JSON needs the shapes of plans.
    from rungraph.graph.plan.diagnostics import diagnostic_plan

    found["diagnostics"] = [asdict(diagnostic_plan(one)) for one in report.diagnostics]
    if report.failure:
        found["failure"] = report.failure
    return found


def _check_to_dict(check: CheckResult, known: KnownSecrets) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": check.name,
        "level": check.level.label,
        "result": check.result.value,
        "problems": len(check.diagnostics),
    }
    if (answer := check.answer) is not None:
        found |= {"query": masked_text(answer.check.query, known), "expect": answer.check.expect}
        if answer.selection is not None:
            found["found"] = [str(one) for one in answer.selection]
    return found


def _server_to_dict(server: RemoteAnswer) -> dict[str, Any]:
    answer: dict[str, Any] = {"reason": server.reason}
    if server.is_there:
        answer = {"said": server.said, "milliseconds": _milliseconds(server)}
    head = {"address": str(server.address), "url": server.url, "answered": server.is_there}
    return head | answer


def report_as_text(
    report: FileReport, style: Style, *, is_alone: bool = True, verbose: bool = False
) -> str:
    """Return *report* as text: a line for the file, and what each check came to below it.

    One of several files is a line alone, unless *verbose*: then each check has a line and says
    what it looks for.
    """
    lines = [_head(report, style)]
    if report.graph is None:
        return lines[0]
    if verbose:
        lines += _checks_in_full(report.results, style)
    elif is_alone:
        lines += _checks_by_level(report.results, style)
        lines += _left_out(report)
    else:
        bad = [_quoted(one.name) for one in report.results if one.result is Result.FAILED]
        lines[0] += f"; failed: {', '.join(bad)}" if bad else ""
        left = ", ".join(report.level.not_checked)
        lines[0] += f"; not checked: {left}" if left else ""
    return "\n".join([*lines, *_servers(report.servers, style)])


def summary_of(reports: Sequence[FileReport]) -> str:
    """Return one line on all files, such as ``3 files: 2 valid, 1 with errors``."""
    kinds = {
        "valid": sum(report.is_fine for report in reports),
        "with warnings, which are denied": sum(report.is_denied for report in reports),
        "with errors": sum(report.has_errors for report in reports),
    }
    text = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    return f"{counted(len(reports), 'file')}: {text}"


def _head(report: FileReport, style: Style) -> str:
    graph = report.graph
    if graph is None:
        return f"{printable(report.file)}: {style('cannot be checked', 'error')}"
    worst = Severity.ERROR if report.has_errors else Severity.WARNING
    file = printable(graph.file)
    found = count_text(graph.diagnostics)
    text = style(found, worst.value) if found else style("no problems", "help")
    if not is_usable(graph):
        return f"{file}: {text}; the rest could not be checked"
    size = f"{counted(len(graph), 'node')}, {counted(len(graph.generations()), 'generation')}"
    told = f"\n  read as {graph.catalog.reading}" if graph.catalog.told_by else ""
    return f"{file}: {text} ({size}){told}"


def _checks_by_level(results: Sequence[CheckResult], style: Style) -> list[str]:
    """Return the names of the checks by level and result, the worst first."""
    lines: list[str] = []
    for level, several in groupby(results, key=lambda one: one.level):
        checks = list(several)
        for result, role in _ROLES.items():
            names = [_quoted(one.name) for one in checks if one.result is result]
            if not names or result is Result.NOT_CHECKED:
                continue
            word = result.value
            margin = f"  {level.label:<7}  {word:<11}  "
            first, *more = wrapped(names, _WIDTH - len(margin))
            lines.append(margin.replace(word, style(word, role), 1) + first)
            lines += [" " * len(margin) + line for line in more]
    return lines


def _left_out(report: FileReport) -> list[str]:
    """Return a line on what was not checked, if anything was not; JSON has the list."""
    left = [one for one in report.results if one.result is Result.NOT_CHECKED]
    levels = dict.fromkeys(one.level.label for one in left)
    parts = [f"{counted(len(left), 'check')} of {listed(levels)}"] if left else []
    whys = ("types no installed package offers", "classes cannot be imported")
    for providers, why in zip((report.of_others, report.absent), whys, strict=True):
        if providers:
            whose = counted(len(providers), "provider")
            parts.append(f"the configs of {whose} whose {why}")
    return [f"  not checked: {'; '.join(parts)}"] if parts else []


def _checks_in_full(results: Sequence[CheckResult], style: Style) -> list[str]:
    width = max(len(one.name) for one in results)
    lines: list[str] = []
    for one in results:
        result = style(f"{one.result.value.replace('_', ' '):<11}", _ROLES[one.result])
        states = printable(" ".join(one.states.split()))
        name = f"{printable(one.name):<{width}}"
        lines.append(f"  {one.level.label:<7}  {result}  {name}  {states}")
    return [line.rstrip() for line in lines]


def _servers(servers: Sequence[RemoteAnswer], style: Style) -> list[str]:
    width = max((len(str(one.address)) for one in servers), default=0)
    url_width = max((len(one.url) for one in servers), default=0)
    lines: list[str] = []
    for one in servers:
        answer = f"{style('no answer', 'error')}: {one.reason}"
        if one.is_there:
            answer = f"{style('answered', 'help')} in {_milliseconds(one)} ms ({one.said})"
        lines.append(f"  {one.address!s:<{width}}  {one.url:<{url_width}}  {answer}")
    return lines


def _milliseconds(server: RemoteAnswer) -> int:
    return max(1, round(server.seconds * 1000))


def _quoted(name: str) -> str:
    """Return a check's name, in quotes when it is made of words."""
    return f"'{name}'" if " " in name or "," in name else name

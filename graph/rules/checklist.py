"""The checks by name: what each of them looks for, and what it has found in a graph."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from rungraph.graph.diagnostics import Diagnostic, Level, Severity
from rungraph.graph.nodes import ProviderNode
from rungraph.graph.secrets.masking import masked_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from rungraph.graph.model import RunGraph
    from rungraph.graph.query.config_checks import CheckAnswer


class Result(StrEnum):
    """What a check came to: the worst of what it has found."""

    PASSED = "passed"
    NOTED = "noted"
    WARNED = "warned"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"


class Check(NamedTuple):
    """One named check of run configs.

    Attributes:
        name: What it is called, in kebab case; stable.
        level: The level of checks that it belongs to.
        codes: The codes of the diagnostics that it can give.
        states: What is so when it has passed, as a sentence.
    """

    name: str
    level: Level
    codes: tuple[str, ...]
    states: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check has found in one graph.

    Attributes:
        name: What the check is called.
        level: The level of checks that it belongs to.
        result: What it came to.
        diagnostics: What it has found, in the order of the graph's.
        states: What is so when it has passed, as a sentence.
        answer: For a check that is a query, what that found.
    """

    name: str
    level: Level
    result: Result
    diagnostics: tuple[Diagnostic, ...] = ()
    states: str = ""
    answer: CheckAnswer | None = None


_TABLE = """
schema readable C001,C002,C008 the file can be read, and is text of a size that is meant
schema yaml C003,C005,C006,C007 it is one document of well-formed YAML or JSON
schema shape C004,C010,C011,C015,C016,C017 values are of the right kind, and none is missing
schema known-keys C012 every key is one that something reads
schema known-version C013,C014 it is written in the present format
schema known-apis C020,C022 every API exists and can be configured
schema known-types C021,C031,C032,C033 every provider type exists, and what it needs is known
schema current-types C027 no provider type is deprecated
schema unique-ids C023,C028 no id is used twice
schema single-providers C024 an API that is not routed has one provider
schema resources-placed C025,C026,C034,C035,C039,C042,C043 resources, and what they name, are served
schema sections-placed C036,C037,C038 what the config's sections name is there
schema catalogs-usable C029,C030 the catalog that is named, and every installed one, can be used
schema secrets-present C040,C041 no secret is missing
graph no-hard-cycles G001,G006 required dependencies form no cycle
graph no-soft-cycles G002,G008 optional dependencies form no cycle
graph dependencies-configured G003 whatever a provider needs has a provider
graph apis-provided G004,G007 every served API has a provider
graph providers-served G005 the API of every provider is served
graph selectors Q005,Q006 every selector of the config can be asked
graph queries Q001,Q002,Q003,Q004 every check of the config's own holds
env environment-set E001 every required environment variable is set
env placeholders-read E002,E003,E004 every placeholder is read as it was meant
env ids-public E005 no id, type or name holds a secret
import modules-importable I001 every module and class that is named can be imported
import packages-installed I002 every package that is needed is installed
import configs-accepted I003,I005,I006,I007 every provider's config class accepts its config
import resources-accepted I004 the tables accept what the config registers
health addresses-usable H006,H007 every remote provider has an address to ask
health remotes-reachable H001,H002,H003,H004,H005,H008 the server of every remote provider answers
health resources-served H009 every remote server has what the config places there
"""


def _checks() -> tuple[Check, ...]:
    lines = (line.split(" ", 3) for line in _TABLE.strip().splitlines())
    return tuple(
        Check(name, Level[level.upper()], tuple(codes.split(",")), states)
        for level, name, codes, states in lines
    )


_UNSEEN = """
providers,C023 known-types current-types unique-ids single-providers resources-placed
providers,C023 providers-served selectors addresses-usable remotes-reachable resources-served
providers,C021,C023,C031,C032 no-hard-cycles no-soft-cycles dependencies-configured apis-provided
C029 known-apis known-types current-types single-providers
providers,C020,C021,C023,C031 modules-importable packages-installed configs-accepted
selectors selectors
resources unique-ids resources-placed selectors resources-accepted resources-served
"""
"""What has not seen all that it is about after a problem, or where not all could be made out."""


def _unseen(graph: RunGraph) -> Iterator[str]:
    """Yield the checks that could pass only for a part of *graph*."""
    met = {one.code for one in graph.diagnostics}
    if any(isinstance(one, ProviderNode) and one.spec is None for one in graph.nodes.values()):
        met.add("C021")
    others = {"providers", "selectors"}
    met |= {key if key in others else "resources" for key in graph.lost - {"checks"}}
    for line in _UNSEEN.strip().splitlines():
        causes, *names = line.split()
        if not met.isdisjoint(causes.split(",")):
            yield from names
    if any(one.code == "E001" and one.path.startswith("providers") for one in graph.diagnostics):
        yield "configs-accepted"


CHECKS = _checks()
"""Every check of rungraph's own, by level. Each code of a diagnostic belongs to exactly one."""

_CHECK_OF = {code: check.name for check in CHECKS for code in check.codes}

_UNUSABLE = frozenset(("C001", "C002", "C003", "C004", "C008", "C017"))
"""The codes after which there is nothing left to check."""


def checklist(
    graph: RunGraph,
    level: Level,
    *,
    answers: Sequence[CheckAnswer] | None = None,
    more: Collection[str] = (),
) -> tuple[CheckResult, ...]:
    """Return what every check has found in *graph*, by level.

    One that has not seen all that it is about, and found no problem, has not passed: it is
    ``not_checked``.

    The checks that are queries have their own names and come after the others of level ``graph``.

    Args:
        graph: A graph with the diagnostics of all levels up to *level*.
        level: The deepest level that was checked; the checks beyond are ``not_checked``, and so is
            everything that needs a document when none could be read.
        answers: What the checks that are queries found; by default those of the config are asked.
        more: The names of deeper checks that were made, too.

    Examples:
        >>> from rungraph.graph import compile_config
        >>> graph = compile_config({"providers": {}, "modls": []}, environment={})
        >>> [(one.name, str(one.result)) for one in checklist(graph, Level.GRAPH)][3:5]
        [('known-keys', 'warned'), ('known-version', 'passed')]
    """
    found: dict[str, list[Diagnostic]] = {check.name: [] for check in CHECKS}
    for diagnostic in graph.diagnostics:
        found[_CHECK_OF[diagnostic.code]].append(diagnostic)
    usable, unseen = is_usable(graph), {*graph.unseen, *_unseen(graph)}
    results: list[CheckResult] = []
    for check in CHECKS:
        was_made = check.level <= level or check.name in more
        was_made = was_made and (usable or check.name == "readable")
        if check.name == "queries":
            results += _queried(graph, answers, was_made=was_made)
            continue
        was_made = was_made and check.name not in unseen
        diagnostics = tuple(found[check.name])
        result = result_of(diagnostics) if diagnostics or was_made else Result.NOT_CHECKED
        results.append(CheckResult(check.name, check.level, result, diagnostics, check.states))
    return tuple(results)


def _queried(
    graph: RunGraph, answers: Sequence[CheckAnswer] | None, *, was_made: bool
) -> Iterator[CheckResult]:
    if not was_made:
        for check in graph.checks:
            yield CheckResult(check.name, Level.GRAPH, Result.NOT_CHECKED)
        return
    if answers is None:
        if not graph.checks:
            return
        from rungraph.graph.query.config_checks import ask

        answers = ask(graph)
    for answer in answers:
        diagnostics = answer.diagnostics
        states = f"{masked_text(answer.check.query, graph.known)}: {answer.check.expect}"
        result = result_of(diagnostics) if answer.ok else Result.FAILED
        if result is Result.PASSED and graph.lost - {"checks"}:
            result = Result.NOT_CHECKED
        yield CheckResult(answer.check.name, Level.GRAPH, result, diagnostics, states, answer)


def result_of(diagnostics: Iterable[Diagnostic]) -> Result:
    """Return what a check that was made and has found *diagnostics* came to."""
    severities = {one.severity for one in diagnostics}
    if Severity.ERROR in severities:
        return Result.FAILED
    if Severity.WARNING in severities:
        return Result.WARNED
    return Result.NOTED if severities else Result.PASSED


def is_usable(graph: RunGraph) -> bool:
    """Return whether a document could be made out, so that the later checks mean something."""
    codes = {one.code for one in graph.diagnostics}
    if not _UNUSABLE.isdisjoint(codes):
        return False
    # Deep nesting and a flood of aliases leave nothing; other values that cannot be leave the rest.
    return "C007" not in codes or any(
        isinstance(node, ProviderNode) and node.path for node in graph.nodes.values()
    )

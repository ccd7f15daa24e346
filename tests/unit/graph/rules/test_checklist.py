"""The named checks: each code belongs to one, and a graph's results follow from its diagnostics."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from rungraph.graph import Diagnostic, Level, Severity, compile_config
from rungraph.graph.rules.checklist import CHECKS, Result, checklist, result_of
from rungraph.graph.rules.codes import RULES

_OTEL = "{provider_id: a, provider_type: 'inline::opentelemetry', config: {x: '${env.NO}'}}"
_TYPED = {"dependencies-configured", "modules-importable", "configs-accepted"}
_ALL = {*_TYPED, "known-types", "unique-ids", "providers-served", "resources-placed"}
_REGISTERED = {"resources-placed", "resources-accepted"}


def _results(source: str, level: Level = Level.ENV) -> dict[str, Result]:
    graph = compile_config(f"{source}\n", environment={}).up_to(level)
    return {one.name: one.result for one in checklist(graph, level)}


def test_every_code_belongs_to_one_check_of_its_level() -> None:
    """No rule is left out or told of twice; the table goes from the schema outwards."""
    assert Counter(code for check in CHECKS for code in check.codes) == dict.fromkeys(RULES, 1)
    for check in CHECKS:
        assert {Diagnostic(code, "").level for code in check.codes} == {check.level}, check.name
    assert all(one.level <= next_one.level for one, next_one in pairwise(CHECKS))
    assert len({check.name for check in CHECKS}) == len(CHECKS)


def test_a_good_config_passes_what_was_checked() -> None:
    """The checks of deeper levels are not checked, the others have passed."""
    for name, result in _results("providers: {}\n", Level.GRAPH).items():
        level = next(check.level for check in CHECKS if check.name == name)
        assert result is (Result.PASSED if level <= Level.GRAPH else Result.NOT_CHECKED), name


@pytest.mark.parametrize("source", ["- a\n", "{\n", "\n", "a: &a [*a]\n" + "[" * 5000])
def test_nothing_is_said_of_a_document_that_is_none(source: str) -> None:
    """When nothing could be read, no later check claims to have passed."""
    results = _results(source)
    assert results.pop("readable") is Result.PASSED
    assert sorted(map(str, set(results.values()))) == ["failed", "not_checked"]


def test_a_bad_value_leaves_the_other_checks_standing() -> None:
    """A key that is no text costs the check of the YAML, not the others."""
    results = _results(
        "1: x\nproviders:\n  telemetry:\n"
        "  - {provider_id: a, provider_type: 'inline::opentelemetry'}\n"
    )
    assert results["yaml"] is Result.WARNED
    assert results["known-types"] is Result.PASSED


@pytest.mark.parametrize(
    ("source", "unseen", "passed"),
    [
        ("providers: {telemetry: [{provider_id: a, provider_type: 1}]}", _ALL, "ids-public"),
        ("providers: {telemetry: {}}", _ALL, "ids-public"),
        ("providers: {}\ninference: [{provider_id: a, provider_type: x}]", _ALL, "ids-public"),
        ("providers: {telemetry: [{provider_id: a, provider_type: x}]}", _TYPED, "unique-ids"),
        ("providers: {}\napis: 5", _ALL, "ids-public"),
        ("providers: {}\nselectors: 5", {"selectors"}, "ids-public"),
        ("providers: {}\nimage_name: []", set(), "configs-accepted"),
        ("providers: {}\nmodels: [1]", _REGISTERED, "configs-accepted"),
        ("providers: {}\nmodels: [{id: x, provider_id: [x]}]", _REGISTERED, "configs-accepted"),
        (f"providers: {{telemetry: [{_OTEL}]}}", {"configs-accepted"}, "modules-importable"),
        ("providers: {}\nmetadata_store: {db_path: '${env.NO}'}", set(), "configs-accepted"),
        ("providers: {}\nchecks: [1]", set(), "configs-accepted"),
    ],
)
def test_what_has_not_seen_everything_has_not_passed(
    source: str, unseen: set[str], passed: str
) -> None:
    """A provider, a type or a model that cannot be made out is behind what was found in it."""
    results = _results(source, Level.IMPORT)
    assert unseen <= {name for name, one in results.items() if one is Result.NOT_CHECKED}
    assert results[passed] is Result.PASSED


def test_a_query_of_a_part_of_the_graph_has_not_passed() -> None:
    """What was not made out could be among what it selects."""
    check = "checks: [{name: q, query: 'type:remote::*'}]"
    assert _results(f"providers: {{}}\n{check}")["q"] is Result.PASSED
    assert _results(f"providers: {{inference: [1]}}\n{check}")["q"] is Result.NOT_CHECKED
    some = check.replace("remote::*", "inline::inspect")
    assert _results(f"providers: {{inference: [1]}}\n{some}")["q"] is Result.FAILED


def test_diagnostics_come_with_the_check_that_found_them() -> None:
    """Each diagnostic of the graph is in exactly one result, in the graph's order."""
    graph = compile_config(
        {"modls": [], "providers": {"x": [], "inference": [{}, {"provider_id": 1}]}}, environment={}
    )
    results = checklist(graph, Level.ENV)
    listed = [one for result in results for one in result.diagnostics]
    assert sorted(listed, key=graph.diagnostics.index) == list(graph.diagnostics)
    for result in results:
        order = [graph.diagnostics.index(one) for one in result.diagnostics]
        assert order == sorted(order)


def test_checks_that_are_queries_have_names_of_their_own() -> None:
    """Each check of the config is a result, after the others of level graph, with its answer."""
    config = {
        "providers": {},
        "checks": [
            {"name": "some remote", "query": "type:remote::*", "expect": "nonempty"},
            {"name": "inspect", "query": "api:inspect", "expect": 1},
        ],
    }
    graph = compile_config(config, environment={})
    results = checklist(graph, Level.GRAPH)
    names = [one.name for one in results if one.level is Level.GRAPH]
    assert names[-2:] == ["some remote", "inspect"]
    failed, passed = (one for one in results if one.answer)
    assert (failed.result, passed.result) == (Result.FAILED, Result.PASSED)
    assert [one.code for one in failed.diagnostics] == ["Q001"]
    assert passed.states == "api:inspect: 1"
    unchecked = checklist(graph, Level.SCHEMA)
    assert [one.result for one in unchecked if one.name == "inspect"] == [Result.NOT_CHECKED]


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ((), Result.PASSED),
        ((Severity.NOTE,), Result.NOTED),
        ((Severity.NOTE, Severity.WARNING), Result.WARNED),
        ((Severity.WARNING, Severity.ERROR, Severity.NOTE), Result.FAILED),
    ],
)
def test_the_worst_that_was_found_decides(
    severities: tuple[Severity, ...], expected: Result
) -> None:
    """One error fails a check, whatever else it has found."""
    assert result_of(Diagnostic("C001", "", severity) for severity in severities) is expected

"""Diagnostics as values."""

from __future__ import annotations

from rungraph.graph import Diagnostic, Place, Severity, compile_config
from rungraph.graph.diagnostic_text import count_text
from rungraph.graph.diagnostics import bounded


def _many(count: int, code: str = "C012", severity: Severity = Severity.ERROR) -> list[Diagnostic]:
    return [Diagnostic(code, str(n), severity, Place("", n, 1)) for n in range(1, count + 1)]


def test_of_very_many_problems_the_first_hundred_are_kept() -> None:
    """Of each code and severity; one is not worth a line that says so."""
    assert bounded(_many(101)) == _many(101)
    found = bounded([*_many(102), *_many(3, "C010"), *_many(102, severity=Severity.NOTE)])
    assert found[:100] == _many(102)[:100]
    assert found[100:103] == _many(3, "C010")
    assert [(one.message, one.severity, one.count) for one in found[203:]] == [
        ("2 more problems of the kind C012 are not shown", Severity.ERROR, 2),
        ("2 more problems of the kind C012 are not shown", Severity.NOTE, 2),
    ]
    assert bounded(found) == found


def test_a_list_with_very_many_problems_is_told_in_a_hundred() -> None:
    """The first in the order of the text, each with its line; all of them are counted."""
    text = "providers: {}\nmodels:\n" + "- 5\n" * 5_000
    graph = compile_config(text, environment={})
    *first, more = graph.diagnostics
    assert [one.place and one.place.line for one in first] == [*range(3, 103)]
    assert {one.excerpt for one in first} == {"- 5"}
    assert more.message == "4,900 more problems of the kind C010 are not shown"
    assert count_text(graph.diagnostics) == "5,000 errors"
    # Neither another look nor more of the same changes what is counted.
    assert count_text(graph.with_diagnostics(_many(2, "C010")).diagnostics) == "5,002 errors"

"""Finding the placeholders of a text."""

from __future__ import annotations

import pytest

from rungraph.graph import compile_config
from rungraph.graph.budgets import DEEPEST_PLACEHOLDER
from rungraph.graph.placeholders import malformed_placeholders, pattern_of, placeholders


def nested(depth: int, inner: str = "x") -> str:
    """Return *depth* placeholders in each other."""
    return "${env.A:=" * depth + inner + "}" * depth


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("${env.A:={}}", ["${env.A:={}}"]),
        ('${env.A:={"a": {"b": 1}}}x', ['${env.A:={"a": {"b": 1}}}']),
        ("${env.A:={}x}", ["${env.A:={}x}"]),
        # Braces that do not match: the first one that closes no placeholder counts.
        ("${env.A:={x}", ["${env.A:={x}"]),
        ("${env.A:={${env.B}}", ["${env.A:={${env.B}}"]),
        ("} ${env.A:=x} }", ["${env.A:=x}"]),
        ("${env.A:=${env.B}", ["${env.B}"]),
        ("${env.A:=x ${env.B:+y} ${env.C", ["${env.B:+y}"]),
    ],
)
def test_where_a_word_ends(text: str, found: list[str]) -> None:
    """At the brace that closes it, with those in between in pairs."""
    assert [str(one) for one in placeholders(text)] == found


def test_what_is_nested_too_deep_is_no_placeholder() -> None:
    """It stays as it is, and a diagnostic says so."""
    assert [str(one) for one in placeholders(nested(DEEPEST_PLACEHOLDER))] == [
        nested(DEEPEST_PLACEHOLDER)
    ]
    deep = nested(DEEPEST_PLACEHOLDER + 1)
    assert placeholders(f"{deep} ${{env.B}}") == placeholders(f"{' ' * len(deep)} ${{env.B}}")
    assert malformed_placeholders(deep) == (
        ("placeholders nested more than 20 deep are left as they are",
         "give the variable one default, written out"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "${env.A:=" * 20_000,
        nested(20_000),
        "${" * 50_000 + "${env.A:=" * 5_000,
        "${env.A}" * 20_000,
        "${A:-" * 20_000,
        "${env.A:+b}" * 20_000,
        nested(15, "{" * 50_000),
    ],
    ids=len,
)
def test_any_text_takes_linear_time(text: str) -> None:
    """The graph is there, whatever stands in the config; a test that takes quadratic time hangs."""
    graph = compile_config(
        {"providers": {"inference": [{"provider_id": text, "config": {"token": text, "a": text}}]}},
        environment={"A": "b"},
    )
    assert graph.diagnostics
    pattern = pattern_of(text)
    assert pattern is None or not pattern.fullmatch("")

"""Texts that are made to take long: each takes linear time, and one that does not hangs here."""

from __future__ import annotations

import json

import pytest

from rungraph.graph import compile_config, render_diagnostics
from rungraph.graph.budgets import LONGEST_LINE, LONGEST_MESSAGE
from rungraph.graph.place import Place
from rungraph.graph.source.document import parse_document
from rungraph.graph.source.text import SourceText

REPEATED = [
    "k", "word ", 'a="b" ', "-a ", "a: ", "a.", "a-", "''", '\\"', "http://a:", "http://a:b@", "@",
    "eyJaaaa.aaaa", "-----BEGIN PRIVATE KEY-----", "<password>", "Bearer ", "mysql -p", "-u a:",
    "${env.A:=", "{a: ", "password: ", "password: [a ", "*a ", "&a ", "\\",
]  # fmt: skip
LINES = [
    "password:", "password: 'a", "password: [a", "password: |", "- --token", "api_key: *a",
    "x: &a 1", "name: token", "value: b", "k: 1", "# a", "",
]  # fmt: skip


@pytest.mark.parametrize("unit", REPEATED)
@pytest.mark.parametrize("start", ['x: "', "password: "])
def test_a_long_line_takes_linear_time(unit: str, start: str) -> None:
    """With a syntax error in it, so that its secrets are searched."""
    text = f"{start}{unit * (20_000 // len(unit))} ]: [\n"
    assert parse_document(text).diagnostics


@pytest.mark.parametrize("line", LINES)
def test_many_lines_take_linear_time(line: str) -> None:
    """One below the other, and each inside of the one before."""
    for indent in (0, 1):
        lines = "".join(f"{' ' * (indent * number)}{line}\n" for number in range(1_500))
        assert compile_config(f"{lines}5: ]\n", environment={}).diagnostics


def test_a_line_that_nobody_writes_has_no_excerpt() -> None:
    """What is secret in it need not be found, then."""
    text = "a" * (LONGEST_LINE - 1)
    assert SourceText("", f"{text}\n").excerpt(Place("", 1, 1)).startswith("aaa")
    assert SourceText("", f"{text}a\n").excerpt(Place("", 1, 1)) == ""


def test_long_names_do_not_make_long_messages() -> None:
    """They are cut, as source lines are."""
    long = "k" * 40_000
    text = json.dumps({"providers": {}, long: 1, "models": [{"model_id": long, long: long}]})
    graph = compile_config(text, environment={})
    assert graph.diagnostics
    assert all(len(one.message) <= LONGEST_MESSAGE for one in graph.diagnostics)
    assert len(render_diagnostics(graph.diagnostics)) < 20_000

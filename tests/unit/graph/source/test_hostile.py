"""Texts that are made to take long: each takes linear time, and one that does not hangs here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fuzz.targets import TARGETS

from rungraph.graph import ProviderNode, compile_config, graph_to_json, render_diagnostics
from rungraph.graph.budgets import LONGEST_LINE, LONGEST_MESSAGE
from rungraph.graph.diff import diff_graphs, render_diff
from rungraph.graph.place import Place
from rungraph.graph.secrets.search import hits_in
from rungraph.graph.source.document import document_of, parse_document
from rungraph.graph.source.text import SourceText

REPEATED = [
    "k", "word ", 'a="b" ', "-a ", "a: ", "a.", "a-", "''", '\\"', "http://a:", "http://a:b@", "@",
    "eyJaaaa.aaaa", "-----BEGIN PRIVATE KEY-----", "<password>", "Bearer ", "mysql -p", "-u a:",
    "${env.A:=", "{a: ", "password: ", "password: [a ", "*a ", "&a ", "\\",
]  # fmt: skip
NOT_SEEN = "\u200b"
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


@pytest.mark.parametrize("unit", [r"--token \"a\" ", r"password: \"a\" ", r"'--token', \"a\", "])
def test_a_quote_that_nothing_closes_is_searched_once(unit: str) -> None:
    """In a text that is escaped none does: from each of them it lasts to the end."""
    text = unit * 20_000
    assert [*hits_in(text)]
    assert len([*hits_in(text, has_pairs=False)]) < len(text)


def test_a_long_run_of_what_is_not_seen_takes_linear_time() -> None:
    """It can be part of a key, and a search begins where it does, not at each of its characters."""
    text = f"x: {NOT_SEEN * 400_000} ]: [\n"
    assert parse_document(text).diagnostics


@pytest.mark.parametrize("line", LINES)
def test_many_lines_take_linear_time(line: str) -> None:
    """One below the other, and each inside of the one before."""
    for indent in (0, 1):
        lines = "".join(f"{' ' * (indent * number)}{line}\n" for number in range(1_500))
        assert compile_config(f"{lines}5: ]\n", environment={}).diagnostics


@pytest.mark.parametrize(
    "unit",
    [
        *("# key:\n", "# password: ", "dsn: {", "cookie: &sig=", "key: a/b ", "password: *a &a "),
        *("password:\n{", "password: [a],\r", "?\r- ", "- --token\n- x ", "a: b ", "# a\n", "_eyJ"),
    ],
)
def test_what_goes_on_to_the_end_is_looked_at_once(unit: str) -> None:
    """Comments, brackets or blanks after each of many keys, or tokens; the target has a limit."""
    text = f"password:\n {unit * (60_000 // len(unit))}"
    TARGETS["source"](f"{text}{'}:' * 6_000 if '{' in unit else ''}\n5: ]\n".encode())


def test_a_line_that_nobody_writes_has_no_excerpt() -> None:
    """What is secret in it need not be found, then."""
    text = "a" * (LONGEST_LINE - 1)
    assert SourceText("", f"{text}\n").excerpt(Place("", 1, 1)).startswith("aaa")
    assert SourceText("", f"{text}a\n").excerpt(Place("", 1, 1)) == ""


@pytest.mark.parametrize(
    "number", ["9" * 5000, "-0x" + "f" * 5000, "0b" + "1" * 20_000, "59:" * 3000 + "1", "1" * 1001]
)
def test_a_number_that_nobody_writes_is_a_text(number: str) -> None:
    """Python does not write what has more than 4,300 digits; in a mapping it is a problem."""
    entry = f"{{provider_id: a, provider_type: remote::openai, config: {{n: {number}}}}}"
    graph = compile_config(f"providers: {{inference: [{entry}]}}\nx: {number}\n", environment={})
    [node] = (one for one in graph.nodes.values() if isinstance(one, ProviderNode) and one.config)
    assert node.config["n"] == number
    assert number[:20] in graph_to_json(graph)
    assert render_diff(diff_graphs(compile_config({"providers": {}}), graph))
    mapping: Any = {"n": 10**5000, 10**5000: 1}
    document = document_of(mapping)
    assert document.value == {"n": None, "an int": 1}
    assert [one.code for one in document.diagnostics] == ["C007", "C007"]


def test_long_names_do_not_make_long_messages() -> None:
    """They are cut, as source lines are."""
    long = "k" * 40_000
    text = json.dumps({"providers": {}, long: 1, "models": [{"model_id": long, long: long}]})
    graph = compile_config(text, environment={})
    assert graph.diagnostics
    assert all(len(one.message) <= LONGEST_MESSAGE for one in graph.diagnostics)
    assert len(render_diagnostics(graph.diagnostics)) < 20_000

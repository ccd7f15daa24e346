"""YAML is read as PyYAML's safe loader reads it, and what is wrong with it is explained."""

from __future__ import annotations

from pprint import pformat

import pytest
import yaml
from tests.unit.graph.source.documents import CONFIG, only, spot

from rungraph.graph.place import Place
from rungraph.graph.source import yaml_nodes
from rungraph.graph.source.document import parse_document


@pytest.mark.parametrize(
    "text",
    [
        "a: [yes, No, on, OFF, true, y]",
        "a: [1, 0o17, 017, 0x1F, 0b11, -3, +4, 1_000, 22:22, 1:60]",
        "a: [1.5, 1e5, 1.5e+3, .5, 5., .inf, -.INF, 1_0.5, 190:20:30.15]",
        "a: [null, ~, Null, NULL, '', nULL]\nb:\nc: ''",
        "a: ['1', \"true\", !!str 5, !!int '5', !!float 1, !!bool 'yes', !!null x]",
        "a: ! 5\nb: ! text",
        "a: >-\n  folded\n  text\n\n  more\nb: |+\n  keep\n\n",
        "? complex key\n: value\n? other\n",
        'a: "\\u00e9\\x41\\n\\\n  joined"',
        "a: &x [1, 2]\nb: *x\nc: [*x, *x]",
        "base: &b {a: 1, b: 2}\nc:\n  <<: *b\n  b: 3",
        "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], c: 3}",
        "x: &x {a: 1}\ny: &y {<<: *x, b: 2}\nz: {<<: *y}",
        '"<<": 1',
        "%YAML 1.1\n---\na: 1\n...\n",
        "a: {b, c: , d: [e: 1]}",
        "a: [1, true, 1.0, '1', null, 0, false, off]",
    ],
)
def test_values_are_those_of_the_safe_loader(text: str) -> None:
    """Configs that exist keep their meaning, oddities of YAML 1.1 included."""
    document = parse_document(text)
    # One and true are equal in Python, but not in a config; their texts are not.
    assert pformat(document.value) == pformat(yaml.safe_load(text))
    assert document.diagnostics == ()


@pytest.mark.parametrize("text", ["2024-01-01", "2024-01-01 10:00:00", "=", "<<", "0x_", "0b_"])
def test_what_has_no_plain_type_stays_text(text: str) -> None:
    """A timestamp is the text that was written, and so is what PyYAML trips over."""
    document = parse_document(f"a: {text}")
    assert (document.value, document.diagnostics) == ({"a": text}, ())


def test_what_loaders_do_not_agree_on() -> None:
    """Of several merge keys the last counts; a byte order mark takes no column of its own."""
    document = parse_document("x: {<<: {ab: 1, c: 1}, b: 2, <<: {ab: 3}}")
    assert document.value == {"x": {"ab": 3, "b": 2, "c": 1}}
    document = parse_document("\ufeffa: 1")
    assert document.value == {"a": 1}
    assert spot(document, "a", key=True) == (1, 1)


def test_the_pure_loader_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libyaml loading is slower and nothing else."""
    fast = parse_document(CONFIG)
    monkeypatch.setattr(yaml_nodes, "_Loader", yaml_nodes.PureLoader)
    pure = parse_document(CONFIG)
    assert pure.value == fast.value
    path = ("providers", "inference", 1, "config", "text")
    assert pure.place_of(path) == fast.place_of(path)
    assert only(parse_document("[" * 100_000)).code == "C007"
    assert only(parse_document("a: [1\nb: 2")).code == "C003"
    assert only(parse_document("a: \x01")).place == Place("<text>", 1, 4)


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "way_out"),
    [
        ("a:\n\tb: 1", 2, 1, "a tab in the indentation", "indent with spaces"),
        ("a:\n  b: 1\n\tc: 1", 3, 1, "a tab in the indentation", "indent with spaces"),
        ("a: {b: ${env.X}}", 1, 8, "a placeholder without quotes", 'quotes: "${env.X}"'),
        ("a: [${env.X:=1}]", 1, 5, "a placeholder without quotes", 'quotes: "${env.X:=...}"'),
        ("a: 'x\nb: 1\n", 1, 4, "a quote ' that is never closed", "close it with '"),
        ("a: {b: 1\n", 1, 4, "a { that is never closed", "close it with }"),
        ("a: [", 1, 4, "a [ that is never closed", "close it with ]"),
        ("a: [b, , c]", 1, 8, "nothing between two commas", "remove a comma"),
        ("a: [1 }", 1, 7, "something other than ',' or ']'", "close the bracket"),
        ("a: b: c", 1, 5, "a colon where no key can stand", "in quotes"),
        ("a: @x", 1, 4, "a value that begins with @", "put it in quotes"),
        ("a: %x", 1, 4, "a value that begins with %", "put it in quotes"),
        ("a: *.txt", 1, 4, "a value that begins with *", 'quotes: "*..."'),
        ("a: &base 1\nb: *bsae", 2, 4, "the alias '*bsae' names no anchor", "mean 'base'"),
        ("a: *b", 1, 4, "the alias '*b' names no anchor", "there is no anchor before it"),
        ("a: &x 1\nb: &x 2", 2, 4, "an anchor with a name", "its own name"),
        ("a:\n  b: 1\n c: 2", 3, 2, "this line does not fit", "indent it"),
        ("- a\nb: 1", 2, 1, "this line does not fit", "indent it"),
        ('a: "\\q"', 1, 5, "a backslash escape", "double the backslash"),
        ("a: 1\n...\nb: 2", 3, 1, "something after the end", "remove it"),
        ("{a: 1} b", 1, 8, "something after the end", "remove it"),
        ("a: é\x01", 1, 5, "the character U+0001", "remove it"),
        ("a: !x!y 1", 1, 4, "found undefined tag handle", "check the indentation"),
    ],
)
def test_the_message_says_what_is_wrong_and_what_would_be_right(
    text: str, line: int, column: int, message: str, way_out: str
) -> None:
    """The words of the parser become words about what was written."""
    document = parse_document(text)
    diagnostic = only(document)
    assert diagnostic.code == "C003"
    assert diagnostic.place == Place("<text>", line, column)
    assert diagnostic.message.startswith(message)
    assert way_out in diagnostic.help[0]
    assert diagnostic.excerpt == text.splitlines()[line - 1]
    assert document.value == {}


def test_where_the_construct_began_is_told_as_well() -> None:
    """The line that does not fit is often not the wrong one; half a character is no text at all."""
    ((place, text),) = only(parse_document("x: 1\na:\n  b: 1\n c: 2")).related
    assert (place.line, place.column, text) == (1, 1, "it begins here")
    diagnostic = only(parse_document("a: \ud800"))
    assert (diagnostic.code, diagnostic.place) == ("C002", Place("<text>", 1, 4))

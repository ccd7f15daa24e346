"""What a document must be made of; a problem in one place does not hide the rest."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.graph.source.documents import only, spot

from rungraph.graph.diagnostics import Severity
from rungraph.graph.place import Place
from rungraph.graph.source.document import parse_document


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the document is empty"),
        ("# nothing\n", "the document is empty"),
        ("---\n", "the document is empty"),
        ("~", "the document is empty"),
        ("- a", "the document is a list, not a mapping"),
        ("text", "the document is a single value, not a mapping"),
    ],
)
def test_a_document_is_a_mapping(text: str, message: str) -> None:
    """Anything else at the top is one problem, and the value is an empty mapping."""
    document = parse_document(text)
    assert (only(document).code, only(document).message) == ("C004", message)
    assert document.value == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\n---\nb: 2\n", 2),
        ("a: 1\n...\n# c\n--- # d\n", 4),
        ("a: 1\n---\nb: [\n", 2),
    ],
)
def test_a_second_document_is_an_error_at_its_place(text: str, line: int) -> None:
    """The first document is still read, so that its problems are reported too."""
    document = parse_document(text)
    diagnostic = only(document)
    assert diagnostic.code == "C005"
    assert diagnostic.place is not None
    assert diagnostic.place.line == line
    assert document.value == {"a": 1}


def test_all_duplicate_keys_are_reported_and_the_first_counts() -> None:
    """PyYAML takes the last silently; here each one is an error that shows the first."""
    document = parse_document("a: 1\nb:\n  c: 1\n  'c': 2\na: {x: 1, x: 2}\na: 3\n")
    assert document.value == {"a": 1, "b": {"c": 1}}
    found = [(one.path, one.place, one.related[0][0]) for one in document.diagnostics]
    assert found == [
        ("b.c", Place("<text>", 4, 3), Place("<text>", 3, 3)),
        ("a", Place("<text>", 5, 1), Place("<text>", 1, 1)),
        ("a.x", Place("<text>", 5, 11), Place("<text>", 5, 5)),
        ("a", Place("<text>", 6, 1), Place("<text>", 1, 1)),
    ]
    assert {one.code for one in document.diagnostics} == {"C006"}
    assert spot(document, "a") == (1, 4)


def test_many_duplicate_keys_take_linear_time() -> None:
    """Each is compared with an index of its mapping, not with all keys before it."""
    text = "".join(f"k{i}: 1\n" for i in range(5_000)) * 2
    assert len(parse_document(text).diagnostics) == 5_000


@pytest.mark.parametrize(
    ("key", "meaning"),
    [("on", "true"), ("No", "false"), ("1", "a number"), ("1.5", "a number"), ("~", "null")],
)
def test_a_key_that_is_not_text_is_taken_as_written(key: str, meaning: str) -> None:
    """A warning says what YAML makes of it and to quote it."""
    document = parse_document(f"a:\n  {key}: x\n")
    diagnostic = only(document)
    assert (diagnostic.code, diagnostic.severity) == ("C007", Severity.WARNING)
    assert f"the key {key} is {meaning} in YAML" in diagnostic.message
    assert diagnostic.help == (f'put the key in quotes: "{key}":',)
    assert diagnostic.path == f'a["{key}"]' if not key.isalpha() else f"a.{key}"
    assert document.value == {"a": {key: "x"}}
    assert spot(document, "a", key) == (2, len(key) + 5)


def test_a_quoted_key_is_text() -> None:
    """Quotes are all that such a key needs, also after it was written without them."""
    document = parse_document("a: {'on': 1, \"1\": 2}\nb: {on: 1}\nc: {'on': 1}")
    assert len(document.diagnostics) == 1


def test_an_empty_key_has_a_name_in_the_message() -> None:
    """A lone colon opens a key that nobody sees."""
    assert only(parse_document("?\n: 1")).message.startswith("the key (nothing) is null")


@pytest.mark.parametrize(
    ("text", "message", "way_out"),
    [
        ("? [a]\n: 1", "a list cannot be a key", "use a text"),
        ("? {a: 1}\n: 1", "a mapping cannot be a key", "use a text"),
        ("a: {{ x }}", "a mapping cannot be a key", "put a template in quotes"),
    ],
)
def test_a_collection_cannot_be_a_key(text: str, message: str, way_out: str) -> None:
    """An unquoted template is how this usually comes about."""
    diagnostic = only(parse_document(text))
    assert (diagnostic.code, diagnostic.message) == ("C007", message)
    assert diagnostic.help[0].startswith(way_out)


@pytest.mark.parametrize(
    ("value", "tag", "result"),
    [
        (
            "!!python/object/apply:os.system ['true']",
            "!!python/object/apply:os.system",
            ["true"],
        ),
        ("!!python/name:os.system x", "!!python/name:os.system", "x"),
        ("!!binary aGk=", "!!binary", "aGk="),
        ("!!timestamp 2024-01-01", "!!timestamp", "2024-01-01"),
        ("!!set {b}", "!!set", {"b": None}),
        ("!mine {b: 1}", "!mine", {"b": 1}),
        ("!!map [1]", "!!map", [1]),
        ("!!str {b: 1}", "!!str", {"b": 1}),
    ],
)
def test_a_tag_that_means_nothing_here_is_passed_over(value: str, tag: str, result: Any) -> None:
    """Nothing is ever constructed from a tag; the value is read as if it had none."""
    document = parse_document(f"a: {value}\nb: 1")
    diagnostic = only(document)
    assert diagnostic.code == "C007"
    assert diagnostic.message == f"the tag '{tag}' is not supported"
    assert diagnostic.place == Place("<text>", 1, 4)
    assert document.value == {"a": result, "b": 1}


def test_a_value_that_is_not_what_its_tag_says_is_reported() -> None:
    """The value itself is not shown: it can be a secret."""
    diagnostic = only(parse_document("a: !!int hunter2"))
    assert diagnostic.message == "the value is not what its tag '!!int' says"


@pytest.mark.parametrize("text", ["a: &x [*x]", "a: &x {b: {c: *x}}", "&x a: &y\n  <<: *y"])
def test_a_value_that_contains_itself_is_unusable(text: str) -> None:
    """Nothing after it could walk such a value."""
    document = parse_document(text)
    assert (only(document).code, document.value) == ("C007", {})
    assert "alias" in only(document).message


def test_an_expansion_bomb_is_unusable() -> None:
    """Nine lists of nine aliases each would be a billion values."""
    lines = ["a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    document = parse_document("\n".join(lines))
    assert (only(document).code, document.value) == ("C007", {})
    assert "1,000,000" in only(document).message


def test_a_large_file_may_repeat_much() -> None:
    """The bound is on what multiplies, not on a default that every provider shares."""
    text = "d: &d {a: 1, b: 2}\np:\n" + "- {c: *d}\n" * 1_000
    assert parse_document(text).diagnostics == ()


@pytest.mark.parametrize("sources", ["3", "[{a: 1}, 3]", "text"])
def test_a_merge_key_needs_mappings(sources: str) -> None:
    """What cannot be merged is left out."""
    document = parse_document(f"<<: {sources}\nb: 1")
    assert (only(document).code, document.value) == ("C007", {"b": 1})
    assert only(document).path == '["<<"]'


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "a: [" + "{" * 100_000 + "}" * 100_000 + "]",
        "- " * 100_000,
        "? " * 10_000,
        "\n".join(" " * depth + "a:" for depth in range(1_000)),
    ],
)
def test_deep_nesting_is_reported(text: str) -> None:
    """No depth exhausts a stack."""
    document = parse_document(text)
    assert (only(document).code, document.value) == ("C007", {})
    assert only(document).message == "collections nested deeper than 100"
    assert only(document).place is not None


def test_deep_enough_nesting_is_read() -> None:
    """The bound is far above what a config needs."""
    document = parse_document("[" * 90 + "]" * 90)
    assert only(document).code == "C004"

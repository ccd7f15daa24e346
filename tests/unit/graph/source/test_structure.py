"""What a document must be made of; a problem in one place does not hide the rest."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.graph.source.documents import only, spot

from rungraph.graph.diagnostics import Severity
from rungraph.graph.place import Place
from rungraph.graph.source import construct
from rungraph.graph.source.document import parse_document


@pytest.mark.parametrize(
    ("text", "place", "problem", "value"),
    [
        ("", (1, 1), "C004 the document is empty", {}),
        ("# nothing\n", (1, 1), "C004 the document is empty", {}),
        ("---\n", (2, 1), "C004 the document is empty", {}),
        ("~", (1, 1), "C004 the document is empty", {}),
        ("- a", (1, 1), "C004 the document is a list, not a mapping", {}),
        ("text", (1, 1), "C004 the document is a single value, not a mapping", {}),
        # Of two documents the first is read, so that its problems are reported too.
        ("a: 1\n---\nb: 2\n", (2, 1), "C005 a second document in one file", {"a": 1}),
        ("a: 1\n...\n# c\n--- # d\n", (4, 1), "C005 a second document in one file", {"a": 1}),
        ("a: 1\n---\nb: [\n", (2, 1), "C005 a second document in one file", {"a": 1}),
        ("? [a]\n: 1", (1, 3), "C007 a list cannot be a key", {"[a]": 1}),
        ("? {a: 1}\n: 1", (1, 3), "C007 a mapping cannot be a key", {"{a: 1}": 1}),
        ("? {pin: [xy]}\n: 1", (1, 3), "C007 a mapping cannot be a key", {"{pin: ********}": 1}),
        ("a: {{ x }}", (1, 5), "C007 a mapping cannot be a key", {"a": {"{ x }": None}}),
        ("?\n: 1", (1, 2), "C007 the key (nothing) is null in YAML", {"": 1}),
        # Nothing is ever constructed from a tag; the value is read as if it had none.
        ("a: !!python/name:os.system x", (1, 4), "C007 the tag '!!python/name:os", {"a": "x"}),
        ("a: !!python/object/apply:x ['y']", (1, 4), "C007 the tag '!!python/obj", {"a": ["y"]}),
        ("a: !!binary aGk=", (1, 4), "C007 the tag '!!binary' is not supported", {"a": "aGk="}),
        ("a: !!timestamp 2024", (1, 4), "C007 the tag '!!timestamp' is not", {"a": "2024"}),
        ("a: !!set {b}", (1, 4), "C007 the tag '!!set' is not supported", {"a": {"b": None}}),
        ("a: !mine {b: 1}", (1, 4), "C007 the tag '!mine' is not supported", {"a": {"b": 1}}),
        ("a: !!map [1]", (1, 4), "C007 the tag '!!map' is not supported", {"a": [1]}),
        ("a: !!str {b: 1}", (1, 4), "C007 the tag '!!str' is not supported", {"a": {"b": 1}}),
        # The value is not shown: it can be a secret.
        ("a: !!int no", (1, 4), "C007 the value is not what its tag '!!int' says", {"a": "no"}),
        # Nothing could walk a value that contains itself.
        ("a: &x [*x]", (1, 4), "C007 an alias stands inside", {}),
        ("a: &x {b: {c: *x}}", (1, 4), "C007 an alias stands inside", {}),
        ("&x a: &y\n  <<: *y", (1, 7), "C007 an alias stands inside", {}),
        ("<<: 3\nb: 1", (1, 5), "C007 a merge key '<<' needs a mapping", {"b": 1}),
        ("<<: [{a: 1}, 3]\nb: 1", (1, 5), "C007 a merge key '<<' needs a mapping", {"b": 1}),
        ("<<: text\nb: 1", (1, 5), "C007 a merge key '<<' needs a mapping", {"b": 1}),
    ],
)
def test_a_problem_is_reported_at_its_place_and_the_rest_is_read(
    text: str, place: tuple[int, int], problem: str, value: dict[str, Any]
) -> None:
    """What cannot be used is left out or taken as it is written."""
    document = parse_document(text)
    diagnostic = only(document)
    assert diagnostic.place == Place("<text>", *place)
    assert f"{diagnostic.code} {diagnostic.message}".startswith(problem)
    assert diagnostic.help[0]
    assert document.value == value
    if "{{" in text:  # That is how a mapping usually comes to be a key.
        assert diagnostic.help[0].startswith("put a template in quotes")


def test_all_duplicate_keys_are_reported_and_the_last_counts() -> None:
    """As PyYAML has it, which says nothing; here each one is an error that shows the first."""
    document = parse_document("a: 1\nb:\n  c: 1\n  'c': 2\na: {x: 1, x: 2}\na: 3\n")
    assert document.value == {"a": 3, "b": {"c": 2}}
    found = [(one.path, one.place, one.related[0][0]) for one in document.diagnostics]
    assert found == [
        ("b.c", Place("<text>", 4, 3), Place("<text>", 3, 3)),
        ("a", Place("<text>", 5, 1), Place("<text>", 1, 1)),
        ("a.x", Place("<text>", 5, 11), Place("<text>", 5, 5)),
        ("a", Place("<text>", 6, 1), Place("<text>", 1, 1)),
    ]
    assert {one.code for one in document.diagnostics} == {"C006"}
    assert spot(document, "a") == (6, 4)
    # Each is compared with an index of its mapping, not with all keys before it.
    text = "".join(f"k{i}: 1\n" for i in range(5_000)) * 2
    assert sum(one.count for one in parse_document(text).diagnostics) == 5_000


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
    # Quotes are all that it needs, also after it was written without them.
    again = parse_document(f"a: {{'{key}': 1}}\nb: {{{key}: 1}}\nc: {{'{key}': 1}}")
    assert only(again).path.startswith("b")


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


@pytest.mark.parametrize("more", [0, 5, 100])
def test_aliases_may_come_to_ten_times_what_is_written(
    more: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the bound for small files it is what multiplies that counts: one more is too many."""
    monkeypatch.setattr(construct, "MOST_FROM_ALIASES", 0)

    def is_read(aliases: int) -> bool:
        numbers, fill, repeated = ["1"] * 30, ["x"] * more, ["*a"] * aliases
        lists = (f"[{', '.join(items)}]" for items in (numbers, fill, repeated))
        return not parse_document("a: &a {}\nb: {}\nc: {}\n".format(*lists)).diagnostics

    written = 1 + 31 + (1 + more) + 1  # The mapping and the three lists with what is in them;
    most = max(n for n in range(200) if 31 * n <= 10 * (written + n))  # an alias is one more.
    assert is_read(most)
    assert not is_read(most + 1)


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
    # The bound is far above what a config needs.
    assert only(parse_document("[" * 90 + "]" * 90)).code == "C004"

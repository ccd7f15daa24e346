"""Texts, files and mappings become values that know their places; problems become diagnostics."""

from __future__ import annotations

import enum
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from rungraph.graph.diagnostics import Diagnostic, Severity
from rungraph.graph.place import Place, caret_column
from rungraph.graph.source import yaml_nodes
from rungraph.graph.source.document import Document, document_of, load_document, parse_document

CONFIG = """\
providers:
  inference:
  - provider_id: small   # a comment
    config: {url: "http://a", 'port': 80}
  - provider_id: 'large'
    config:
      text: |
        two
        lines
"""


def only(document: Document) -> Diagnostic:
    """Return the one diagnostic of the document."""
    (diagnostic,) = document.diagnostics
    return diagnostic


def spot(document: Document, *path: str | int, key: bool = False) -> tuple[int, int]:
    """Return line and column of a value."""
    place = document.place_of(path, key=key)
    return place.line, place.column


class TestPlaces:
    def test_every_value_has_its_place(self) -> None:
        """Lines and columns count from one and point at the value's first character."""
        document = parse_document(CONFIG, "run.yaml")
        assert document.place_of(("providers",)) == Place("run.yaml", 2, 3)
        assert spot(document, "providers", "inference", 0) == (3, 5)
        assert spot(document, "providers", "inference", 0, "provider_id") == (3, 18)
        assert spot(document, "providers", "inference", 0, "config", "url") == (4, 19)
        assert spot(document, "providers", "inference", 1, "config", "text") == (7, 13)

    def test_every_key_has_its_place(self) -> None:
        """A problem with a key points at the key, not at its value."""
        document = parse_document(CONFIG)
        assert spot(document, "providers", key=True) == (1, 1)
        assert spot(document, "providers", "inference", 0, "config", "port", key=True) == (4, 31)

    def test_an_item_of_a_list_is_its_own_key(self) -> None:
        """A list has no keys, so the place of the item stands for it."""
        assert spot(parse_document(CONFIG), "providers", "inference", 1, key=True) == (5, 5)

    @pytest.mark.parametrize(
        "path",
        [
            ("providers", "inference", 0, "nothing"),
            ("providers", "inference", 0, "nothing", 3, "more"),
            ("providers", "inference", 0, 7),
        ],
    )
    def test_a_missing_path_has_the_place_of_its_parent(self, path: tuple[str | int, ...]) -> None:
        """What is missing from a mapping is reported where the mapping stands."""
        assert spot(parse_document(CONFIG), *path) == (3, 5)
        assert spot(parse_document(CONFIG), *path, key=True) == (3, 5)

    def test_an_index_past_the_end_has_the_place_of_the_list(self) -> None:
        """A list does not wrap around, and a text cannot be an index."""
        document = parse_document(CONFIG)
        for step in (2, -1, "0"):
            assert spot(document, "providers", "inference", step) == (3, 3)

    def test_columns_count_characters(self) -> None:
        """Characters of several bytes are one column each."""
        assert spot(parse_document('ключ: "日本"  \n😀: {é: ü}'), "😀", "é") == (2, 8)

    @pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
    def test_all_line_breaks_count(self, line_break: str) -> None:
        """Lines are what an editor shows, whatever wrote the file."""
        document = parse_document(f"a: 1{line_break}{line_break}b:{line_break}  c: 2{line_break}")
        assert document.value == {"a": 1, "b": {"c": 2}}
        assert spot(document, "b", "c") == (4, 6)
        assert document.excerpt(document.place_of(("b", "c"))) == "  c: 2"

    def test_quotes_and_blocks_are_told_from_plain_text(self) -> None:
        """Only a plain scalar may change its type when the environment is filled in."""
        document = parse_document(
            "plain: a\ndouble: \"a\"\nsingle: 'a'\nliteral: |\n  a\nfolded: >\n  a\n"
            "tagged: !!str a\nmapping: {}\n"
        )
        quoted = {name: document.is_quoted((name,)) for name in document.value}
        assert quoted == {
            "plain": False,
            "double": True,
            "single": True,
            "literal": True,
            "folded": True,
            "tagged": True,
            "mapping": False,
        }
        assert not document.is_quoted(("double", "below"))

    def test_many_items_are_found_without_a_walk_for_each(self) -> None:
        """Looking places up needs no walk over the siblings each time."""
        document = parse_document("a:\n" + "- {b: 1}\n" * 20_000)
        places = [document.place_of(("a", index, "b")).line for index in range(20_000)]
        assert places == list(range(2, 20_002))


class TestYaml:
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
        ],
    )
    def test_values_are_those_of_the_safe_loader(self, text: str) -> None:
        """Configs that exist keep their meaning, oddities of YAML 1.1 included."""
        document = parse_document(text)
        assert document.value == yaml.safe_load(text)
        assert document.diagnostics == ()

    def test_of_several_merge_keys_the_last_counts(self) -> None:
        """Loaders differ here, and one and the same between its releases; ours does not."""
        document = parse_document("x: {<<: {ab: 1, c: 1}, b: 2, <<: {ab: 3}}")
        assert document.value == {"x": {"ab": 3, "b": 2, "c": 1}}

    def test_the_types_are_those_of_the_safe_loader(self) -> None:
        """One and true are equal in Python, but not in a config."""
        text = "a: [1, true, 1.0, '1', null, 0, false, off]"
        expected: dict[str, list[object]] = yaml.safe_load(text)
        types = [type(one) for one in expected["a"]]
        assert [type(one) for one in parse_document(text).value["a"]] == types

    @pytest.mark.parametrize("text", ["2024-01-01", "2024-01-01 10:00:00", "=", "<<", "0x_", "0b_"])
    def test_what_has_no_plain_type_stays_text(self, text: str) -> None:
        """A timestamp is the text that was written, and so is what PyYAML trips over."""
        document = parse_document(f"a: {text}")
        assert (document.value, document.diagnostics) == ({"a": text}, ())

    def test_an_alias_is_the_same_object_at_the_place_of_its_anchor(self) -> None:
        """What is repeated is read once and reported where it is written."""
        document = parse_document("a: &x\n  b: {c: 1}\nd: [*x]\n")
        assert document.value["a"] is document.value["d"][0]
        assert spot(document, "d", 0, "b", "c") == (2, 10)
        assert document.has_aliases
        assert not parse_document("a: '*'").has_aliases

    def test_a_merged_key_stands_where_it_is_written(self) -> None:
        """Among merged mappings the one that gives the value gives the place, too."""
        document = parse_document(
            "x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {<<: [*x, *y], d: 3}\n"
            "w:\n  <<: *x\n  <<: {a: 4}\n  b: 5\n"
        )
        assert document.value["z"] == {"a": 1, "b": 1, "c": 2, "d": 3}
        assert spot(document, "z", "b") == (1, 17)
        assert spot(document, "z", "c") == (2, 17)
        assert document.value["w"] == {"a": 4, "b": 5}
        assert spot(document, "w", "a") == (6, 11)
        assert spot(document, "w", "b") == (7, 6)
        assert spot(document, "w", "missing") == (5, 3)

    def test_a_byte_order_mark_is_passed_over(self) -> None:
        """It takes no column of its own."""
        document = parse_document("\ufeffa: 1")
        assert document.value == {"a": 1}
        assert spot(document, "a", key=True) == (1, 1)

    def test_the_pure_loader_reads_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
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


class TestJson:
    TEXT = (
        '{\n\t"a": [1e5, 2E0, 1.0, -0, true, null, {"b\\u00e9": "\\/ \\ud83d\\ude00"}],'
        '\n\t"c": {}\n}'
    )

    @pytest.mark.parametrize("file", ["run.json", "<text>"])
    def test_json_has_the_meaning_of_json(self, file: str) -> None:
        """Tabs, escapes and numbers are those of JSON, where YAML 1.1 differs."""
        document = parse_document(self.TEXT, file)
        assert document.value == json.loads(self.TEXT)
        assert isinstance(document.value["a"][0], float)
        assert document.diagnostics == ()

    def test_json_has_places(self) -> None:
        """A place in JSON is found like one in YAML."""
        document = parse_document(self.TEXT)
        assert spot(document, "a", key=True) == (2, 2)
        assert spot(document, "a", 6, "bé") == (2, 51)
        assert spot(document, "a", 6, "bé", key=True) == (2, 40)
        assert spot(document, "c") == (3, 7)
        assert document.is_quoted(("a", 6, "bé"))
        assert not document.is_quoted(("a", 0))

    def test_a_syntax_error_has_the_message_of_json(self) -> None:
        """In a JSON file the message is about JSON."""
        diagnostic = only(parse_document('{"a": 1,\n "b" 2}', "run.json"))
        assert diagnostic.code == "C003"
        assert diagnostic.message == "not JSON: expecting ':' delimiter"
        assert diagnostic.place == Place("run.json", 2, 6)
        assert diagnostic.excerpt == ' "b" 2}'

    @pytest.mark.parametrize(
        ("value", "column"),
        [("NaN", 7), ("-Infinity", 7), ('["\\ud800"]', 8), ("1" * 5000, 7)],
    )
    def test_what_only_python_takes_for_json_is_an_error(self, value: str, column: int) -> None:
        """NaN, half characters and endless numbers are no values; the place is theirs."""
        diagnostic = only(parse_document(f'{{"a": {value}}}', "run.json"))
        assert (diagnostic.code, diagnostic.place) == ("C003", Place("run.json", 1, column))

    def test_equal_keys_are_reported_and_the_first_counts(self) -> None:
        """JSON readers keep the last silently; nobody means that."""
        document = parse_document('{"a": {"b": 1, "c": 0, "b": 2, "b": 3}, "a": 4}')
        assert document.value == {"a": {"b": 1, "c": 0}}
        assert [one.code for one in document.diagnostics] == ["C006"] * 3
        assert [one.path for one in document.diagnostics] == ["a.b", "a.b", "a"]
        assert document.diagnostics[0].related[0][0] == Place("<text>", 1, 8)
        assert spot(document, "a", "b") == (1, 13)

    def test_flow_yaml_that_is_no_json_is_yaml(self) -> None:
        """A brace at the beginning does not make a text JSON."""
        document = parse_document("{a: yes, 'b': [1,],}")
        assert (document.value, document.diagnostics) == ({"a": True, "b": [1]}, ())

    @pytest.mark.parametrize("text", ['{"a": ' * 100_000, '{"a": ' * 150 + "1" + "}" * 150])
    def test_deep_json_is_reported(self, text: str) -> None:
        """Neither what exhausts the json module nor what it takes gets through."""
        diagnostic = only(parse_document(text))
        assert (diagnostic.code, diagnostic.place) == ("C007", Place("<text>", 1, 601))


class TestSyntaxErrors:
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
        self, text: str, line: int, column: int, message: str, way_out: str
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

    def test_where_the_construct_began_is_told_as_well(self) -> None:
        """The line that does not fit is often not the one that is wrong."""
        ((place, text),) = only(parse_document("x: 1\na:\n  b: 1\n c: 2")).related
        assert (place.line, place.column, text) == (1, 1, "it begins here")

    def test_half_a_character_in_a_text_is_reported(self) -> None:
        """Only a text made in Python can hold one; it cannot be parsed."""
        diagnostic = only(parse_document("a: \ud800"))
        assert (diagnostic.code, diagnostic.place) == ("C002", Place("<text>", 1, 4))


class TestStructure:
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
    def test_a_document_is_a_mapping(self, text: str, message: str) -> None:
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
    def test_a_second_document_is_an_error_at_its_place(self, text: str, line: int) -> None:
        """The first document is still read, so that its problems are reported too."""
        document = parse_document(text)
        diagnostic = only(document)
        assert diagnostic.code == "C005"
        assert diagnostic.place is not None
        assert diagnostic.place.line == line
        assert document.value == {"a": 1}

    def test_all_duplicate_keys_are_reported_and_the_first_counts(self) -> None:
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

    def test_many_duplicate_keys_take_linear_time(self) -> None:
        """Each is compared with an index of its mapping, not with all keys before it."""
        text = "".join(f"k{i}: 1\n" for i in range(5_000)) * 2
        assert len(parse_document(text).diagnostics) == 5_000

    @pytest.mark.parametrize(
        ("key", "meaning"),
        [("on", "true"), ("No", "false"), ("1", "a number"), ("1.5", "a number"), ("~", "null")],
    )
    def test_a_key_that_is_not_text_is_taken_as_written(self, key: str, meaning: str) -> None:
        """A warning says what YAML makes of it and to quote it."""
        document = parse_document(f"a:\n  {key}: x\n")
        diagnostic = only(document)
        assert (diagnostic.code, diagnostic.severity) == ("C007", Severity.WARNING)
        assert f"the key {key} is {meaning} in YAML" in diagnostic.message
        assert diagnostic.help == (f'put the key in quotes: "{key}":',)
        assert diagnostic.path == f'a["{key}"]' if not key.isalpha() else f"a.{key}"
        assert document.value == {"a": {key: "x"}}
        assert spot(document, "a", key) == (2, len(key) + 5)

    def test_a_quoted_key_is_text(self) -> None:
        """Quotes are all that such a key needs, also after it was written without them."""
        document = parse_document("a: {'on': 1, \"1\": 2}\nb: {on: 1}\nc: {'on': 1}")
        assert len(document.diagnostics) == 1

    def test_an_empty_key_has_a_name_in_the_message(self) -> None:
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
    def test_a_collection_cannot_be_a_key(self, text: str, message: str, way_out: str) -> None:
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
    def test_a_tag_that_means_nothing_here_is_passed_over(
        self, value: str, tag: str, result: Any
    ) -> None:
        """Nothing is ever constructed from a tag; the value is read as if it had none."""
        document = parse_document(f"a: {value}\nb: 1")
        diagnostic = only(document)
        assert diagnostic.code == "C007"
        assert diagnostic.message == f"the tag '{tag}' is not supported"
        assert diagnostic.place == Place("<text>", 1, 4)
        assert document.value == {"a": result, "b": 1}

    def test_a_value_that_is_not_what_its_tag_says_is_reported(self) -> None:
        """The value itself is not shown: it can be a secret."""
        diagnostic = only(parse_document("a: !!int hunter2"))
        assert diagnostic.message == "the value is not what its tag '!!int' says"

    @pytest.mark.parametrize("text", ["a: &x [*x]", "a: &x {b: {c: *x}}", "&x a: &y\n  <<: *y"])
    def test_a_value_that_contains_itself_is_unusable(self, text: str) -> None:
        """Nothing after it could walk such a value."""
        document = parse_document(text)
        assert (only(document).code, document.value) == ("C007", {})
        assert "alias" in only(document).message

    def test_an_expansion_bomb_is_unusable(self) -> None:
        """Nine lists of nine aliases each would be a billion values."""
        lines = ["a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
        lines += [
            f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]"
            for old, new in zip("abcdefgh", "bcdefghi", strict=True)
        ]
        document = parse_document("\n".join(lines))
        assert (only(document).code, document.value) == ("C007", {})
        assert "1,000,000" in only(document).message

    def test_a_large_file_may_repeat_much(self) -> None:
        """The bound is on what multiplies, not on a default that every provider shares."""
        text = "d: &d {a: 1, b: 2}\np:\n" + "- {c: *d}\n" * 1_000
        assert parse_document(text).diagnostics == ()

    @pytest.mark.parametrize("sources", ["3", "[{a: 1}, 3]", "text"])
    def test_a_merge_key_needs_mappings(self, sources: str) -> None:
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
    def test_deep_nesting_is_reported(self, text: str) -> None:
        """No depth exhausts a stack."""
        document = parse_document(text)
        assert (only(document).code, document.value) == ("C007", {})
        assert only(document).message == "collections nested deeper than 100"
        assert only(document).place is not None

    def test_deep_enough_nesting_is_read(self) -> None:
        """The bound is far above what a config needs."""
        document = parse_document("[" * 90 + "]" * 90)
        assert only(document).code == "C004"


class TestFiles:
    def test_a_file_is_read(self, tmp_path: Path) -> None:
        """The path stands in places as it was given."""
        path = tmp_path / "run.yaml"
        path.write_text(CONFIG)
        for given in (path, str(path)):
            document = load_document(given)
            assert document.value == yaml.safe_load(CONFIG)
            assert document.text == CONFIG
            assert document.place_of(()).file == str(path)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
    def test_text_with_a_byte_order_mark_is_decoded(self, tmp_path: Path, encoding: str) -> None:
        """The mark says what the encoding is; without one it is UTF-8."""
        path = tmp_path / "run.yaml"
        path.write_text("a: é😀", encoding=encoding)
        assert load_document(path).value == {"a": "é😀"}

    def test_the_first_byte_that_is_not_utf_8_is_shown(self, tmp_path: Path) -> None:
        """The place counts the characters before it."""
        path = tmp_path / "run.yaml"
        path.write_bytes("a: 1\nb: ééé".encode() + b"\xff")
        document = load_document(path)
        assert (only(document).code, only(document).place) == ("C002", Place(str(path), 2, 7))
        assert "0xFF" in only(document).message
        assert document.value == {}

    @pytest.mark.parametrize(
        ("content", "way_out"),
        [
            (b"\x7fELF\x01\x00\x00", "name a YAML or JSON file"),
            ("a: 1".encode("utf-16-le"), "this looks like UTF-16"),
            ("a: 1".encode("utf-16-be"), "this looks like UTF-16"),
        ],
    )
    def test_a_binary_file_is_told_from_text(
        self, tmp_path: Path, content: bytes, way_out: str
    ) -> None:
        """A zero byte is in no text that is read here."""
        path = tmp_path / "run.yaml"
        path.write_bytes(content)
        diagnostic = only(load_document(path))
        assert diagnostic.code == "C002"
        assert diagnostic.help[0].startswith(way_out)

    def test_half_of_a_utf_16_character_is_reported(self, tmp_path: Path) -> None:
        """A wrong byte order mark leads to a diagnostic as well."""
        path = tmp_path / "run.yaml"
        path.write_bytes(b"\xff\xfea\x00\x00\xd8")
        assert only(load_document(path)).code == "C002"

    def test_a_missing_file_gets_the_nearest_name(self, tmp_path: Path) -> None:
        """What is in the folder is what may have been meant."""
        (tmp_path / "quickstart.yaml").write_text("")
        diagnostic = only(load_document(tmp_path / "quikstart.yml"))
        assert diagnostic.code == "C001"
        assert diagnostic.help == (f"did you mean {str(tmp_path / 'quickstart.yaml')!r}?",)
        assert diagnostic.place == Place(str(tmp_path / "quikstart.yml"), 0, 0)

    def test_a_missing_file_like_no_other_gets_what_is_there(self, tmp_path: Path) -> None:
        """Some configs are listed, other files are not."""
        for name in ("a.yaml", "b.json", "notes.txt"):
            (tmp_path / name).write_text("")
        diagnostic = only(load_document(tmp_path / "zzzzzzzzzz"))
        assert diagnostic.help == (f"in {str(tmp_path)!r} there is: a.yaml, b.json",)

    def test_a_missing_folder_is_named(self, tmp_path: Path) -> None:
        """The mistake is in the folder then, not in the file's name."""
        diagnostic = only(load_document(tmp_path / "no" / "run.yaml"))
        assert diagnostic.help == (f"there is no folder {str(tmp_path / 'no')!r} either",)

    def test_a_folder_is_no_config(self, tmp_path: Path) -> None:
        """Its configs are listed."""
        (tmp_path / "run.yaml").write_text("")
        diagnostic = only(load_document(tmp_path))
        assert diagnostic.message == f"{str(tmp_path)!r} is a folder"
        assert diagnostic.help == ("name a file in it: run.yaml",)

    def test_a_forbidden_file_is_reported(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The way out is to be allowed to read it."""

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
        diagnostic = only(load_document(tmp_path / "run.yaml"))
        assert (diagnostic.code, diagnostic.message.endswith("may not be read")) == ("C001", True)

    @pytest.mark.parametrize("name", ["a\0b", "x" * 5_000])
    def test_a_name_that_no_file_can_have_is_reported(self, name: str) -> None:
        """Not even the system's own refusals get through as exceptions."""
        assert only(load_document(name)).code == "C001"

    def test_a_file_above_the_limit_is_not_read(self, tmp_path: Path) -> None:
        """The limit, and how to lift it, are told."""
        path = tmp_path / "run.yaml"
        with path.open("wb") as stream:
            stream.truncate(50 * 2**20)
        diagnostic = only(load_document(path))
        assert diagnostic.code == "C008"
        assert "52,428,800 bytes; at most 33,554,432" in diagnostic.message
        assert "export RUNGRAPH_MAX_CONFIG_BYTES=67108864" in diagnostic.help[-1]

    def test_the_limit_can_be_lifted_and_lowered(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """By the environment or by the caller, who comes first."""
        path = tmp_path / "run.yaml"
        path.write_text("a: 1234567890")
        monkeypatch.setenv("RUNGRAPH_MAX_CONFIG_BYTES", "12")
        assert only(load_document(path)).code == "C008"
        assert load_document(path, max_bytes=13).diagnostics == ()
        monkeypatch.setenv("RUNGRAPH_MAX_CONFIG_BYTES", "13")
        assert load_document(path).diagnostics == ()
        monkeypatch.setenv("RUNGRAPH_MAX_CONFIG_BYTES", "much")
        assert load_document(path).diagnostics == ()

    def test_a_pipe_is_read_up_to_the_limit(self) -> None:
        """A shell's process substitution works, and an endless one ends."""
        reading, writing = os.pipe()
        os.write(writing, b"a: 1\n")
        os.close(writing)
        try:
            assert load_document(f"/dev/fd/{reading}").value == {"a": 1}
        finally:
            os.close(reading)
        assert only(load_document("/dev/zero", max_bytes=100)).code == "C008"


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class TestMappings:
    def test_a_mapping_is_copied(self) -> None:
        """Neither side sees what the other changes later."""
        shared = {"x": 1}
        given = {"a": [shared, (1, 2.5, None, True)], "b": shared}
        document = document_of(given)
        shared["x"] = 2
        assert document.value == {"a": [{"x": 1}, [1, 2.5, None, True]], "b": {"x": 1}}
        assert document.value["a"][0] is document.value["b"]
        assert document.diagnostics == ()

    def test_a_mapping_has_no_lines(self) -> None:
        """Diagnostics name the path instead."""
        document = document_of({"a": 1})
        assert document.place_of(("a",)) == Place("<mapping>", 0, 0)
        assert document.excerpt(document.place_of(("a",))) == ""
        assert not document.is_quoted(("a",))

    def test_paths_and_enums_become_plain(self) -> None:
        """What has one obvious text or number is taken as that."""
        given: dict[Any, Any] = {"path": Path("/x"), "enum": Colour.RED, Colour.RED: 1}
        given["level"] = Level.HIGH
        document = document_of(given)
        assert document.value == {"path": "/x", "enum": "red", "level": 3, "red": 1}
        assert type(document.value["level"]) is int

    def test_what_a_config_cannot_hold_is_reported_without_its_value(self) -> None:
        """The type is named; the object may be a secret."""
        document = document_of({"a": [object()], "b": {"c": b"hunter2", "d": {1, 2}}})
        assert document.value == {"a": [None], "b": {"c": None, "d": None}}
        assert [(one.path, one.code) for one in document.diagnostics] == [
            ("a[0]", "C007"),
            ("b.c", "C007"),
            ("b.d", "C007"),
        ]
        assert "hunter2" not in repr(document.diagnostics)

    def test_keys_that_are_not_text_are_reported(self) -> None:
        """A number has an obvious text and is a warning; an object is an error."""
        given: dict[Any, Any] = {1: "a", None: "b", (1,): "c", "1": "d"}
        document = document_of(given)
        assert [(one.code, one.severity) for one in document.diagnostics] == [
            ("C007", Severity.WARNING),
            ("C007", Severity.WARNING),
            ("C007", Severity.ERROR),
            ("C006", Severity.ERROR),
        ]
        assert document.value["1"] == "a"

    def test_a_mapping_that_contains_itself_is_reported(self) -> None:
        """The copy ends where it would begin again."""
        given: dict[str, Any] = {"a": {}}
        given["a"]["b"] = given
        document = document_of(given)
        assert document.value == {"a": {"b": None}}
        assert only(document).path == "a.b"

    def test_a_deep_mapping_is_reported(self) -> None:
        """The bound is the same as in a text."""
        given: dict[str, Any] = {}
        for _ in range(100_000):
            given = {"a": given}
        assert only(document_of(given)).message == "collections nested deeper than 100"
        while given:
            given = given["a"]

    def test_what_is_no_mapping_is_reported(self) -> None:
        """Callers without a type checker get a diagnostic as well."""
        given: Any = [1]
        document = document_of(given)
        assert (only(document).code, document.value) == ("C004", {})


class TestExcerpts:
    def test_the_excerpt_is_the_source_line(self) -> None:
        """Tabs are kept, so that a caret can be put under the column."""
        document = parse_document('a: 1\nb:\t"x"\t# c')
        place = document.place_of(("b",))
        assert document.excerpt(place) == 'b:\t"x"\t# c'
        assert caret_column(document.excerpt(place), place) == place.column

    @pytest.mark.parametrize("key", ["k1", "k11", "k30", "k59"])
    def test_a_long_line_is_cut_around_the_place(self, key: str) -> None:
        """The caret still stands under what it is about."""
        document = parse_document("{" + ", ".join(f"k{i}: value{i}" for i in range(60)) + "}")
        place = document.place_of((key,))
        excerpt = document.excerpt(place)
        column = caret_column(excerpt, place)
        assert excerpt[column - 1 :].startswith(f"value{key[1:]}")
        assert len(excerpt) <= 160

    def test_a_secret_before_the_place_does_not_move_the_caret(self) -> None:
        """The excerpt is cut on the left when a mask has another length than the secret."""
        document = parse_document("a: {password: correct-horse-battery, url: here}")
        place = document.place_of(("a", "url"))
        excerpt = document.excerpt(place)
        assert "horse" not in excerpt
        assert excerpt[caret_column(excerpt, place) - 1 :] == "here}"

    @pytest.mark.parametrize(
        "text",
        [
            "api_key: |\n  line\n  SECRET\n",
            "a:\n- password: >-\n    one\n\n    SECRET\n",
            "credentials:\n  user: SECRET\n",
            "credentials:\n- SECRET\n",
            "a: {token:\n SECRET}",
            '{"api_key":\n"SECRET"}',
            'password: "one\nSECRET"\n',
            "x: {client_secret: 'one\n  SECRET', b: 1}",
            "{a: 1,\n x: 2, password: [{name: y,\n other: SECRET}], c: 1}",
            "{a: 1,\n x: 2, password: one two\n SECRET, c: 1}",
            '{"token":\n[\n{"a":\n"SECRET"}]}',
            "token:\n# why\n  SECRET\n",
            "token: &t\n  SECRET\n",
            "a: {token: ']', b: 1, secret: ['[', \n SECRET]",
        ],
    )
    def test_a_secret_on_a_later_line_than_its_key_is_masked(self, text: str) -> None:
        """Wherever the value goes on, its lines are hidden."""
        document = parse_document(text)
        for number in range(1, text.count("\n") + 2):
            assert "SECRET" not in document.excerpt(Place("<text>", number, 1))

    def test_the_lines_after_a_secret_are_shown(self) -> None:
        """Masking ends with the value."""
        for value in (
            "|\n    x",
            "'\n    x'",
            "[\n    x]",
            "\n    x: y",
            "x\n    y",
            " # c\n    y",
        ):
            document = parse_document(f"a:\n  token: {value}\n  url: shown\n'b': shown\n")
            assert document.excerpt(Place("<text>", 4, 3)) == "  url: shown"
            assert document.excerpt(Place("<text>", 5, 1)) == "'b': shown"

    def test_keys_below_a_secret_mapping_are_shown(self) -> None:
        """A problem with such a key can still be seen."""
        document = parse_document("credentials:\n  user: bob\n")
        assert document.excerpt(Place("<text>", 2, 3)) == "  user: ********"

    def test_a_place_outside_the_text_has_no_excerpt(self) -> None:
        """Nothing is shown rather than something wrong."""
        assert parse_document("a: 1").excerpt(Place("<text>", 9, 1)) == ""

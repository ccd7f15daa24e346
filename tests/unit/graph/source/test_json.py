"""JSON is read with the meaning of JSON, and with places."""

from __future__ import annotations

import json

import pytest
from tests.unit.graph.source.documents import only, spot

from rungraph.graph.place import Place
from rungraph.graph.source.document import parse_document

TEXT = (
    '{\n\t"a": [1e5, 2E0, 1.0, -0, true, null, {"b\\u00e9": "\\/ \\ud83d\\ude00"}],\n\t"c": {}\n}'
)


@pytest.mark.parametrize("file", ["run.json", "<text>"])
def test_json_has_the_meaning_and_the_places_of_json(file: str) -> None:
    """Tabs, escapes and numbers are those of JSON, where YAML 1.1 differs."""
    document = parse_document(TEXT, file)
    assert document.value == json.loads(TEXT)
    assert isinstance(document.value["a"][0], float)
    assert document.diagnostics == ()
    assert spot(document, "a", key=True) == (2, 2)
    assert spot(document, "a", 6, "bé") == (2, 51)
    assert spot(document, "a", 6, "bé", key=True) == (2, 40)
    assert spot(document, "c") == (3, 7)
    assert document.is_quoted(("a", 6, "bé"))
    assert not document.is_quoted(("a", 0))
    # A brace at the beginning does not make a text JSON.
    document = parse_document("{a: yes, 'b': [1,],}")
    assert (document.value, document.diagnostics) == ({"a": True, "b": [1]}, ())


def test_a_syntax_error_has_the_message_of_json() -> None:
    """In a JSON file the message is about JSON."""
    diagnostic = only(parse_document('{"a": 1,\n "b" 2}', "run.json"))
    assert diagnostic.code == "C003"
    assert diagnostic.message == "not JSON: expecting ':' delimiter"
    assert diagnostic.place == Place("run.json", 2, 6)
    assert diagnostic.excerpt == ' "b" 2}'


@pytest.mark.parametrize(
    ("value", "column"), [("NaN", 7), ("-Infinity", 7), ('["\\ud800"]', 8), ("1" * 5000, 7)]
)
def test_what_only_python_takes_for_json_is_an_error(value: str, column: int) -> None:
    """NaN, half characters and endless numbers are no values; the place is theirs."""
    diagnostic = only(parse_document(f'{{"a": {value}}}', "run.json"))
    assert (diagnostic.code, diagnostic.place) == ("C003", Place("run.json", 1, column))


def test_equal_keys_are_reported_and_the_last_counts() -> None:
    """JSON readers keep the last silently; nobody means that."""
    document = parse_document('{"a": {"b": 1, "c": 0, "b": 2, "b": 3}, "a": 4}')
    assert document.value == {"a": 4}
    found = [(one.code, one.path) for one in document.diagnostics]
    assert found == [("C006", "a.b"), ("C006", "a.b"), ("C006", "a")]
    assert document.diagnostics[0].related[0][0] == Place("<text>", 1, 8)
    assert spot(document, "a") == (1, 46)


@pytest.mark.parametrize("text", ['{"a": ' * 100_000, '{"a": ' * 150 + "1" + "}" * 150])
def test_deep_json_is_reported(text: str) -> None:
    """Neither what exhausts the json module nor what it takes gets through."""
    diagnostic = only(parse_document(text))
    assert (diagnostic.code, diagnostic.place) == ("C007", Place("<text>", 1, 601))

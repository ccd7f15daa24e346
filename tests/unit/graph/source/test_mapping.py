"""A mapping given in Python becomes a document without lines."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any

from tests.unit.graph.source.documents import only

from rungraph.graph.diagnostics import Severity
from rungraph.graph.place import Place
from rungraph.graph.source.document import document_of


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


def test_a_mapping_is_copied() -> None:
    """Neither side sees what the other changes later; diagnostics name a path, no line."""
    shared = {"x": 1}
    given = {"a": [shared, (1, 2.5, None, True)], "b": shared}
    document = document_of(given)
    shared["x"] = 2
    assert document.value == {"a": [{"x": 1}, [1, 2.5, None, True]], "b": {"x": 1}}
    assert document.value["a"][0] is document.value["b"]
    assert document.diagnostics == ()
    place = document.place_of(("a", 0, "x"))
    assert (place, document.excerpt(place)) == (Place("<mapping>", 0, 0), "")
    assert not document.is_quoted(("a", 0, "x"))


def test_paths_and_enums_become_plain() -> None:
    """What has one obvious text or number is taken as that."""
    given: dict[Any, Any] = {"path": Path("/x"), "enum": Colour.RED, Colour.RED: 1}
    document = document_of({**given, "level": Level.HIGH})
    assert document.value == {"path": "/x", "enum": "red", "level": 3, "red": 1}
    assert type(document.value["level"]) is int


def test_what_a_config_cannot_hold_is_reported_without_its_value() -> None:
    """The type is named; the object may be a secret."""
    document = document_of({"a": [object()], "b": {"c": b"hunter2", "d": {1, 2}}})
    assert document.value == {"a": [None], "b": {"c": None, "d": None}}
    found = [(one.path, one.code) for one in document.diagnostics]
    assert found == [("a[0]", "C007"), ("b.c", "C007"), ("b.d", "C007")]
    assert "hunter2" not in repr(document.diagnostics)


def test_keys_that_are_not_text_are_reported() -> None:
    """A number has an obvious text and is a warning; an object is an error."""
    given: dict[Any, Any] = {1: "a", None: "b", (1,): "c", "1": "d"}
    document = document_of(given)
    assert [(one.code, one.severity) for one in document.diagnostics] == [
        ("C007", Severity.WARNING),
        ("C007", Severity.WARNING),
        ("C007", Severity.ERROR),
        ("C006", Severity.ERROR),
    ]
    assert document.value["1"] == "d"


def test_what_no_copy_can_be_made_of_is_reported() -> None:
    """A mapping that contains itself ends where it would begin again; no list, nothing too deep."""
    given: dict[str, Any] = {"a": {}}
    given["a"]["b"] = given
    document = document_of(given)
    assert document.value == {"a": {"b": None}}
    assert only(document).path == "a.b"
    no_mapping: Any = [1]
    document = document_of(no_mapping)
    assert (only(document).code, document.value) == ("C004", {})
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    assert only(document_of(deep)).message == "collections nested deeper than 100"
    while deep:  # Python itself would end it by recursion.
        deep = deep["a"]

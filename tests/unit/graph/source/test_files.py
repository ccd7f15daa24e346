"""Files are read whatever they hold; what cannot be read is a diagnostic."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml
from tests.unit.graph.source.documents import CONFIG, only

from rungraph.graph.place import Place
from rungraph.graph.source.document import load_document


def test_a_file_is_read(tmp_path: Path) -> None:
    """The path stands in places as it was given."""
    path = tmp_path / "run.yaml"
    path.write_text(CONFIG)
    for given in (path, str(path)):
        document = load_document(given)
        assert document.value == yaml.safe_load(CONFIG)
        assert document.text == CONFIG
        assert document.place_of(()).file == str(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_with_a_byte_order_mark_is_decoded(tmp_path: Path, encoding: str) -> None:
    """The mark says what the encoding is; without one it is UTF-8."""
    path = tmp_path / "run.yaml"
    path.write_text("a: é😀", encoding=encoding)
    assert load_document(path).value == {"a": "é😀"}


@pytest.mark.parametrize(
    ("content", "line", "column", "message", "way_out"),
    [
        ("a: 1\nb: ééé".encode() + b"\xff", 2, 7, "byte 0xFF does not fit", "save the file as"),
        (b"\x7fELF\x01\x00\x00", 1, 6, "holds a zero byte", "name a YAML or JSON file"),
        ("a: 1".encode("utf-16-le"), 1, 2, "holds a zero byte", "this looks like UTF-16"),
        ("a: 1".encode("utf-16-be"), 1, 1, "holds a zero byte", "this looks like UTF-16"),
        (b"\xff\xfea\x00\x00\xd8", 1, 2, "is not UTF-16 text", "save the file as UTF-8"),
    ],
)
def test_what_is_no_text_is_told_from_text(
    tmp_path: Path, content: bytes, line: int, column: int, message: str, way_out: str
) -> None:
    """The place counts the characters before the first byte that does not fit."""
    path = tmp_path / "run.yaml"
    path.write_bytes(content)
    diagnostic = only(load_document(path))
    assert (diagnostic.code, diagnostic.place) == ("C002", Place(str(path), line, column))
    assert message in diagnostic.message
    assert diagnostic.help[0].startswith(way_out)
    assert load_document(path).value == {}


@pytest.mark.parametrize(
    ("name", "message", "way_out"),
    [
        (
            "quikstart.yml",
            "there is no file '{}/quikstart.yml'",
            "did you mean '{}/quickstart.yaml'?",
        ),
        ("zzzzzzzzzz", "there is no file", "in '{}' there is: b.json, quickstart.yaml"),
        ("link", "there is no file '{}/link'", "it is a link to 'gone.yaml', which is not there"),
        ("no/run.yaml", "there is no file", "there is no folder '{}/no' either"),
        ("", "'{}' is a folder", "name a file in it: b.json, quickstart.yaml"),
    ],
)
def test_a_file_that_is_not_there_gets_what_is(
    tmp_path: Path, name: str, message: str, way_out: str
) -> None:
    """The nearest name, or the configs that there are."""
    for other in ("quickstart.yaml", "b.json", "notes.txt"):
        (tmp_path / other).write_text("")
    (tmp_path / "link").symlink_to("gone.yaml")
    diagnostic = only(load_document(tmp_path / name))
    assert (diagnostic.code, diagnostic.place) == ("C001", Place(str(tmp_path / name), 0, 0))
    assert diagnostic.message.startswith(message.format(tmp_path))
    assert diagnostic.help == (way_out.format(tmp_path),)


def test_a_forbidden_file_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way out is to be allowed to read it."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    diagnostic = only(load_document(tmp_path / "run.yaml"))
    assert (diagnostic.code, diagnostic.message.endswith("may not be read")) == ("C001", True)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5_000])
def test_a_name_that_no_file_can_have_is_reported(name: str) -> None:
    """Not even the system's own refusals get through as exceptions."""
    assert only(load_document(name)).code == "C001"


def test_a_file_above_the_limit_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit, and how to lift it, are told."""
    path = tmp_path / "run.yaml"
    with path.open("wb") as stream:
        stream.truncate(50 * 2**20)
    diagnostic = only(load_document(path))
    assert diagnostic.code == "C008"
    assert "52,428,800 bytes; at most 33,554,432" in diagnostic.message
    assert "export RUNGRAPH_MAX_CONFIG_BYTES=67108864" in diagnostic.help[-1]
    path.write_text("a: 1234567890")
    monkeypatch.setenv("RUNGRAPH_MAX_CONFIG_BYTES", "12")
    assert only(load_document(path)).code == "C008"
    for limit in ("13", "much"):
        monkeypatch.setenv("RUNGRAPH_MAX_CONFIG_BYTES", limit)
        assert load_document(path).diagnostics == ()


def test_a_pipe_is_read_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shell's process substitution works, and an endless one ends."""
    reading, writing = os.pipe()
    os.write(writing, b"a: 1\n")
    os.close(writing)
    try:
        assert load_document(f"/dev/fd/{reading}").value == {"a": 1}
    finally:
        os.close(reading)
    monkeypatch.setenv("RUNGRAPH_MAX_CONFIG_BYTES", "100")
    assert only(load_document("/dev/zero")).code == "C008"

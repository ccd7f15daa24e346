"""Events are written to a file without secrets, and read back as they happened."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import fields
from importlib.resources import files
from pathlib import Path

import pytest
from tests.builders import scrub

from rungraph.engine.events import (
    Event,
    NodeDegraded,
    NodeFailed,
    NodeWaiting,
    StackReady,
)
from rungraph.engine.recorded_errors import RecordingError
from rungraph.engine.run.recording import _READERS, EventFile, event_types, read_recording
from rungraph.graph import Address

A = Address.provider("inference", "a")
TABLE = Address.table("models")
HEADER = '{"event": "Recording", "format_version": "1.0"}\n'


def written(events: tuple[Event, ...], name: str = "") -> str:
    """Return the text of a recording of *events*."""
    stream = io.StringIO()
    file = EventFile(stream, scrub, name)
    for event in events:
        file.take(event)
    return stream.getvalue()


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Return what writes a file and returns its path."""

    def save(content: str | bytes) -> Path:
        path = tmp_path / "run.jsonl"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return save


def test_a_line_holds_nothing_that_a_terminal_obeys() -> None:
    """Nor a secret in the name of an error's class; it is read back as it was."""
    error = type("hiddenError", (Exception,), {})("\x9b2J\u202e\x1b[31m")
    text = written((NodeFailed(1.0, A, error),), "\x9bname")
    assert "hidden" not in text
    assert text.replace("\n", "").isprintable()
    assert json.loads(text.splitlines()[1])["error"]["text"].endswith(str(error))


def problem_of(path: Path) -> str:
    """Return what is wrong with a recording, without its path and its help."""
    with pytest.raises(RecordingError) as caught:
        read_recording(path)
    first, last = str(caught.value).splitlines()
    assert last == "help: write one with 'rungraph run CONFIG --events FILE'"
    return first.removeprefix(str(path))


def test_an_event_is_a_json_object() -> None:
    """Addresses are texts, errors have type and text, secrets are masked."""
    text = written(
        (
            NodeWaiting(0.0, TABLE, (A,), 1),
            NodeFailed(0.1234567, A, RuntimeError("no hidden")),
            NodeDegraded(1.0, A, "hidden gone"),
        ),
        "my hidden stack",
    )
    assert [json.loads(line) for line in text.splitlines()] == [
        {"event": "Recording", "format_version": "1.0", "name": "my **** stack"},
        {
            "event": "NodeWaiting",
            "at": 0.0,
            "address": "table:models",
            "on": ["provider:inference/a"],
            "generation": 1,
        },
        {
            "event": "NodeFailed",
            "at": 0.123457,
            "address": "provider:inference/a",
            "error": {"type": "RuntimeError", "text": "RuntimeError: no ****"},
        },
        {
            "event": "NodeDegraded",
            "at": 1.0,
            "address": "provider:inference/a",
            "detail": "**** gone",
        },
    ]


def test_what_is_read_shows_no_credentials(saved: Callable[[str], Path]) -> None:
    """Others can have written the file: names, addresses, texts and errors are masked alike."""
    url = "https://u:S3cret@h/"
    wrong = {"type": url, "text": url}
    lines: list[dict[str, object]] = [
        {"event": "Recording", "format_version": "1.0", "name": url},
        {"event": "NodeFailed", "at": 0, "address": f"provider:a/{url}", "error": wrong},
        {"event": "NodeDegraded", "at": 0, "address": "provider:a/b", "detail": url},
        {"event": "NodeWaiting", "at": 0, "address": "router:a", "on": [f"provider:a/{url}"],
         "generation": 1},
    ]  # fmt: skip
    read = read_recording(saved("".join(f"{json.dumps(line)}\n" for line in lines)))
    assert len(read.events) == 3
    assert "S3cret" not in f"{read} {read.events}"


def test_a_recording_has_a_name_and_may_end_inside_a_character(
    saved: Callable[[bytes], Path],
) -> None:
    """What was being written when the run crashed is passed over."""
    content = written((StackReady(1.0),), "größe").encode()
    recording = read_recording(saved(content + b'{"event": "gr\xc3'))
    assert (recording.name, recording.events) == ("größe", (StackReady(1.0),))


def test_every_event_is_described() -> None:
    """The schema has each event with its fields, and no other."""
    schema = json.loads(files("rungraph").joinpath("schemas/recording.schema.json").read_text())
    described = {
        name: set(one["required"])
        for name, one in schema["$defs"].items()
        if name not in {"Recording", "Error"}
    }
    assert described == {
        name: {"event", *(one.name for one in fields(kind))} for name, kind in event_types().items()
    }
    assert len(schema["oneOf"]) == len(described) + 1


def test_every_event_can_be_read() -> None:
    """There is a reader for each field of each event, and no base is among the events."""
    kinds = event_types()
    assert {"StackStarting", "NodeKilled", "RefreshFailed"} <= kinds.keys()
    assert not [one for one in kinds.values() for other in kinds.values() if one in other.mro()[1:]]
    assert {field.type for kind in kinds.values() for field in fields(kind)} == _READERS.keys()


def test_what_is_not_known_is_passed_over(saved: Callable[[str], Path]) -> None:
    """A later minor version may add events and fields; blank lines say nothing."""
    text = (
        '{"event": "Recording", "format_version": "1.7", "host": "h"}\n'
        '{"event": "NodeDreaming", "of": []}\n\n{"note": 1}\n'
        '{"event": "StackReady", "at": 1, "mood": "good"}\n'
    )
    assert read_recording(saved(text)).events == (StackReady(1.0),)


def test_half_a_line_elsewhere_is_an_error(saved: Callable[[str], Path]) -> None:
    """Only the end may be cut off."""
    text = HEADER + '{"event": "Stack\n{"event": "StackReady", "at": 1}\n'
    assert problem_of(saved(text)) == (
        ":2: not a JSON object (column 17: invalid control character at)"
    )


NO_HEADER = (
    ':1: the first line must be {"event": "Recording", "format_version": "1.0"}: this is no file '
    "of events"
)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", ": the file is empty: was nothing recorded?"),
        ("\n \n", ": the file is empty: was nothing recorded?"),
        ("providers: {}", ":1: not a JSON object (column 1: expecting value)"),
        (b"\x89PNG\r\n\x1a\n", ":1: not a JSON object (byte 1 is not UTF-8)"),
        ("[" * 100_000 + "\n", ":1: not a JSON object (nested too deeply)"),
        ("9" * 10_000, ":1: not a JSON object (a number is too long)"),
        ("x" * 2_000_000, ":1: a line of more than 1 MiB: this is no file of events"),
        ("[1]\n", ":1: not a JSON object but a list"),
        ("null\n", ":1: not a JSON object but null"),
        ("3\n", ":1: not a JSON object but a number"),
        ("{}\n", NO_HEADER),
        ('{"event": "StackReady", "at": 1}\n', NO_HEADER),
        ('{"event": "Recording", "format_version": 1}\n', NO_HEADER),
        (
            '{"event": "Recording", "format_version": "2.0"}\n',
            ":1: format version '2.0' is not known; this rungraph reads 1.x",
        ),
    ],
)
def test_what_is_no_recording_is_told(
    saved: Callable[[str | bytes], Path], content: str | bytes, problem: str
) -> None:
    """Each wrong file has one problem, with its line."""
    assert problem_of(saved(content)) == problem


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"event": "StackReady"}', "StackReady has no 'at'"),
        ('{"event": "StackReady", "at": "1"}',
         '\'at\' of StackReady must be a number of seconds from 0 to 1,000,000,000, not "1"'),
        ('{"event": "StackReady", "at": NaN}',
         "'at' of StackReady must be a number of seconds from 0 to 1,000,000,000, not NaN"),
        (f'{{"event": "StackReady", "at": {"9" * 400}}}',
         ("'at' of StackReady must be a number of seconds from 0 to 1,000,000,000, "
          f"not {'9' * 59}…")),
        ('{"event": "StackReady", "at": 1e308}',
         "'at' of StackReady must be a number of seconds from 0 to 1,000,000,000, not 1e+308"),
        ('{"event": "StackStarting", "at": 0, "generations": -1}',
         "'generations' of StackStarting must be a whole number from 0 to 1,000,000,000, not -1"),
        ('{"event": "NodeStarting", "at": 0, "address": "provider:x"}',
         '\'address\' of NodeStarting must be an address, not "provider:x"'),
        ('{"event": "NodeSkipped", "at": 0, "address": "table:x", "root_causes": "table:y"}',
         '\'root_causes\' of NodeSkipped must be a list of addresses, not "table:y"'),
        ('{"event": "NodeFailed", "at": 0, "address": "table:x", "error": {"type": "E"}}',
         ('\'error\' of NodeFailed must be an object with \'type\' and \'text\', not {"type": '
          '"E"}')),
        ('{"event": "NodeFailed", "at": 0, "address": "table:x", "error": "http://u:S3@h/"}',
         ('\'error\' of NodeFailed must be an object with \'type\' and \'text\', not '
          '"http://u:********@h/"')),
        ('{"event": "NodeDegraded", "at": 0, "address": "table:x", "detail": []}',
         "'detail' of NodeDegraded must be text, not []"),
    ],
)  # fmt: skip
def test_a_wrong_field_is_told(saved: Callable[[str], Path], line: str, problem: str) -> None:
    """The line, the event, the field, what it must be and what it is, whatever comes after."""
    rest = '{"event": "StackReady", "at": 1}\n{"event": "Nothing'
    assert problem_of(saved(f"{HEADER}{line}\n{rest}")) == f":2: {problem}"

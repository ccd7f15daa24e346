"""``rungraph timeline``, ``blame`` and ``critical-chain`` on recordings of real runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.contract.command_line import HIDDEN, QUICKSTART, run, rungraph
from tests.contract.conftest import ConfigFile
from tests.contract.test_schemas import described

from rungraph.graph.wording import has_controls

MAGIC = {
    "png": b"\x89PNG",
    "svg": b"<?xml",
    "pdf": b"%PDF",
    "html": b"<!DOCTYPE html>",
    "mmd": b"gantt\n",
    "json": b'{\n  "kind": "timeline"',
    "txt": b"told\n4 nodes",
}


@pytest.fixture
def recording(config_file: ConfigFile, tmp_path: Path) -> Path:
    """A run that starts, answers and stops."""
    path = tmp_path / "run.jsonl"
    ended = run(config_file(api_key=HIDDEN), "--events", path, "--call", "inspect.health")
    assert ended.code == 0
    return path


@pytest.fixture
def failure(config_file: ConfigFile, tmp_path: Path) -> Path:
    """A run whose provider fails and says its secret."""
    path = tmp_path / "failed.jsonl"
    assert run(config_file(start="fail", api_key=HIDDEN), "--events", path).code == 1
    return path


@pytest.mark.parametrize("suffix", MAGIC)
def test_the_suffix_says_what_is_drawn(suffix: str, recording: Path, failure: Path) -> None:
    """Each format is drawn and not stale; another run is another picture; no secret is in it."""
    picture = recording.with_name(f"start.{suffix}")
    ended = rungraph("timeline", recording, "-o", picture)
    assert (ended.code, ended.out, ended.err) == (0, "", f"wrote {picture}\n")
    assert picture.read_bytes().startswith(MAGIC[suffix])
    assert rungraph("timeline", recording, "--check", picture).code == 0
    assert rungraph("timeline", failure, "--check", picture).code == 3
    assert rungraph("timeline", failure, "-o", picture).code == 0
    assert HIDDEN.encode() not in picture.read_bytes()


_WRONG = r"\u001b[31m\u202e\ud800\u007f"
_HOSTILE = rf"""{{"event": "Recording", "format_version": "1.0", "name": "n{_WRONG}"}}
{{"event": "NodeWaiting", "at": 0, "address": "table:t{_WRONG}", "on": [], "generation": 0}}
{{"event": "NodeStarting", "at": 0, "address": "table:t{_WRONG}"}}
{{"event": "NodeFailed", "at": 1, "address": "table:t{_WRONG}", "error":
"""
_FAILURE = rf'{{"type": "E{_WRONG}", "text": "e{_WRONG}\n password={HIDDEN}"}}}}'


@pytest.mark.parametrize("suffix", ["txt", "svg", "html", "mmd", "json"])
@pytest.mark.parametrize("command", ["timeline", "blame", "critical-chain"])
def test_a_hostile_recording_is_shown_as_text(command: str, suffix: str, tmp_path: Path) -> None:
    """Nothing that a terminal obeys, no half of a character, nothing of the shape of a secret."""
    events = tmp_path / "run.jsonl"
    events.write_text(_HOSTILE.rstrip("\n") + " " + _FAILURE)
    form = {"txt": "text", "mmd": "mermaid"}.get(suffix, suffix)
    if command != "timeline" and form not in ("text", "json"):
        return
    ended = rungraph(command, events, "--format", form)
    assert ended.code == 0, ended.err
    shown = f"{ended.out}\n{ended.err}"
    assert [line for line in shown.split("\n") if has_controls(line.replace("\t", " "))] == []
    assert HIDDEN not in shown


@pytest.mark.parametrize("command", ["timeline", "blame", "critical-chain"])
def test_the_json_is_described(command: str, recording: Path, failure: Path) -> None:
    """All that its schema requires is there, and every key is in the schema."""
    for events in (recording, failure):
        found = json.loads(rungraph(command, events, "--format", "json").out)
        described(command).validate(found)


def test_a_recording_is_described(recording: Path, failure: Path) -> None:
    """Each line of it is an object of its schema."""
    for line in (recording.read_text() + failure.read_text()).splitlines():
        described("recording").validate(json.loads(line))


def test_a_start_is_shown_as_text(recording: Path, failure: Path) -> None:
    """Without -o the chart is text; how a start went is told also after the stack has stopped."""
    shown = rungraph("timeline", recording)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith("told\n4 nodes in 3 generations, ")
    assert "failed" not in shown.out
    assert "◆ critical path" in shown.out
    bad = rungraph("timeline", "-", stdin=failure.read_text())
    assert bad.code == 0
    assert "1 failed, 2 skipped" in bad.out
    assert "critical path" not in bad.out


def test_blame_and_critical_chain(recording: Path) -> None:
    """As text, and as JSON with seconds."""
    blame = rungraph("blame", recording)
    assert blame.code == 0
    assert len(blame.out.splitlines()) == 4
    nodes = json.loads(rungraph("blame", recording, "--format", "json").out)["nodes"]
    assert [one["own"] for one in nodes] == sorted((one["own"] for one in nodes), reverse=True)
    assert rungraph("critical-chain", recording).code == 0
    chain = rungraph("critical-chain", recording, "router:inference")
    assert chain.code == 0
    assert chain.out.splitlines()[2].startswith("router:inference @")
    assert chain.out.splitlines()[4].startswith("  └─provider:inference/told @")
    found = json.loads(
        rungraph("critical-chain", recording, "table:models", "--format", "json").out
    )
    assert [one["address"] for one in found["nodes"]] == ["provider:inference/told", "table:models"]
    assert rungraph("critical-chain", recording, "inference/told").code == 0


@pytest.mark.parametrize("name", ["timeline", "blame", "critical-chain"])
def test_what_is_no_recording_is_told(name: str, tmp_path: Path) -> None:
    """A file that is not there, a folder, and one that is something else, are one message each."""
    for path, message in (
        (tmp_path / "none.jsonl", ": no such file or directory\n"),
        (tmp_path, ": is a directory\n"),
        (QUICKSTART, ":1: not a JSON object ("),
    ):
        ended = rungraph(name, path)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.startswith(f"error: {path}{message}")


def test_wrong_usage_is_told(recording: Path) -> None:
    """A graph's formats are no timeline's; an unknown node gets the nearest one."""
    for form in ("dot", "graphml"):
        ended = rungraph("timeline", recording, "-o", f"x.{form}")
        assert ended.code == 2
        assert f"a timeline is no graph: {form} cannot hold it" in ended.err
    ended = rungraph("critical-chain", recording, "inference/tod")
    assert ended.code == 2
    assert "no node 'inference/tod' in this run; did you mean 'inference/told'?" in ended.err

"""Output that cannot be written: to a full disk, or to a full pipe that nobody reads."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from tests.builders import entry, written
from tests.contract.command_line import (
    QUICKSTART,
    command,
    environment,
    opened,
    run,
    run_program,
    until,
)
from tests.contract.conftest import ConfigFile

HEALTH = ("--call", "inspect.health")


def test_a_recording_that_cannot_be_begun_names_its_file(config_file: ConfigFile) -> None:
    """Nothing is started for a file that takes nothing."""
    ended = run(config_file(), *HEALTH, "--events", "/dev/full")
    assert ended == (1, "", "error: cannot write /dev/full: no space left on device\n")


def test_a_recording_that_cannot_go_on_hurts_no_stack(tmp_path: Path) -> None:
    """It names its file once, the call is answered, and the command fails in the end."""
    config, events = tmp_path / "run.yaml", tmp_path / "events.jsonl"
    config.write_text("providers: {}\n")
    words = command("run", config, "--events", events, *HEALTH)
    limit = ("sh", "-c", 'ulimit -f 1; exec "$@"', "sh")
    unwritten = environment(PYTHONDONTWRITEBYTECODE="1")  # No half of a module is kept.
    ended = run_program(*limit, *words, env=unwritten)
    assert ended.code == 1
    assert json.loads(ended.out)["status"] == "OK"
    assert ended.err.count(f"warning: cannot write {events}: file too large; nothing more") == 1
    assert ended.err.endswith(f"error: cannot write {events}: file too large\n")


@pytest.mark.parametrize(
    "words",
    [
        ("plan", QUICKSTART),
        ("plan", QUICKSTART, "--format", "json"),
        ("graph", QUICKSTART, "--format", "png"),
        ("explain",),
    ],
)
def test_standard_output_is_named_when_it_is_full(words: tuple[str | Path, ...]) -> None:
    """As any other file is, in one message."""
    with Path("/dev/full").open("w") as full:
        ended = run_program(*command(*words), stdout=full, env=environment())
    assert ended[::2] == (1, "error: standard output: no space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed_are_not_missed(tmp_path: Path, closed: str) -> None:
    """Nothing is written in their place, and nothing else fails, nor in a provider's process."""
    told = entry("told", "inline::told", "fake_provider") | {"placement": "process"}
    path = written(tmp_path / "run.yaml", {"inference": [told]})
    shell = ("sh", "-c", f'exec "$@" {closed}', "sh")
    words = ("--state-dir", tmp_path / "state", *HEALTH)
    ended = run_program(*shell, *command("run", path, *words), env=environment())
    assert (ended.code, "Traceback" in ended.err) == (0, False)
    assert (ended.out == "") is (closed != "2>&-")


def test_output_that_nobody_reads_holds_up_no_stack(tmp_path: Path) -> None:
    """Standard error and the events are full pipes: it starts, stops, and says what is missing."""
    events = tmp_path / "events"
    os.mkfifo(events)
    unread = os.open(events, os.O_RDONLY | os.O_NONBLOCK)
    names = [f"p{number}" for number in range(400)]
    providers = [entry(one, "inline::told", "fake_provider", model=one) for one in names]
    path = written(tmp_path / "run.yaml", {"inference": providers})
    words = ("--state-dir", tmp_path / "state", "--events", events, *HEALTH)
    with opened("run", path, *words) as process:
        assert json.loads(process.written.read())["status"] == "OK"
        assert process.wait() == 1
    os.close(unread)


def test_output_that_nobody_reads_changes_no_exit_code(config_file: ConfigFile) -> None:
    """Standard output and error are full: to wait for either takes no longer than for one."""
    events = config_file().parent / "events.jsonl"
    words = ("--state-dir", events.parent / "state", "--format", "json", "--events", events)
    ends = [os.pipe(), os.pipe()]
    for _, end in ends:
        os.set_blocking(end, False)
        with suppress(BlockingIOError):
            while True:
                os.write(end, b" ")
        os.set_blocking(end, True)
    (_, out), (_, err) = ends
    with subprocess.Popen(
        command("run", config_file(), *words), stdout=out, stderr=err, env=environment()
    ) as process:
        until(lambda: events.exists() and "StackReady" in events.read_text())
        process.terminate()
        assert process.wait(60) == 143
    for end in (one for both in ends for one in both):
        os.close(end)

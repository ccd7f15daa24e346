"""Output that cannot be written: to a full disk, or to a full pipe that nobody reads."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from tests.contract.command_line import command, environment, opened, run
from tests.contract.conftest import ConfigFile

HEALTH = ("--call", "inspect.health")


def test_a_recording_that_cannot_be_begun_names_its_file(config_file: ConfigFile) -> None:
    """Nothing is started for a file that takes nothing."""
    ended = run(config_file(), *HEALTH, "--events", "/dev/full")
    assert (ended.code, ended.err) == (
        1,
        "error: cannot write /dev/full: no space left on device\n",
    )


def test_a_recording_that_cannot_go_on_hurts_no_stack(tmp_path: Path) -> None:
    """It names its file once, the call is answered, and the command fails in the end."""
    config, events = tmp_path / "run.yaml", tmp_path / "events.jsonl"
    config.write_text("providers: {}\n")
    words = command("run", config, "--events", events, *HEALTH)
    ended = subprocess.run(
        ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment(),
    )
    assert ended.returncode == 1
    assert json.loads(ended.stdout)["status"] == "OK"
    assert ended.stderr.count(f"warning: cannot write {events}: file too large; nothing more") == 1
    assert ended.stderr.endswith(f"error: cannot write {events}: file too large\n")


def test_standard_output_is_named_when_it_is_full(config_file: ConfigFile) -> None:
    """As any other file is."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            command("plan", config_file()),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment(),
        )
    assert ended.returncode == 1
    assert ended.stderr == "error: standard output: no space left on device\n"


def test_output_that_nobody_reads_holds_up_no_stack(
    config_file: ConfigFile, tmp_path: Path
) -> None:
    """Standard error and the events are full pipes: it starts, stops, and says what is missing."""
    events = tmp_path / "events"
    os.mkfifo(events)
    unread = os.open(events, os.O_RDONLY | os.O_NONBLOCK)
    names = [f"p{number}" for number in range(400)]
    entry = {"provider_type": "inline::told", "module": "fake_provider"}
    providers = [{**entry, "provider_id": one, "config": {"model": one}} for one in names]
    path = config_file(more={"providers": {"inference": providers}})
    words = ("--state-dir", tmp_path / "state", "--events", events, *HEALTH)
    with opened("run", path, *words) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.read())["status"] == "OK"
        assert process.wait() == 1
    os.close(unread)

"""``rungraph run --watch``: a stack that follows its file."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.contract.command_line import opened, rungraph, running
from tests.contract.conftest import ConfigFile

_WANDERER = """
import asyncio, os

class Provider:
    async def list_models(self): return []
    async def register_model(self, model): return model
    async def unregister_model(self, model): ...
    async def completion(self, *_, **__): ...
    async def chat_completion(self, *_, **__): ...
    async def embeddings(self, *_, **__): ...

async def fail():
    await asyncio.sleep(0.2)
    raise ValueError("broken")

async def get_provider_impl(config, deps):
    it = Provider()
    if os.getcwd() != "/":
        os.chdir("/")
        it.task = asyncio.create_task(fail())
    return it
"""


def test_a_watched_file_is_reloaded_when_it_changes_and_on_sighup(config_file: ConfigFile) -> None:
    """A config that does not run is told and changes nothing; a signal still ends the stack."""
    file = config_file()
    good = file.read_text()
    with running(file, "Ctrl-C stops", "--watch") as process:
        file.write_text(good.replace('"provider_id": "told"', '"provider_id": "other"'))
        process.until("the new config runs")
        (bad := file.with_name("bad")).write_text("providers: {inference: 7}")
        bad.replace(file)  # At once: it is read once, and not while it is replaced again.
        process.until("is not reloaded; the old config goes on")
        os.mkfifo(pipe := file.with_name("pipe"))  # Nobody writes to it: no reading would end.
        pipe.replace(file)
        process.until("is not reloaded: it is not a regular file any more")
        file.unlink()
        file.write_text(good)
        process.until("the new config runs")
        for _ in range(3):
            process.send_signal(signal.SIGHUP)
            process.until("reloading: nothing is to be done")
            process.until("the new config runs")
        code, rest = process.end(signal.SIGTERM)
    assert code == 143
    assert "stopped    provider:inference/told" in rest


def test_only_a_file_is_watched(tmp_path: Path) -> None:
    """What comes through a pipe comes once."""
    os.mkfifo(pipe := tmp_path / "pipe.yaml")
    for name, why in (
        ("-", "standard input does not change"),
        (pipe, f"{pipe} is not a regular one"),
    ):
        ended = rungraph("run", name, "--watch")
        assert ended.code == 2
        assert ended.err.endswith(f"Error: --watch is for a FILE: {why}\n")


def test_a_change_during_the_start_is_not_missed(config_file: ConfigFile, tmp_path: Path) -> None:
    """The file is compared with what was read of it, however long the start takes."""
    until = tmp_path / "until"
    os.mkfifo(until)
    file = config_file(start="wait", until=str(until))
    with running(file, "starting   provider:inference/told", "--watch") as process:
        config_file(model="other")
        until.write_bytes(b"")
        process.until("the new config runs")


def test_wherever_a_provider_takes_the_process_its_files_are_where_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The config, the modules that it names and the folder of the state, however they are named."""
    monkeypatch.chdir(tmp_path)
    Path("it.py").write_text(_WANDERER)
    entry = "{provider_id: it, provider_type: inline::it, module: ./it.py}"
    (file := Path("run.yaml")).write_text(f"providers: {{inference: [{entry}]}}")
    words = ("run", file, "--watch", "--state-dir", "state")
    with opened(*words) as process:
        process.until(f"registrations are kept in {tmp_path}/state/registrations.db")
        process.until("failed     provider:inference/it")
        process.until("ready      provider:inference/it")
        file.write_text(f"{file.read_text()}\nmodels: [{{model_id: m, provider_id: it}}]")
        process.until("added      table:models  m on it")
        assert process.end(signal.SIGTERM)[0] == 143

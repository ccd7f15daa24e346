"""A package that is installed beside rungraph adds provider types, an API and a routed pair."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent / "speech_package"
CONFIG = """
providers:
  speech:
  - provider_id: one
    provider_type: inline::echo
    config: {voices: [ann, bob]}
  - provider_id: two
    provider_type: inline::echo
    config: {voices: [bob]}
  captions:
  - provider_id: spoken
    provider_type: inline::spoken
"""
SCRIPT = """
import asyncio, json, sys
from pathlib import Path
from rungraph import Stack, StackSettings, compile_config
from speech_package.apis import Voice

async def main():
    graph = compile_config(Path(sys.argv[1])).check()
    answers = {"nodes": [str(address) for address in graph]}
    async with Stack(graph, StackSettings(state_dir=Path(sys.argv[2]))) as stack:
        answers["ann"] = await stack["speech"].say(voice="ann", text="hello")
        answers["two"] = await stack["speech"].say(voice="two/bob", text="hello")
        try:
            await stack["speech"].say(voice="bob", text="hello")
        except ValueError as error:
            answers["ambiguous"] = str(error)
        cleo = Voice(identifier="cleo", provider_id="two", provider_resource_id="c")
        await stack["voices"].register_voice(voice=cleo)
        words = await stack["speech"].stream(voice="cleo", text="good night")
        answers["cleo"] = [word async for word in words]
        try:
            await stack["voices"].register_voice(voice=Voice(identifier="x", provider_id="two"))
        except ValueError as error:
            answers["refused"] = str(error)
    print(json.dumps(answers))

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the package is installed into with pip."""
    folder = tmp_path_factory.mktemp("site")
    source = shutil.copytree(PACKAGE, tmp_path_factory.mktemp("source") / "speech_package")
    options = [
        "--quiet",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        str(folder),
    ]
    command = [sys.executable, "-m", "pip", "install", *options, str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def _run(site: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_apis_are_compiled_started_and_routed(site: Path, tmp_path: Path) -> None:
    """Tables, routers, registration and streams work for a pair unknown to rungraph."""
    config = tmp_path / "run.yaml"
    config.write_text(CONFIG)
    answers = json.loads(_run(site, "-c", SCRIPT, str(config), str(tmp_path / "state")))
    assert answers["nodes"] == [
        "provider:inspect/builtin",
        "provider:speech/one",
        "provider:speech/two",
        "table:voices",
        "router:speech",
        "provider:captions/spoken",
    ]
    assert answers["ann"] == "ann: hello"
    assert answers["two"] == "bob: hello"
    assert "one/bob" in answers["ambiguous"]
    assert "two/bob" in answers["ambiguous"]
    assert answers["cleo"] == ["c: good", "c: night"]
    assert "cannot learn the voice 'x'" in answers["refused"]


def test_its_types_are_listed(site: Path) -> None:
    """The command line knows what the package offers."""
    listed = _run(site, "-m", "rungraph", "providers", "speech")
    assert "inline::echo" in listed

"""What the README and the page about serving show is what happens."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.contract.command_line import QUICKSTART, ROOT, environment, run_program
from tests.peers import serving

from rungraph.engine.server.keys import load_keys
from rungraph.graph import Address, compile_config

README = (ROOT / "README.md").read_text()
PAGE = (ROOT / "docs/serving.md").read_text()
EXAMPLES = re.findall(r"```sh\n(.*?)```\s*```text\n(.*?)```", PAGE, re.DOTALL)


def _block(language: str, text: str = README) -> str:
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.real
def test_the_python_example_runs(weights: Path, tmp_path: Path) -> None:
    """The ten lines of Python start the quickstart and print an embedding's length."""
    assert weights.exists()
    ended = run_program(
        *(sys.executable, "-c", _block("python")),
        cwd=ROOT,
        env={**os.environ, "RUNGRAPH_DEMO_DIR": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)},
    )
    assert ended.code == 0, ended.err
    assert "\n384 [" in ended.out
    # Addresses are written short, and what is written can be read.
    shown = re.findall(r"<([^<>]+)>", ended.out.splitlines()[0])
    graph = compile_config(QUICKSTART, environment={})
    assert {Address.parse(one) for one in shown[: len(graph)]} == set(graph)
    assert "Address" not in ended.out


def test_the_config_example_has_no_problems() -> None:
    """The run config of the README compiles without a word."""
    assert compile_config(_block("yaml"), environment={}).diagnostics == ()


# --- the page about serving --------------------------------------------------------------------


@pytest.fixture(scope="module")
def url(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of a server of the README's stack."""
    assert weights.exists()
    folder = tmp_path_factory.mktemp("serving")
    config = folder / "quickstart.yaml"
    config.write_text(QUICKSTART.read_text())
    with serving(config, RUNGRAPH_DEMO_DIR=str(folder)) as url:
        yield url


def test_every_example_has_its_answer() -> None:
    """None is left out because nothing follows it."""
    assert len(EXAMPLES) == PAGE.count("```sh\n") > 5


@pytest.mark.real
@pytest.mark.parametrize(("commands", "shown"), EXAMPLES)
def test_an_example_answers_as_it_is_shown(
    url: str, tmp_path: Path, commands: str, shown: str
) -> None:
    """But for what is left out, byte for byte; in the page's order: its last one counts others."""
    commands = commands.replace("http://localhost:8321", url).replace("localhost:8321", url)
    variables = {"PATH": environment()["PATH"], "TMPDIR": str(tmp_path)}
    ended = run_program("sh", "-e", "-c", commands, env=variables, timeout=60)
    pattern = ".*?".join(map(re.escape, shown.replace("\n", "").split("…")))
    assert re.fullmatch(pattern, ended.out.replace("\n", "")), ended.out + ended.err


def test_the_file_of_keys_can_be_read(tmp_path: Path) -> None:
    """It is one that ``--keys`` takes."""
    path = tmp_path / "keys.yaml"
    path.write_text(_block("yaml", PAGE))
    assert [(one.name, one.most_streams) for one in load_keys(path)] == [("app", 8), ("ops", None)]

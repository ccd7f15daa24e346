"""What the page about serving shows is what happens."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path

import pytest
from tests.contract.command_line import environment, run_program
from tests.peers import ROOT, serving

from rungraph.engine.server.keys import load_keys

PAGE = (ROOT / "docs/serving.md").read_text()
EXAMPLES = re.findall(r"```sh\n(.*?)```\s*```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def url(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """The address of a server of the README's stack."""
    assert weights.exists()
    folder = tmp_path_factory.mktemp("serving")
    config = folder / "quickstart.yaml"
    config.write_text((ROOT / "configs/quickstart.yaml").read_text())
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
    """But for what is left out, byte for byte."""
    commands = commands.replace("http://localhost:8321", url).replace("localhost:8321", url)
    variables = {"PATH": environment()["PATH"], "TMPDIR": str(tmp_path)}
    ended = run_program("sh", "-e", "-c", commands, env=variables, timeout=60)
    pattern = ".*?".join(map(re.escape, shown.replace("\n", "").split("…")))
    assert re.fullmatch(pattern, ended.out.replace("\n", "")), ended.out + ended.err


def test_the_file_of_keys_can_be_read(tmp_path: Path) -> None:
    """It is one that ``--keys`` takes."""
    found = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    path = tmp_path / "keys.yaml"
    path.write_text(found[1])
    assert [(one.name, one.most_streams) for one in load_keys(path)] == [("app", 8), ("ops", None)]

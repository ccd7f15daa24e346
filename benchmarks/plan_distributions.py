"""Plan every run config of a Llama Stack release to JSON, against PyYAML reading the same files.

Both sides read the files from disk, in turn, in one process; the ratio of the medians counts, and
each round reads the catalog anew. The baseline is ``yaml.safe_load``, which is PyYAML's own parser.

The configs come from the folder that ``RUNGRAPH_LLAMA_STACK`` names, such as an unpacked wheel, or
else from the wheel of llama-stack 0.2.20, which pip downloads into a folder that goes afterwards.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from click.testing import CliRunner
from measuring import medians, rounds_asked, seconds

from rungraph.cli.plan import plan
from rungraph.graph.catalog.choice import shipped_history

if TYPE_CHECKING:
    from collections.abc import Sequence

VARIABLE, RELEASE, LIMIT = "RUNGRAPH_LLAMA_STACK", "0.2.20", 1.2


def run_configs(folder: Path) -> tuple[Path, ...]:
    """Return the run configs of the distributions below *folder*, or else all there are."""
    found = sorted(path for path in folder.rglob("*.yaml") if b"\nproviders:" in path.read_bytes())
    return tuple(path for path in found if "distributions" in path.parts) or tuple(found)


def download(folder: Path) -> Path:
    """Unpack the wheel of the release into *folder*; nothing of it is run."""
    wanted = [f"llama-stack=={RELEASE}", "--no-deps", "--ignore-requires-python"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *wanted, "--dest", str(folder)]
    if subprocess.run(command, check=False).returncode:
        print(f"skipped: {wanted[0]} cannot be downloaded; name a folder with {VARIABLE}")
        raise SystemExit(0)
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def read(paths: Sequence[Path]) -> None:
    """Read the files as YAML and do nothing with them."""
    for path in paths:
        yaml.safe_load(path.read_bytes())


def planned(paths: Sequence[Path]) -> None:
    """Plan the files as the command line does, with no catalog in memory."""
    shipped_history.cache_clear()
    for path in paths:
        wanted = ["--catalog", "llama-stack", "--format", "json", "--allow-unset-env", str(path)]
        result = CliRunner().invoke(plan, wanted, standalone_mode=False)
        if not result.stdout.startswith("{"):
            msg = f"{path}: {result.output or result.exception}"
            raise SystemExit(msg)


def main() -> int:
    """Measure, print the figures, and return 0 when the ratio is within its limit."""
    rounds = rounds_asked(__doc__, 9)
    with tempfile.TemporaryDirectory() as temporary:
        named = os.environ.get(VARIABLE)
        paths = run_configs(Path(named) if named else download(Path(temporary)))
        if not paths:
            msg = f"no run config below {named or temporary}"
            raise SystemExit(msg)
        sides = {"yaml": partial(read, paths), "plan": partial(planned, paths)}
        base, ours = medians(rounds, sides, seconds).values()
    print(f"yaml.safe_load of {len(paths)} run configs {base * 1000:8.1f} ms   median of {rounds}")
    print(f"rungraph plan --format json      {ours * 1000:8.1f} ms")
    print(f"ratio {ours / base:.2f}, at most {LIMIT}")
    return 0 if ours / base <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

"""Plan every run config of a Llama Stack release to JSON, against PyYAML reading the same files.

Both sides read the files from disk, in turn, in one process; the ratio of the medians counts, and
each round reads the catalog anew. The baseline is ``yaml.safe_load``, which is PyYAML's own parser.

The configs come from the folder that ``RUNGRAPH_LLAMA_STACK`` names, such as an unpacked wheel, or
else from the wheel of llama-stack 0.2.20, which pip downloads into a folder that goes afterwards.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from click.testing import CliRunner

from rungraph.cli.plan import plan
from rungraph.graph.catalog.choice import shipped_history

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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


def seconds(action: Callable[[Sequence[Path]], None], paths: Sequence[Path]) -> float:
    """Return how long *action* takes of the processor."""
    gc.collect()
    begun = time.process_time()
    action(paths)
    return time.process_time() - begun


def main() -> int:
    """Measure, print the figures, and return 0 when the ratio is within its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each side")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as temporary:
        named = os.environ.get(VARIABLE)
        paths = run_configs(Path(named) if named else download(Path(temporary)))
        if not paths:
            msg = f"no run config below {named or temporary}"
            raise SystemExit(msg)
        times: dict[str, list[float]] = {"yaml": [], "plan": []}
        for number in range(rounds + 1):
            for name, action in (("yaml", read), ("plan", planned)):
                taken = seconds(action, paths)
                if number:  # The first round imports.
                    times[name].append(taken)
    base, ours = (statistics.median(times[name]) for name in ("yaml", "plan"))
    print(f"yaml.safe_load of {len(paths)} run configs {base * 1000:8.1f} ms   median of {rounds}")
    print(f"rungraph plan --format json      {ours * 1000:8.1f} ms")
    print(f"ratio {ours / base:.2f}, at most {LIMIT}")
    return 0 if ours / base <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

"""The whole process of ``rungraph validate`` over one that only imports what it is made of.

Interleaved runs, medians, one ratio: what else the machine does hits both alike.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIMITS = {"configs": 2.2, "graph": 1.8}
"""By the level that is checked: `configs`, the default, imports config classes as well."""
BASE = [sys.executable, "-c", "import networkx, pydantic, yaml"]
OURS = [sys.executable, "-m", "rungraph", "validate", str(ROOT / "configs/quickstart.yaml")]
COMMANDS = {"base": BASE, **{level: [*OURS, "--level", level] for level in LIMITS}}


def main() -> int:
    """Measure, print the figures, and return 0 when each ratio is within its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=31, help="runs of each process")
    runs = parser.parse_args().runs
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for run in range(runs + 1):
        for name, command in COMMANDS.items():
            begun = time.perf_counter()
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
            if run:  # The first run of each fills the caches of files and bytecode.
                times[name].append(time.perf_counter() - begun)
    base = statistics.median(times["base"])
    print(f"import networkx, pydantic, yaml   {base * 1000:7.1f} ms   median of {runs}")
    ratios = {level: statistics.median(times[level]) / base for level in LIMITS}
    for level, ratio in ratios.items():
        print(f"rungraph validate --level {level:7} {ratio:.2f} x that, at most {LIMITS[level]}")
    return int(any(ratio > LIMITS[level] for level, ratio in ratios.items()))


if __name__ == "__main__":
    sys.exit(main())

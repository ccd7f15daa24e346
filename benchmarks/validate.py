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
LIMIT = 1.8
BASE = [sys.executable, "-c", "import networkx, pydantic, yaml"]
OURS = [sys.executable, "-m", "rungraph", "validate", str(ROOT / "configs/quickstart.yaml")]


def main() -> int:
    """Measure, print the figures, and return 0 when the ratio is within its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=31, help="runs of each process")
    runs = parser.parse_args().runs
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    times: dict[str, list[float]] = {"base": [], "ours": []}
    for run in range(runs + 1):
        for name, command in (("base", BASE), ("ours", OURS)):
            begun = time.perf_counter()
            subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
            if run:  # The first run of each fills the caches of files and bytecode.
                times[name].append(time.perf_counter() - begun)
    base, ours = (statistics.median(times[name]) for name in ("base", "ours"))
    ratio = ours / base
    print(f"import networkx, pydantic, yaml   {base * 1000:7.1f} ms   median of {runs}")
    print(f"rungraph validate quickstart.yaml {ours * 1000:7.1f} ms")
    print(f"ratio {ratio:.2f}, at most {LIMIT}")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

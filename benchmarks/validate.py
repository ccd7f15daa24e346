"""The whole process of ``rungraph validate`` over one that only imports what it is made of.

The processes take turns; the ratio of the medians of their processor's time counts.
"""

from __future__ import annotations

import sys

from measuring import ROOT, medians, rounds_asked, seconds_of

LIMITS = {"configs": 2.2, "graph": 1.8}
"""By the level that is checked: `configs`, the default, imports config classes as well."""
BASE = [sys.executable, "-c", "import networkx, pydantic, yaml"]
OURS = [sys.executable, "-m", "rungraph", "validate", str(ROOT / "configs/quickstart.yaml")]
COMMANDS = {"base": BASE, **{level: [*OURS, "--level", level] for level in LIMITS}}


def main() -> int:
    """Measure, print the figures, and return 0 when each ratio is within its limit."""
    rounds = rounds_asked(__doc__, 31)
    times = medians(rounds, COMMANDS, seconds_of)
    base = times["base"]
    print(f"import networkx, pydantic, yaml   {base * 1000:7.1f} ms   median of {rounds}")
    ratios = {level: times[level] / base for level in LIMITS}
    for level, ratio in ratios.items():
        print(f"rungraph validate --level {level:7} {ratio:.2f} x that, at most {LIMITS[level]}")
    return int(any(ratio > LIMITS[level] for level, ratio in ratios.items()))


if __name__ == "__main__":
    sys.exit(main())

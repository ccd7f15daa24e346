"""Compare two large run configs that differ in ten places, against compiling both.

Both sides read the two files from disk, in turn, in one process; the ratio of the medians counts.
Time is the processor's, because both sides only compute.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from compile import config_text
from measuring import medians, rounds_asked, seconds

from rungraph.graph import RunGraph, compile_config
from rungraph.graph.diff import GraphDiff, diff_graphs

PROVIDERS, CHANGES, LIMIT = 10_000, 10, 1.3


def edited(text: str) -> str:
    """Return *text* with so many providers changed, one of them taken out and one put in."""
    for number in range(CHANGES - 1):
        index = number * PROVIDERS // CHANGES
        text = re.sub(
            rf"(provider_id: server-{index:06d}\n.*\n.*\n.*/)v1", r"\g<1>v2", text, count=1
        )
    return text.replace(f"server-{PROVIDERS - 1:06d}", "another")


def main() -> int:
    """Measure, print the ratio, and return 0 when it is within its limit."""
    rounds = rounds_asked(__doc__, 7)
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder, "old.yaml"), Path(folder, "new.yaml")
        text = config_text(PROVIDERS)
        old.write_text(text)
        new.write_text(edited(text))

        def compiled() -> tuple[RunGraph, RunGraph]:
            return compile_config(old, environment={}), compile_config(new, environment={})

        def compared() -> GraphDiff:
            return diff_graphs(*compiled())

        assert len(compared().nodes) == CHANGES + 1
        median = medians(rounds, {"compiled": compiled, "compared": compared}, seconds)
    ratio = median["compared"] / median["compiled"]
    print(
        f"diff of two configs of {PROVIDERS:,} providers, {CHANGES} changes: "
        f"{ratio:.2f} x compiling both  <= {LIMIT}"
    )
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

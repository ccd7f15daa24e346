"""Compile and check large run configs, against PyYAML reading the same file.

Both sides read the file from disk, in turn, in one process; the ratio of the medians counts.
Time is the processor's, because both sides only compute.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from rungraph.graph import compile_config

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL, LARGE, ROUNDS = 10_000, 100_000, 3


def config_text(providers: int) -> str:
    """Return a run config of so many inference providers, a variable in each."""
    lines = ['version: "2"', "image_name: large", "providers:", "  inference:"]
    for index in range(providers):
        lines += [
            f"  - provider_id: server-{index:06d}",
            "    provider_type: remote::openai",
            "    config:",
            f"      base_url: http://10.0.{index // 250 % 250}.{index % 250}:8000/v1",
            f'      api_key: "${{env.KEY_{index % 100}:=}}"',
            "      timeout_seconds: 30",
        ]
    return "\n".join(lines) + "\n"


def seconds(action: Callable[[], object]) -> float:
    """Return how long *action* takes."""
    gc.collect()
    start = time.process_time()
    action()
    return time.process_time() - start


def main() -> None:
    """Measure and print both ratios."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.yaml"), Path(folder, "large.yaml")
        small.write_text(config_text(SMALL))
        large.write_text(config_text(LARGE))

        def compiled(path: Path) -> None:
            graph = compile_config(path, environment={}).check()
            assert len(graph.nx) > SMALL

        def loaded() -> None:
            yaml.load(small.read_text(), yaml.CSafeLoader)

        compiled(small)
        loaded()
        ours, theirs, larger = [], [], []
        for _ in range(ROUNDS):
            for _ in range(3):
                ours.append(seconds(lambda: compiled(small)))
                theirs.append(seconds(loaded))
            larger.append(seconds(lambda: compiled(large)))
        ratio = statistics.median(ours) / statistics.median(theirs)
        growth = statistics.median(larger) / statistics.median(ours)
        print(
            f"compile + check {SMALL:,} providers: {ratio:.2f} x yaml.load(CSafeLoader)"
            " (must be <= 1.6)"
        )
        print(f"{LARGE:,} providers: {growth:.1f} x the time of {SMALL:,} (must be <= 11)")


if __name__ == "__main__":
    main()

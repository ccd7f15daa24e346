"""Compile and check large run configs, against PyYAML reading the same file.

Both sides read the file from disk, in turn, in one process; the ratio of the medians counts.
Time is the processor's, because both sides only compute.
"""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rungraph.graph import RunGraph, compile_config

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
    """Return how long *action* takes; what it returns is thrown away afterwards."""
    gc.collect()
    start = time.process_time()
    result = action()
    taken = time.process_time() - start
    del result
    return taken


def main() -> None:
    """Measure and print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.yaml"), Path(folder, "large.yaml")
        small.write_text(config_text(SMALL))
        large.write_text(config_text(LARGE))

        def compiled(path: Path) -> RunGraph:
            return compile_config(path, environment={}).check()

        def with_digraph(path: Path) -> tuple[RunGraph, Any]:
            graph = compiled(path)
            return graph, graph.nx

        def loaded() -> object:
            return yaml.load(small.read_text(), yaml.CSafeLoader)

        assert len(with_digraph(small)[1]) > SMALL
        times: dict[str, list[float]] = defaultdict(list)
        for _ in range(ROUNDS):
            for _ in range(3):
                times["compiled"].append(seconds(lambda: compiled(small)))
                times["loaded"].append(seconds(loaded))
                times["with_digraph"].append(seconds(lambda: with_digraph(small)))
            times["large"].append(seconds(lambda: compiled(large)))
        median = {name: statistics.median(taken) for name, taken in times.items()}
        ratio = median["compiled"] / median["loaded"]
        print(f"compile + check {SMALL:,} providers: {ratio:.2f} x yaml.load(CSafeLoader)  <= 0.6")
        ratio = median["with_digraph"] / median["loaded"]
        print(f"the same and its networkx digraph: {ratio:.2f} x")
        ratio = median["large"] / median["compiled"]
        print(f"compile + check {LARGE:,} providers: {ratio:.1f} x the time of {SMALL:,}  <= 13")


if __name__ == "__main__":
    main()

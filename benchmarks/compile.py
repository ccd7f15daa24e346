"""Compile and check large run configs, against PyYAML reading the same file.

Both sides read the file from disk, in turn, in one process; the ratio of the medians counts.
Time is the processor's, because both sides only compute.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import yaml
from measuring import medians, seconds

from rungraph.graph import RunGraph, compile_config

SMALL, LARGE, ROUNDS, LARGE_ROUNDS = 10_000, 100_000, 9, 3


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


def main() -> None:
    """Measure and print the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder, "small.yaml"), Path(folder, "large.yaml")
        small.write_text(config_text(SMALL))
        large.write_text(config_text(LARGE))

        def compiled(path: Path = small) -> RunGraph:
            return compile_config(path, environment={}).check()

        def loaded() -> object:
            return yaml.load(small.read_text(), yaml.CSafeLoader)

        assert len(compiled()) > SMALL
        median = medians(ROUNDS, {"compiled": compiled, "loaded": loaded}, seconds)
        ratio = median["compiled"] / median["loaded"]
        print(f"compile + check {SMALL:,} providers: {ratio:.2f} x yaml.load(CSafeLoader)  <= 0.6")
        sizes = {"small": compiled, "large": partial(compiled, large)}
        median = medians(LARGE_ROUNDS, sizes, seconds)
        ratio = median["large"] / median["small"]
        print(f"compile + check {LARGE:,} providers: {ratio:.1f} x the time of {SMALL:,}  <= 13")


if __name__ == "__main__":
    main()

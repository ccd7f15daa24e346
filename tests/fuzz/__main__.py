"""Fuzz one target with Atheris: ``python -m tests.fuzz TARGET SECONDS``; alone it lists them.

New inputs are kept in build/fuzz, and those that break something in tests/fuzz/corpus, where a test
finds them from then on.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
LONGEST = 20_000
"""Bytes of an input."""
LONGEST_HANG = 60
"""Seconds by the clock after which what no signal interrupts is a failure too."""
MEGABYTES = 1_500


def main(name: str, seconds: str) -> None:
    """Run until *seconds* are over, or until something breaks: the exit code says so."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["rungraph", "yaml"]):
        targets = importlib.import_module("tests.fuzz.targets")
    kept = ROOT / "build/fuzz" / name
    own = targets.CORPUS / name
    configs = [ROOT / "configs/invalid", ROOT / "tests/contract/wild"]
    seeds = [own, *(configs if name in ("source", "config", "secrets", "upgrades") else ())]
    for folder in (kept, own):
        folder.mkdir(parents=True, exist_ok=True)
    options = {
        "max_total_time": seconds,
        "max_len": LONGEST,
        "timeout": LONGEST_HANG,
        "rss_limit_mb": MEGABYTES,
        "artifact_prefix": f"{own}/",
        "dict": ROOT / "tests/fuzz/words.dict",
        "print_final_stats": 1,
        "verbosity": 0,
    }
    words = [f"-{key}={value}" for key, value in options.items()]
    atheris.Setup([sys.argv[0], *words, str(kept), *map(str, seeds)], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) == 1:
        print(*sorted(one.name for one in (ROOT / "tests/fuzz/corpus").iterdir()))
    else:
        main(*sys.argv[1:])

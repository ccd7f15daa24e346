"""How the benchmarks measure: in turns, so that what else the machine does hits all alike."""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import statistics
import subprocess
import sys
import time
import venv
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

ROOT = Path(__file__).parents[1]
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


def seconds(action: Callable[[], object]) -> float:
    """Return how long *action* takes of the processor; its result is thrown away afterwards."""
    gc.collect()
    start = time.process_time()
    result = action()
    taken = time.process_time() - start
    del result
    return taken


def seconds_of(command: Sequence[str]) -> float:
    """Return how long *command* takes of the processor, as a process of its own."""
    before = os.times()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    nowhere = subprocess.DEVNULL
    subprocess.run(command, env=environment, stdout=nowhere, stderr=nowhere, check=True)
    after = os.times()
    used = zip(after[2:4], before[2:4], strict=True)
    return sum(now - then for now, then in used)


_Side = TypeVar("_Side")


def medians(
    rounds: int, sides: Mapping[str, _Side], measure: Callable[[_Side], float]
) -> dict[str, float]:
    """Return the median of what *measure* gives for each side; they take turns.

    The first turn does not count: it imports, and fills the caches of files and bytecode.
    """
    turns = [{name: measure(side) for name, side in sides.items()} for _ in range(rounds + 1)]
    return {name: statistics.median(turn[name] for turn in turns[1:]) for name in sides}


def report(figures: Mapping[str, tuple[Callable[[], Sequence[float]], float]]) -> int:
    """Measure and print *figures*, each with what its median must not exceed; return 1 if one does.

    Args:
        figures: By what is measured: how, and the limit.
    """
    is_missed = False
    for name, (measure, limit) in figures.items():
        found = measure()
        median = statistics.median(found)
        is_missed |= median > limit
        verdict = "MISSED" if median > limit else "ok"
        spread = f"({min(found):.3f}-{max(found):.3f})"
        print(f"{name:72} {median:6.3f}  {spread}  <= {limit:.2f}  {verdict}")
    return int(is_missed)


def rounds_asked(description: str | None, usual: int) -> int:
    """Return how many rounds the command line asks for."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=usual, help="rounds of each side")
    rounds: int = parser.parse_args().rounds
    return rounds


def python_with(variable: str, name: str, probe: str, *packages: str) -> Path:
    """Return the interpreter of an environment with *packages*, made if it is not there.

    Args:
        variable: The variable of the environment that may name its folder.
        name: Its folder beside this file, else.
        probe: What can be run there if the packages are there.
        packages: What is installed.
    """
    given = os.environ.get(variable)
    folder = Path(given) if given else Path(__file__).parent / name
    python = folder / "bin" / "python"
    command = [str(python), "-c", probe]
    if python.exists() and subprocess.run(command, capture_output=True).returncode == 0:
        return python
    print(f"installing {' '.join(packages)} into {folder} ...", file=sys.stderr)
    venv.create(folder, with_pip=True)
    subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
    return python


@contextmanager
def chromium() -> Generator[Any]:
    """Give a headless Chromium; end the program, which says why, where there is none."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("skipped in the browser: playwright is not installed")
        sys.exit(0)
    if (path := shutil.which("chromium")) is None:
        print("skipped in the browser: no chromium here")
        sys.exit(0)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield browser
        browser.close()

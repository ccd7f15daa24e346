"""Run every benchmark of this folder, one after the other, and print what each reports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPTS = (
    "compile.py",
    "diff.py",
    "query.py",
    "layout.py",
    "start.py",
    "reload.py",
    "routed_call.py",
    "server.py",
    "validate.py",
    "plan.py",
    "plan_distributions.py",
    "page.py",
    "live_page.py",
)


def main() -> int:
    """Return 0 if every benchmark ran."""
    folder = Path(__file__).parent
    failed = 0
    for script in SCRIPTS:
        print(f"== {script}", flush=True)
        failed += (
            subprocess.run([sys.executable, str(folder / script)], check=False).returncode != 0
        )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

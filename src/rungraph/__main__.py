"""``python -m rungraph``: the command line."""

from __future__ import annotations

from rungraph.cli import main

if __name__ == "__main__":
    main(prog_name="rungraph")

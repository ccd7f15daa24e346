"""``rungraph`` and ``python -m rungraph``: the command line as all that a process is for."""

from __future__ import annotations

import os
import sys

from rungraph.cli import main


def run() -> None:
    """Run the command line, and have the process end soon after it."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # It is closed, and files of ours would take its place.
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(nowhere, True)  # Providers' processes have what we have.
            setattr(sys, name, os.fdopen(nowhere, mode))
    try:
        main(prog_name="rungraph", obj=_end_soon)
    except SystemExit as end:
        _end_soon(int(end.code or 0))
        raise


def _end_soon(code: int) -> None:
    # What commands do not need before is not to be waited for.
    from rungraph.engine.ending import end_soon

    end_soon(code)


if __name__ == "__main__":
    run()

"""Draw a graph with what one failure takes down: as text, and as SVG into a file."""

from __future__ import annotations

import sys
from pathlib import Path

from rungraph import Address, compile_config, render
from rungraph.graph.failures import assume_failed
from rungraph.viz import render_text
from rungraph.viz.model.overlay import plan_overlay

CONFIG = Path(__file__).parents[1] / "configs" / "quickstart.yaml"


def main(target: Path) -> None:
    """Write the picture to *target*, and print the same as text."""
    graph = compile_config(CONFIG)
    failures = assume_failed(graph, [Address.provider("inference", "llm")])
    overlay = plan_overlay(graph, failures)
    target.write_bytes(render(graph, "svg", overlay=overlay))
    print(render_text(graph, width=100, overlay=overlay))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "graph.svg"))

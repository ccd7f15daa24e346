"""Draw the pictures of this folder: ``python docs/pictures.py``. Nothing else has drawn them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from rungraph.graph import compile_config, discover_catalog, load_catalog
from rungraph.graph.diff import diff_graphs
from rungraph.viz import render
from rungraph.viz.model.overlay import diff_overlay

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[1]
QUICKSTART = ROOT / "configs" / "quickstart.yaml"
STARTER = ROOT / "benchmarks" / "starter.yaml"
CYCLE = ROOT / "configs" / "invalid" / "G001-cycle-through-two-routed-pairs.yaml"


def changed_quickstart() -> Mapping[str, Any]:
    """Return the quickstart with one provider more, one less and one changed."""
    config = yaml.safe_load(QUICKSTART.read_text("utf-8"))
    llm, _ = config["providers"]["inference"]
    llm["config"]["context_size"] = 4096
    remote = {
        "provider_id": "remote",
        "provider_type": "remote::openai",
        "config": {"base_url": "http://localhost:8000/v1"},
    }
    config["providers"]["inference"] = [llm, remote]
    return dict(config)


def pictures() -> dict[str, bytes]:
    """Return each picture by the name of its file."""
    quickstart = compile_config(QUICKSTART, environment={})
    changed = compile_config(changed_quickstart(), environment={})
    starter = compile_config(STARTER, environment={})
    catalog = discover_catalog().merged(load_catalog(CYCLE.parent / "catalog.yaml"))
    cycle = compile_config(
        {**yaml.safe_load(CYCLE.read_text("utf-8")), "image_name": "a cycle"},
        catalog=catalog,
        environment={},
    )
    return {
        "quickstart.svg": render(quickstart),
        "starter.svg": render(starter, view="factored", direction="TB"),
        "starter-full.svg": render(starter, view="full", late=True),
        "starter-apis.svg": render(starter, view="collapsed"),
        "diff.svg": render(changed, overlay=diff_overlay(diff_graphs(quickstart, changed))),
        "cycle.svg": render(cycle),
    }


def main() -> None:
    """Write them."""
    for name, picture in pictures().items():
        Path(__file__).with_name(name).write_bytes(picture)


if __name__ == "__main__":
    main()

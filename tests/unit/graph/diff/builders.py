"""Graphs that the tests of differences compare."""

from __future__ import annotations

from typing import Any

from tests.builders import catalog_of, run_config

from rungraph.graph import Catalog, RunGraph, compile_config

SECRETS = ("sk-first-0123456789", "sk-second-0123456789")


def catalog(*, needs: tuple[str, ...] = ("inference",)) -> Catalog:
    """Return a catalog in which memory needs *needs*."""
    return catalog_of(
        *("inference/models", "memory/memory_banks"),
        "inference remote::tgi",
        f"memory inline::faiss {' '.join(needs)}",
        "agents inline::ref memory ?telemetry",
        "telemetry inline::otel",
    )


CATALOG = catalog()


def config(**more: Any) -> dict[str, Any]:
    """Return a config in which agents need memory, which needs inference."""
    types = {"memory": {"faiss": "inline::faiss"}, "agents": {"ref": "inline::ref"}}
    written = run_config({"inference": {"foo": "remote::tgi"}, **types}, image_name="one")
    written["providers"]["inference"][0] |= more
    return written


def graph(config: dict[str, Any], catalog: Catalog = CATALOG, **environment: str) -> RunGraph:
    """Return the graph of *config*."""
    return compile_config(config, catalog=catalog, environment=environment)

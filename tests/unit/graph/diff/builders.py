"""Graphs that the tests of differences compare."""

from __future__ import annotations

from typing import Any

from tests.builders import run_config

from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RoutedPair, RunGraph, compile_config

SECRETS = ("sk-first-0123456789", "sk-second-0123456789")


def catalog(*, needs: tuple[str, ...] = ("inference",)) -> Catalog:
    """Return a catalog in which memory needs *needs*."""
    apis = ("inference", "models", "memory", "memory_banks", "agents", "telemetry")
    return Catalog.of(
        apis=[ApiSpec(name, f"x:{name}") for name in apis],
        pairs=[
            RoutedPair("inference", "models", "model", "model", "x:Model"),
            RoutedPair("memory", "memory_banks", "memory_bank", "bank", "x:Bank"),
        ],
        providers=[
            ProviderSpec("inference", "remote::tgi", "x.tgi"),
            ProviderSpec("memory", "inline::faiss", "x.faiss", dependencies=needs),
            ProviderSpec(
                *("agents", "inline::ref", "x.ref"),
                dependencies=("memory",),
                optional_dependencies=("telemetry",),
            ),
            ProviderSpec("telemetry", "inline::otel", "x.otel"),
        ],
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

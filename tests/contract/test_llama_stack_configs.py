"""The run configs that Llama Stack's wheels carry, read from a folder that the caller names.

``RUNGRAPH_LLAMA_STACK`` is any folder with such files below it, as of unpacked wheels. They are
another project's, so there is none here; everywhere else the configs of
``tests/unit/graph/catalog/eras`` stand for them.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import pytest

from rungraph.graph import RunGraph, Severity, compile_config

VARIABLE = "RUNGRAPH_LLAMA_STACK"
# What is wrong with some of them, in some releases, by the name of their folder and their own.
BROKEN = {
    "nvidia/run-with-safety.yaml": "C023",  # the safety provider stands below inference, too
    "cerebras/run.yaml": "G003",  # telemetry of the time needs datasetio
    "remote-vllm/run.yaml": "G003",
    "remote-vllm/run-with-safety.yaml": "G003",
    "experimental-post-training/run.yaml": "C025",  # a model of a provider that is not there
    "sambanova/run.yaml": "C021",  # the API memory went in the release that brought sambanova
}
# Resources that name no provider, which are not registered, deprecated types, resources listed
# twice with different fields, a model on two providers, an API with nothing switched on.
WORTH_A_MINUTE = {"C026", "C027", "C028", "C035", "G007"}


def _run_configs() -> list[Path]:
    found: dict[str, Path] = {}
    for path in sorted(Path(os.environ.get(VARIABLE, "/nowhere")).rglob("*run*.yaml")):
        found.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    return list(found.values())


def _graphs(path: Path) -> tuple[RunGraph, RunGraph]:
    """Return the graph without any variable, and with all that it needs."""
    bare = compile_config(path, catalog="llama-stack", environment={})
    uses = [use for use in bare.variables if use.is_required]
    needed = {use.name: f"x{number}" for number, use in enumerate(uses)}
    return bare, compile_config(path, catalog="llama-stack", environment=needed)


@pytest.mark.skipif(
    not os.environ.get(VARIABLE), reason=f"{VARIABLE} names no folder of Llama Stack's run configs"
)
def test_every_run_config_compiles_and_only_broken_ones_have_errors() -> None:
    """Errors have the true reason, warnings are worth a minute, and variables are told at once."""
    paths = _run_configs()
    assert paths, f"no run config below {os.environ[VARIABLE]}"
    wrong: list[str] = []
    for path in paths:
        bare, graph = _graphs(path)
        told = {
            match[1]
            for one in bare.diagnostics
            if one.code == "E001" and (match := re.search("'(.*?)'", one.message))
        }
        if told != {use.name for use in bare.variables if use.is_required}:
            wrong.append(f"{path}: {sorted(told)} are told")
        for one in graph.diagnostics:
            expected = (
                {BROKEN.get(f"{path.parent.name}/{path.name}")}
                if one.severity is Severity.ERROR
                else WORTH_A_MINUTE
            )
            if one.severity is not Severity.NOTE and one.code not in expected:
                wrong.append(f"{path}: {one.code} {one.message}")
    assert wrong == []

"""Nodes and edges of shipped run configs, held against the release's own resolver.

``RUNGRAPH_STACK_PYTHON`` is a Python in which a release of llama-stack (0.0.53 or later) or of ogx
is installed. Its resolver runs on every run config that it ships, with no variable set but those
that a config must have, and with every conditional one set; the making of providers is replaced by
a recorder. What the release ends at, rungraph must have found as well.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tests.contract.command_line import run_program

from rungraph.graph import Address, NodeKind, RunGraph, Strength, compile_config
from rungraph.graph.diagnostics import errors_in

PYTHON = os.environ.get("RUNGRAPH_STACK_PYTHON", "")
SCRIPT = Path(__file__).with_name("llama_stack_resolver.py")
pytestmark = pytest.mark.skipif(
    not PYTHON, reason="RUNGRAPH_STACK_PYTHON names no Python with a release of llama-stack or ogx"
)
# Found before the start, and no fault to a resolver that makes no provider.
LATER = {"C025", "C026", "C034", "C036", "C037"}
# What the release does without a word, and rungraph calls an error: something is lost.
SILENT = {"C006", "C012", "C023", "C024"}


def _asked(jobs: list[dict[str, Any]] | None = None) -> Any:
    ended = run_program(PYTHON, SCRIPT, input=json.dumps(jobs) if jobs else "", timeout=None)
    assert ended.code == 0, ended.err
    return json.loads(ended.out.splitlines()[-1])


@cache
def _release() -> dict[str, str]:
    found: dict[str, str] = _asked()
    return found


def _run_configs() -> list[Path]:
    paths = sorted(Path(_release()["folder"]).rglob("*.yaml"))
    return [
        path for path in paths if re.search(r"^providers:", path.read_text("utf-8"), re.MULTILINE)
    ]


def _graph(path: Path, environment: dict[str, str]) -> RunGraph:
    catalog = f"{_release()['name']}@{_release()['release']}"
    return compile_config(path, catalog=catalog, environment=environment)


def _environments(path: Path) -> list[dict[str, str]]:
    """Return the variables without which nothing starts, and all that switch something on."""
    uses = _graph(path, {}).variables
    needed = {use.name: "x1" for use in uses if use.is_required}
    switches = {use.name: "x1" for use in uses if not use.has_default}
    return [needed, {**needed, **switches}]


def _name_of(node: Address) -> str:
    # The only builtin that is made as a provider, under an id of the release's own.
    return "provider:telemetry/meta-reference" if node == _TELEMETRY else str(node)


def _edges_of(graph: RunGraph) -> list[list[str]]:
    return sorted([_name_of(edge.dependency), _name_of(edge.dependent)] for edge in graph.edges)


def _left_out_instead(graph: RunGraph, kept: set[tuple[str, ...]]) -> set[tuple[str, ...]]:
    """Return the soft edges on a cycle with one that rungraph drops, and the release keeps.

    Which edge of a cycle the release leaves out depends on the order of the file.
    """
    return {
        (_name_of(edge.dependency), _name_of(edge.dependent))
        for dropped in graph.dropped
        if (str(dropped.dependency), str(dropped.dependent)) in kept
        for edge in graph.edges
        if edge.strength is Strength.SOFT
        and edge.dependency in {dropped.dependent, *graph.descendants(dropped.dependent)}
        and edge.dependent in {dropped.dependency, *graph.ancestors(dropped.dependency)}
    }


def test_nodes_and_edges_are_those_of_the_resolver() -> None:
    """Every shipped config, with and without its conditionals."""
    jobs: list[dict[str, Any]] = [
        {"file": str(path), "environment": environment}
        for path in _run_configs()
        for environment in _environments(path)
    ]
    assert jobs
    wrong: list[str] = []
    for job, real in zip(jobs, _asked(jobs), strict=True):
        graph = _graph(Path(job["file"]), job["environment"])
        name = f"{Path(job['file']).parent.name}/{Path(job['file']).name} {len(job['environment'])}"
        errors = errors_in(graph.diagnostics)
        fatal = [one for one in errors if one.code not in LATER | SILENT]
        if bool(real["error"]) != bool(fatal):
            told = [f"{one.code} {one.message}" for one in fatal]
            wrong.append(f"{name}: {real['error']} but {told}")
        if real["error"]:
            continue
        builtin = {
            _name_of(node)
            for node in graph
            if node.kind is NodeKind.PROVIDER and node.name == "builtin" and node.api in _BUILTIN
        }
        nodes = {*map(_name_of, graph)} - builtin
        if nodes != set(real["nodes"]):
            wrong.append(f"{name}: nodes {sorted(nodes ^ set(real['nodes']))}")
        dropped = [[str(edge.dependency), str(edge.dependent)] for edge in graph.dropped]
        edges = sorted(one for one in real["edges"] if one not in dropped)
        ours, theirs = ({tuple(one) for one in found} for found in (_edges_of(graph), edges))
        other = ours ^ theirs
        if other - _left_out_instead(graph, {tuple(one) for one in real["edges"]} - theirs):
            wrong.append(f"{name}: edges {sorted(other)}")
    assert wrong == []


_BUILTIN = ("admin", "connectors", "conversations", "inspect", "prompts", "providers")
_TELEMETRY = Address.parse("provider:telemetry/builtin")

"""The run configs that Llama Stack's wheels carry, read from a folder that the caller names.

``RUNGRAPH_LLAMA_STACK`` is any folder with such files below it, as of unpacked wheels. They are
another project's, so there is none here; everywhere else the configs of
``tests/unit/graph/catalog/eras`` stand for them. Files below a folder that is named as a release
(``llama-stack-0.7.3``, ``ogx-1.5.0``) also show whether that release is told from them.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from rungraph.graph import RunGraph, Severity, compile_config
from rungraph.graph.catalog.choice import shipped_history
from rungraph.graph.catalog.telling import fits
from rungraph.graph.diagnostics import errors_in

if TYPE_CHECKING:
    from collections.abc import Iterator

VARIABLE = "RUNGRAPH_LLAMA_STACK"
# Why some of them do not start, or lose something, in some releases: the code, and what needs what.
FILES = "G003 needs files, which has no provider"  # the inline rag-runtime, and agents from 0.4.0
TELEMETRY = "G003 needs datasetio"  # telemetry of the time
# By the name of their folder and their own.
BROKEN = {
    "nvidia/run-with-safety.yaml": "C023",  # the safety provider stands below inference, too
    "cerebras/run.yaml": TELEMETRY,
    "remote-vllm/run.yaml": TELEMETRY,
    "remote-vllm/run-with-safety.yaml": TELEMETRY,
    "experimental-post-training/run.yaml": "C025",  # a model of a provider that is not there
    "sambanova/run.yaml": "C021",  # the API memory went in the release that brought sambanova
    "dell/run.yaml": FILES,
    "dell/run-with-safety.yaml": FILES,
    "meta-reference-gpu/run.yaml": FILES,
    "meta-reference-gpu/run-with-safety.yaml": FILES,
    "open-benchmark/run.yaml": FILES,
    "postgres-demo/run.yaml": FILES,
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


pytestmark = pytest.mark.skipif(
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
            code, _, what = BROKEN.get(f"{path.parent.name}/{path.name}", "").partition(" ")
            is_known = (
                one.code == code and what in one.message
                if one.severity is Severity.ERROR
                else one.code in WORTH_A_MINUTE
            )
            if one.severity is not Severity.NOTE and not is_known:
                wrong.append(f"{path}: {one.code} {one.message}")
    assert wrong == []


def _by_release() -> Iterator[tuple[str, Path]]:
    """Yield the run configs below each folder of a release, with its name in the catalog."""
    history = shipped_history()
    for folder in sorted(Path(os.environ.get(VARIABLE, "/nowhere")).iterdir()):
        name, _, number = folder.name.rpartition("-")
        release = number if name == history.name else f"{name}@{number}"
        # What stands before 0.2.20 is no part of the promise: those releases told less apart.
        if release not in history.releases[history.releases.index("0.2.20") :]:
            continue
        for path in sorted(folder.rglob("distributions/**/*.yaml")):
            if re.search(r"^providers:", path.read_text("utf-8"), re.MULTILINE):
                yield release, path


def _errors(graph: RunGraph) -> set[str]:
    release = re.compile(r"(llama-stack|ogx) [\d.]+")
    found = errors_in(graph.diagnostics)
    return {release.sub("it", f"{one.code} {one.message}") for one in found}


def test_the_release_is_told_to_the_minor_where_the_file_can_tell() -> None:
    """Another one is taken only where all that the file names is of both.

    Its errors are those under the file's own release. What only the file's own lacks is said: files
    that 0.2.20 and 0.2.24 ship byte by byte start under the first alone.
    """
    history = shipped_history()
    wrong: list[str] = []
    for release, path in _by_release():
        _, free = _graphs(path)
        needed = {use.name: "x1" for use in free.variables if use.is_required}
        pinned = compile_config(path, catalog=history.pinned(release), environment=needed)
        taken = history.pinned(history.releases[history.index_of(free.catalog)])
        minors = {one.rpartition(".")[0] for one in (history.pinned(release), taken)}
        value = yaml.safe_load(path.read_text("utf-8"))
        if len(minors) > 1 and not fits(history, value, release):
            wrong.append(f"{release} {path.name}: read as {taken}")
        missed = {
            one
            for one in _errors(pinned) - _errors(free)
            if not (need := re.search(r"needs \w+", one)) or need[0] not in free.catalog.told_by
        }
        if missed or _errors(free) - _errors(pinned):
            wrong.append(f"{release} {path.name}: as {taken} {missed} {_errors(free)}")
    assert wrong == []

"""What ``rungraph validate`` finds without any option, and that it runs no stranger's code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.builders import entry, written
from tests.contract.command_line import INVALID, rungraph

_WOULD_RUN = "from pathlib import Path\nPath({marker!r}).write_text('ran')\nclass Config: ...\n"


@pytest.mark.parametrize(
    "command", ["validate", "plan", "graph", "query", "diff", "why", "why-not", "upgrade"]
)
def test_no_command_runs_what_a_config_names(command: str, tmp_path: Path) -> None:
    """Neither a module, nor a config class, nor a package around one is imported unasked."""
    marker = tmp_path / "ran"
    for name in ("planted/__init__.py", "planted/adapter.py", "planted_class.py"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(_WOULD_RUN.format(marker=str(marker)))
    at = {"base_url": "http://127.0.0.1:1"}
    providers = [
        entry("a", "remote::openai", "planted.adapter", **at),
        entry("b", "remote::openai", **at) | {"config_class": "planted_class:Config"},
        entry("c", "remote::openai", "./planted/adapter.py", **at),
        entry("d", "inline::mine", x=1),
    ]
    catalog = tmp_path / "catalog.yaml"
    spec = {"api": "inference", "provider_type": "inline::mine", "module": "planted.adapter"}
    catalog.write_text(json.dumps({"providers": [spec | {"config_class": "planted_class:Config"}]}))
    config = written(tmp_path / "run.yaml", {"inference": providers}, catalog="catalog.yaml")
    more: dict[str, list[str | Path]] = {
        "query": ["*"],
        "diff": [config],
        "why": ["a"],
        "why-not": ["a"],
    }
    rungraph(command, config, *more.get(command, []), cwd=tmp_path)
    assert not marker.exists()
    if command == "validate":
        rungraph(command, config, "--level", "import", cwd=tmp_path)
        assert marker.exists(), "the planted code would not have run in any case"


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"base_ulr": "http://127.0.0.1:1"}, "'base_ulr'"),
        ({"base_url": "127.0.0.1:18801"}, "'base_url'"),
        ({"base_url": "http://127.0.0.1:1", "timeout_seconds": "fast"}, "'timeout_seconds'"),
    ],
)
def test_configs_are_held_against_installed_classes_unasked(
    tmp_path: Path, config: dict[str, str], problem: str
) -> None:
    """A misspelt key, a URL without a scheme, a text for a number: found without any option."""
    path = written(tmp_path / "run.yaml", {"inference": [entry("a", "remote::openai", **config)]})
    ended = rungraph("validate", path, "--deny-warnings")
    assert ended.code == 1
    assert problem in ended.err
    assert rungraph("validate", path, "--level", "env").code == 0


@pytest.mark.parametrize(
    ("words", "result"),
    [((), "passed"), (("--catalog", "llama-stack@0.2.12"), "not_checked")],
    ids=["installed", "of others"],
)
def test_resources_that_no_class_was_there_for_are_not_accepted(
    tmp_path: Path, words: tuple[str, ...], result: str
) -> None:
    """Whether or not what the config names is imported."""
    providers = {"inference": [entry("a", "remote::openai")]}
    path = written(tmp_path / "run.yaml", providers, models=[{"model_id": "m", "provider_id": "a"}])
    for level in ("configs", "import"):
        ended = rungraph("validate", path, *words, "--level", level, "--format", "json")
        results = {one["name"]: one["result"] for one in json.loads(ended.out)["checks"]}
        assert results["resources-accepted"] == result
    planned = rungraph("plan", path, *words, "--level", "import", "--format", "json")
    results = {one["name"]: one["result"] for one in json.loads(planned.out)["checked"]["checks"]}
    assert results["resources-accepted"] == result


@pytest.mark.parametrize(
    "path",
    [
        one
        for one in sorted(INVALID.glob("[CEGIQ]*.yaml"))
        # These name modules and classes of their own, or packages that nobody has.
        if not one.name.startswith(("I001", "I006"))
    ],
    ids=lambda path: path.name,
)
def test_every_broken_config_is_found_unasked(path: Path) -> None:
    """The code that a file is named after is told without any option."""
    is_named = "\ncatalog: " in f"\n{path.read_text('utf-8', 'replace')}"
    catalog: list[str | Path] = [] if is_named else ["--catalog", INVALID / "catalog.yaml"]
    ended = rungraph("validate", path, *catalog)
    assert f"[{path.name[:4]}]" in ended.err

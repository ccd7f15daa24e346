"""Every config in configs/invalid gives exactly the message that stands beside it.

``python -m tests.contract.test_invalid_configs`` writes the messages anew; read the diff.
"""

from __future__ import annotations

import itertools
import os
import random
import re
from pathlib import Path

import pytest
import yaml
from tests.property.strategies_configs import reordered

from rungraph.engine.preflight.health import check_remotes
from rungraph.engine.preflight.imports import check_imports
from rungraph.graph import (
    Catalog,
    RunGraph,
    compile_config,
    discover_catalog,
    load_catalog,
    render_diagnostics,
)
from rungraph.graph.catalog.choice import catalog_names
from rungraph.graph.query.config_checks import ask
from rungraph.graph.rules.codes import RULES

ROOT = Path(__file__).parents[2]
FOLDER = Path("configs/invalid")
CONFIGS = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / FOLDER).iterdir()
    if path.suffix in (".yaml", ".json") and path.name != "catalog.yaml"
)
WILD = sorted(path.relative_to(ROOT) for path in (ROOT / "tests/contract/wild").glob("*.yaml"))
# Below, it is the text itself that is wrong.
READABLE = [
    path
    for path in CONFIGS
    if path.suffix == ".yaml" and path.name[:4] > "C007" and path.name != "C017-template.yaml"
]
# Rules that no file alone can break: the file is missing or huge, a package offers a broken
# catalog, a folder a broken spec, the tests' own catalog is not the one that is named, a graph
# comes from JSON, a variable
# is set, a module or a package is missing; a server that misbehaves (see test_reachability.py).
WITHOUT_FILE = {"C001", "C008", "C029", "C030", "C033", "C040", "E003", "I002", "I005"} | {
    f"H00{number}" for number in (1, 3, 4, 5, 8, 9)
}


def _catalog() -> Catalog:
    return discover_catalog().merged(load_catalog(FOLDER / "catalog.yaml"))


def _graph(path: Path) -> RunGraph:
    names_catalog = "\ncatalog: " in f"\n{path.read_text('utf-8', 'replace')}"
    graph = compile_config(path, catalog=None if names_catalog else _catalog(), environment={})
    if path.name.startswith("Q"):
        return graph.with_diagnostics(found for one in ask(graph) for found in one.diagnostics)
    if path.name.startswith("H"):
        [health] = check_remotes([graph])
        return graph.with_diagnostics(health.diagnostics)
    return graph.with_diagnostics(check_imports(graph)) if path.name.startswith("I") else graph


@pytest.fixture(autouse=True)
def _in_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_message_is_exact(path: Path) -> None:
    """The whole text of all diagnostics is the file of the same name with .txt."""
    assert (
        render_diagnostics(_graph(path).diagnostics) + "\n" == path.with_suffix(".txt").read_text()
    )


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.name)
def test_the_file_is_named_after_a_code_that_it_gives(path: Path) -> None:
    """The name begins with the code of one of the diagnostics, and each code is explained."""
    codes = {diagnostic.code for diagnostic in _graph(path).diagnostics}
    assert path.name[:4] in codes
    assert codes <= RULES.keys()


def test_every_rule_has_a_config() -> None:
    """Each code of the table is shown by a file here, or says why it cannot be."""
    shown = {path.name[:4] for path in CONFIGS}
    assert RULES.keys() - shown == WITHOUT_FILE


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_messages_do_not_depend_on_yaml_order(path: Path) -> None:
    """A config with its keys and entries in other orders gives the same codes and messages."""
    value = yaml.safe_load(path.read_bytes())

    def messages(config: object) -> set[tuple[str, str]]:
        assert isinstance(config, dict)
        graph = compile_config(config, catalog=_catalog(), environment={})
        return {
            (one.code, one.message) for one in graph.diagnostics if one.code not in ("C010", "C011")
        }

    expected = messages(value)
    shuffled = random.Random(7)  # noqa: S311 (an order, not a secret)
    for _ in itertools.repeat(None, 4):
        assert messages(reordered(value, shuffled)) == expected


_OFFERING = re.compile(
    r"(?:add|say|write|did you mean|give|name|render|list|types of|there is|a type|an external) "
)
"""How a clause begins that quotes what the file is to hold, or what there is elsewhere."""


@pytest.mark.parametrize("path", [*CONFIGS, *WILD], ids=lambda path: path.name)
def test_help_quotes_what_is_there(path: Path) -> None:
    """What is to be taken out, changed or looked at is in the file, or a node of its graph."""
    graph, text = _graph(path), path.read_bytes().decode(errors="replace")
    known = {*map(str, graph), *graph.catalog.apis, *catalog_names()}
    known |= {name for _, name in graph.catalog.providers}
    for one in (line for diagnostic in graph.diagnostics for line in diagnostic.help):
        for clause in re.split(r"; |: (?=say )|, or (?=take |write )", one):
            if not _OFFERING.match(clause):
                quoted = re.findall(r"(?<!\w)'([^']+)'(?!\w)", clause)
                assert [word for word in quoted if word not in text and word not in known] == []


if __name__ == "__main__":
    os.chdir(ROOT)
    for config in CONFIGS:
        config.with_suffix(".txt").write_text(render_diagnostics(_graph(config).diagnostics) + "\n")

"""Catalogs: merged without a silent winner, read from YAML, found as entry points."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

import pytest

from rungraph.graph import (
    ApiSpec,
    Catalog,
    CatalogError,
    ProviderSpec,
    compile_config,
    discover_catalog,
    load_catalog,
)
from rungraph.graph.catalog import discovery

if TYPE_CHECKING:
    from pathlib import Path

ECHO = ApiSpec("echo", "x:Echo")


def test_the_same_declaration_twice_is_one() -> None:
    """Two catalogs that say the same do not contradict each other."""
    one = Catalog.of(apis=[ECHO])
    assert one.merged(Catalog.of(apis=[ECHO])).problems == ()


def test_the_first_of_two_declarations_stays_and_is_said() -> None:
    """A provider type that two packages declare is the first one's, and a problem names both."""
    first = Catalog.of(
        apis=[ECHO], providers=[ProviderSpec("echo", "inline::a", "x", origin="one")]
    )
    other = Catalog.of(providers=[ProviderSpec("echo", "inline::a", "y", origin="two")])
    merged = first.merged(other)
    spec = merged.provider("echo", "inline::a")
    assert spec is not None
    assert spec.module == "x"
    assert merged.problems == (
        "provider type 'inline::a' of echo is declared twice by one and two",
    )
    graph = compile_config({"providers": {}}, catalog=merged, environment={})
    assert [(one.code, one.message) for one in graph.diagnostics] == [("C030", merged.problems[0])]


def test_a_catalog_that_contradicts_itself_is_an_error() -> None:
    """One author is told at once."""
    with pytest.raises(CatalogError, match="API 'echo' is declared twice"):
        Catalog.of(apis=[ECHO, ApiSpec("echo", "y:Echo")])


def test_yaml_catalogs_name_every_problem_with_its_line(tmp_path: Path) -> None:
    """A catalog file with mistakes raises one error that lists them."""
    path = tmp_path / "catalog.yaml"
    path.write_text("apis:\n- {name: 1, protocol: x}\n- text\nprovider: []\npairs: {}\n")
    with pytest.raises(CatalogError) as caught:
        load_catalog(path)
    assert [line.replace(str(path), "catalog.yaml") for line in str(caught.value).splitlines()] == [
        "catalog.yaml:4:1: unknown key 'provider' (known: apis, name, pairs, providers, releases)",
        "catalog.yaml:2:10: 'name': input should be a valid string",
        "catalog.yaml:3:3: input should be a dictionary or an instance of apispec",
        "catalog.yaml:5:8: 'pairs' must be a list",
    ]


def test_yaml_catalogs_become_specs(tmp_path: Path) -> None:
    """Lists become tuples, and the file is the origin."""
    path = tmp_path / "catalog.yaml"
    path.write_text(
        "providers:\n- {api: a, provider_type: t, module: m, dependencies: [inference]}\n"
    )
    spec = load_catalog(path).provider("a", "t")
    assert spec == ProviderSpec("a", "t", "m", dependencies=("inference",), origin=str(path))


@pytest.mark.parametrize("value", ["no_such_module:CATALOG", "json:loads", "json:decoder"])
def test_a_catalog_that_cannot_be_loaded_is_a_problem_and_nothing_more(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package with a broken entry point costs only its own catalog."""
    ours = entry_points(group=discovery.ENTRY_POINT_GROUP)
    broken = EntryPoint("broken", value, discovery.ENTRY_POINT_GROUP)

    def found(*, group: str) -> list[EntryPoint]:
        return [*ours, broken] if group == discovery.ENTRY_POINT_GROUP else []

    monkeypatch.setattr(discovery, "entry_points", found)
    discover_catalog.cache_clear()
    try:
        catalog = discover_catalog()
    finally:
        discover_catalog.cache_clear()
    assert "inference" in catalog.apis
    (problem,) = catalog.problems
    assert problem.startswith("catalog 'broken' of")


def test_the_builtin_catalog_has_nine_apis_and_three_pairs() -> None:
    """What rungraph ships is found like any other catalog."""
    catalog = discover_catalog()
    nine = "agents inference inspect memory memory_banks models safety shields telemetry"
    assert set(catalog.apis) >= set(nine.split())
    assert {(pair.router_api, pair.table_api) for pair in catalog.pairs} >= {
        ("inference", "models"),
        ("memory", "memory_banks"),
        ("safety", "shields"),
    }

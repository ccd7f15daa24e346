"""Catalogs: merged without a silent winner, read from YAML, found as entry points."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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
from rungraph.graph.catalog.discovery import ENTRY_POINT_GROUP, load_history

ECHO = ApiSpec("echo", "x:Echo")
RANGES = """\
releases: ["1", "2"]
providers:
- {api: ball, provider_type: red, module: old, releases: 1..3}
- {api: ball, provider_type: blue, module: old, releases: 2..1}
"""


def test_the_same_declaration_twice_is_one() -> None:
    """Two catalogs that say the same do not contradict each other."""
    one = Catalog.of(apis=[ECHO])
    assert one.merged(Catalog.of(apis=[ECHO])).problems == ()


def test_the_first_of_two_declarations_stays_and_is_said() -> None:
    """A provider type that two packages declare is the first one's, and a problem names both."""
    one, two = (ProviderSpec("echo", "inline::a", "x", origin=origin) for origin in ("one", "two"))
    merged = Catalog.of(apis=[ECHO], providers=[one]).merged(Catalog.of(providers=[two]))
    assert merged.provider("echo", "inline::a") == one
    assert merged.problems == (
        "provider type 'inline::a' of echo is declared twice by one and two",
    )
    graph = compile_config({"providers": {}}, catalog=merged, environment={})
    assert [(one.code, one.message) for one in graph.diagnostics] == [("C030", merged.problems[0])]


def test_a_catalog_that_contradicts_itself_is_an_error() -> None:
    """One author is told at once."""
    with pytest.raises(CatalogError, match="API 'echo' is declared twice"):
        Catalog.of(apis=[ECHO, ApiSpec("echo", "y:Echo")])


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        (
            "apis:\n- {name: 1, protocol: x}\n- text\nprovider: []\npairs: {}\n",
            [
                (
                    "4:1: unknown key 'provider' (known: apis, extends, installs, keys, name, "
                    "packages, pairs, providers, releases, sections, stores, traits)"
                ),
                "2:10: 'name': input should be a valid string",
                "3:3: input should be a dictionary or an instance of ApiSpec",
                "5:8: 'pairs' must be a list",
            ],
        ),
        (
            RANGES,
            [
                "3:58: '1..3' is no range of the file's 'releases'",
                "4:59: '2..1' is no range of the file's 'releases'",
            ],
        ),
        (
            f"releases: [{'a, ' * 301}]\napis: 1",
            ["1:11: there are 301 releases; at most 300 are read"],
        ),
        ("releases: [0.1]\n", ["1:11: 'releases' must be a list of texts"]),
        (
            (
                "apis:\n- {name: a, descripton: x}\npairs:\n- {router_api: a, table_api: b, "
                "resource: c, x: y}\n"
            ),
            [
                "2:13: unknown key 'descripton' (did you mean 'description'?)",
                (
                    "4:46: unknown key 'x' (there is: finds_provider, has_members, "
                    "optional_dependencies, references, releases, resource, resource_type, "
                    "resources, router_api, routing_key, table_api)"
                ),
            ],
        ),
    ],
)
def test_a_catalog_file_names_every_problem_with_its_line(
    text: str, problems: list[str], tmp_path: Path
) -> None:
    """All mistakes of a file are one error."""
    path = tmp_path / "catalog.yaml"
    path.write_text(text)
    with pytest.raises(CatalogError) as caught:
        load_catalog(path)
    assert str(caught.value).splitlines() == [f"{path}:{problem}" for problem in problems]


@pytest.mark.parametrize("entry", ["- {}\n", "- {name: a, protocol: p$}\n"])
def test_of_very_many_problems_of_a_catalog_the_first_hundred_are_told(
    entry: str, tmp_path: Path
) -> None:
    """And how many more there are."""
    path = tmp_path / "catalog.yaml"
    path.write_text("apis:\n" + "".join(entry.replace("$", str(number)) for number in range(1_000)))
    with pytest.raises(CatalogError) as caught:
        load_catalog(path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 101
    assert lines[-1] in ("and 899 more", "and 900 more")


def test_catalog_files_become_specs(tmp_path: Path) -> None:
    """Lists become tuples, and the file is the origin."""
    path = tmp_path / "catalog.yaml"
    path.write_text(
        "providers:\n- {api: a, provider_type: t, module: m, dependencies: [inference]}\n"
    )
    spec = load_catalog(path).provider("a", "t")
    assert spec == ProviderSpec("a", "t", "m", dependencies=("inference",), origin=str(path))


def test_what_a_catalog_file_shows_holds_no_secret(tmp_path: Path) -> None:
    """An index of packages often has a login."""
    path = tmp_path / "catalog.yaml"
    path.write_text(
        "providers:\n- {api: a, provider_type: t, module: m, deprecated: 'password=k1ey',\n"
        "   packages: [own, --extra-index-url https://me:k1ey@h/simple]}\n"
    )
    spec = load_catalog(path).provider("a", "t")
    assert spec is not None
    assert spec.deprecated == "password=********"
    assert spec.packages == ("own", "--extra-index-url https://me:********@h/simple")


def test_a_file_with_releases_is_read_as_its_newest(tmp_path: Path) -> None:
    """An entry counts for its releases, one without for all; two for one release are an error."""
    path = tmp_path / "toys.yaml"
    text = (
        "name: toys\n"
        'releases: ["1", "2"]\n'
        "apis: [{name: ball}]\n"
        "providers:\n"
        '- {api: ball, provider_type: red, module: old, releases: "1"}\n'
        "- {api: ball, provider_type: red, module: new, releases: 2..}\n"
    )
    path.write_text(text)
    assert load_catalog(path).providers["ball", "red"].module == "new"
    assert load_history(path).at("1").providers["ball", "red"].module == "old"
    path.write_text(text.replace(', releases: "1"', ""))
    with pytest.raises(CatalogError, match="provider type 'red' of ball is declared twice"):
        load_catalog(path)


@pytest.mark.parametrize("value", ["no_such_module:CATALOG", "json:loads", "json:decoder"])
def test_a_catalog_that_cannot_be_loaded_is_a_problem_and_nothing_more(
    value: str, install: Callable[..., None]
) -> None:
    """A package with a broken entry point costs only its own catalog."""
    install(ENTRY_POINT_GROUP, {"broken": value})
    catalog = discover_catalog()
    assert "inference" in catalog.apis
    (problem,) = catalog.problems
    assert problem.startswith("catalog 'broken' of 'toys' ")


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


_SPEC = "ProviderSpec('ball', 'inline::red', 'm')"


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (
            f"Catalog(providers=({_SPEC},))",
            (
                "Catalog(providers=…) is a mapping, not a tuple; "
                "of a list it is made with Catalog.of(providers=[…])"
            ),
        ),
        ("Catalog(apis=[])", None),
        ("Catalog(providers={'a': 1})", "providers holds a int, not a ProviderSpec"),
        ("Catalog.of(providers=['inline::red'])", "providers holds a str, not a ProviderSpec"),
        ("Catalog.of(apis=[ApiSpec(None)])", "ApiSpec(name=None) is no name of an API"),
        ("Catalog.of(apis=[ApiSpec('a/b')])", "ApiSpec(name='a/b') is no name of an API"),
        ("Catalog.of(providers=[ProviderSpec('a', '', 'm')])", None),
        (
            "Catalog.of(providers=[ProviderSpec('a', 'b', 'm', dependencies='inference')])",
            "ProviderSpec(dependencies='inference') is no tuple of texts",
        ),
        ("Catalog.of(pairs=[('a', 'b')])", "pairs holds a tuple, not a RoutedPair"),
        ("{}", None),
        ("1 / 0", None),
        ("Catalog", "catalog 'toys' of 'toys' is a type, not a Catalog"),
        ("exit(3)", "catalog 'toys' of 'toys' cannot be loaded: SystemExit: 3"),
    ],
)
def test_a_wrong_catalog_of_a_package_is_one_problem_that_names_it(
    made: str, says: str | None, install: Callable[..., None]
) -> None:
    """The rest goes on: no command ends because of what somebody else has installed."""
    code = f"from rungraph.graph import ApiSpec, Catalog, ProviderSpec\nCATALOG = {made}\n"
    install(ENTRY_POINT_GROUP, {"toys": "toy_room:CATALOG"}, code)
    catalog = discover_catalog()
    [problem] = catalog.problems
    assert problem.startswith("catalog 'toys' of 'toys'")
    if says:
        assert problem in (says, f"catalog 'toys' of 'toys': {says}")
    assert "inference" in catalog.apis
    graph = compile_config({"providers": {}}, environment={})
    assert [one.code for one in graph.diagnostics] == ["C030"]

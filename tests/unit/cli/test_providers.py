"""``rungraph providers`` lists what catalogs offer, whoever offers it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from rungraph.cli.providers import providers
from rungraph.graph import ApiSpec, Catalog, ProviderSpec


@pytest.fixture
def _catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    specs = [
        ProviderSpec("echo", "inline::loud", "loud", description="shouts", origin="others"),
        ProviderSpec(
            "echo",
            "inline::old",
            "old",
            packages=("no-such-distribution>=2",),
            dependencies=("clock",),
            optional_dependencies=("ear",),
            deprecated="use inline::loud",
        ),
    ]
    catalog = Catalog.of(apis=[ApiSpec("echo", "echo:Echo", "says it again")], providers=specs)
    monkeypatch.setattr("rungraph.graph.catalog.choice.discover_catalog", lambda: catalog)


@pytest.mark.usefixtures("_catalog")
def test_a_type_tells_what_it_needs_and_how_to_install_it() -> None:
    """Dependencies, missing packages, deprecation and origin stand below the type."""
    assert CliRunner().invoke(providers, ["echo"]).stdout.splitlines() == [
        "echo: says it again",
        "  one provider",
        "  inline::loud",
        "      shouts",
        "      from others",
        "  inline::old",
        "      needs clock",
        "      uses, if there: ear",
        '      not installed (no-such-distribution>=2): pip install "no-such-distribution>=2"',
        "      deprecated: use inline::loud",
    ]


@pytest.mark.usefixtures("_catalog")
def test_json_has_the_same() -> None:
    """The JSON says of every type whether it is installed."""
    [echo] = json.loads(CliRunner().invoke(providers, ["--format", "json"]).stdout)
    loud, old = echo["provider_types"]
    assert echo["api"] == "echo"
    assert loud["installed"]
    assert loud["install"] is None
    assert not old["installed"]
    assert old["missing_packages"] == ["no-such-distribution>=2"]


def test_types_of_a_catalog_with_releases_say_since_when_and_what_came_before() -> None:
    """The newest release is listed; what only earlier ones had follows, with its successor."""
    found = CliRunner().invoke(providers, ["--catalog", "llama-stack@0.3.5", "telemetry"])
    assert [line for line in found.stdout.splitlines() if "installed" not in line] == [
        "telemetry: logs, metrics and traces",
        "  in every stack; takes no provider",
        "  inline::meta-reference",
        "      since 0.0.53",
        "      uses, if there: datasetio",
        "  meta-reference (only in releases 0.0.35 to 0.0.52; now 'inline::meta-reference')",
        "  remote (only in releases 0.0.35 to 0.0.52)",
        (
            "  remote::opentelemetry-jaeger (only in releases 0.0.35 to 0.0.57; "
            "now 'inline::meta-reference')"
        ),
        "  remote::sample (only in releases 0.0.35 to 0.1.6)",
    ]


def test_a_release_can_be_named() -> None:
    """Types are those of the release, with the dependencies that they had in it."""
    asked = ["--catalog", "llama-stack@0.0.62", "telemetry", "--format", "json"]
    [telemetry] = json.loads(CliRunner().invoke(providers, asked).stdout)
    [spec] = [
        one for one in telemetry["provider_types"] if one["provider_type"] != "remote::sample"
    ]
    assert spec["provider_type"] == "inline::meta-reference"
    assert spec["dependencies"] == ["datasetio"]
    assert spec["releases"] == ["0.0.53", "0.3.5"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--catalog llama-stack memory",
         "API: 'memory' is an API of releases 0.0.35 to 0.0.63: say --catalog llama-stack@0.0.63"),
        ("--catalog lama-stack",
         "--catalog: no catalog is called 'lama-stack'; did you mean 'llama-stack'?"),
        ("--catalog llama-stack@0.8",
         ("--catalog: the catalog 'llama-stack' does not know release '0.8'; the newest that it "
          "knows is 0.7.3")),
    ],
)  # fmt: skip
def test_a_wrong_catalog_is_a_wrong_option(words: str, message: str) -> None:
    """What --catalog does not find is a usage error that names what there is."""
    found = CliRunner().invoke(providers, words.split())
    assert found.exit_code == 2
    assert f"\nError: Invalid value for {message}" in found.stderr

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
    monkeypatch.setattr("rungraph.graph.discover_catalog", lambda: catalog)


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

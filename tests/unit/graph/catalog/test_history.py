"""A catalog through its releases, and which of them a run config is of."""

from __future__ import annotations

from typing import Any

import pytest

from rungraph.graph import ApiSpec, CatalogError, ProviderSpec, RoutedPair
from rungraph.graph.catalog.history import CatalogHistory
from rungraph.graph.catalog.release_specs import KeySpec
from rungraph.graph.catalog.telling import release_for

HISTORY = CatalogHistory(
    "toys",
    ("1", "2", "3", "4"),
    apis=(
        ApiSpec("bear", releases="1..2", successor="robot"),
        ApiSpec("robot", releases="3.."),
        ApiSpec("shelf"),
        ApiSpec("places"),
        ApiSpec("ball"),
    ),
    pairs=(RoutedPair("shelf", "places", "place"),),
    providers=(
        ProviderSpec("bear", "brown", "m", releases="2", successor="robot/tin"),
        ProviderSpec("bear", "brown", "older", releases="1", successor="brown"),
        ProviderSpec("robot", "tin", "m", releases="3.."),
        ProviderSpec("ball", "red", "old", releases="1..2"),
        ProviderSpec("ball", "red", "new", dependencies=("places",), releases="3.."),
        ProviderSpec("ball", "green", "m", releases="2", successor="red"),
    ),
    keys=(
        KeySpec("bounce", of="ball/red", releases="1..2"),
        KeySpec("spin", of="ball/red", releases="3.."),
    ),
)


def _config(**types: str | tuple[str, dict[str, Any]]) -> dict[str, Any]:
    providers: dict[str, list[dict[str, Any]]] = {}
    for api, named in types.items():
        name, config = (named, {}) if isinstance(named, str) else named
        providers[api] = [{"provider_id": "x", "provider_type": name, "config": config}]
    return {"providers": providers}


@pytest.mark.parametrize(
    ("config", "release"),
    [
        ({}, "4"),
        (_config(bear="brown"), "2"),
        (_config(robot="tin"), "4"),
        (_config(ball="green"), "2"),
        ({**_config(bear="brown", ball="green"), "apis": ["robot"]}, "2"),
        (_config(robot="copper"), "4"),
        (_config(elsewhere="tin"), "4"),
        (_config(ball="red"), "2"),
        (_config(ball="red", shelf="x"), "4"),
        (_config(ball=("red", {"spin": 1})), "4"),
        (_config(ball="red", robot="tin"), "4"),
        ({"provider_map": {"bear": {"provider_type": "brown"}}}, "2"),
        ({"routing_table": {"bear": [{"provider_type": "brown", "routing_key": "k"}]}}, "2"),
        ({"providers": {"bear": "brown"}, "apis": 3}, "2"),
        ({"providers": [1], "apis": {"bear": 1}}, "4"),
    ],
)  # fmt: skip
def test_a_config_is_of_the_newest_release_that_fits_it(
    config: dict[str, Any], release: str
) -> None:
    """Names, marks and met dependencies decide, in this order."""
    assert release_for(HISTORY, config).release == release


def test_a_release_has_what_its_entries_say() -> None:
    """Of a type's entries, the one of the release counts."""
    old, new = HISTORY.at("2"), HISTORY.at()
    assert sorted(old.apis) == ["ball", "bear", "places", "shelf"]
    assert sorted(new.apis) == ["ball", "places", "robot", "shelf"]
    assert (old.providers["ball", "red"].module, new.providers["ball", "red"].module) == (
        "old",
        "new",
    )
    assert (new.name, new.release, new.history) == ("toys", "4", HISTORY)
    assert HISTORY.at("2") is old


def test_a_history_says_when_what_was_and_what_came_then() -> None:
    """Ranges join the entries of one type; a successor may be of another API."""
    assert HISTORY.releases_of("ball", "red") == ("1", "4")
    assert HISTORY.releases_of("ball", "green") == ("2", "2")
    assert HISTORY.releases_of("ball", "blue") is None
    assert HISTORY.successor_of("bear") == "'robot'"
    assert HISTORY.successor_of("bear", "brown") == "'tin' of robot"
    assert HISTORY.successor_of("ball", "green") == "'red'"
    assert HISTORY.successor_of("robot") == ""
    assert HISTORY.successor_of("ball", "blue") == ""


def test_what_no_release_has_together_is_told() -> None:
    """APIs and types count, what is unknown does not."""
    others = {("bear",), ("ball",), ("bear", "brown"), ("nothing",), ("", "places")}
    assert HISTORY.names_apart(("robot", "tin"), others) == (("bear",), ("bear", "brown"))


def test_a_release_that_there_is_not_is_an_error_with_a_question() -> None:
    """The text names the first and the last release."""
    with pytest.raises(CatalogError) as caught:
        HISTORY.at("5")
    assert str(caught.value) == (
        "the catalog 'toys' does not know release '5'; the newest that it knows is 4"
    )

"""What a saved plan is held against, and what is told of what has moved."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RoutedPair, RunGraph, compile_config
from rungraph.graph.plan import PlanError, make_plan, plan_to_json
from rungraph.graph.plan.fingerprints import load_sealed, sealed
from rungraph.graph.plan.moves import moves_since

KEY = b"0123456789abcdef"
ENVIRONMENT = {"URL": "http://one", "TOKEN": "token-one"}


def catalog(**more: Any) -> Catalog:
    """Return a catalog of inference, whose one type has what *more* says."""
    return Catalog.of(
        apis=[ApiSpec(name, "x:y") for name in ("inference", "models", "telemetry")],
        pairs=[RoutedPair("inference", "models", "model", "m", "x:M")],
        providers=[
            ProviderSpec("inference", "remote::r", "x", **more),
            ProviderSpec("telemetry", "inline::t", "x"),
        ],
    )


def config(**changes: Any) -> dict[str, Any]:
    """Return a run config; *changes* are of the provider's config."""
    entry = {
        "provider_id": "p",
        "provider_type": "remote::r",
        "config": {
            "url": "${env.URL}",
            "api_key": "sk-literal",
            "token": "${env.TOKEN:=none-so-far}",
            **changes,
        },
    }
    return {
        "metadata_store": {"type": "postgres", "password": "store-password"},
        "providers": {"inference": [entry]},
        "models": [{"model_id": "m", "provider_id": "p", "metadata": {"api_key": "of-the-model"}}],
    }


def graph_of(
    written: dict[str, Any], environment: dict[str, str] | None = None, **more: Any
) -> RunGraph:
    """Return the graph of a config."""
    values = ENVIRONMENT if environment is None else environment
    return compile_config(written, catalog=catalog(**more), environment=values)


def moved(
    written: dict[str, Any], environment: dict[str, str] | None = None, **more: Any
) -> list[str]:
    """Return what has moved from the config above to *written*."""
    before = graph_of(config())
    text = plan_to_json(sealed(make_plan(before), before, KEY, ENVIRONMENT))
    now = graph_of(written, environment, **more)
    values = ENVIRONMENT if environment is None else environment
    return list(moves_since(load_sealed(text, KEY), now, KEY, values))


def with_secret(value: str, *path: str | int) -> dict[str, Any]:
    """Return the config above with another secret at *path*."""
    found: Any = (written := config())
    for key in path[:-1]:
        found = found[key]
    found[path[-1]] = value
    return written


CHANGED = "(the value behind it has changed)"


@pytest.mark.parametrize(
    ("written", "environment", "spec", "lines"),
    [
        (config(), {}, {}, []),
        (config(api_key="sk-other"), {}, {}, [f"provider:inference/p  config.api_key: {CHANGED}"]),
        (with_secret("of-another", "models", 0, "metadata", "api_key"), {}, {},
         [f"table:models  resources.m.p.fields.metadata.api_key: {CHANGED}"]),
        (with_secret("another-password", "metadata_store", "password"), {}, {},
         [f"metadata_store  {CHANGED}"]),
        # A variable is told once, and the values that it fills in are not told of as well.
        (config(), {"TOKEN": "two"}, {}, ["the environment variable TOKEN has another value"]),
        (config(), {"TOKEN": "", "URL": "http://two"}, {},
         ["the environment variable TOKEN is not set any more",
          "the environment variable URL has another value"]),
        (config(), {}, {"served_names": "x"},
         ["the catalog says something else of inference remote::r"]),
        # Words for people are no move, and a type that is deprecated meanwhile still runs.
        (config(), {}, {"description": "better than ever", "origin": "elsewhere"}, []),
        (config(), {}, {"deprecated": "use another"}, []),
    ],
)  # fmt: skip
def test_what_has_moved_is_named_without_its_value(
    written: dict[str, Any], environment: dict[str, str], spec: dict[str, str], lines: list[str]
) -> None:
    """A secret of a provider, a resource or the store; a variable; what the catalog says."""
    found = moved(written, {**ENVIRONMENT, **environment}, **spec)
    assert found == [f"~ {line}" for line in lines]


def test_a_default_that_is_masked_counts() -> None:
    """What takes the place of a variable that is not set is a value behind what is shown."""
    without = {"URL": "http://one"}
    before = graph_of(config(), without)
    text = plan_to_json(sealed(make_plan(before), before, KEY, without))
    now = graph_of(config(token="${env.TOKEN:=another-one}"), without)  # noqa: S106
    [line] = moves_since(load_sealed(text, KEY), now, KEY, without)
    assert line == "~ provider:inference/p  config.token: (the value behind it has changed)"
    [line] = moves_since(load_sealed(text, KEY), graph_of(config()), KEY, ENVIRONMENT)
    assert line == "~ the environment variable TOKEN is set now"


def test_the_home_that_a_value_begins_with_counts() -> None:
    """A value that comes out otherwise has moved, whatever the reason."""
    written = config(path="${env.WHERE:=~/x}")
    before = graph_of(written, {**ENVIRONMENT, "HOME": "/home/a"})
    text = plan_to_json(sealed(make_plan(before), before, KEY, ENVIRONMENT))
    now = graph_of(written, {**ENVIRONMENT, "HOME": "/home/b"})
    assert moves_since(load_sealed(text, KEY), now, KEY, ENVIRONMENT) == (
        "~ provider:inference/p  config.path: (the value behind it has changed)",
    )


def test_nodes_edges_and_settings_that_have_moved_are_told() -> None:
    """With what they were and are."""
    other = config()
    other["image_name"] = "named"
    other["providers"]["telemetry"] = [{"provider_id": "t", "provider_type": "inline::t"}]
    assert moved(other, optional_dependencies=("telemetry",)) == [
        "~ provider:inference/p  remote::r",
        '    + optional_dependencies: ["telemetry"]',
        "+ provider:telemetry/t  inline::t",
        "+ edges: provider:telemetry/t → provider:inference/p  soft",
        "+ served APIs: telemetry",
        '+ settings: image_name: "named"',
        "~ the catalog says something else of inference remote::r",
    ]


def saved() -> dict[str, Any]:
    """Return the JSON of a saved plan."""
    graph = graph_of(config())
    plan: dict[str, Any] = json.loads(
        plan_to_json(sealed(make_plan(graph), graph, KEY, ENVIRONMENT))
    )
    return plan


def refused(data: dict[str, Any], key: bytes = KEY) -> str:
    """Return why a saved plan is refused."""
    with pytest.raises(PlanError) as raised:
        load_sealed(json.dumps(data), key)
    return str(raised.value)


def test_a_saved_plan_is_refused_when_it_cannot_be_trusted() -> None:
    """Without fingerprints, under another key, with other ones, or changed."""
    data = saved()
    assert load_sealed(json.dumps(data), KEY).applyable
    assert refused({**data, "fingerprints": None}) == (
        "it was not saved to be run: make it with 'rungraph plan CONFIG --save FILE'"
    )
    assert refused(data, b"fedcba9876543210") == "it was saved with another key than the one here"
    assert refused({**data, "name": "other"}) == "it was changed after it was saved"
    assert refused({**data, "added": 1}) == "it was changed after it was saved"
    other = {**data["fingerprints"], "algorithm": "rot13"}
    assert refused({**data, "fingerprints": other}) == (
        "its fingerprints are made with rot13, which is not known"
    )


def test_what_a_later_minor_version_has_sealed_is_still_sealed() -> None:
    """Keys that are not known here are under the seal, too."""
    graph = graph_of(config())
    plan = make_plan(graph)
    data = saved()
    assert data["fingerprints"]["seal"] == sealed(plan, graph, KEY, ENVIRONMENT).fingerprints.seal  # type: ignore[union-attr]
    assert json.loads(json.dumps(data, indent=7)) == data
    assert load_sealed(json.dumps(data, indent=7, sort_keys=False), KEY).name == ""


def test_a_fingerprint_says_nothing_without_the_key() -> None:
    """Equal values have other fingerprints under another key, and at another place."""
    graph = graph_of(config(second_api_key="sk-literal"))
    prints = [
        sealed(make_plan(graph), graph, key, ENVIRONMENT).fingerprints
        for key in (KEY, b"fedcba9876543210")
    ]
    values = [one.values["provider:inference/p"] for one in prints if one is not None]
    assert values[0].keys() == values[1].keys()
    every = [value for one in values for value in one.values()]
    assert len(set(every)) == len(every)
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in every)

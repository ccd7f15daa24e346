"""What a failure takes down, what goes on without it, and which APIs remain."""

from __future__ import annotations

from typing import Any

import pytest

from rungraph.graph import ApiSpec, Catalog, ProviderSpec, RoutedPair, RunGraph, compile_config
from rungraph.graph.failures import Failures, assume_failed


def stack() -> RunGraph:
    """Return two inference providers, agents that need inference, and telemetry that all use."""
    catalog = Catalog.of(
        apis=[ApiSpec(name, "x:y") for name in ("inference", "models", "agents", "telemetry")],
        pairs=[
            RoutedPair(
                "inference", "models", "model", "key", "x:R", optional_dependencies=("telemetry",)
            )
        ],
        providers=[
            ProviderSpec("inference", "inline::i", "x"),
            ProviderSpec("agents", "inline::a", "x", dependencies=("inference",)),
            ProviderSpec("telemetry", "inline::t", "x", optional_dependencies=("inference",)),
        ],
    )
    config: dict[str, Any] = {
        "providers": {
            "inference": [
                {"provider_id": name, "provider_type": "inline::i"} for name in ("one", "two")
            ],
            "agents": [{"provider_id": "a", "provider_type": "inline::a"}],
            "telemetry": [{"provider_id": "t", "provider_type": "inline::t"}],
        }
    }
    return compile_config(config, catalog=catalog, environment={})


def told(failures: Failures) -> tuple[list[str], dict[str, list[str]], dict[str, str]]:
    """Return the texts of what is down, of what lacks what, and the APIs."""
    return (
        [str(address) for address in failures.failed],
        {str(address): [str(one) for one in lack] for address, lack in failures.without.items()},
        dict(failures.apis),
    )


def test_a_table_lives_on_with_another_member() -> None:
    """One of two members takes nothing down; the table and the API go on without it."""
    assert told(assume_failed(stack(), ["provider:inference/one"])) == (
        ["provider:inference/one"],
        {"table:models": ["provider:inference/one"]},
        {"agents": "ok", "inference": "degraded", "models": "degraded", "telemetry": "ok"},
    )


def test_all_members_take_their_table_and_what_needs_it_down() -> None:
    """With no member left, table, router and the agents behind it are down, each with both causes.

    Telemetry, which is handed the router once both run, goes on without it.
    """
    failures = assume_failed(stack(), ["provider:inference/two", "provider:inference/one"])
    assert told(failures) == (
        [
            "provider:inference/one",
            "provider:inference/two",
            "table:models",
            "router:inference",
            "provider:agents/a",
        ],
        {"provider:telemetry/t": ["router:inference"]},
        {"agents": "lost", "inference": "lost", "models": "lost", "telemetry": "degraded"},
    )
    assert failures.causes[failures.failed[-1]] == failures.assumed == failures.failed[:2]
    assert failures.lost == ("agents", "inference", "models")
    assert failures.surviving == ("telemetry",)


def test_what_is_only_used_is_missed_and_no_more() -> None:
    """A soft dependency that is down degrades the node that uses it and stops nobody."""
    assert told(assume_failed(stack(), ["provider:telemetry/t"])) == (
        ["provider:telemetry/t"],
        {"router:inference": ["provider:telemetry/t"]},
        {"agents": "ok", "inference": "degraded", "models": "ok", "telemetry": "lost"},
    )


def test_nothing_fails_when_nothing_is_assumed() -> None:
    """An empty assumption leaves everything as it is."""
    failures = assume_failed(stack(), [])
    assert (failures.failed, failures.degraded, failures.lost) == ((), (), ())
    assert failures.surviving == tuple(sorted(stack().apis))


def test_a_circle_goes_down_as_a_whole() -> None:
    """In a graph that cannot run because of a hard circle, one of its nodes takes all down."""
    catalog = Catalog.of(
        apis=[ApiSpec(name, "x:y") for name in "abc"],
        providers=[
            ProviderSpec("a", "inline::x", "x", dependencies=("c",)),
            ProviderSpec("b", "inline::x", "x", dependencies=("a",)),
            ProviderSpec("c", "inline::x", "x", dependencies=("b",)),
        ],
    )
    entry = [{"provider_id": "p", "provider_type": "inline::x"}]
    graph = compile_config(
        {"providers": dict.fromkeys("abc", entry)}, catalog=catalog, environment={}
    )
    assert len(assume_failed(graph, ["provider:b/p"]).failed) == 3


def test_an_unknown_node_is_named_with_the_nearest_one() -> None:
    """A typo is answered with what there is."""
    with pytest.raises(KeyError, match="did you mean 'provider:inference/one'"):
        assume_failed(stack(), ["provider:inference/ome"])

"""What a failure takes down, what goes on without it, and which APIs remain."""

from __future__ import annotations

import pytest
from tests.builders import catalog_of, graph_of_needs, run_config

from rungraph.graph import RunGraph, compile_config
from rungraph.graph.failures import assume_failed


@pytest.fixture
def stack() -> RunGraph:
    """Two inference providers, agents that need inference, and telemetry that all use."""
    catalog = catalog_of(
        "inference/models ?telemetry",
        "inference inline::i",
        "agents inline::a inference",
        "telemetry inline::t ?inference",
    )
    config = run_config(
        {
            "inference": {"one": "inline::i", "two": "inline::i"},
            "agents": {"a": "inline::a"},
            "telemetry": {"t": "inline::t"},
        }
    )
    return compile_config(config, catalog=catalog, environment={})


@pytest.mark.parametrize(
    ("assumed", "failed", "without", "apis"),
    [
        pytest.param([], [], {}, "ok ok ok ok", id="nothing fails when nothing is assumed"),
        pytest.param(
            ["provider:inference/one"],
            ["provider:inference/one"],
            {"table:models": ["provider:inference/one"]},
            "ok degraded degraded ok",
            id="a table lives on with another member",
        ),
        pytest.param(
            ["provider:inference/two", "provider:inference/one"],
            [
                "provider:inference/one",
                "provider:inference/two",
                "table:models",
                "router:inference",
                "provider:agents/a",
            ],
            {"provider:telemetry/t": ["router:inference"]},
            "lost lost lost degraded",
            id="all members take their table and what needs it down; who is bound late goes on",
        ),
        pytest.param(
            ["provider:telemetry/t"],
            ["provider:telemetry/t"],
            {"router:inference": ["provider:telemetry/t"]},
            "ok degraded ok lost",
            id="what is only used is missed and no more",
        ),
    ],
)
def test_a_failure_takes_down_what_cannot_run_without_it(
    stack: RunGraph, assumed: list[str], failed: list[str], without: dict[str, list[str]], apis: str
) -> None:
    """Needs are followed, a table needs any of its members, and what is only used is lacked."""
    failures = assume_failed(stack, assumed)
    availability = dict(
        zip(("agents", "inference", "models", "telemetry"), apis.split(), strict=True)
    )
    assert [str(address) for address in failures.failed] == failed
    assert {
        str(address): [str(one) for one in lacking] for address, lacking in failures.without.items()
    } == without
    assert failures.apis == availability
    assert [*failures.lost] == [api for api, word in availability.items() if word == "lost"]
    assert failures.apis.keys() == {*stack.apis}


def test_a_node_that_fails_because_of_several_names_them_all(stack: RunGraph) -> None:
    """The agents are down because of both members of the table."""
    failures = assume_failed(stack, ["provider:inference/two", "provider:inference/one"])
    assert failures.causes[failures.failed[-1]] == failures.assumed == failures.failed[:2]


def test_a_cycle_goes_down_as_a_whole() -> None:
    """In a graph that cannot run because of a hard cycle, one of its nodes takes all down."""
    graph = graph_of_needs({"a": "c", "b": "a", "c": "b"})
    assert len(assume_failed(graph, ["provider:b/p"]).failed) == 3


def test_an_unknown_node_is_named_with_the_nearest_one(stack: RunGraph) -> None:
    """A typo is answered with what there is."""
    with pytest.raises(KeyError, match="did you mean 'provider:inference/one'"):
        assume_failed(stack, ["provider:inference/ome"])

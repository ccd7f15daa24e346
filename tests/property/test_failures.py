"""What is said to fail and what does: the simulation of failures against the engine."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.property.strategies_configs import catalogs, configs
from tests.property.strategies_graphs import (
    Behaviour,
    Conduct,
    FakeGraph,
    FakeInstances,
    run_virtually,
)

from rungraph.engine.events import EventLog, NodeSkipped, State
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.settings import StackSettings
from rungraph.graph import Address, Catalog, RunGraph, compile_config
from rungraph.graph.failures import assume_failed


def _degraded_start(graph: RunGraph, crashing: Collection[Address]) -> tuple[EventLog, Any]:
    """Start *graph* with ``on_failure="degrade"``, those of *crashing* crashing, and stop it."""
    conduct = dict.fromkeys(graph, Conduct.WELL) | dict.fromkeys(crashing, Conduct.CRASH)
    fake = FakeGraph.of(graph, {address: Behaviour(one) for address, one in conduct.items()})
    instances, log = FakeInstances(fake), EventLog()
    up: dict[Address, State] = {}

    async def main() -> None:
        how = StackSettings(on_failure="degrade")
        lifecycle = Lifecycle(fake.nx, instances, how, log.append)
        await lifecycle.start()
        up.update(log.states)
        await lifecycle.stop()

    run_virtually(main())
    return log, (up, instances.given)


@given(configs(), catalogs(), st.data())
def test_the_simulation_says_what_the_engine_does(
    config: dict[str, Any], catalog: Catalog, data: st.DataObject
) -> None:
    """Whatever is said to fail, the engine then runs the same nodes and skips for the same causes.

    What runs without something was given less than it depends on, and nothing else was.
    """
    graph = compile_config(config, catalog=catalog, environment={})
    if not len(graph) or any(one.code in ("G001", "G006") for one in graph.diagnostics):
        return
    assumed = data.draw(st.sets(st.sampled_from(list(graph)), max_size=3))
    failures = assume_failed(graph, assumed)
    log, (states, given_to) = _degraded_start(graph, assumed)
    assert {a for a, state in states.items() if state is not State.READY} == set(failures.failed)
    for event in log:
        if isinstance(event, NodeSkipped):
            assert event.root_causes == failures.causes[event.address]
    late = {edge.dependent for edge in graph.dropped if edge.dependency in failures.causes}
    for address in set(graph) - set(failures.failed):
        lacks = set(graph.dependencies_of(address)) - set(given_to[address])
        in_order = {one for one in failures.without.get(address, ()) if one in lacks}
        assert in_order == lacks
        assert (address in failures.without) == bool(lacks or address in late)
    for api, word in failures.apis.items():
        running = {a for a in set(graph) - set(failures.failed) if a.api == api}
        assert (word == "lost") == (not running or not _answers(graph, api, running))


def _answers(graph: RunGraph, api: str, running: set[Address]) -> bool:
    """Whether what answers for *api* runs: its router or table, or else its last provider."""
    own = [address for address in graph.nodes if address.api == api]
    routed = [address for address in own if not address.name]
    return (routed or own)[-1] in running

"""Laws of plans: of what they depend on, what they hide, and what they foretell."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.property.strategies_configs import catalogs, configs, reordered
from tests.property.strategies_graphs import Behaviour, FakeGraph, FakeInstances, run_virtually

from rungraph.engine.events import EventLog, NodeReady, NodeStarting
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.settings import StackSettings
from rungraph.graph import Catalog, RunGraph, compile_config
from rungraph.graph.diff import diff_graphs, snapshot_of
from rungraph.graph.failures import assume_failed, blast_radii
from rungraph.graph.plan import load_plan, make_plan, plan_to_json, plan_to_markdown, render_plan
from rungraph.graph.plan.fingerprints import load_sealed, sealed
from rungraph.graph.plan.graph_json import graph_from_json
from rungraph.graph.plan.moves import moves_since

KEY = b"a key for the tests"
_PLACES = frozenset(("place", "path", "excerpt", "related"))
"""What tells where something stands in the file; that moves when the file is reordered."""


def _essence(value: Any) -> Any:
    """Return *value* without places; problems, which are sorted by place, in one order."""
    if isinstance(value, dict):
        return {key: _essence(item) for key, item in value.items() if key not in _PLACES}
    if isinstance(value, list):
        return [_essence(item) for item in value]
    return value


def _without_places(graph: RunGraph) -> str:
    found = _essence(json.loads(plan_to_json(make_plan(graph))))
    found["diagnostics"].sort(key=str)
    return json.dumps(found, indent=1)  # The order of keys counts.


@given(configs(), catalogs(), st.randoms(use_true_random=False))
def test_the_order_of_the_config_does_not_count(
    config: dict[str, Any], catalog: Catalog, order: Any
) -> None:
    """The same config in another order gives the same plan, byte for byte, places apart."""
    one = compile_config(config, catalog=catalog, environment={})
    other = compile_config(reordered(config, order), catalog=catalog, environment={})
    assert _without_places(one) == _without_places(other)


@given(configs(), catalogs(), st.randoms(use_true_random=False))
def test_a_reordered_config_is_what_was_planned(
    config: dict[str, Any], catalog: Catalog, order: Any
) -> None:
    """A saved plan comes back as it was, and fits the config in any order."""
    graph = compile_config(config, catalog=catalog, environment={})
    text = plan_to_json(sealed(make_plan(graph), graph, KEY, {}))
    plan = load_sealed(text, KEY)
    assert plan_to_json(plan) == text
    assert moves_since(plan, graph, KEY, {}) == ()
    other = compile_config(reordered(config, order), catalog=catalog, environment={})
    assert moves_since(plan, other, KEY, {}) == ()


@given(configs(), catalogs(), st.data())
def test_every_plan_can_be_shown_and_read(
    config: dict[str, Any], catalog: Catalog, data: st.DataObject
) -> None:
    """Whatever is asked for, text and Markdown can be made, and the JSON comes back as it was."""
    graph = compile_config(config, catalog=catalog, environment={})
    some = st.lists(st.sampled_from([*graph]), max_size=3) if len(graph) else st.just([])
    seconds = st.floats(0, 100)
    plan = make_plan(
        graph,
        failed=data.draw(some),
        durations={one: data.draw(seconds) for one in data.draw(some)},
        against=compile_config(data.draw(configs()), catalog=catalog, environment={}),
        against_name="old",
    )
    assert plan_to_markdown(plan).endswith("\n")
    for width in (None, 20, 80):
        assert render_plan(plan, width=width).endswith("\n")
    text = plan_to_json(plan)
    assert plan_to_json(load_plan(text)) == text
    again = graph_from_json(text, environment={})
    assert diff_graphs(snapshot_of(graph), again).nodes == ()


@given(configs(), catalogs())
def test_a_blast_radius_is_what_a_single_failure_does(
    config: dict[str, Any], catalog: Catalog
) -> None:
    """Of each node it is what is said to become of the rest when it alone fails."""
    graph = compile_config(config, catalog=catalog, environment={})
    radii = blast_radii(graph)
    assert list(radii) == list(graph)
    for address, radius in radii.items():
        failures = assume_failed(graph, [address])
        assert radius.stops == {*failures.failed} - {address}
        assert radius.lacks == set(failures.degraded)


@given(configs(), catalogs(), st.data())
def test_expected_times_are_those_of_the_engine(
    config: dict[str, Any], catalog: Catalog, data: st.DataObject
) -> None:
    """Nodes that take as long as before start when it was foretold, with both schedules."""
    graph = compile_config(config, catalog=catalog, environment={})
    if any(one.code in ("G001", "G006") for one in graph.diagnostics):
        return
    seconds = st.sampled_from([0.0, 0.25, 1.0, 2.5])
    durations = {address: data.draw(seconds) for address in graph}
    timings = make_plan(graph, durations=durations).timings
    assert timings is not None
    for schedule in ("generations", "ready"):
        fake = FakeGraph.of(
            graph, {one: Behaviour(start_seconds=took) for one, took in durations.items()}
        )
        log = EventLog()

        async def main(
            fake: FakeGraph = fake, log: EventLog = log, schedule: Any = schedule
        ) -> None:
            how = StackSettings(schedule=schedule)
            lifecycle = Lifecycle(fake.nx, FakeInstances(fake), how, log.append)
            await lifecycle.start()
            await lifecycle.stop()

        run_virtually(main())
        began = {str(event.address): event.at for event in log if isinstance(event, NodeStarting)}
        name = "by_generation" if schedule == "generations" else "by_need"
        foretold = {one.address: getattr(one, name) for one in timings.nodes}
        assert foretold == pytest.approx(began)
        end = max((event.at for event in log if isinstance(event, NodeReady)), default=0.0)
        assert getattr(timings, f"total_{name}") == pytest.approx(end)
    assert all(one.slack >= 0 for one in timings.nodes)
    slack = {one.address: one.slack for one in timings.nodes}
    assert all(slack[address] == 0 for address in timings.critical_path)


_SECRETS = ("sk-literal-0123456789", "env-secret-0123456789", "pw-in-url-0123", "nested-9876543210")


@settings(max_examples=30)
@given(st.permutations(_SECRETS), st.sampled_from(["inline::told", "remote::openai"]))
def test_no_secret_is_in_any_form_of_a_plan(secrets: tuple[str, ...], kind: str) -> None:
    """Literal keys, values of variables, passwords in URLs and nested ones, changed ones too."""

    def graph(literal: str, variable: str, password: str, nested: str) -> RunGraph:
        entry = {
            "provider_id": "p",
            "provider_type": kind,
            "module": "fake_provider",
            "config": {
                "api_key": literal,
                "token": "${env.TOKEN}",
                "base_url": f"http://me:{password}@host/v1",
                "headers": [{"name": "Authorization", "value": nested}],
            },
        }
        return compile_config(
            {
                "metadata_store": {"password": literal, "url": f"pg://a:{password}@b"},
                "providers": {"inference": [entry]},
                "models": [{"model_id": "m", "provider_id": "p", "metadata": {"token": nested}}],
            },
            environment={"TOKEN": variable},
        )

    now, old = graph(*secrets), graph(*[f"old-{secret}" for secret in secrets])
    plan = make_plan(now, against=old, against_name="old", failed=[*now], durations={})
    saved = plan_to_json(sealed(plan, now, KEY, {"TOKEN": secrets[1]}))
    moved = moves_since(load_sealed(saved, KEY), old, KEY, {"TOKEN": f"old-{secrets[1]}"})
    assert moved
    forms = (render_plan(plan), plan_to_markdown(plan), plan_to_json(plan), saved, *moved)
    for form in forms:
        for secret in secrets:
            assert secret not in form

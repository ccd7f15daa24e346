"""What a failure is said to take with it, resources included, against what a stack really does."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.builders import entry
from tests.letters import LETTERS

from rungraph.engine import Stack, StackSettings
from rungraph.engine.errors import UnavailableResourceError
from rungraph.engine.events import State
from rungraph.graph import Address, RunGraph, compile_config
from rungraph.graph.failures import Failures, assume_failed
from rungraph.graph.resources import KnownResources, Resource

_ROUTED = ("inference", "memory")


async def _call(router: Any, resource: Resource) -> None:
    if resource.kind == "model":
        await router.embeddings(resource.qualified, [])
    else:
        await router.query_documents(resource.qualified, "a")


@st.composite
def _configs(draw: st.DrawFn) -> dict[str, Any]:
    """Models and memory banks on a few providers; banks name models by all their names."""
    names = draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True))
    inference = [
        entry(name, draw(st.sampled_from(["inline::told", "inline::silent"])), model=f"m-{name}")
        | {"restart": "never"}
        for name in names
    ]
    models = [
        {"model_id": alias, "provider_id": name, "provider_model_id": f"m-{name}"}
        for alias, name in draw(
            st.lists(st.tuples(st.sampled_from(["x", "y"]), st.sampled_from(names)), unique=True)
        )
    ]
    memories = draw(st.lists(st.sampled_from(["f", "g"]), unique=True))
    choices = [f"m-{name}" for name in names] + [f"{name}/m-{name}" for name in names]
    choices += [one["model_id"] for one in models]
    banks = [
        {
            "memory_bank_id": bank,
            "provider_id": draw(st.sampled_from(memories)),
            "type": "vector",
            "embedding_model": draw(st.sampled_from(choices)),
        }
        for bank in (draw(st.sets(st.sampled_from(["v", "w"]))) if memories else ())
    ]
    memory = [
        entry(name, draw(st.sampled_from(["inline::needy", "inline::own"]))) | {"restart": "never"}
        for name in memories
    ]
    providers = {"inference": inference, **({"memory": memory} if memory else {})}
    return {"providers": providers, "models": models, "memory_banks": banks}


class _Observed(NamedTuple):
    """What became of a stack."""

    down: set[Address]
    degraded: set[Address]
    served: set[Resource]
    refusals: Mapping[Resource, str]


def _graph(config: Mapping[str, Any], crashing: Collection[Address] = ()) -> RunGraph:
    providers = {
        api: [
            {**one, "config": {**one["config"], "crash": True}}
            if Address.provider(api, one["provider_id"]) in crashing
            else one
            for one in entries
        ]
        for api, entries in config["providers"].items()
    }
    return compile_config({**config, "providers": providers}, catalog=LETTERS, environment={})


async def _observe(graph: RunGraph, state_dir: str) -> _Observed:
    how = StackSettings(on_failure="degrade", state_dir=state_dir, refresh_interval=None)
    known = KnownResources(graph.nodes)
    served: set[Resource] = set()
    refusals: dict[Resource, str] = {}
    async with Stack(graph, how) as stack:
        states = stack.status()
        bad = {State.FAILED, State.SKIPPED}
        down = {one for one, state in states.items() if state in bad}
        for resource in known.configured:
            router = Address.router(resource.provider.api)
            if known.table_of(resource) in down:
                continue
            try:
                await _call(stack[router], resource)
            except UnavailableResourceError as error:
                refusals[resource] = str(error)
            else:
                served.add(resource)
        degraded = {one for one, state in states.items() if state is State.DEGRADED}
    return _Observed(down, degraded, served, refusals)


def _is_certain(graph: RunGraph) -> bool:
    """Whether every name in a resource means one that is known before a start."""
    return all(
        isinstance(one, Resource)
        for reference in KnownResources(graph.nodes).references()
        for one in reference.candidates
    )


def _check(failures: Failures, seen: _Observed, known: KnownResources, *, certain: bool) -> None:
    assert seen.down == set(failures.failed)
    told = {one for one in failures.resources if known.table_of(one) not in seen.down}
    assert told <= seen.refusals.keys()
    assert not certain or told == seen.refusals.keys()
    assert seen.degraded == {known.table_of(one) for one in seen.refusals}
    for resource in told:
        culprits = failures.resources[resource]
        assert "which failed" in seen.refusals[resource]
        assert any(f"{one.name}'" in seen.refusals[resource] for one in culprits) or not certain
    for api, word in failures.apis.items():
        if api in _ROUTED and word == "lost" and Address.router(api) not in seen.down:
            assert not {one for one in seen.served if one.provider.api == api}


@settings(max_examples=60)
@given(_configs(), st.data())
def test_a_failure_takes_with_it_what_it_is_said_to(
    config: dict[str, Any], data: st.DataObject
) -> None:
    """Nodes, resources and APIs that are said to be lost are, and no other.

    Where a bank's model can be of several providers that do not tell before a start, only what is
    said to be lost is certain.
    """
    graph = _graph(config)
    assume(not any(one.severity == "error" for one in graph.diagnostics))
    providers = [one for one in graph if one.name and one.name != "builtin"]
    crashing = data.draw(st.sets(st.sampled_from(providers)))
    failures = assume_failed(graph, crashing)
    with tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(_observe(_graph(config, crashing), folder))
    known = KnownResources(graph.nodes)
    _check(failures, seen, known, certain=_is_certain(graph))


_BANK_ON_EMB = {
    "providers": {
        "inference": [
            {"provider_id": "llm", "provider_type": "inline::told", "config": {"model": "m-llm"}},
            {"provider_id": "emb", "provider_type": "inline::told", "config": {"model": "m-emb"}},
        ],
        "memory": [{"provider_id": "f", "provider_type": "inline::needy", "config": {}}],
    },
    "models": [],
    "memory_banks": [{"memory_bank_id": "v", "type": "vector", "embedding_model": "m-emb"}],
}


def test_a_memory_whose_only_bank_has_lost_its_model_answers_no_more() -> None:
    """The API of which nothing is left to request is lost, though its provider and router run."""
    emb = Address.provider("inference", "emb")
    failures = assume_failed(_graph(_BANK_ON_EMB), [emb])
    assert failures.failed == (emb,)
    assert {str(one): causes for one, causes in failures.resources.items()} == {
        "memory_bank:v on f": (emb,)
    }
    assert (failures.apis["memory"], failures.apis["inference"]) == ("lost", "degraded")
    with tempfile.TemporaryDirectory() as folder:
        seen = asyncio.run(_observe(_graph(_BANK_ON_EMB, [emb]), folder))
    assert not seen.served
    assert [*seen.refusals.values()] == [
        "memory bank 'f/v' needs model 'm-emb', which is on 'emb', which failed"
    ]

"""From config to graph: which nodes, which edges, why, and in which order."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from tests.builders import builtin, catalog_of, run_config

from rungraph.graph import (
    Address,
    ProviderNode,
    RunGraph,
    Strength,
    compile_config,
    graph_to_json,
)

CATALOG = catalog_of(
    *("inference/models ?telemetry", "memory/memory_banks", "datasetio/datasets ?telemetry"),
    "inference remote::tgi",
    "memory inline::faiss inference",
    "agents inline::loop inference memory_banks",
    "datasetio inline::files",
    "telemetry inline::sinks ?datasetio",
    "telemetry inline::plain",
)
FOO = {"foo": "remote::tgi"}
FAISS = {"faiss": "inline::faiss"}
PLAIN = {"t": "inline::plain"}


def _compile(providers: dict[str, dict[str, str]], **more: Any) -> RunGraph:
    return compile_config(run_config(providers, **more), catalog=CATALOG, environment={})


def _edges(graph: RunGraph) -> list[tuple[str, str, str]]:
    return [(str(one.dependency), str(one.dependent), one.strength.value) for one in graph.edges]


def _codes(graph: RunGraph) -> list[str]:
    return [diagnostic.code for diagnostic in graph.diagnostics]


def test_two_providers_of_a_routed_api_meet_in_one_table_and_one_router() -> None:
    """Each provider is a member of the table, and the router needs the table."""
    graph = _compile({"inference": {**FOO, "bar": "remote::tgi"}})
    assert _edges(graph) == [
        ("provider:inference/bar", "table:models", "member"),
        ("provider:inference/foo", "table:models", "member"),
        ("table:models", "router:inference", "hard"),
    ]
    assert graph.apis == ("inference", "models")
    assert graph.diagnostics == ()
    # What a router cannot do without does not become optional by being listed as optional.
    catalog = catalog_of("inference/models ?models")
    graph = compile_config(run_config({"inference": {}}), catalog=catalog, environment={})
    assert _edges(graph) == [("table:models", "router:inference", "hard")]


def test_depending_on_a_routed_api_means_its_router_and_on_a_table_api_its_table() -> None:
    """agents needs inference (a router) and memory_banks (a table)."""
    graph = _compile({"inference": FOO, "memory": FAISS, "agents": {"loop": "inline::loop"}})
    needs = graph.dependencies_of("provider:agents/loop")
    assert [str(address) for address in needs] == ["router:inference", "table:memory_banks"]
    edge = graph.edge("router:inference", "provider:agents/loop")
    assert edge.evidence[0].text == "'inline::loop' needs inference"
    assert list(graph) == [node for generation in graph.generations() for node in generation]
    graph = _compile({"inference": FOO, "telemetry": PLAIN})
    assert graph.edge("provider:telemetry/t", "router:inference").strength is Strength.SOFT


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["datasetio", "inference", "telemetry"]))
)
def test_the_soft_cycle_loses_the_same_edge_in_every_order(order: tuple[str, ...]) -> None:
    """telemetry and the datasetio router use each other: always the edge into the router goes."""
    providers = {
        "datasetio": {"files": "inline::files"},
        "inference": FOO,
        "telemetry": {"sinks": "inline::sinks"},
    }
    graph = _compile({api: providers[api] for api in order})
    assert [str(edge) for edge in graph.dropped] == ["provider:telemetry/sinks -> router:datasetio"]
    assert _codes(graph) == ["G002"]
    assert graph.check() is graph
    assert graph_to_json(graph) == graph_to_json(_compile(providers))


def test_a_routed_api_without_running_providers_keeps_its_router() -> None:
    """Whoever needs inference still has its router when every provider is switched off."""
    config = run_config({"inference": {"${env.X:+foo}": "remote::tgi"}, "memory": FAISS})
    config["providers"]["inference"][0]["config"] = {"k": "${env.Y}"}
    graph = compile_config(config, catalog=CATALOG, environment={})
    assert _codes(graph) == ["G007"]
    assert "router:inference" in map(str, graph)
    [left_out] = graph.excluded
    assert (left_out.provider_id, left_out.reason) == ("${env.X:+foo}", "env_unset")
    assert left_out.address == Address.provider("inference", "foo")
    on = compile_config(config, catalog=CATALOG, environment={"X": "1", "Y": "2"})
    assert _codes(on) == []
    assert "provider:inference/foo" in map(str, on)


@pytest.mark.parametrize(
    ("provider_id", "reason", "detail"),
    [
        (None, "disabled", "provider_id is null"),
        ("__disabled__", "disabled", "provider_id is __disabled__"),
        (
            "${env.NOT_SET:=__disabled__}",
            "env_unset",
            "provider_id is ${env.NOT_SET:=__disabled__} and NOT_SET is not set",
        ),
    ],
)
def test_null_and_disabled_switch_a_provider_off(
    provider_id: str | None, reason: str, detail: str
) -> None:
    """The idioms that switch an entry off all leave it out without a word about its other keys."""
    entry = {"provider_id": provider_id, "provider_type": "no::such"}
    graph = compile_config({"providers": {"telemetry": [entry]}}, catalog=CATALOG, environment={})
    assert [(one.reason, one.detail) for one in graph.excluded] == [(reason, detail)]
    assert [one.address for one in graph.excluded] == [None]
    assert "C021" not in _codes(graph)


def test_a_provider_that_is_not_served_is_left_out_unless_it_is_needed() -> None:
    """'apis' without inference: needed by memory it stays, telemetry goes; both are said."""
    graph = _compile({"inference": FOO, "memory": FAISS, "telemetry": PLAIN}, apis=["memory"])
    assert "provider:inference/foo" in map(str, graph)
    assert "provider:telemetry/t" not in map(str, graph)
    assert graph.apis == ("memory", "memory_banks")
    assert [(one.code, one.severity.value) for one in graph.diagnostics] == [
        ("G005", "warning"),
        ("G005", "note"),
    ]


def test_a_resource_without_provider_goes_to_the_only_one() -> None:
    """With one provider there is no question which one serves a resource."""
    graph = _compile({"inference": FOO}, models=[{"model_id": "m", "provider_model_id": "org/m"}])
    (one,) = graph.resources
    assert (one.identifier, one.provider_id, one.provider_resource_id) == ("m", "foo", "org/m")


def test_a_module_in_the_config_needs_no_catalog() -> None:
    """A provider can name its module and what it depends on."""
    config = run_config({"telemetry": {"mine": "inline::mine"}, "inference": FOO})
    config["providers"]["telemetry"][0] |= {
        "module": "my_package.provider",
        "dependencies": ["inference"],
    }
    graph = compile_config(config, catalog=CATALOG, environment={})
    node = graph["provider:telemetry/mine"]
    assert isinstance(node, ProviderNode)
    assert node.spec is not None
    assert node.spec.module == "my_package.provider"
    assert "router:inference" in map(str, graph.dependencies_of(node.address))


def test_the_builtin_provider_is_always_there() -> None:
    """An API with a builtin type is served without being configured."""
    catalog = builtin("inspect", "inline::inspect")
    graph = compile_config({"providers": {}}, catalog=catalog, environment={})
    assert [str(address) for address in graph] == ["provider:inspect/builtin"]
    assert graph.apis == ("inspect",)


def test_text_and_mapping_and_file_compile_alike(tmp_path: Path) -> None:
    """A path, its text and the same mapping give the same nodes and edges."""
    text = "providers:\n  inference:\n  - {provider_id: foo, provider_type: 'remote::tgi'}\n"
    path = tmp_path / "run.yaml"
    path.write_text(text)
    graphs = [
        compile_config(source, catalog=CATALOG, environment={})
        for source in (text, path, str(path), run_config({"inference": FOO}))
    ]
    assert len({tuple(_edges(graph)) for graph in graphs}) == 1
    assert str(graphs[0]["provider:inference/foo"].place) == "<text>:3:5"  # type: ignore[union-attr]


def test_a_bad_config_still_gives_a_graph() -> None:
    """Whatever is wrong, what can be made out is in it; a wrong address gets the nearest."""
    with pytest.raises(KeyError, match="did you mean 'router:inference'"):
        _compile({"inference": FOO})["router:inferense"]
    graph = _compile({"inference": {**FOO, "odd": "no::such"}, "nothing": {"a": "b"}})
    assert [str(address) for address in graph if address.kind == "provider"] == [
        "provider:inference/foo",
        "provider:inference/odd",
        "provider:nothing/a",
    ]
    assert sorted(_codes(graph)) == ["C020", "C021"]


def test_a_wrong_value_is_named_by_its_keys_and_an_empty_id_is_no_switch() -> None:
    """The path has the keys and indexes of the file; only the environment switches off."""
    graph = compile_config({"version": [2], "apis": ["x", 3], "providers": {}}, environment={})
    assert sorted(one.path for one in graph.diagnostics) == ["apis[0]", "apis[1]", "version"]
    graph = _compile({"inference": {"": "remote::tgi"}})
    (problem,) = graph.diagnostics
    assert problem.message == (
        "'providers.inference[0].provider_id' must be text of at least one character, "
        "not an empty text"
    )
    assert graph.excluded == ()


def test_an_id_that_two_keys_of_the_oldest_format_share_is_used_twice() -> None:
    """One entry alone and one in a list: both stand somewhere, and the later is the second."""
    config = {
        "routing_table": {"inference": [{"provider_type": "remote::tgi"}]},
        "provider_map": {"inference": {"provider_type": "remote::tgi"}},
    }
    graph = compile_config(config, catalog=CATALOG, environment={})
    [problem] = [one for one in graph.diagnostics if one.code == "C023"]
    assert problem.path == "routing_table.inference[0]"


def test_an_id_that_is_used_again_and_again_is_first_used_where_it_stands_first() -> None:
    """And what it could be called instead is no id of another."""
    ids = ("a", "a", "a-2", "a")
    entries = "".join(f"\n  - {{provider_id: {one}, provider_type: remote::tgi}}" for one in ids)
    graph = compile_config(f"providers:\n  inference:{entries}\n", catalog=CATALOG)
    found = [one for one in graph.diagnostics if one.code == "C023"]
    assert [one.place and one.place.line for one in found] == [4, 6]
    assert {place.line for one in found for place, _ in one.related} == {3}
    assert [one.help[0] for one in found] == [
        f"give one of them another id, such as 'a-{free}'" for free in (3, 4)
    ]

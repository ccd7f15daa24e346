"""From config to graph: which nodes, which edges, why, and in which order."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from rungraph.graph import (
    Address,
    ApiSpec,
    Catalog,
    ProviderNode,
    ProviderSpec,
    RoutedPair,
    RunGraph,
    Strength,
    TableNode,
    compile_config,
)
from rungraph.graph.plan.graph_json import graph_to_json

CATALOG = Catalog.of(
    apis=[
        ApiSpec("inference", "x:Inference"),
        ApiSpec("models", "x:Models"),
        ApiSpec("memory", "x:Memory"),
        ApiSpec("memory_banks", "x:MemoryBanks"),
        ApiSpec("datasetio", "x:DatasetIO"),
        ApiSpec("datasets", "x:Datasets"),
        ApiSpec("agents", "x:Agents"),
        ApiSpec("telemetry", "x:Telemetry"),
    ],
    pairs=[
        RoutedPair(
            "inference", "models", "model", "model", "x:Model", optional_dependencies=("telemetry",)
        ),
        RoutedPair("memory", "memory_banks", "memory_bank", "bank_id", "x:Bank"),
        RoutedPair(
            "datasetio",
            "datasets",
            "dataset",
            "dataset_id",
            "x:Dataset",
            optional_dependencies=("telemetry",),
        ),
    ],
    providers=[
        ProviderSpec("inference", "remote::tgi", "x.tgi"),
        ProviderSpec("memory", "inline::faiss", "x.faiss", dependencies=("inference",)),
        ProviderSpec(
            "agents", "inline::loop", "x.loop", dependencies=("inference", "memory_banks")
        ),
        ProviderSpec("datasetio", "inline::files", "x.files"),
        ProviderSpec("telemetry", "inline::sinks", "x.sinks", optional_dependencies=("datasetio",)),
        ProviderSpec("telemetry", "inline::plain", "x.plain"),
    ],
)


def _compile(providers: dict[str, list[tuple[str, str]]], **more: Any) -> RunGraph:
    config = {
        "providers": {
            api: [{"provider_id": name, "provider_type": kind} for name, kind in entries]
            for api, entries in providers.items()
        },
        **more,
    }
    return compile_config(config, catalog=CATALOG, environment={})


def _edges(graph: RunGraph) -> list[tuple[str, str, str]]:
    return [
        (str(edge.dependency), str(edge.dependent), edge.strength.value) for edge in graph.edges
    ]


def _codes(graph: RunGraph) -> list[str]:
    return [diagnostic.code for diagnostic in graph.diagnostics]


def test_two_providers_of_a_routed_api_meet_in_one_table_and_one_router() -> None:
    """Each provider is a member of the table, and the router needs the table."""
    graph = _compile({"inference": [("foo", "remote::tgi"), ("bar", "remote::tgi")]})
    assert _edges(graph) == [
        ("provider:inference/bar", "table:models", "member"),
        ("provider:inference/foo", "table:models", "member"),
        ("table:models", "router:inference", "hard"),
    ]
    assert graph.apis == ("inference", "models")
    assert graph.diagnostics == ()


def test_a_router_that_lists_its_own_table_still_needs_it() -> None:
    """What a router cannot do without does not become optional by being listed as optional."""
    catalog = Catalog.of(
        apis=[ApiSpec("inference", "x:I"), ApiSpec("models", "x:M")],
        pairs=[
            RoutedPair(
                "inference", "models", "model", "m", "x:M", optional_dependencies=("models",)
            )
        ],
    )
    graph = compile_config(
        {"apis": ["inference"], "providers": {}}, catalog=catalog, environment={}
    )
    assert _edges(graph) == [("table:models", "router:inference", "hard")]


def test_depending_on_a_routed_api_means_its_router_and_on_a_table_api_its_table() -> None:
    """agents needs inference (a router) and memory_banks (a table)."""
    graph = _compile(
        {
            "inference": [("foo", "remote::tgi")],
            "memory": [("faiss", "inline::faiss")],
            "agents": [("loop", "inline::loop")],
        }
    )
    needs = graph.dependencies_of("provider:agents/loop")
    assert [str(address) for address in needs] == ["router:inference", "table:memory_banks"]
    assert (
        graph.edge("router:inference", "provider:agents/loop").evidence[0].text
        == "'inline::loop' needs inference"
    )


def test_generations_start_with_what_needs_nothing() -> None:
    """The nodes of a generation need only earlier ones, and iteration follows them."""
    graph = _compile(
        {"inference": [("foo", "remote::tgi")], "memory": [("faiss", "inline::faiss")]}
    )
    assert [[str(node) for node in generation] for generation in graph.generations()] == [
        ["provider:inference/foo"],
        ["table:models"],
        ["router:inference"],
        ["provider:memory/faiss"],
        ["table:memory_banks"],
        ["router:memory"],
    ]
    assert list(graph) == [node for generation in graph.generations() for node in generation]


def test_telemetry_is_a_soft_dependency_of_a_router() -> None:
    """A router waits for telemetry when it is there."""
    graph = _compile({"inference": [("foo", "remote::tgi")], "telemetry": [("t", "inline::plain")]})
    assert graph.edge("provider:telemetry/t", "router:inference").strength is Strength.SOFT


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["datasetio", "inference", "telemetry"]))
)
def test_the_soft_cycle_loses_the_same_edge_in_every_order(order: tuple[str, ...]) -> None:
    """telemetry and the datasetio router use each other: always the edge into the router goes."""
    providers = {
        "datasetio": [("files", "inline::files")],
        "inference": [("foo", "remote::tgi")],
        "telemetry": [("sinks", "inline::sinks")],
    }
    graph = _compile({api: providers[api] for api in order})
    assert [str(edge) for edge in graph.dropped] == ["provider:telemetry/sinks -> router:datasetio"]
    assert _codes(graph) == ["G002"]
    assert graph.check() is graph
    assert graph_to_json(graph) == graph_to_json(_compile(providers))


def test_a_routed_api_without_running_providers_keeps_its_router() -> None:
    """Whoever needs inference still has its router when every provider is switched off."""
    config = {
        "providers": {
            "inference": [
                {
                    "provider_id": "${env.X:+foo}",
                    "provider_type": "remote::tgi",
                    "config": {"k": "${env.Y}"},
                }
            ],
            "memory": [{"provider_id": "faiss", "provider_type": "inline::faiss"}],
        }
    }
    graph = compile_config(config, catalog=CATALOG, environment={})
    assert _codes(graph) == ["G007"]
    assert "router:inference" in map(str, graph)
    assert [(one.provider_id, one.reason) for one in graph.excluded] == [
        ("${env.X:+foo}", "env_unset")
    ]
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
    config = {
        "providers": {"telemetry": [{"provider_id": provider_id, "provider_type": "no::such"}]}
    }
    graph = compile_config(config, catalog=CATALOG, environment={})
    assert [(one.reason, one.detail) for one in graph.excluded] == [(reason, detail)]
    assert "C021" not in _codes(graph)


def test_a_provider_that_is_not_served_is_left_out_unless_it_is_needed() -> None:
    """'apis' without inference: needed by memory it stays, telemetry goes; both are said."""
    graph = _compile(
        {
            "inference": [("foo", "remote::tgi")],
            "memory": [("faiss", "inline::faiss")],
            "telemetry": [("t", "inline::plain")],
        },
        apis=["memory"],
    )
    assert "provider:inference/foo" in map(str, graph)
    assert "provider:telemetry/t" not in map(str, graph)
    assert graph.apis == ("memory", "memory_banks")
    assert [(one.code, one.severity.value) for one in graph.diagnostics] == [
        ("G005", "warning"),
        ("G005", "note"),
    ]


def test_a_resource_without_provider_goes_to_the_only_one() -> None:
    """With one provider there is no question which one serves a resource."""
    graph = _compile(
        {"inference": [("foo", "remote::tgi")]},
        models=[{"model_id": "m", "provider_model_id": "org/m"}],
    )
    table = graph["table:models"]
    assert isinstance(table, TableNode)
    (resource,) = table.resources
    assert (resource.identifier, resource.provider_id, resource.provider_resource_id) == (
        "m",
        "foo",
        "org/m",
    )


def test_a_module_in_the_config_needs_no_catalog() -> None:
    """A provider can name its module and what it depends on."""
    entry = {
        "provider_id": "mine",
        "provider_type": "inline::mine",
        "module": "my_package.provider",
        "dependencies": ["inference"],
    }
    config = {
        "providers": {
            "telemetry": [entry],
            "inference": [{"provider_id": "foo", "provider_type": "remote::tgi"}],
        }
    }
    graph = compile_config(config, catalog=CATALOG, environment={})
    node = graph["provider:telemetry/mine"]
    assert isinstance(node, ProviderNode)
    assert node.spec is not None
    assert node.spec.module == "my_package.provider"
    assert "router:inference" in map(str, graph.dependencies_of(node.address))


def test_the_builtin_provider_is_always_there() -> None:
    """An API with a builtin type is served without being configured."""
    catalog = Catalog.of(
        apis=[ApiSpec("inspect", "x:Inspect", builtin="inline::inspect")],
        providers=[ProviderSpec("inspect", "inline::inspect", "x.inspect")],
    )
    graph = compile_config({"providers": {}}, catalog=catalog, environment={})
    assert [str(address) for address in graph] == ["provider:inspect/builtin"]
    assert graph.apis == ("inspect",)


def test_text_and_mapping_and_file_compile_alike(tmp_path: Any) -> None:
    """A path, its text and the same mapping give the same nodes and edges."""
    text = "providers:\n  inference:\n  - {provider_id: foo, provider_type: 'remote::tgi'}\n"
    path = tmp_path / "run.yaml"
    path.write_text(text)
    mapping = {"providers": {"inference": [{"provider_id": "foo", "provider_type": "remote::tgi"}]}}
    graphs = [
        compile_config(source, catalog=CATALOG, environment={})
        for source in (text, path, str(path), mapping)
    ]
    assert len({tuple(_edges(graph)) for graph in graphs}) == 1
    assert str(graphs[0]["provider:inference/foo"].place) == "<text>:3:5"  # type: ignore[union-attr]


def test_a_bad_config_still_gives_a_graph() -> None:
    """Whatever is wrong, what can be made out is in the graph."""
    graph = _compile(
        {"inference": [("foo", "remote::tgi"), ("odd", "no::such")], "nothing": [("a", "b")]}
    )
    assert [str(address) for address in graph if address.kind == "provider"] == [
        "provider:inference/foo",
        "provider:inference/odd",
        "provider:nothing/a",
    ]
    assert sorted(_codes(graph)) == ["C020", "C021"]


def test_an_address_that_is_not_there_is_answered_with_the_nearest() -> None:
    """A typo in an address is a KeyError that says what there is."""
    graph = _compile({"inference": [("foo", "remote::tgi")]})
    with pytest.raises(KeyError, match="did you mean 'router:inference'"):
        graph["router:inferense"]
    assert Address.router("inference") in graph


def test_an_empty_id_is_a_mistake_and_no_switch() -> None:
    """What is written as an empty text is reported; only the environment switches off."""
    graph = _compile({"inference": [("", "remote::tgi")]})
    (problem,) = graph.diagnostics
    assert problem.message == (
        "'providers.inference[0].provider_id' must be text of at least one character, "
        "not an empty text"
    )
    assert graph.excluded == ()


def test_a_value_of_the_wrong_type_is_named_by_its_keys() -> None:
    """The path of a problem has the keys and indexes of the file and nothing else."""
    graph = compile_config({"version": [2], "apis": ["x", 3], "providers": {}}, environment={})
    assert sorted(one.path for one in graph.diagnostics) == ["apis[1]", "version"]

"""The catalog of Llama Stack's releases, and what it makes of a config of each era."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from tests.builders import run_config
from tests.unit.graph.catalog.eras import DECEMBER_2024, ERAS, OCTOBER_2024, SEPTEMBER_2025
from tools.extend_catalog import extend, written

from rungraph.graph import Catalog, RunGraph, Severity, compile_config
from rungraph.graph.catalog import choice
from rungraph.graph.catalog.choice import shipped_history
from rungraph.graph.catalog.discovery import load_history
from rungraph.graph.catalog.external import INDEX
from rungraph.graph.diagnostics import errors_in
from rungraph.graph.placeholders import placeholders

HISTORY = shipped_history()


def _graph(text: str, catalog: Catalog | str | None = "llama-stack") -> RunGraph:
    """Return the graph of *text* with every variable that it needs set."""
    needed = {
        placeholder.name: f"value-of-{placeholder.name}"
        for placeholder in placeholders(text)
        if not placeholder.operator
    }
    return compile_config(text, catalog=catalog, environment=needed)


def _worth_a_minute(graph: RunGraph) -> list[tuple[str, str]]:
    return [
        (one.code, one.message) for one in graph.diagnostics if one.severity is not Severity.NOTE
    ]


# --- what the shipped catalog says ---------------------------------------------------------------


def test_the_newest_release_has_64_types_in_12_apis_and_7_pairs() -> None:
    """Beside those, what every stack has without configuring it."""
    catalog = HISTORY.at("0.2.20")
    builtin = {name for name, api in catalog.apis.items() if api.builtin}
    types = [spec for spec in catalog.providers.values() if spec.api not in builtin]
    assert len(types) == 64
    assert len(catalog.providable_apis) == 12
    assert {spec.api for spec in types} == set(catalog.providable_apis)
    assert [(pair.router_api, pair.table_api) for pair in catalog.pairs] == [
        ("datasetio", "datasets"),
        ("eval", "benchmarks"),
        ("inference", "models"),
        ("safety", "shields"),
        ("scoring", "scoring_functions"),
        ("tool_runtime", "tool_groups"),
        ("vector_io", "vector_dbs"),
    ]
    assert builtin == {"inspect", "providers"}
    deprecated = {(spec.api, spec.provider_type) for spec in types if spec.deprecated}
    assert deprecated == {
        ("vector_io", "inline::meta-reference"),
        ("vector_io", "inline::sqlite_vec"),
    }


@pytest.mark.parametrize("release", HISTORY.releases)
def test_every_release_is_a_catalog_without_contradictions(release: str) -> None:
    """What a type needs is an API of the same release, and so is what took an older one's place."""
    catalog = HISTORY.at(release)
    assert catalog.problems == ()
    for spec in catalog.providers.values():
        assert {*spec.dependencies, *spec.optional_dependencies} <= catalog.apis.keys()
        assert spec.api in catalog.apis
    for pair in catalog.pairs:
        assert {pair.router_api, pair.table_api, *pair.optional_dependencies} <= catalog.apis.keys()


def test_a_successor_is_there_in_some_release() -> None:
    """Nobody is sent after a type that there never was."""
    for spec in HISTORY.providers:
        if spec.successor:
            api, slash, name = spec.successor.partition("/")
            assert HISTORY.knows(api, name) if slash else HISTORY.knows(spec.api, spec.successor)
    for known in HISTORY.apis:
        assert not known.successor or HISTORY.knows(known.successor)


@pytest.mark.parametrize(
    ("release", "api", "provider_type", "hard", "soft"),
    [
        ("0.0.57", "telemetry", "inline::meta-reference", "", ""),
        ("0.0.61", "telemetry", "inline::meta-reference", "datasetio", ""),
        ("0.2.20", "telemetry", "inline::meta-reference", "", "datasetio"),
        ("0.0.40", "agents", "meta-reference", "inference safety memory", ""),
        ("0.0.63", "agents", "inline::meta-reference", "inference safety memory memory_banks", ""),
        ("0.2.20", "eval", "inline::meta-reference", "datasetio datasets scoring inference agents",
         ""),
        ("0.2.10", "vector_io", "inline::faiss", "inference", ""),
        ("0.2.11", "vector_io", "inline::faiss", "inference", "files"),
    ],
)  # fmt: skip
def test_dependencies_are_those_of_the_release(
    release: str, api: str, provider_type: str, hard: str, soft: str
) -> None:
    """A type can need more, or less, from one release to the next."""
    spec = HISTORY.at(release).providers[api, provider_type]
    assert (spec.dependencies, spec.optional_dependencies) == (
        tuple(hard.split()),
        tuple(soft.split()),
    )


# --- configs of each era -------------------------------------------------------------------------


@pytest.mark.parametrize("release", ERAS)
def test_a_config_of_each_era_is_fine(release: str) -> None:
    """No release is named anywhere, nothing is installed, and there is nothing to complain of."""
    graph = _graph(ERAS[release])
    assert {code for code, _ in _worth_a_minute(graph)} <= {"C027", "G005"}
    assert release == "0.0.52" or not _worth_a_minute(graph)
    assert (graph.catalog.name, graph.catalog.release) == ("llama-stack", release)
    assert {one.reason for one in graph.excluded} <= {"env_unset", "not_served"}


def test_what_is_told_of_the_first_era_is_true() -> None:
    """It lists telemetry among the providers and not among the APIs, and memory has a new name."""
    assert _worth_a_minute(_graph(OCTOBER_2024)) == [
        ("C027", "provider type 'meta-reference' is deprecated")
    ]


@pytest.mark.parametrize("release", ERAS)
def test_the_release_does_not_depend_on_yaml_order(release: str) -> None:
    """The same config the other way round is of the same release and gives the same graph."""

    def reversed_(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: reversed_(value[key]) for key in reversed(value)}
        return [reversed_(one) for one in reversed(value)] if isinstance(value, list) else value

    config: dict[str, Any] = yaml.safe_load(ERAS[release])
    there, back = (
        compile_config(one, catalog="llama-stack", environment={})
        for one in (config, reversed_(config))
    )
    assert there.catalog.release == back.catalog.release == release
    assert (there.nodes.keys(), there.edges) == (back.nodes.keys(), back.edges)


def test_a_pinned_release_counts() -> None:
    """With @, the config does not choose."""
    graph = _graph(SEPTEMBER_2025, "llama-stack@0.2.17")
    assert graph.catalog.release == "0.2.17"
    assert [one.help[:2] for one in graph.diagnostics if one.code == "C020"] == [
        (
            "'batches' is an API in releases 0.2.18 to ogx 1.5.0",
            "this config is read as llama-stack 0.2.17",
        )
    ] * 2


def test_missing_dependencies_of_the_time_are_told() -> None:
    """Telemetry of 0.0.58 to 0.0.63, known by its config, could not start without datasetio."""
    config = yaml.safe_load(DECEMBER_2024)
    config["apis"] = ["inference", "telemetry"]
    config["providers"] = {api: config["providers"][api] for api in ("inference", "telemetry")}
    # What makes it a config of the time: without it, it could be one of today.
    config["providers"]["inference"].append(
        {"provider_id": "old", "provider_type": "inline::meta-reference-quantized", "config": {}}
    )
    config["providers"]["memory"] = [
        {"provider_id": "faiss", "provider_type": "inline::faiss", "config": {}}
    ]
    config["apis"].append("memory")
    environment = {"INFERENCE_MODEL": "m", "SAFETY_MODEL": "s"}
    del config["shields"], config["models"]
    graph = compile_config(config, catalog="llama-stack", environment=environment)
    assert graph.catalog.release == "0.0.63"
    assert _worth_a_minute(graph) == [
        (
            "G003",
            (
                "'provider:telemetry/meta-reference' needs datasetio, "
                "and 'apis' does not list datasetio"
            ),
        )
    ]
    config["providers"]["telemetry"][0]["config"] = {}
    graph = compile_config(config, catalog="llama-stack", environment=environment)
    assert graph.catalog.release == "0.0.57"
    assert _worth_a_minute(graph) == []


def test_a_config_between_the_eras_is_told_what_does_not_go_together() -> None:
    """The API memory went in the release that brought sambanova."""
    config = yaml.safe_load(DECEMBER_2024)
    config["providers"]["inference"][0]["provider_type"] = "remote::sambanova"
    graph = compile_config(
        config, catalog="llama-stack", environment={"INFERENCE_MODEL": "m", "SAFETY_MODEL": "s"}
    )
    [problem] = errors_in(graph.diagnostics)
    assert problem.message == "'remote::sambanova' is not a provider type of inference"
    assert problem.help == (
        "'remote::sambanova' is a type of inference in releases 0.1.0 to ogx 1.5.0",
        "no release has it together with the API 'memory', which is in releases 0.0.35 to 0.0.63",
        (
            "this config is read as llama-stack 0.0.63, told by the key 'memory_banks' (up to "
            "0.0.63) and the key 'service_name' of telemetry/inline::meta-reference (from 0.0.58)"
        ),
    )


def test_names_that_went_are_told_with_what_came_then() -> None:
    """An API and a type of a config that is otherwise of today."""
    config = yaml.safe_load(SEPTEMBER_2025)
    config["providers"]["inference"].append(
        {"provider_id": "v", "provider_type": "inline::vllm", "config": {}}
    )
    config["providers"]["memory"] = []
    graph = compile_config(config, catalog="llama-stack", environment={})
    hints = {one.code: one.help for one in errors_in(graph.diagnostics)}
    assert hints["C020"] == (
        "'memory' was an API in releases 0.0.35 to 0.0.63; since then it is 'vector_io'",
        (
            "no release has it together with the API 'batches', which is in releases 0.2.18 to "
            "ogx 1.5.0"
        ),
        (
            "this config is read as llama-stack 0.2.24, told by the key 'sinks' of "
            "telemetry/inline::meta-reference (up to 0.2.24) and 'inline::reference' of batches "
            "(from 0.2.18)"
        ),
    )
    assert hints["C021"][0] == (
        "'inline::vllm' was a type of inference in releases 0.0.53 to 0.2.15; "
        "since then it is 'remote::vllm'"
    )


def test_names_that_came_later_have_no_successor_yet() -> None:
    """What took their place in the end is no help to an earlier release."""
    config = run_config({"inference": {"v": "inline::vllm"}})
    graph = compile_config(config, catalog="llama-stack@0.0.50", environment={})
    [problem] = [one for one in graph.diagnostics if one.code == "C021"]
    assert problem.help == (
        "'inline::vllm' is a type of inference in releases 0.0.53 to 0.2.15",
        "this config is read as llama-stack 0.0.50",
    )


def test_a_duplicate_id_is_the_true_reason() -> None:
    """A safety provider pasted below inference takes the place of the one with its id."""
    config = yaml.safe_load(SEPTEMBER_2025)
    again = {"provider_id": "openai", "provider_type": "remote::openai", "config": {"shield": "x"}}
    config["providers"]["inference"].append(again)
    graph = compile_config(config, catalog="llama-stack", environment={})
    assert _worth_a_minute(graph) == [
        (
            "C023",
            (
                "provider id 'openai' is used twice in inference; "
                "llama-stack 0.2.24 takes the last one"
            ),
        )
    ]


def test_all_required_variables_are_told_at_once() -> None:
    """Each is one error."""
    graph = compile_config(DECEMBER_2024, catalog="llama-stack", environment={})
    assert _worth_a_minute(graph) == [
        ("E001", "the environment variable 'INFERENCE_MODEL' is not set"),
        ("E001", "the environment variable 'SAFETY_MODEL' is not set"),
    ]


def test_a_default_of_null_ends_the_start_of_two_releases() -> None:
    """They look for a home folder in it; others take the word as text."""
    config = yaml.safe_load(DECEMBER_2024)
    config["image_name"] = "${env.NAME:null}"
    for release, is_refused in (("0.0.61", False), ("0.0.63", True), ("0.1.0", False)):
        graph = compile_config(config, catalog=f"llama-stack@{release}", environment={})
        told = [one.message for one in graph.diagnostics if one.code == "E001"]
        assert ("the environment variable 'NAME' is not set" in told) == is_refused
        assert ("NAME" in {use.name for use in graph.variables if use.is_required}) == is_refused


def test_the_release_is_one_that_reads_the_sections_of_a_config() -> None:
    """What newer ones that fit as well would end their start at is told."""
    config = yaml.safe_load("""
        version: 2
        image_name: demo
        apis: [inference]
        providers: {inference: [{provider_id: v, provider_type: "remote::vllm", config: {}}]}
        storage:
          backends:
            kv_default: {type: kv_sqlite, db_path: a}
            sql_default: {type: sql_sqlite, db_path: a}
          stores: {prompts: {namespace: p, backend: kv_default}}
        vector_stores:
          file_search_params: {header_template: "knowledge_search {num_chunks}"}
    """)
    graph = compile_config(config, catalog="llama-stack", environment={})
    assert graph.catalog.full_name == "llama-stack 0.6.1"
    assert graph.catalog.told_by.endswith(
        "the newest under which it starts: under ogx 0.8.0, which fits as well, "
        "'vector_stores.file_search_params.header_template' must be text with '{num_chunks}' and "
        "'file_search' in it"
    )
    assert errors_in(graph.diagnostics) == ()
    config["server"] = {"port": 80}
    graph = compile_config(config, catalog="llama-stack", environment={})
    # Wrong in all of them, so the newest is taken.
    assert graph.catalog.full_name == "ogx 0.8.0"


def test_the_shipped_file_is_read_as_any_other() -> None:
    """Reading it without places gives the same specs."""
    file = Path(choice.__file__).parent / "llama-stack.json"
    other = load_history(file, origin=HISTORY.name)
    assert other == HISTORY


def test_the_shipped_file_is_as_the_tool_writes_it() -> None:
    """A release that the tool adds changes no other line of it."""
    text = (Path(choice.__file__).parent / "llama-stack.json").read_text("utf-8")
    assert text == written(json.loads(text))


def test_what_a_type_needs_is_that_of_the_release() -> None:
    """What all releases of an entry need stands there; what only some need is looked up."""
    vector_store = {"chardet", "pypdf", "tqdm", "numpy", "scikit-learn", "scipy", "nltk",
                    "sentencepiece", "transformers", "blobfile", "sentence-transformers", "torch",
                    f"{INDEX} https://download.pytorch.org/whl/cpu"}  # fmt: skip
    for release, api, name, packages in (
        ("0.1.1", "vector_io", "remote::qdrant", {"qdrant-client", *vector_store}),
        ("0.1.3", "vector_io", "remote::qdrant", {"qdrant-client", "torchvision", *vector_store}),
        ("0.1.4", "vector_io", "remote::qdrant", {"qdrant-client"}),
        ("0.4.7", "vector_io", "remote::qdrant", {"qdrant-client", "chardet", "pypdf>=6.7.2"}),
        ("0.2.12", "tool_runtime", "remote::model-context-protocol", {"mcp"}),
        ("0.2.24", "inference", "remote::watsonx", {"ibm_watsonx_ai"}),
        ("ogx@1.5.0", "inference", "remote::watsonx", set()),
    ):
        spec = HISTORY.at(release).provider(api, name)
        assert spec is not None
        assert {*spec.packages} == packages


def test_modules_are_where_they_were_then() -> None:
    """A module that moved, and a config class of another name, are those of the release."""
    for release, api, name, module, config_class in (
        ("0.2.16", "inspect", "inline::inspect", "llama_stack.distribution.inspect", ""),
        ("0.0.49", "inference", "remote::tgi", "llama_stack.providers.adapters.inference.tgi",
         "llama_stack.providers.adapters.inference.tgi:TGIImplConfig"),
        ("0.1.2", "vector_io", "remote::qdrant", "llama_stack.providers.remote.vector_io.qdrant",
         "llama_stack.providers.remote.vector_io.qdrant:QdrantConfig"),
    ):  # fmt: skip
        spec = HISTORY.at(release).provider(api, name)
        assert spec is not None
        assert (spec.module, spec.config_class) == (module, config_class)


def test_a_package_of_the_catalog_is_one_requirement_or_an_index() -> None:
    """A line of options, as the registries have them, could not be handed to pip."""
    found = {package for spec in HISTORY.providers for package in spec.packages}
    for package in found.union(*(spec.packages for spec in HISTORY.installs)):
        option, _, url = package.partition(" ")
        assert (option == INDEX and url.startswith("https://")) or Requirement(package)


def test_a_release_is_added_with_what_it_installs() -> None:
    """What not all releases of an entry need is told once for the types that need it then.

    A release that is there already is corrected, and others keep what they have.
    """
    names = ["remote::a", "remote::b", "remote::c"]
    rows = [{"api": "inference", "provider_type": name, "packages": ["x"]} for name in names]
    data: dict[str, Any] = {
        "name": "llama-stack", "releases": ["1", "2"], "apis": [], "pairs": [], "installs": [],
        "providers": rows,
    }  # fmt: skip
    for release, between, packages in (
        ("3", [], [["x", "y"], ["y"], ["x"]]), ("5", ["4"], [["x"], ["y"], ["x"]]),
        ("1", [], [["x"], ["x"], ["x", "z"]]),
    ):  # fmt: skip
        entries = [{**row, "packages": new} for row, new in zip(rows, packages, strict=True)]
        extend(data, release, between, {"apis": [], "pairs": [], "providers": entries})
    assert data["installs"] == [
        {"types": ["inference/remote::c"], "packages": ["z"], "releases": "1"},
        {"types": ["inference/remote::b"], "packages": ["x"], "releases": "1..2"},
        {"types": ["inference/remote::a"], "packages": ["y"], "releases": "3..4"},
        {"types": ["inference/remote::b"], "packages": ["y"], "releases": "3.."},
    ]
    assert [row.get("packages") for row in data["providers"]] == [["x"], None, ["x"]]

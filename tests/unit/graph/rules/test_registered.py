"""What a release has registered before it registers what needs it, as its own start finds it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.graph.rules.sections import config_with, errors_of

from rungraph.graph import compile_config

_EMBEDDING = {"model_type": "embedding", "metadata": {"embedding_dimension": 3}}


def _config(release: str, models: list[dict[str, Any]], wanted: str, **sections: Any) -> str:
    """Return a config with *models* and a vector store that needs one called *wanted*."""
    is_old = release.startswith("llama-stack@0.2.")
    store = {"embedding_model": wanted, "embedding_dimension": 3, "provider_id": "c"}
    lists = {
        "models": models,
        **({"vector_dbs": [{"vector_db_id": "v", **store}]} if is_old and wanted else {}),
        **({"vector_stores": [{"vector_store_id": "v", **store}]} if wanted and not is_old else {}),
    }
    return config_with(
        apis=["inference", "vector_io"],
        providers={
            "inference": [
                {"provider_id": "o", "provider_type": "remote::ollama"},
                {"provider_id": "${env.OFF:+p}", "provider_type": "remote::vllm"},
            ],
            "vector_io": [{"provider_id": "c", "provider_type": "remote::chromadb"}],
        },
        **(lists if is_old else {"registered_resources": lists}),
        **sections,
    )


@pytest.mark.parametrize(
    ("release", "found"),
    [
        ("llama-stack@0.2.14", ["a"]),
        ("llama-stack@0.2.24", ["a", "x"]),
        ("llama-stack@0.4.3", ["o/x"]),
        ("llama-stack@0.7.3", ["o/x"]),
        ("ogx@1.5.0", ["o/a"]),
    ],
)
def test_a_model_is_found_by_the_names_that_the_release_knows(
    release: str, found: list[str]
) -> None:
    """It has to be registered: what a provider serves by itself is asked for later."""
    alias = {"model_id": "a", "provider_model_id": "x", "provider_id": "o", **_EMBEDDING}
    noun = "vector db" if release.startswith("llama-stack@0.2.") else "vector store"
    for wanted in ("a", "x", "o/a", "o/x"):
        error = f"{noun} 'v' needs model '{wanted}', which is not registered under that name"
        expected = [] if wanted in found else [error]
        assert errors_of(_config(release, [alias], wanted), release) == expected


def test_a_model_that_is_off_or_no_embedding_model_is_not_found() -> None:
    """The start ends at the vector store that needs it, whoever else serves one."""
    off = {"model_id": "m", "provider_id": "${env.OFF:+p}", **_EMBEDDING}
    for release, noun in (("llama-stack@0.2.24", "vector db"), ("ogx@1.5.0", "vector store")):
        error = f"{noun} 'v' needs model 'm', which is not registered under that name"
        assert errors_of(_config(release, [off], "m"), release) == [error]
    chat = {"model_id": "m", "provider_id": "o"}
    error = "vector store 'v' needs an embedding model, and 'o/m' is one of type 'llm'"
    assert errors_of(_config("ogx@1.5.0", [chat], "o/m"), "ogx@1.5.0") == [error]
    error = "vector db 'v' needs model 'm', which is not registered under that name"
    same = [{"model_id": "m", "provider_id": one, **_EMBEDDING} for one in ("o", "p")]
    config = _config("llama-stack@0.2.20", same, "m").replace("${env.OFF:+p}", "p")
    assert errors_of(config, "llama-stack@0.2.20") == [error]


def test_releases_that_leave_vector_stores_out_say_so_and_no_more() -> None:
    """None of these is registered, so that nothing in the list can end the start."""
    text = _config("llama-stack@0.4.0", [], "m")
    graph = compile_config(text, catalog="llama-stack@0.4.0", environment={})
    told = [(one.code, one.severity.name, one.message) for one in graph.diagnostics]
    assert told[1:] == [
        ("C039", "WARNING", "llama-stack 0.4.0 does not register these vector stores")
    ]


def test_an_embedding_model_has_a_dimension() -> None:
    """One that is off needs none: it is not registered."""
    model = {"model_id": "m", "model_type": "embedding"}
    error = "the key 'metadata.embedding_dimension' is missing: model_type 'embedding' needs it"
    for provider, errors in (("o", [error]), ("${env.OFF:+p}", []), ("__disabled__", [])):
        text = _config("ogx@1.5.0", [{**model, "provider_id": provider}], "")
        assert errors_of(text, "ogx@1.5.0") == errors
    wrong = {**model, "provider_id": "o", "metadata": {"embedding_dimension": "big"}}
    assert errors_of(_config("ogx@1.5.0", [wrong], ""), "ogx@1.5.0") == [
        "'registered_resources.models[0].metadata.embedding_dimension' must be an integer, not text"
    ]


def test_the_default_models_of_vector_stores_are_of_their_type() -> None:
    """One that is not registered may be among those that the provider lists by itself."""
    chat = {"model_id": "m", "provider_id": "o"}
    for key, release, errors in (
        ("default_embedding_model", "llama-stack@0.3.5", ["'embedding'"]),
        ("default_reranker_model", "llama-stack@0.6.1", []),
        ("default_reranker_model", "llama-stack@0.7.3", ["'rerank'"]),
    ):
        for name, expected in (("m", errors), ("other", [])):
            default = {key: {"provider_id": "o", "model_id": name}}
            text = _config(release, [chat], "", vector_stores=default)
            assert errors_of(text, release) == [
                f"the default model 'o/m' must be one of type {one}, and it is one of type 'llm'"
                for one in expected
            ]


def test_two_of_one_name_that_are_not_alike_end_the_start_from_0_3_0_on() -> None:
    """Models have their provider in their name, all else is known by its name alone."""
    tools = [{"provider_id": one, "provider_type": "remote::tavily-search"} for one in "tu"]
    groups = [{"toolgroup_id": "builtin::websearch", "provider_id": one} for one in "tu"]
    twice = "'{}' is listed twice under '{}', not alike; the start ends at the second"
    models = [{"model_id": "m", "provider_id": "o", "metadata": {"a": one}} for one in (1, 2)]
    for release, lists, errors in (
        ("llama-stack@0.2.24", {"tool_groups": groups}, []),
        ("llama-stack@0.4.7", {"tool_groups": groups}, [("builtin::websearch", "tool_groups")]),
        ("llama-stack@0.7.3", {"tool_groups": groups}, []),
        ("llama-stack@0.2.24", {"models": models}, []),
        ("ogx@1.5.0", {"models": models}, [("m", "models")]),
        ("ogx@1.5.0", {"models": models[:1] * 2}, []),
        ("ogx@1.5.0", {"models": [{**one, "provider_id": ""} for one in models]}, []),
    ):
        text = config_with(
            apis=["inference", "tool_runtime"],
            providers={
                "inference": [{"provider_id": "o", "provider_type": "remote::ollama"}],
                "tool_runtime": tools,
            },
            **(lists if "@0.2." in release else {"registered_resources": lists}),
        )
        assert errors_of(text, release) == [twice.format(*one) for one in errors]


def test_a_dataset_is_of_the_provider_that_its_source_calls_for() -> None:
    """What 'provider_id' says of it is not read."""
    fields = {"dataset_id": "d", "purpose": "eval/messages-answer", "provider_id": "x"}
    rows = {"type": "rows", "rows": [{"a": 1}]}
    hugging = {"type": "uri", "uri": "huggingface://datasets/a"}
    for source, metadata, wanted in (
        (rows, {}, "localfs"),
        (hugging, {}, "huggingface"),
        (rows, {"provider_id": "x"}, ""),
    ):
        dataset = {**fields, "source": source, "metadata": metadata}
        text = config_with(
            apis=["datasetio"],
            providers={"datasetio": [{"provider_id": "x", "provider_type": "inline::localfs"}]},
            registered_resources={"datasets": [dataset]},
        )
        error = (
            f"dataset 'd' is for provider '{wanted}', by its source, and datasetio does not have it"
        )
        assert errors_of(text, "llama-stack@0.6.1") == ([error] if wanted else [])


def test_some_releases_cannot_register_what_a_config_lists() -> None:
    """Their own registration fails at the first entry, whatever stands in it."""
    function = {"scoring_fn_id": "f", "provider_id": "s", "return_type": {"type": "string"}}
    for release, is_fatal in (("llama-stack@0.4.7", True), ("llama-stack@0.5.0", False)):
        text = config_with(
            apis=["datasetio", "scoring"],
            providers={
                "datasetio": [{"provider_id": "localfs", "provider_type": "inline::localfs"}],
                "scoring": [{"provider_id": "s", "provider_type": "inline::basic"}],
            },
            registered_resources={"scoring_fns": [function]},
        )
        error = (
            f"{release.replace('@', ' ')} does not start with these scoring functions: it cannot "
            "register what a config lists"
        )
        assert errors_of(text, release) == ([error] if is_fatal else [])

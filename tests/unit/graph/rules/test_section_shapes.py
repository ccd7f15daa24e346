"""Sections beside providers: what a release refuses to read is an error, with its place."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from rungraph.graph import Severity, compile_config


def _config(**sections: Any) -> str:
    storage: dict[str, Any] = {
        "backends": {
            "kv_default": {"type": "kv_sqlite", "db_path": "/data/kv.db"},
            "sql_default": {"type": "sql_sqlite", "db_path": "/data/sql.db"},
        },
        "stores": {"metadata": {"namespace": "registry", "backend": "kv_default"}},
    }
    provider = {"provider_id": "o", "provider_type": "remote::ollama", "config": {}}
    config = {
        "version": 2,
        "image_name": "a",
        "distro_name": "a",
        "apis": ["inference"],
        "providers": {"inference": [provider]},
        "storage": storage,
    }
    return yaml.safe_dump({**config, **sections}, sort_keys=False)


def _errors(text: str, catalog: str) -> list[str]:
    graph = compile_config(text, catalog=catalog, environment={})
    return [one.message for one in graph.diagnostics if one.severity is Severity.ERROR]


_KV = {"kv_default": {"type": "kv_sqlite", "db_path": "a"}}


@pytest.mark.parametrize(
    ("sections", "error"),
    [
        ({"server": None}, "'server' must be a mapping, not nothing"),
        ({"server": {"port": 80}}, "the server's port must be a number from 1,024 to 65,535"),
        ({"server": {"port": "abc"}}, "the server's port must be a number from 1,024 to 65,535"),
        ({"vector_stores": []}, "'vector_stores' must be a mapping, not a list"),
        ({"connectors": [5]}, "'connectors[0]' must be a mapping, not an integer"),
        ({"connectors": [{"connector_id": "c"}]}, "the key 'url' is missing"),
        (
            {"connectors": [{"connector_id": "c", "url": "u", "connector_type": "x"}]},
            "'connector_type' must be 'mcp'",
        ),
        ({"apis": ["inference"], "logging": "x"}, "'logging' must be a mapping, not text"),
        ({"registered_resources": None}, "'registered_resources' must be a mapping, not nothing"),
        (
            {"registered_resources": {"models": None}},
            "'registered_resources.models' must be a list, not nothing",
        ),
        (
            {"storage": {"backends": {**_KV, "sql_default": {"type": "sqlite"}}, "stores": {}}},
            "'sqlite' is not a type of storage backends",
        ),
        (
            {"storage": {"backends": {**_KV, "sql_default": {"type": "sql_sqlite"}}, "stores": {}}},
            "the key 'db_path' is missing: a backend of type 'sql_sqlite' needs it",
        ),
        (
            {"vector_stores": {"default_embedding_model": {"provider_id": "o"}}},
            "the key 'model_id' is missing",
        ),
        ({"providers": {"inference": None}}, "'providers.inference' must be a list, not nothing"),
    ],
)
def test_what_no_release_can_read_is_an_error(sections: dict[str, Any], error: str) -> None:
    """The models of ogx refuse each of these when they read the config, before any provider."""
    assert error in _errors(_config(**sections), "ogx@1.5.0")


def test_a_reference_needs_its_namespace_or_its_table() -> None:
    """A store without one is refused; the earlier form of a table's is converted."""
    text = _config().replace("namespace: registry\n", "", 1)
    assert _errors(text, "ogx@1.5.0") == ["the key 'namespace' is missing"]
    old = _config().replace(
        "  stores:\n", "  stores:\n    prompts: {namespace: p, backend: kv_default}\n", 1
    )
    assert not _errors(old, "ogx@1.5.0")


def test_a_section_may_be_empty_where_the_release_takes_it_so() -> None:
    """Optional sections may hold nothing, a number may be text, and the environment may say it."""
    taken: dict[str, Any] = {
        "logging": None,
        "vector_stores": None,
        "server": {"port": "8321", "auth": None},
        "container_image": None,
    }
    assert not _errors(_config(**taken), "ogx@1.5.0")
    by_environment = {"server": {"port": "${env.PORT:=8321}"}}
    assert not _errors(_config(**by_environment), "ogx@1.5.0")


def test_apis_with_nothing_in_it_is_read_from_1_5_0_on() -> None:
    """Earlier releases want a list there."""
    text = _config(apis=None)
    assert not _errors(text, "ogx@1.5.0")
    assert _errors(text, "ogx@1.4.1") == ["'apis' must be a list, not nothing"]


def test_keys_that_a_release_does_not_read_have_no_shape() -> None:
    """What is ignored cannot stop the start."""
    text = _config(connectors="x", storage=None)
    assert not _errors(text, "llama-stack@0.2.24")

"""Sections beside providers: what a release refuses to read is an error, with its place."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.builders import entry
from tests.unit.graph.rules.sections import config_with, errors_of

from rungraph.graph import Severity, compile_config

_NO_TEXT = {"annotation_instruction_template": ""}
_TLS = {"tls_certfile": "c", "tls_keyfile": "k"}
_CIPHERS = ", ".join(
    f"'{one}-GCM-{check}'"
    for one, check in (
        ("ECDHE-ECDSA-AES128", "SHA256"), ("ECDHE-RSA-AES128", "SHA256"),
        ("ECDHE-ECDSA-AES256", "SHA384"), ("ECDHE-RSA-AES256", "SHA384"),
        ("DHE-RSA-AES128", "SHA256"), ("DHE-RSA-AES256", "SHA384"),
    )
)  # fmt: skip
_HEADER = {"type": "upstream_header", "principal_header": "x-user"}
_KV = {"kv_default": {"type": "kv_sqlite", "db_path": "a"}}


@pytest.mark.parametrize(
    ("sections", "error"),
    [
        ({"server": None}, "'server' must be a mapping, not nothing"),
        ({"server": {"port": 80}}, "'server.port' must be an integer from 1,024 to 65,535"),
        (
            {"server": {"port": "abc"}},
            "'server.port' must be an integer from 1,024 to 65,535, not text",
        ),
        ({"server": {"insecure": "maybe"}}, "'server.insecure' must be a boolean, not text"),
        (
            {"server": {"tenancy": {"mode": "single"}}},
            "a key is missing: 'default_tenant_id'",
        ),
        (
            {"server": {"auth": {"provider_config": {"type": "oauth2_token"}}}},
            "a key is missing: 'jwks' or 'introspection'",
        ),
        (
            {"server": {"auth": {"access_policy": [{"permit": {"actions": ["look"]}}]}}},
            (
                "'server.auth.access_policy[0].permit.actions' must be one of 'create', 'read', "
                "'update', 'delete' or a list of 'create', 'read', 'update', 'delete'"
            ),
        ),
        (
            {"server": {"auth": {"route_policy": [{"forbid": {"paths": "/"}, "when": "late"}]}}},
            (
                "'server.auth.route_policy[0].when' must be a condition or a list of conditions, "
                "not text"
            ),
        ),
        (
            {"vector_stores": {"rewrite_query_params": {"prompt": "ask"}}},
            "'vector_stores.rewrite_query_params.prompt' must be text with '{query}' in it",
        ),
        (
            {"vector_stores": {"annotation_prompt_params": _NO_TEXT}},
            (
                "'vector_stores.annotation_prompt_params.annotation_instruction_template' must be "
                "text that is not empty, not an empty text"
            ),
        ),
        (
            {"server": {"auth": {"provider_config": {**_HEADER, "trusted_proxy_cidrs": ["10."]}}}},
            (
                "'server.auth.provider_config.trusted_proxy_cidrs' must be a list of networks "
                "that is not empty"
            ),
        ),
        (
            {"server": {"auth": {"provider_config": {**_HEADER, "trusted_proxy_cidrs": []}}}},
            (
                "'server.auth.provider_config.trusted_proxy_cidrs' must be a list of networks "
                "that is not empty"
            ),
        ),
        (
            {"server": {**_TLS, "tls_config": {"ciphers": []}}},
            f"'server.tls_config.ciphers' must be a list of {_CIPHERS} that is not empty",
        ),
        (
            {"server": {**_TLS, "tls_config": {"ciphers": ["RC4"]}}},
            f"'server.tls_config.ciphers' must be a list of {_CIPHERS} that is not empty",
        ),
        (
            {"server": {"tenancy": {"default_tenant_id": "a b"}}},
            "'server.tenancy.default_tenant_id' must be an id of a tenant, not text",
        ),
        ({"vector_stores": []}, "'vector_stores' must be a mapping, not a list"),
        ({"connectors": [5]}, "'connectors' must be a list of mappings"),
        ({"connectors": [{"connector_id": "c"}]}, "the key 'url' is missing"),
        (
            {"connectors": [{"connector_id": "c", "url": "u", "connector_type": "x"}]},
            "'connectors[0].connector_type' must be 'mcp', not text",
        ),
        ({"apis": ["inference"], "logging": "x"}, "'logging' must be a mapping, not text"),
        ({"registered_resources": None}, "'registered_resources' must be a mapping, not nothing"),
        (
            {"registered_resources": {"models": None}},
            "'registered_resources.models' must be a list, not nothing",
        ),
        (
            {"storage": {"backends": {**_KV, "sql_default": {"type": "sqlite"}}, "stores": {}}},
            (
                "'storage.backends.sql_default.type' must be one of 'kv_redis', 'kv_sqlite', "
                "'kv_postgres', 'kv_mongodb', 'sql_sqlite', 'sql_postgres', not 'sqlite'"
            ),
        ),
        (
            {"storage": {"backends": {**_KV, "sql_default": {"type": "sql_sqlite"}}, "stores": {}}},
            "the key 'db_path' is missing: type 'sql_sqlite' needs it",
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
    assert error in errors_of(config_with(**sections), "ogx@1.5.0")


def test_a_condition_of_other_keys_is_kept() -> None:
    """Ciphers count where TLS is on, and a wildcard is refused where credentials are allowed."""
    weak = {"tls_config": {"ciphers": ["RC4"]}}
    for server in (weak, {**_TLS, **weak, "insecure": True}, {**weak, "tls_certfile": "c"}):
        assert not errors_of(config_with(server=server), "ogx@1.5.0")
    cors = {"allow_origins": ["*"], "allow_credentials": True}
    assert errors_of(config_with(server={"cors": cors}), "llama-stack@0.7.3") == [
        "'server.cors.allow_origins' must be a list of origins other than '*'"
    ]
    for harmless in ({**cors, "allow_credentials": False}, {**cors, "allow_origins": ["http://a"]}):
        assert not errors_of(config_with(server={"cors": harmless}), "llama-stack@0.7.3")


def test_a_reference_needs_its_namespace_or_its_table() -> None:
    """A store without one is refused; the earlier form of a table's is converted."""
    text = config_with().replace("namespace: registry\n", "", 1)
    assert errors_of(text, "ogx@1.5.0") == ["the key 'namespace' is missing"]
    old = config_with().replace(
        "  stores:\n", "  stores:\n    prompts: {namespace: p, backend: kv_default}\n", 1
    )
    assert not errors_of(old, "ogx@1.5.0")


def test_a_section_may_be_empty_where_the_release_takes_it_so() -> None:
    """Optional sections may hold nothing, a number may be text, and the environment may say it."""
    taken: dict[str, Any] = {
        "logging": None,
        "vector_stores": None,
        "server": {"port": "8321", "auth": None},
        "container_image": None,
    }
    assert not errors_of(config_with(**taken), "ogx@1.5.0")
    by_environment = {"server": {"port": "${env.PORT:=8321}"}}
    assert not errors_of(config_with(**by_environment), "ogx@1.5.0")


def test_apis_with_nothing_in_it_is_read_from_1_5_0_on() -> None:
    """Earlier releases want a list there."""
    text = config_with(apis=None)
    assert not errors_of(text, "ogx@1.5.0")
    assert errors_of(text, "ogx@1.4.1") == ["'apis' must be a list, not nothing"]


def test_keys_that_a_release_does_not_read_have_no_shape() -> None:
    """What is ignored cannot stop the start."""
    text = config_with(connectors="x", storage=None)
    assert not errors_of(text, "llama-stack@0.2.24")


@pytest.mark.parametrize(
    ("release", "settings", "error"),
    [
        ("llama-stack@0.7.3", {}, "the key 'user' is missing: type 'sql_postgres' needs it"),
        ("ogx@1.5.0", {}, "a key is missing: 'connection_string' or 'user'"),
        ("ogx@1.5.0", {"connection_string": "postgres://h/d"}, ""),
        (
            "ogx@1.5.0",
            {"connection_string": "postgres://h/d", "host": "h"},
            "'connection_string' and 'host' cannot both be there",
        ),
        ("ogx@1.5.0", {"user": "u", "port": "5432"}, ""),
        (
            "ogx@1.5.0",
            {"user": "u", "pool_size": 0},
            "'storage.backends.sql_default.pool_size' must be an integer from 1 on",
        ),
    ],
)
def test_a_database_server_needs_to_be_told_how_to_get_in(
    release: str, settings: dict[str, Any], error: str
) -> None:
    """A whole address is taken in its place from ogx 1.4.1 on."""
    backends = {**_KV, "sql_default": {"type": "sql_postgres", **settings}}
    stores = {"metadata": {"namespace": "r", "backend": "kv_default"}}
    text = config_with(storage={"backends": backends, "stores": stores})
    assert errors_of(text, release) == ([error] if error else [])


def test_the_store_of_early_releases_is_of_a_type_that_they_have() -> None:
    """Its namespace, its file and its server depend on the type."""
    for store, error in (
        ({"type": "sqlit"}, ("'metadata_store.type' must be one of 'sqlite', 'redis', 'postgres', "
                            "'mongodb', not 'sqlit'")),
        ({"db_path": "a"}, "the key 'type' is missing"),
        ({"type": "postgres"}, "the key 'user' is missing: type 'postgres' needs it"),
        ({"type": "redis", "port": "x"}, "'metadata_store.port' must be an integer, not text"),
    ):  # fmt: skip
        text = config_with(metadata_store=store, storage={})
        assert errors_of(text, "llama-stack@0.2.24") == [error]


def test_what_is_registered_has_the_fields_that_its_kind_needs() -> None:
    """They are looked at in the lists of every release, and not where an entry is left out."""
    store = {"vector_store_id": "v", "provider_id": "c"}
    chroma = {"provider_id": "c", "provider_type": "remote::chromadb", "config": {}}
    model = {"provider_id": "o", "provider_type": "remote::ollama", "config": {}}
    providers = {"inference": [model], "vector_io": [chroma]}
    apis = ["inference", "vector_io"]
    embedding = {"model_id": "m", "provider_id": "o", "model_type": "embedding",
                 "metadata": {"embedding_dimension": 384}}  # fmt: skip
    missing = [f"the key '{one}' is missing" for one in ("embedding_dimension", "embedding_model")]
    for listed, release, errors in (
        (store, "ogx@1.5.0", missing),
        ({**store, "vector_store_id": "${env.NONE:=}"}, "ogx@1.5.0", []),
        ({**store, "embedding_model": "o/m", "embedding_dimension": "384"}, "ogx@1.5.0", []),
        (
            {**store, "embedding_model": "o/m", "embedding_dimension": "big"},
            "ogx@1.5.0",
            [("'registered_resources.vector_stores[0].embedding_dimension' must be an integer, "
             "not text")],
        ),
    ):  # fmt: skip
        lists = {"models": [embedding], "vector_stores": [listed]}
        text = config_with(registered_resources=lists, providers=providers, apis=apis)
        assert errors_of(text, release) == errors


def test_a_resource_without_a_provider_is_lost() -> None:
    """The start leaves it out without a word, from 0.2.20 on; distributions have such entries."""
    text = config_with(registered_resources={"models": [{"model_id": "m"}]})
    found = compile_config(text, catalog="ogx@1.5.0", environment={}).diagnostics
    assert [(one.severity, one.message) for one in found if one.code == "C026"] == [
        (Severity.WARNING, "model 'm' names no provider, and ogx 1.5.0 does not register it")
    ]


def test_a_login_whose_type_comes_out_empty_is_off() -> None:
    """None of its settings is looked at, and no variable in them is asked for."""
    login = {"type": "${env.AUTH:+oauth2_token}", "jwks": {"uri": "${env.JWKS}"}}
    text = config_with(server={"insecure": True, "auth": {"provider_config": login}})
    assert not errors_of(text, "ogx@1.5.0")
    assert "the environment variable 'JWKS' is not set" in errors_of(text, "llama-stack@0.5.4")


def test_a_variable_counts_wherever_it_stands() -> None:
    """The start fills in the whole config, also what it does not read."""
    for key in ("logging", "notes"):
        text = config_with(**{key: {"category_levels": {"all": "${env.LEVEL}"}}})
        assert errors_of(text, "ogx@1.5.0") == ["the environment variable 'LEVEL' is not set"]


def test_what_is_switched_off_is_filled_in_all_the_same() -> None:
    """Only ``__disabled__`` spares an entry its variables; an empty id is off, too."""
    on = {"provider_id": "o", "provider_type": "remote::ollama", "config": {}}
    for written, errors in (
        ("${env.X:+p}", ["the environment variable 'URL' is not set"]),
        ("", ["the environment variable 'URL' is not set"]),
        ("${env.X:=__disabled__}", []),
    ):
        off = entry(written, "remote::vllm", base_url="${env.URL}")
        text = config_with(providers={"inference": [on, off]})
        assert errors_of(text, "ogx@1.5.0") == errors


def test_a_name_that_is_not_in_capitals_is_text_to_a_release() -> None:
    """The start goes on with the text as it is written, which nobody can have meant."""
    provider = entry("o", "remote::ollama", base_url="${env.url}")
    text = config_with(providers={"inference": [provider]})
    graph = compile_config(text, catalog="ogx@1.5.0", environment={})
    assert [(one.severity, one.message) for one in graph.diagnostics if one.code[0] == "E"] == [
        (Severity.WARNING, "ogx 1.5.0 takes '${env.url}' as text")
    ]
    assert graph.variables == ()


def test_a_name_that_the_release_does_not_read_is_none() -> None:
    """``distro_name`` came with 0.5.0."""
    text = config_with().replace("image_name: a\n", "")
    assert errors_of(text, "llama-stack@0.4.7") == ["the key 'image_name' is missing"]


def test_an_api_without_a_provider_ends_the_start_of_releases_before_1_5() -> None:
    """The newer one leaves it out of what it serves; who needs it still has nothing."""
    text = config_with(apis=["inference", "files"], server={"insecure": True})
    message = "files is served, but it has no provider"
    assert errors_of(text, "ogx@1.4.1") == [message]
    graph = compile_config(text, catalog="ogx@1.5.0", environment={})
    found = [(one.severity, one.message) for one in graph.diagnostics if one.code[0] == "G"]
    assert found == [(Severity.WARNING, message)]


def test_a_key_that_was_pasted_where_a_choice_belongs_is_not_shown() -> None:
    """What is wrong is said without it."""
    pasted = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
    (error,) = errors_of(
        config_with(server={"auth": {"provider_config": {"type": pasted}}}), "ogx@1.5.0"
    )
    assert error.endswith("not '********'")


def _told(text: str, catalog: str) -> list[str]:
    graph = compile_config(text, catalog=catalog, environment={})
    return [f"{one.severity} {one.message}" for one in graph.diagnostics]


def test_a_name_is_what_a_release_makes_text_of() -> None:
    """It takes whatever stands there, and rungraph says what it is."""
    told = _told(config_with(distro_name=["a"]), "ogx@1.5.0")
    assert "warning 'distro_name' is a list, which ogx 1.5.0 reads as text" in told
    assert "'image_name' must be text, not a list" in errors_of(
        config_with(image_name=["a"]), "llama-stack@0.7.3"
    )


def test_an_id_that_is_empty_is_no_missing_key() -> None:
    """A release that drops no empty ids reads an empty text, and refuses nothing at all."""
    for written, severity in (("", "warning"), (None, "error")):
        models = [{"model_id": written, "provider_id": "o"}]
        told = _told(config_with(registered_resources={"models": models}), "llama-stack@0.3.5")
        where = "'registered_resources.models[0].model_id'"
        given = "an empty text" if written == "" else "nothing"
        assert f"{severity} {where} must be text, not {given}" in told
        assert not errors_of(config_with(registered_resources={"models": models}), "ogx@1.5.0")


def test_a_tool_group_must_name_its_provider() -> None:
    """Nothing in its place is no way to switch it off; the word for it is."""
    for written, errors in (
        (None, ["'registered_resources.tool_groups[0].provider_id' must be text, not nothing"]),
        ("__disabled__", []),
    ):
        groups = [{"toolgroup_id": "t", "provider_id": written}]
        text = config_with(registered_resources={"tool_groups": groups})
        assert errors_of(text, "llama-stack@0.6.1") == errors


def test_a_folder_that_is_not_here_is_said() -> None:
    """The stack that starts elsewhere may have it; an API without a name is of no release."""
    told = _told(config_with(external_providers_dir="/nowhere/providers.d"), "ogx@1.5.0")
    assert (
        "note the folder of 'external_providers_dir' is not here: the stack only starts where it is"
    ) in told
    assert "unknown API ''" in errors_of(config_with(apis=["inference", ""]), "ogx@1.5.0")


def test_a_port_is_text_in_one_release_alone() -> None:
    """Where the release's own class asks for text, a number ends its start."""
    store = {"type": "postgres", "user": "u", "port": 5432}
    text = yaml.safe_dump(yaml.safe_load(config_with(metadata_store=store)) | {"storage": None})
    told = [errors_of(text, f"llama-stack@0.2.{one}") for one in (13, 14)]
    problem = "'metadata_store.port' must be text, not an integer"
    assert [problem in errors for errors in told] == [True, False]

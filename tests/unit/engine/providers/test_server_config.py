"""The configs of providers that ask a server: all the names that people write."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from rungraph.engine.providers.remote.ollama.config import OllamaConfig
from rungraph.engine.providers.remote.tgi.config import (
    EndpointConfig,
    ServerlessConfig,
    TGIConfig,
)
from rungraph.engine.providers.remote.vllm.config import VLLMConfig

CLASSES = [OllamaConfig, TGIConfig, VLLMConfig, EndpointConfig, ServerlessConfig]


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize(
    "given",
    [
        {"url": "http://a:8080"},
        {"url": "http://a:8080/"},
        {"url": "http://a:8080/v1"},
        {"base_url": "http://a:8080/v1/"},
        {"host": "a", "port": 8080},
        {"host": "a", "port": "8080"},
        {"host": "http://a", "port": 8080},
    ],
)
def test_a_server_is_named_in_several_ways(cls: Any, given: dict[str, Any]) -> None:
    """All of them mean the same."""
    assert cls.model_validate(given).url == "http://a:8080"


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("name", ["api_token", "api_key"])
def test_a_key_has_two_names(cls: Any, name: str) -> None:
    """An empty one, as an unset variable leaves it, is none."""
    read = cls.model_validate({"url": "http://a", name: "secret-key"})
    assert read.api_token.get_secret_value() == "secret-key"
    assert cls.model_validate({"url": "http://a", name: ""}).api_token is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "Field required"),
        ({"host": "a"}, "host needs a port"),
        ({"host": "a", "port": 1, "url": "http://a"}, "leave one of them out"),
        ({"url": "a:8080"}, "must be an http:// or https:// URL"),
    ],
)
def test_what_is_refused(given: dict[str, Any], told: str) -> None:
    """What names no server, or two, is told as that."""
    with pytest.raises(ValidationError, match=told):
        TGIConfig.model_validate(given)


@pytest.mark.parametrize(
    ("cls", "name"), [(EndpointConfig, "endpoint_name"), (ServerlessConfig, "huggingface_repo")]
)
def test_what_hugging_face_runs_has_a_name_or_a_url(cls: Any, name: str) -> None:
    """An unset variable leaves an empty name, which is none; both would say two things."""
    assert cls.model_validate({name: "mine"}).url == ""
    for given in ({}, {name: ""}, {name: "mine", "url": "http://a"}):
        with pytest.raises(ValidationError, match=f"give either {name} or url"):
            cls.model_validate(given)


def test_an_ipv6_host() -> None:
    """A host of colons is put into brackets."""
    assert OllamaConfig.model_validate({"host": "::1", "port": 1}).url == "http://[::1]:1"

"""The configs of providers that ask a server: all the names that people write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from rungraph.engine.certificates import CertificatesError
from rungraph.engine.providers.openai_client import OpenAIClient
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


@pytest.mark.parametrize(
    ("cls", "key", "given", "read"),
    [
        (VLLMConfig, "tls_verify", "false", False),
        (VLLMConfig, "tls_verify", "True", True),
        (VLLMConfig, "tls_verify", "/etc/ca.pem", "/etc/ca.pem"),
        (OllamaConfig, "keep_alive", "-1", -1),
        (OllamaConfig, "keep_alive", "10m", "10m"),
    ],
)
def test_what_a_placeholder_in_quotes_becomes(cls: Any, key: str, given: str, read: object) -> None:
    """A boolean or a number in quotes is text; no path and no duration looks like one."""
    found = getattr(cls.model_validate({"url": "http://a", key: given}), key)
    assert (type(found), found) == (type(read), read)


@pytest.mark.parametrize(
    ("content", "told"), [(None, "no such file or directory"), ("no PEM", "it holds none")]
)
def test_a_file_of_certificates_that_cannot_be_used(
    tmp_path: Path, content: str | None, told: str
) -> None:
    """The error says so when the provider is made, before the first call."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    told = f"the file of certificates to trust cannot be used: {told}"
    with pytest.raises(CertificatesError, match=told):
        OpenAIClient("https://a", tls_verify=str(path))


def test_an_ipv6_host() -> None:
    """A host of colons is put into brackets."""
    assert OllamaConfig.model_validate({"host": "::1", "port": 1}).url == "http://[::1]:1"

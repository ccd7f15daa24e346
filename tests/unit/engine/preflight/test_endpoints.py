"""Which addresses a config holds: by the names of its keys, whatever the catalog."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import AnyUrl, BaseModel, SecretStr

from rungraph.engine.preflight.endpoints import Endpoint, Unusable, endpoints_of
from rungraph.graph import Address, ProviderNode, ProviderSpec

HIDDEN = "hidden-word-0123"


class Defaults(BaseModel):
    """A config class that knows where to go."""

    url: str = "https://api.example.com/v1"
    other_url: AnyUrl | None = None
    dsn: SecretStr | None = None


def _node(config: dict[str, Any], config_class: str = "") -> ProviderNode:
    spec = ProviderSpec("a", "remote::x", "nowhere", config_class=config_class)
    return ProviderNode(Address.provider("a", "x"), "remote::x", spec, config=config)


def _found(config: dict[str, Any], config_class: str = "") -> list[str]:
    return [
        str(one) if isinstance(one, Endpoint) else one.reason
        for _, one in endpoints_of(_node(config, config_class))
    ]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"url": "http://a:8080"}, ["http://a:8080"]),
        ({"url": "http://a:80/"}, ["http://a"]),
        ({"base_url": "https://a.example/v1"}, ["https://a.example/v1"]),
        ({"openai_compat_api_base": "https://a.example/v1/"}, ["https://a.example/v1/"]),
        ({"guardrails_service_url": "http://a"}, ["http://a"]),
        ({"endpoint": "a:9000"}, ["tcp://a:9000"]),
        ({"endpoints": ["http://a", "http://b"]}, ["http://a", "http://b"]),
        ({"host": "a", "port": 5432}, ["tcp://a:5432"]),
        ({"db_host": "a", "db_port": "1"}, ["tcp://a:1"]),
        ({"host": "::1", "port": 5432}, ["tcp://[::1]:5432"]),
        ({"host": "http://a", "port": 5432}, ["http://a"]),
        ({"url": "http://[::1]:8080/x"}, ["http://[::1]:8080/x"]),
        ({"dsn": "postgresql+psycopg2://u:p@a/db"}, ["postgresql://a"]),
        ({"dsn": "host=a port=5433 password=x"}, ["postgresql://a:5433"]),
        ({"dsn": "host=/var/run/postgresql"}, []),
        ({"uri": "mongodb://a:1,b:2/?replicaSet=r"}, ["mongodb://a:1", "mongodb://b:2"]),
        ({"store": {"type": "redis", "url": "redis://a"}}, ["redis://a"]),
        ({"list": [{"url": "http://a"}]}, ["http://a"]),
        ({"url": "http://a", "again": {"url": "http://a"}}, ["http://a"]),
        ({"url": "http://a/x y"}, ["http://a/x%20y"]),
        ({"uri": "/data/milvus.db", "url": "", "endpoint": None}, []),
        ({"url": "sqlite:///x.db", "uri": "file:///x", "endpoint": "unix:///x"}, []),
        ({"url": "redis+unix:///x"}, []),
        ({"description": "see http://a", "model": "a:b", "api_key": "http://a"}, []),
        ({"url": 5, "port": 80}, []),
    ],
)
def test_addresses_are_found_by_their_keys(config: dict[str, Any], expected: list[str]) -> None:
    """Keys that are called after URLs, hosts and connection strings count, at any depth."""
    assert _found(config) == expected


@pytest.mark.parametrize(
    ("config", "reason", "is_wrong"),
    [
        ({"url": "${env.X}"}, "a variable in it is not set", False),
        ({"host": "a", "port": "${env.X}"}, "a variable in it is not set", False),
        ({"host": "a"}, "it names no port", False),
        ({"url": "custom://a"}, "it names no port", False),
        ({"url": "mongodb+srv://a"}, "its servers stand in a DNS record", False),
        ({"url": "http://a:0"}, "its port is not a number from 1 to 65535", True),
        ({"url": "http://a:99999"}, "its port is not a number from 1 to 65535", True),
        ({"url": "http://a:b"}, "its port is not a number from 1 to 65535", True),
        ({"host": "a", "port": "²"}, "its port is not a number from 1 to 65535", True),
        ({"host": "a", "port": True}, "its port is not a number from 1 to 65535", True),
        ({"url": "http://"}, "it names no host", True),
        ({"url": "http://[::1"}, "it is no URL", True),
        ({"url": "http://a b"}, "its host is not one", True),
        ({"url": "http://a%0d%0aX: y"}, "its host is not one", True),
    ],
)
def test_what_cannot_be_asked_says_why(
    config: dict[str, Any], reason: str, *, is_wrong: bool
) -> None:
    """An address that nobody can use is told from one that only we cannot."""
    [(_, found)] = endpoints_of(_node(config))
    assert found == Unusable(reason, is_wrong)


def test_no_credentials_and_no_query_are_in_an_endpoint() -> None:
    """What is shown and asked holds neither user nor password nor query."""
    config = {"url": f"https://{HIDDEN}:{HIDDEN}@a.example/v1?key={HIDDEN}#{HIDDEN}"}
    [(_, found)] = endpoints_of(_node(config))
    assert HIDDEN not in repr(found)
    assert str(found) == "https://a.example/v1"


@pytest.mark.parametrize(
    ("config", "verify"),
    [
        ({}, True),
        ({"tls_verify": False}, False),
        ({"verify_ssl": "/etc/ca.pem"}, "/etc/ca.pem"),
        ({"tls_verify": None}, True),
    ],
)
def test_a_config_says_which_certificates_to_trust(
    config: dict[str, Any], verify: bool | str
) -> None:
    """The usual keys are heeded, as the provider would heed them."""
    [(_, found)] = endpoints_of(_node({"url": "https://a", **config}))
    assert isinstance(found, Endpoint)
    assert found.verify == verify


def test_the_defaults_of_the_config_class_count() -> None:
    """A provider that knows its server by itself is asked there; secret texts are opened."""
    cls = f"{__name__}:Defaults"
    assert _found({}, cls) == ["https://api.example.com/v1"]
    config = {"other_url": "http://b:1/", "dsn": f"postgresql://u:{HIDDEN}@c/db"}
    assert _found(config, cls) == ["https://api.example.com/v1", "http://b:1", "postgresql://c"]


def test_a_config_class_that_is_not_there_is_no_hindrance() -> None:
    """Without the class, or when it objects, the config as written counts."""
    assert _found({"url": "http://a"}, "rungraph_nowhere:Config") == ["http://a"]
    assert _found({"url": "http://a", "other_url": 5}, f"{__name__}:Defaults") == ["http://a"]

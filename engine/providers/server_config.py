"""What the configs of all providers share that ask a server of models over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = "must be an http:// or https:// URL"
        raise ValueError(msg)
    if "@" in parts.netloc:
        msg = "must not hold credentials; the key has a setting of its own"
        raise ValueError(msg)
    if parts.query or parts.fragment:
        msg = "must not have a query or a fragment"
        raise ValueError(msg)
    return url.rstrip("/")


def _root(url: str) -> str:
    return url.removesuffix("/v1")


ServerUrl = Annotated[str, AfterValidator(_checked_url)]
"""An HTTP URL that paths can be added to; it ends in no slash."""

RootUrl = Annotated[ServerUrl, AfterValidator(_root)]
"""An HTTP URL of a server, without any path of the API that it serves."""

Key = Annotated[SecretStr | None, BeforeValidator(lambda key: None if key == "" else key)]
"""What a server knows its callers by; an empty one, as an unset variable leaves it, is none."""


class ServerWaits(BaseModel):
    """How long to wait for a server."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    timeout_seconds: float = Field(
        default=120.0, gt=0, description="How long the server may be silent in an answer."
    )
    first_chunk_timeout_seconds: float = Field(
        default=600.0,
        gt=0,
        description="How long it may take to begin an answer; a model may have to load first.",
    )
    max_retries: int = Field(
        default=2, ge=0, description="How often a request is sent again that was not answered."
    )


class ServerConfig(ServerWaits):
    """How long to wait for a server, and what of it is used."""

    allowed_models: tuple[str, ...] | None = Field(
        default=None, description="Use only these of the models that the server serves."
    )


class ServerRoot(ServerWaits):
    """A server that is named by its root, below which it has routes of its own.

    Configs call the same things by several names. The first name of each is the one to write; the
    others are read as well, and ``validate --level import`` tells which they are.

    Examples:
        >>> ServerRoot(url="http://a:8080/v1").url
        'http://a:8080'
        >>> ServerRoot.model_validate({"host": "a", "port": 8080}).url
        'http://a:8080'
    """

    url: RootUrl = Field(
        validation_alias=AliasChoices("url", "base_url"),
        description="Where the server is, without any path of its API.",
    )
    host: str | None = Field(
        default=None, description="A host, in place of url.", json_schema_extra={"means": "url"}
    )
    port: int | None = Field(
        default=None, description="The port of host.", json_schema_extra={"means": "url"}
    )
    api_token: Key = Field(
        default=None,
        validation_alias=AliasChoices("api_token", "api_key"),
        description="Empty means none.",
    )

    @model_validator(mode="before")
    @classmethod
    def _join_host_and_port(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "host" not in given:
            return given
        config: dict[str, Any] = dict(cast("Mapping[str, Any]", given))
        host, port = config.pop("host"), config.pop("port", None)
        if "url" in config or "base_url" in config:
            msg = "host and url both say where the server is; leave one of them out"
            raise ValueError(msg)
        if port is None:
            msg = "host needs a port"
            raise ValueError(msg)
        scheme, has_scheme, rest = str(host).rpartition("://")
        shown = f"[{rest}]" if rest.count(":") > 1 and not rest.startswith("[") else rest
        return {**config, "url": f"{scheme if has_scheme else 'http'}://{shown}:{port}"}


class RootConfig(ServerRoot, ServerConfig):
    """A server of models that is named by its root."""

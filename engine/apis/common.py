"""Types that several APIs share: content, messages, sampling, tools, health."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ApiModel(BaseModel):
    """Base of everything that goes through an API: immutable, and closed to unknown fields.

    A misspelt field in a request is an error rather than an option that silently does nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")


class ImageMedia(ApiModel):
    """An image, as a URL; ``data:`` URLs carry the image itself."""

    image: str


InterleavedContent = str | ImageMedia | list[str | ImageMedia]
"""Text, an image, or a sequence of both."""


def text_of(content: InterleavedContent) -> str:
    r"""Return the text of *content*, joined by line breaks.

    Raises:
        ValueError: If *content* holds an image.

    Examples:
        >>> text_of(["one", "two"])
        'one\ntwo'
    """
    items = content if isinstance(content, list) else [content]
    texts = [part for part in items if isinstance(part, str)]
    if len(texts) != len(items):
        msg = "content holds an image where only text is understood"
        raise ValueError(msg)
    return "\n".join(texts)


class StopReason(StrEnum):
    """Why a model stopped."""

    END_OF_TURN = "end_of_turn"
    """It has said all it has to say."""
    END_OF_MESSAGE = "end_of_message"
    """It waits for the results of its tool calls."""
    OUT_OF_TOKENS = "out_of_tokens"
    """The limit was reached; the answer is cut off."""


class BuiltinTool(StrEnum):
    """Tools that have a meaning of their own in agents."""

    BRAVE_SEARCH = "brave_search"
    WOLFRAM_ALPHA = "wolfram_alpha"
    PHOTOGEN = "photogen"
    CODE_INTERPRETER = "code_interpreter"


class ToolCall(ApiModel):
    """A model's wish to have a tool called.

    Attributes:
        call_id: Names the call, so that its result can refer to it.
        tool_name: The tool, as its definition names it.
        arguments: The arguments by parameter name.
    """

    call_id: str
    tool_name: str
    arguments: dict[str, Any]


class ToolParamDefinition(ApiModel):
    """One parameter of a tool.

    Attributes:
        param_type: A JSON Schema type such as ``string``, or its Python name such as ``str``.
        description: What it is for; the model reads it.
        required: Whether a call must have it.
        default: Its value in a call that leaves it out.
    """

    param_type: str
    description: str | None = None
    required: bool = True
    default: Any = None


class ToolDefinition(ApiModel):
    """A tool that a model may ask to have called.

    Attributes:
        tool_name: Its name.
        description: What it is for; the model reads it.
        parameters: Its parameters by name.
        json_schema: The JSON Schema of its arguments, where *parameters* cannot say it; it counts
            before them.
    """

    tool_name: str = Field(min_length=1)
    description: str | None = None
    parameters: dict[str, ToolParamDefinition] | None = None
    json_schema: dict[str, Any] | None = None


class ToolChoice(StrEnum):
    """Whether a model calls a tool. A tool's own name in its place means that very tool."""

    AUTO = "auto"
    """The model chooses."""
    REQUIRED = "required"
    """It calls at least one."""
    NONE = "none"
    """It calls none."""


class ToolPromptFormat(StrEnum):
    """How tools are explained to a model that has no form of its own for them."""

    JSON = "json"
    FUNCTION_TAG = "function_tag"
    PYTHON_LIST = "python_list"


class SystemMessage(ApiModel):
    """The instructions that a model gets."""

    role: Literal["system"] = "system"
    content: InterleavedContent


class UserMessage(ApiModel):
    """What a user says; *context* is added to it for the model but is not the user's own words."""

    role: Literal["user"] = "user"
    content: InterleavedContent
    context: InterleavedContent | None = None


class ToolResponseMessage(ApiModel):
    """What a tool call came to."""

    role: Literal["ipython"] = "ipython"
    call_id: str
    tool_name: str
    content: InterleavedContent


class CompletionMessage(ApiModel):
    """What a model answers.

    Attributes:
        content: The text; empty when the answer is made of tool calls alone.
        stop_reason: Why the model stopped.
        tool_calls: The tools that it wants to have called, in its order.
    """

    role: Literal["assistant"] = "assistant"
    content: InterleavedContent
    stop_reason: StopReason
    tool_calls: list[ToolCall] = Field(default_factory=list[ToolCall])


Message = Annotated[
    UserMessage | SystemMessage | ToolResponseMessage | CompletionMessage,
    Field(discriminator="role"),
]
"""One message of a conversation, told apart by ``role``."""


class SamplingStrategy(StrEnum):
    """How the next token is chosen."""

    GREEDY = "greedy"
    """Always the likeliest: the same question has the same answer."""
    TOP_P = "top_p"
    """Among the likeliest that together have the probability *top_p*."""
    TOP_K = "top_k"
    """Among the *top_k* likeliest."""


class SamplingParams(ApiModel):
    """How a model chooses its tokens, and how many. What is None is the provider's choice.

    Attributes:
        stop: Texts before which the answer ends.
        seed: What chance begins with, for answers that can be had again.
    """

    strategy: SamplingStrategy = SamplingStrategy.GREEDY
    temperature: float | None = Field(default=None, ge=0)
    top_p: float | None = Field(default=None, ge=0, le=1)
    top_k: int | None = Field(default=None, ge=0)
    max_tokens: int | None = Field(default=None, ge=0, description="0 means no limit.")
    repetition_penalty: float | None = Field(default=None, gt=0)
    stop: list[str] | None = None
    seed: int | None = None


class JsonSchemaResponseFormat(ApiModel):
    """Makes a model answer with one JSON value that *json_schema* accepts."""

    type: Literal["json_schema"] = "json_schema"
    json_schema: dict[str, Any]


ResponseFormat = JsonSchemaResponseFormat
"""The form that an answer must have."""


class LogProbConfig(ApiModel):
    """How many of the likeliest tokens are reported at each position; 0 reports the chosen one."""

    top_k: int = Field(default=0, ge=0)


class TokenLogProbs(ApiModel):
    """The logarithms of the probabilities of the tokens considered at one position."""

    logprobs_by_token: dict[str, float]


class Usage(ApiModel):
    """How many tokens a call took, where the provider knows."""

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(default=0, ge=0)


class Attachment(ApiModel):
    """Content that goes along with a message."""

    content: InterleavedContent
    mime_type: str


class HealthStatus(StrEnum):
    """Whether something can do its work now."""

    OK = "OK"
    ERROR = "Error"
    UNKNOWN = "Unknown"
    """It does not say: it has no health check."""


class HealthResponse(ApiModel):
    """The answer of a health check.

    Attributes:
        status: Whether it can do its work now.
        message: One line on why not, or on what was checked.
    """

    status: HealthStatus
    message: str | None = None

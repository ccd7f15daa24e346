"""The inference API: chat, completion and embeddings by models."""

# ruff: noqa: TC003  servers resolve these annotations when they run
from __future__ import annotations

from collections.abc import AsyncGenerator
from enum import StrEnum
from typing import Protocol

from pydantic import Field

from rungraph.engine.apis.common import (
    ApiModel,
    CompletionMessage,
    InterleavedContent,
    LogProbConfig,
    Message,
    ResponseFormat,
    SamplingParams,
    StopReason,
    TokenLogProbs,
    ToolCall,
    ToolChoice,
    ToolDefinition,
    ToolPromptFormat,
    Usage,
)
from rungraph.engine.apis.routes import route


class ChatCompletionResponse(ApiModel):
    """A whole answer; *logprobs* has one entry a token when it was asked for."""

    completion_message: CompletionMessage
    logprobs: list[TokenLogProbs] | None = None
    usage: Usage | None = None


class EventType(StrEnum):
    """Where in an answer a chunk stands."""

    START = "start"
    PROGRESS = "progress"
    COMPLETE = "complete"


class ToolCallParseStatus(StrEnum):
    """How far a streamed tool call has come."""

    STARTED = "started"
    IN_PROGRESS = "in_progress"
    FAILURE = "failure"
    """It is over, and what the model wrote is no call of a tool."""
    SUCCESS = "success"
    """It is over, and *content* is the call."""


class ToolCallDelta(ApiModel):
    """A piece of a tool call: text as the model writes it, the call itself once it is whole.

    Attributes:
        content: The text that is added to the arguments, or the call.
        parse_status: How far the call has come.
        call_id: Names the call; set when it starts, where the provider knows it by then.
        tool_name: The tool; set when the call starts, where the provider knows it by then.
    """

    content: str | ToolCall
    parse_status: ToolCallParseStatus
    call_id: str | None = None
    tool_name: str | None = None


class ChatCompletionResponseEvent(ApiModel):
    """What one chunk adds to the answer.

    Attributes:
        event_type: ``start`` once, first; ``complete`` once, last; ``progress`` in between.
        delta: The text that is added, or a piece of a tool call.
        logprobs: The tokens of *delta*, when asked for.
        stop_reason: Why the model stopped; set in the last chunk alone.
        usage: The tokens of the whole call; in the last chunk, where the provider knows them.
    """

    event_type: EventType
    delta: str | ToolCallDelta
    logprobs: list[TokenLogProbs] | None = None
    stop_reason: StopReason | None = None
    usage: Usage | None = None


class ChatCompletionResponseStreamChunk(ApiModel):
    """One chunk of a streamed answer."""

    event: ChatCompletionResponseEvent


class CompletionResponse(ApiModel):
    """A whole completion, as the message that a model would have answered."""

    completion_message: CompletionMessage
    logprobs: list[TokenLogProbs] | None = None
    usage: Usage | None = None


class CompletionResponseStreamChunk(ApiModel):
    """One chunk of a streamed completion; *stop_reason* is set in the last chunk alone."""

    delta: str
    stop_reason: StopReason | None = None
    logprobs: list[TokenLogProbs] | None = None
    usage: Usage | None = None


class EmbeddingsResponse(ApiModel):
    """One vector for each of the contents, in their order."""

    embeddings: list[list[float]] = Field(default_factory=list[list[float]])
    usage: Usage | None = None


class Inference(Protocol):
    """Runs models.

    The routing key is *model*. Every method raises:

    - ``ValueError`` when the request cannot be served as it is: an unknown model, a context that
      is too long, content that the model does not understand;
    - ``ConnectionError`` when what runs the model cannot be reached or broke down;
    - ``TimeoutError`` when it took too long;
    - ``PermissionError`` when it refuses the credentials;
    - ``NotImplementedError`` when the provider has no such thing (embeddings of a chat model).

    With ``stream=True``, awaiting the call gives an asynchronous generator. Whatever goes wrong
    before the first chunk may be raised by the call or by the first step of the generator;
    later errors are raised by the step they happen in. ``aclose()`` makes the model stop.
    """

    @route("POST", "/inference/chat_completion")
    async def chat_completion(
        self,
        model: str,
        messages: list[Message],
        sampling_params: SamplingParams | None = None,
        response_format: ResponseFormat | None = None,
        tools: list[ToolDefinition] | None = None,
        tool_choice: ToolChoice | str = ToolChoice.AUTO,
        tool_prompt_format: ToolPromptFormat = ToolPromptFormat.JSON,
        stream: bool = False,
        logprobs: LogProbConfig | None = None,
    ) -> ChatCompletionResponse | AsyncGenerator[ChatCompletionResponseStreamChunk, None]:
        """Return the model's next message in the conversation *messages*.

        Args:
            model: The model; a router takes the identifier, a provider its own name for it.
            messages: The conversation, oldest first.
            sampling_params: How tokens are chosen; None means greedily, without a limit.
            response_format: The form that the text of the answer must have.
            tools: What the model may ask to have called.
            tool_choice: Whether it calls one; a tool's name means that tool.
            tool_prompt_format: How tools are explained to a model without its own form.
            stream: Give the answer in chunks as they come.
            logprobs: Report the probabilities of the tokens.
        """
        ...

    @route("POST", "/inference/completion")
    async def completion(
        self,
        model: str,
        content: InterleavedContent,
        sampling_params: SamplingParams | None = None,
        response_format: ResponseFormat | None = None,
        stream: bool = False,
        logprobs: LogProbConfig | None = None,
    ) -> CompletionResponse | AsyncGenerator[CompletionResponseStreamChunk, None]:
        """Return how the model goes on from *content*, without any chat template.

        Args:
            model: The model; a router takes the identifier, a provider its own name for it.
            content: What comes before.
            sampling_params: How tokens are chosen; None means greedily, without a limit.
            response_format: The form that the text must have.
            stream: Give the text in chunks as they come.
            logprobs: Report the probabilities of the tokens.
        """
        ...

    @route("POST", "/inference/embeddings")
    async def embeddings(
        self, model: str, contents: list[InterleavedContent]
    ) -> EmbeddingsResponse:
        """Return one vector for each of *contents*, in their order."""
        ...

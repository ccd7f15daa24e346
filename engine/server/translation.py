"""Requests of the OpenAI API as calls of the inference API. Pure: values in, values out.

For providers that do not speak the OpenAI API themselves. A parameter that cannot be honoured is an
error that names it; one whose loss changes no answer is passed over.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rungraph.engine.apis.common import (
    CompletionMessage,
    ImageMedia,
    JsonSchemaResponseFormat,
    LogProbConfig,
    SamplingParams,
    SamplingStrategy,
    StopReason,
    SystemMessage,
    ToolCall,
    ToolDefinition,
    ToolResponseMessage,
    UserMessage,
)
from rungraph.engine.server.failures import RequestError, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rungraph.engine.apis.common import InterleavedContent, Message

_HARMLESS = frozenset(
    {"api-version", "metadata", "parallel_tool_calls", "prompt_cache_key", "safety_identifier"}
    | {"service_tier", "store", "user", "verbosity"}
)
_WITHOUT_EFFECT: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "echo": (False,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
}
"""Values with which a parameter that cannot be honoured asks for nothing."""


class Sent(BaseModel):
    """Base of what is read from a request; what else it holds `read` looks at afterwards."""

    model_config = ConfigDict(extra="allow", frozen=True)


class _Function(Sent):
    name: str
    arguments: str = "{}"
    description: str | None = None
    parameters: dict[str, Any] | None = None


class _Call(Sent):
    id: str
    function: _Function


class _Url(Sent):
    url: str


class _TextPart(Sent):
    type: Literal["text"]
    text: str


class _ImagePart(Sent):
    type: Literal["image_url"]
    image_url: _Url


Part = Annotated[_TextPart | _ImagePart, Field(discriminator="type")]
Content = str | list[Part] | None


class SentMessage(Sent):
    """One message of a chat."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Content = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str = ""


class _Tool(Sent):
    type: Literal["function"]
    function: _Function


class _Schema(Sent):
    schema_: dict[str, Any] = Field(default_factory=dict[str, Any], alias="schema")


class _Format(Sent):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: _Schema | None = None


class _ToolChoice(Sent):
    function: _Function


class _StreamOptions(Sent):
    include_usage: bool = False


class _Sampled(Sent):
    model: str
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    response_format: _Format | None = None

    @property
    def with_usage(self) -> bool:
        """Whether a stream is to end with the tokens."""
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that chat and completion have in common."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop
        # Who says nothing of it means the API's default, by which a model does not choose greedily.
        temperature = 1.0 if self.temperature is None else self.temperature
        params = SamplingParams(
            strategy=SamplingStrategy.TOP_P if temperature else SamplingStrategy.GREEDY,
            temperature=temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            max_tokens=getattr(self, "max_completion_tokens", None) or self.max_tokens,
            stop=stop,
            seed=self.seed,
        )
        found: dict[str, Any] = {"model": self.model, "sampling_params": params}
        if self.stream:
            found["stream"] = True
        form = self.response_format
        if form is not None and form.type != "text":
            schema = form.json_schema.schema_ if form.json_schema else {"type": "object"}
            found["response_format"] = JsonSchemaResponseFormat(json_schema=schema)
        return found


class ChatRequest(_Sampled):
    """The body of a request to ``/v1/chat/completions``."""

    messages: list[SentMessage]
    max_completion_tokens: int | None = None
    tools: list[_Tool] | None = None
    tool_choice: Literal["none", "auto", "required"] | _ToolChoice | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of ``chat_completion``."""
        found = {**super().arguments, "messages": messages_of(self.messages)}
        if self.tools:
            found["tools"] = [
                ToolDefinition(
                    tool_name=tool.function.name,
                    description=tool.function.description,
                    json_schema=tool.function.parameters or {"type": "object", "properties": {}},
                )
                for tool in self.tools
            ]
        choice = self.tool_choice
        if choice is not None:
            found["tool_choice"] = choice if isinstance(choice, str) else choice.function.name
        if self.logprobs:
            found["logprobs"] = LogProbConfig(top_k=self.top_logprobs or 0)
        return found


class CompletionRequest(_Sampled):
    """The body of a request to ``/v1/completions``."""

    prompt: str | Annotated[list[str], Field(min_length=1, max_length=1)]
    logprobs: int | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of ``completion``."""
        prompt = self.prompt if isinstance(self.prompt, str) else self.prompt[0]
        found = {**super().arguments, "content": prompt}
        if self.logprobs is not None:
            found["logprobs"] = LogProbConfig(top_k=self.logprobs)
        return found


class EmbeddingsRequest(Sent):
    """The body of a request to ``/v1/embeddings``."""

    model: str
    input: str | Annotated[list[str], Field(min_length=1)]
    encoding_format: Literal["float", "base64"] | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments of ``embeddings``."""
        texts = [self.input] if isinstance(self.input, str) else self.input
        return {"model": self.model, "contents": texts}


_Request = TypeVar("_Request", bound=Sent)


def read(kind: type[_Request], body: Mapping[str, Any]) -> _Request:
    """Return what *body* asks for.

    Raises:
        RequestError: If it is not valid, or asks for what cannot be honoured here.
    """
    try:
        request = kind.model_validate(body)
        getattr(request, "arguments", None)  # What cannot be said of it is found now.
    except ValidationError as error:
        raise invalid(error, lambda _: "") from error
    for name, value in (request.model_extra or {}).items():
        if name in _HARMLESS or value is None or value in _WITHOUT_EFFECT.get(name, ()):
            continue
        model = getattr(request, "model", None)
        who = f"the provider of {model!r}" if model else "this server"
        text = f"{name}: {who} cannot honour it"
        raise RequestError(400, text, name, "unsupported_parameter")
    return request


def messages_of(sent: Sequence[SentMessage]) -> list[Message]:
    """Return the messages as the inference API has them."""
    tools = {call.id: call.function.name for one in sent for call in one.tool_calls or ()}
    return [_message(one, tools) for one in sent]


def _message(sent: SentMessage, tools: Mapping[str, str]) -> Message:
    content = content_of(sent.content)
    match sent.role:
        case "system" | "developer":
            return SystemMessage(content=content)
        case "user":
            return UserMessage(content=content)
        case "tool":
            name = tools.get(sent.tool_call_id, "")
            return ToolResponseMessage(call_id=sent.tool_call_id, tool_name=name, content=content)
        case "assistant":
            calls = [
                ToolCall(
                    call_id=call.id,
                    tool_name=call.function.name,
                    arguments=_arguments(call.function.arguments),
                )
                for call in sent.tool_calls or ()
            ]
            reason = StopReason.END_OF_MESSAGE if calls else StopReason.END_OF_TURN
            return CompletionMessage(content=content, stop_reason=reason, tool_calls=calls)


def _arguments(text: str) -> dict[str, Any]:
    try:
        found: object = json.loads(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        problem = "the arguments of a tool call are no JSON object"
        raise RequestError(400, problem, "messages", "invalid_value")
    return cast("dict[str, Any]", found)


def content_of(sent: Content) -> InterleavedContent:
    """Return the content of a message as the inference API has it."""
    if sent is None or isinstance(sent, str):
        return sent or ""
    return [
        part.text if isinstance(part, _TextPart) else ImageMedia(image=part.image_url.url)
        for part in sent
    ]

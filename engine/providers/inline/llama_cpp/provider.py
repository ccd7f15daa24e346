"""``inline::llama-cpp``: inference by a GGUF model that llama.cpp runs in this process."""

from __future__ import annotations

import asyncio
import importlib.util
import secrets
from typing import TYPE_CHECKING, Any

from rungraph.engine.apis.common import (
    HealthResponse,
    HealthStatus,
    SamplingParams,
    ToolChoice,
    ToolPromptFormat,
)
from rungraph.engine.apis.inference import ChatCompletionResponse
from rungraph.engine.apis.models import Model
from rungraph.engine.errors import MissingPackageError, unknown
from rungraph.engine.providers.inline.llama_cpp import json_tools
from rungraph.engine.providers.inline.llama_cpp.model_file import find_model
from rungraph.engine.providers.inline.llama_cpp.server import open_server
from rungraph.engine.providers.openai_inference import OpenAIRelay, opened

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from rungraph.engine.apis.common import (
        InterleavedContent,
        LogProbConfig,
        Message,
        ResponseFormat,
        ToolDefinition,
    )
    from rungraph.engine.apis.inference import (
        ChatCompletionResponseStreamChunk,
        CompletionResponse,
        CompletionResponseStreamChunk,
        EmbeddingsResponse,
    )
    from rungraph.engine.providers.inline.llama_cpp.config import LlamaCppConfig
    from rungraph.engine.providers.openai_client import OpenAIClient

_EXTRA = "llama-cpp"


class LlamaCppProvider(OpenAIRelay):
    """Serves one model under one or several names.

    Args:
        config: How it answers.
        names: What the model is called; the first is its name in errors.
        server: llama.cpp's server, which is kept.
        client: Asks it.
    """

    def __init__(
        self, config: LlamaCppConfig, names: tuple[str, ...], server: object, client: OpenAIClient
    ) -> None:
        super().__init__(client)
        self._config = config
        self._names = names
        self._server = server
        self._registered: dict[str, Model] = {}

    async def shutdown(self) -> None:
        """Close the connections to llama.cpp, which ends with the process."""
        await self._client.close()

    async def health(self) -> HealthResponse:
        """Return whether llama.cpp answers."""
        try:
            await self.served()
        except OSError as error:
            return HealthResponse(status=HealthStatus.ERROR, message=str(error))
        return HealthResponse(status=HealthStatus.OK)

    async def list_models(self) -> list[Model]:
        """Return the model under all of its names, sorted."""
        models = {name: Model(identifier=name) for name in self._names} | self._registered
        return [model for _, model in sorted(models.items())]

    async def register_model(self, model: Model) -> Model:
        """Serve the model under another name.

        Raises:
            ValueError: If *model* is another model.
        """
        self._check(model.native_id)
        self._registered[model.identifier] = model
        return model

    async def unregister_model(self, model: Model) -> None:
        """Forget a name that was registered; the configured ones stay."""
        self._registered.pop(model.identifier, None)

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
        """Return the model's next message; tools are called as the config says."""
        self._check(model)
        as_json = bool(tools) and self._config.tool_calls == "json-schema"
        if tools and as_json and tool_choice != ToolChoice.NONE:
            messages, response_format = json_tools.ask(
                messages, tools, tool_choice, response_format
            )
        answer = await super().chat_completion(
            model,
            messages,
            self._limited(sampling_params),
            response_format,
            None if as_json else tools,
            ToolChoice.AUTO if as_json else tool_choice,
            tool_prompt_format,
            stream,
            logprobs,
        )
        if not as_json or tool_choice == ToolChoice.NONE:
            return answer
        if isinstance(answer, ChatCompletionResponse):
            return json_tools.read(answer)
        return await opened(json_tools.read_stream(answer))

    async def completion(
        self,
        model: str,
        content: InterleavedContent,
        sampling_params: SamplingParams | None = None,
        response_format: ResponseFormat | None = None,
        stream: bool = False,
        logprobs: LogProbConfig | None = None,
    ) -> CompletionResponse | AsyncGenerator[CompletionResponseStreamChunk, None]:
        """Return how the model goes on from *content*."""
        self._check(model)
        return await super().completion(
            model, content, self._limited(sampling_params), response_format, stream, logprobs
        )

    async def embeddings(
        self, model: str, contents: list[InterleavedContent]
    ) -> EmbeddingsResponse:
        """Refuse: a chat model's vectors are of no use.

        Raises:
            NotImplementedError: Always.
        """
        msg = f"{model!r} is a chat model and makes no embeddings; use an embedding model"
        raise NotImplementedError(msg)

    async def relay_openai(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """Return llama.cpp's own answer to *body*, in pieces."""
        self._check(body["model"])
        if body.get("max_tokens") is None and body.get("max_completion_tokens") is None:
            body = {**body, "max_tokens": self._config.max_tokens}
        return await super().relay_openai(path, body)

    def _limited(self, params: SamplingParams | None) -> SamplingParams:
        """Return *params* with the limit of the config where the caller sets none."""
        params = params or SamplingParams()
        if params.max_tokens is not None:
            return params
        return params.model_copy(update={"max_tokens": self._config.max_tokens})

    def _check(self, name: str) -> None:
        if name not in self._names:
            raise ValueError(unknown(f"no model {name!r}", "served", name, self._names))


async def get_provider_impl(config: LlamaCppConfig, deps: Mapping[str, Any]) -> LlamaCppProvider:
    """Return a provider that has loaded the model and answers.

    Raises:
        MissingPackageError: If ``xllamacpp`` or ``aiohttp`` is not installed.
        EngineError: If there is no such model, or llama.cpp cannot load it.
    """
    for package in ("xllamacpp", "aiohttp"):
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(_EXTRA, package)
    from rungraph.engine.providers.openai_client import OpenAIClient  # Imports aiohttp.

    path, name = await asyncio.to_thread(find_model, config.model)
    names = tuple(dict.fromkeys((config.model_id or name, *config.aliases)))
    # No page and no other user of the machine may ask it.
    key = secrets.token_urlsafe(24)
    server = await asyncio.to_thread(open_server, path, names, key, config)
    client = OpenAIClient(
        f"{server.listening_address}/v1",
        api_key=key,
        timeout=config.timeout_seconds,
        first_chunk_timeout=config.timeout_seconds,
        max_retries=0,
        is_local=True,
        name=f"llama.cpp with {names[0]!r}",
    )
    return LlamaCppProvider(config, names, server, client)

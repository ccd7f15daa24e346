"""``inline::llama-cpp``: inference by a GGUF model in a worker process that is kept alive."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

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
from rungraph.engine.provider import ProviderReport
from rungraph.engine.providers.inline.llama_cpp import json_tools
from rungraph.engine.providers.inline.llama_cpp.model_file import find_model
from rungraph.engine.providers.inline.llama_cpp.process import Worker, WorkerError
from rungraph.engine.providers.openai_inference import OpenAIRelay, opened

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from pathlib import Path

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
_Answer = TypeVar("_Answer")
_DYING_SECONDS = 1.0
_LASTING_SECONDS = 60.0


class _Serving(NamedTuple):
    worker: Worker
    client: OpenAIClient
    inference: OpenAIRelay


class LlamaCppProvider:
    """Serves one model under one or several names.

    A worker that dies is noticed at once, reported and started again, after a delay that doubles
    with every failure. A stream that it was sending then fails with ``ConnectionError``. A call
    that it had not begun to answer is asked again of the new worker, once, and a new call waits
    for it; they fail with ``ConnectionError`` when it cannot be started or takes too long.
    """

    def __init__(self, config: LlamaCppConfig, path: Path, names: tuple[str, ...]) -> None:
        self._config = config
        self._path = path
        self._names = names
        self._registered: dict[str, Model] = {}
        self._report: Callable[[ProviderReport], None] | None = None
        self._serving: asyncio.Future[_Serving] = asyncio.get_running_loop().create_future()
        self._keeping: asyncio.Task[None] | None = None

    @property
    def worker(self) -> Worker | None:
        """The worker that answers now; None while it is being replaced."""
        if self._serving.done() and self._serving.exception() is None:
            return self._serving.result().worker
        return None

    async def start(self) -> None:
        """Start the worker, and keep one alive from now on.

        Raises:
            WorkerError: If it cannot load the model.
            TimeoutError: If it takes too long.
        """
        self._serving.set_result(await self._start_worker())
        self._keeping = asyncio.create_task(self._keep_alive(), name=f"keep {self._names[0]} alive")

    async def shutdown(self) -> None:
        """End the worker; it takes some tens of milliseconds."""
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
        if self._serving.done() and self._serving.exception() is None:
            await _end(self._serving.result())

    def report_to(self, report: Callable[[ProviderReport], None]) -> None:
        """Have the worker's deaths and restarts told to *report*."""
        self._report = report

    async def health(self) -> HealthResponse:
        """Return whether the worker answers."""
        try:
            await self._ask(self._names[0], lambda inference: inference.served())
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
        as_json = bool(tools) and self._config.tool_calls == "json-schema"
        if tools and as_json and tool_choice != ToolChoice.NONE:
            messages, response_format = json_tools.ask(
                messages, tools, tool_choice, response_format
            )
        answer = await self._ask(
            model,
            lambda inference: inference.chat_completion(
                model,
                messages,
                self._limited(sampling_params),
                response_format,
                None if as_json else tools,
                ToolChoice.AUTO if as_json else tool_choice,
                tool_prompt_format,
                stream,
                logprobs,
            ),
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
        return await self._ask(
            model,
            lambda inference: inference.completion(
                model, content, self._limited(sampling_params), response_format, stream, logprobs
            ),
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
        """Return the worker's own answer to *body*, in pieces."""
        if body.get("max_tokens") is None and body.get("max_completion_tokens") is None:
            body = {**body, "max_tokens": self._config.max_tokens}
        return await self._ask(body["model"], lambda inference: inference.relay_openai(path, body))

    def _limited(self, params: SamplingParams | None) -> SamplingParams:
        """Return *params* with the limit of the config where the caller sets none."""
        params = params or SamplingParams()
        if params.max_tokens is not None:
            return params
        return params.model_copy(update={"max_tokens": self._config.max_tokens})

    def _check(self, name: str) -> None:
        if name not in self._names:
            raise ValueError(unknown(f"no model {name!r}", "served", name, self._names))

    async def _ask(self, model: str, call: Callable[[OpenAIRelay], Awaitable[_Answer]]) -> _Answer:
        """Return the answer to *call*, which is called again when the worker died under it."""
        self._check(model)
        serving = await self._current()
        try:
            return await call(serving.inference)
        except ConnectionError:
            # The connection breaks some moments before the process is seen to end.
            if not await serving.worker.has_died(within=_DYING_SECONDS):
                raise
        self._lose(serving)
        return await call((await self._current()).inference)

    async def _current(self) -> _Serving:
        """Return what serves now, waiting a moment while the worker is being replaced."""
        try:
            async with asyncio.timeout(self._config.restart_wait_seconds):
                return await asyncio.shield(self._serving)
        except TimeoutError:
            msg = f"the worker of {self._names[0]!r} died and is being started again"
            raise ConnectionError(msg) from None
        except WorkerError as error:
            # One error is shared by all calls; each raises its own.
            msg = f"the worker of {self._names[0]!r} died and cannot be started again: {error}"
            raise ConnectionError(msg) from error

    async def _start_worker(self) -> _Serving:
        settings = {
            "model": str(self._path),
            "aliases": self._names,
            # llama.cpp divides it among the slots.
            "context_size": self._config.context_size * self._config.parallel,
            "parallel": self._config.parallel,
            # Threads wait for each other by spinning: one more than there are idle cores, and
            # everything takes many times as long.
            "threads": self._config.threads or max(1, _cores() - 1),
            "gpu_layers": self._config.gpu_layers,
            "seed": self._config.seed,
            "chat_template": self._config.chat_template,
        }
        try:
            worker = await Worker.start(settings, timeout=self._config.start_timeout_seconds)
        except WorkerError as error:
            msg = f"llama.cpp cannot load {str(self._path)!r}: {error}"
            raise WorkerError(msg) from error
        try:
            client = await asyncio.to_thread(self._open, worker)
        except BaseException:
            await worker.stop(grace=0)
            raise
        return _Serving(worker, client, OpenAIRelay(client))

    def _open(self, worker: Worker) -> OpenAIClient:
        from rungraph.engine.providers.openai_client import OpenAIClient

        return OpenAIClient(
            f"{worker.url}/v1",
            api_key=worker.api_key,
            timeout=self._config.timeout_seconds,
            first_chunk_timeout=self._config.timeout_seconds,
            max_retries=0,
            is_local=True,
            name=f"the worker of {self._names[0]!r}",
        )

    async def _keep_alive(self) -> None:
        failures = 0
        while True:
            serving = self._serving.result()
            began = time.monotonic()
            code = await serving.worker.wait()
            self._lose(serving)
            self._tell("degraded", f"the worker died ({_ending(code)}); starting it again")
            await _end(serving)
            if time.monotonic() - began > _LASTING_SECONDS:
                failures = 0
            while not self._serving.done() or self._serving.exception() is not None:
                await asyncio.sleep(self._delay(failures))
                failures += 1
                await self._restart()
            self._tell("ready", "the worker answers again")

    def _lose(self, serving: _Serving) -> None:
        """Make calls wait for another worker than that of *serving*, which died."""
        current = self._serving
        if current.done() and current.exception() is None and current.result() is serving:
            self._serving = asyncio.get_running_loop().create_future()

    async def _restart(self) -> None:
        try:
            outcome = await self._start_worker()
        except (WorkerError, TimeoutError) as error:
            if not self._serving.done():
                self._serving.set_exception(WorkerError(str(error)))
                # Nobody may be waiting for it, and that is fine.
                self._serving.exception()
            self._tell("degraded", f"the worker cannot be started again: {error}")
            return
        if self._serving.done():
            self._serving = asyncio.get_running_loop().create_future()
        self._serving.set_result(outcome)

    def _delay(self, failures: int) -> float:
        config = self._config
        return min(config.restart_delay_seconds * 2.0**failures, config.restart_delay_max_seconds)

    def _tell(self, state: Any, detail: str) -> None:
        if self._report is not None:
            self._report(ProviderReport(state=state, detail=detail))


async def get_provider_impl(config: LlamaCppConfig, deps: Mapping[str, Any]) -> LlamaCppProvider:
    """Return a provider whose worker has loaded the model and answers.

    Raises:
        MissingPackageError: If ``xllamacpp`` or ``aiohttp`` is not installed.
        EngineError: If there is no such model, or llama.cpp cannot load it.
    """
    for package in ("xllamacpp", "aiohttp"):
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(_EXTRA, package)
    path, name = await asyncio.to_thread(find_model, config.model)
    names = tuple(dict.fromkeys((config.model_id or name, *config.aliases)))
    provider = LlamaCppProvider(config, path, names)
    await provider.start()
    return provider


async def _end(serving: _Serving) -> None:
    try:
        await serving.client.close()
    finally:
        await serving.worker.stop()


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"

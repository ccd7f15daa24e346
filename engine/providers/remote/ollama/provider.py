"""``remote::ollama``: inference by Ollama, through its own routes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from rungraph.engine.apis.models import Model
from rungraph.engine.provider import ProviderReport
from rungraph.engine.providers.remote.ollama import wire
from rungraph.engine.providers.served_inference import ServedInference, client_of, started
from rungraph.engine.server_events import LINES

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

    from rungraph.engine.providers.openai_client import OpenAIClient
    from rungraph.engine.providers.remote.ollama.config import OllamaConfig

_ROUTES = {"chat/completions": "api/chat", "completions": "api/generate"}
_LATEST = ":latest"
_NOT_IN_THE_LIBRARY = "does not exist"


class OllamaProvider(ServedInference):
    """Serves the models that one server has; they come and go while it runs.

    A name without a tag means the tag ``latest``, so such a model is served under both names. What
    a model is for, the server says. Its OpenAI routes are not used: they cannot say how long a
    context is, nor how long a model stays in memory.
    """

    def __init__(self, client: OpenAIClient, config: OllamaConfig) -> None:
        super().__init__(client, config)
        self._own = config
        self._capabilities: dict[wire.Tagged, list[str]] = {}
        self._report: Callable[[ProviderReport], None] = lambda _: None

    def report_to(self, report: Callable[[ProviderReport], None]) -> None:
        """Have it told how far the pull of a model is."""
        self._report = report

    async def models(self) -> Iterable[Model]:
        """Return each model that the server has now, under each of its names."""
        found = self._read(wire.Tags.model_validate, await self._client.get("api/tags")).models
        capabilities = await asyncio.gather(*map(self._capabilities_of, found))
        self._capabilities = dict(zip(found, capabilities, strict=True))
        models: list[Model] = []
        for one, able in self._capabilities.items():
            makes_vectors = "embedding" in able
            names = {one.name, one.name.removesuffix(_LATEST)}
            models += [
                Model(
                    identifier=name,
                    provider_resource_id=one.name,
                    model_type="embedding" if makes_vectors else "llm",
                )
                for name in names
            ]
        return models

    async def register_model(self, model: Model) -> Model:
        """Serve *model* under its name; where it is not there, pull it if the config says so.

        Raises:
            ValueError: If the server does not have it, and cannot get it.
        """
        if self._own.pull == "missing" and model.native_id not in await self._allowed():
            await self._pull(model.native_id)
        return await super().register_model(model)

    async def _capabilities_of(self, model: wire.Tagged) -> list[str]:
        if model in self._capabilities:
            return self._capabilities[model]
        shown = await self._client.post("api/show", {"model": model.name})
        return self._read(wire.Shown.model_validate, shown).capabilities

    async def _pull(self, name: str) -> None:
        status, told = "", ""
        try:
            async with aclosing(
                self._client.events("api/pull", {"model": name}, media=LINES)
            ) as steps:
                async for step in steps:
                    if step is None:
                        continue
                    pulling = self._read(wire.Pulling.model_validate, step)
                    if str(pulling) != told:
                        status, told = pulling.status, str(pulling)
                        self._report(ProviderReport("working", f"{name}: {told}"))
        except ConnectionError as error:
            if _NOT_IN_THE_LIBRARY in str(error):
                raise ValueError(str(error)) from error
            raise
        if status != "success":
            raise self._broken_off()

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "embeddings":
            wanted = self._kept({**body, "truncate": False})
            return self._read(wire.vectors, await self._client.post("api/embed", wanted))
        answer = await self._client.post(_ROUTES[path], self._request(body))
        return self._read(wire.answer, answer)

    async def _events(
        self, path: str, body: dict[str, Any]
    ) -> AsyncGenerator[dict[str, Any] | None, None]:
        events = self._client.events(_ROUTES[path], self._request(body), media=LINES)
        async with aclosing(events):
            async for event in events:
                yield None if event is None else self._read(wire.answer, event)

    def _request(self, body: dict[str, Any]) -> dict[str, Any]:
        return self._kept(wire.request(body, num_ctx=self._own.num_ctx))

    def _kept(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return *request* with how long its model is to stay in memory."""
        kept = self._own.keep_alive
        return request if kept is None else {**request, "keep_alive": kept}


async def get_adapter_impl(config: OllamaConfig, deps: Mapping[str, Any]) -> OllamaProvider:
    """Return a provider whose server is there.

    Raises:
        MissingPackageError: If ``aiohttp`` is not installed.
        OSError: If the server cannot be reached.
        NotImplementedError: If it is no such server.
    """

    def make() -> OllamaProvider:
        return OllamaProvider(client_of(config.url, config.api_token, config), config)

    return await started("ollama", make)

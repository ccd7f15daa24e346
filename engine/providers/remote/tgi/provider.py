"""``remote::tgi``: inference by Text Generation Inference, which serves one model."""

from __future__ import annotations

from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from rungraph.engine.apis.models import Model
from rungraph.engine.errors import unknown
from rungraph.engine.providers.openai_inference import OpenAIRelay
from rungraph.engine.providers.remote.tgi import wire
from rungraph.engine.providers.served_inference import ServedInference, client_of, started

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Mapping

    from rungraph.engine.providers.remote.tgi.config import TGIConfig


class _Info(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, protected_namespaces=())

    model_id: str


class TGIProvider(ServedInference, OpenAIRelay):
    """Serves the model of one server.

    The server answers with its model whatever model it is asked for, so the name is checked here.
    """

    prefix = "v1/"
    _model = ""

    async def models(self) -> Iterable[Model]:
        """Return the one model."""
        info = await self._client.get("info")
        self._model = self._read(_Info.model_validate, info).model_id
        return [Model(identifier=self._model)]

    async def check(self) -> None:
        """Return if the server is there and takes the key, for which a list does not ask."""
        await self.list_models()
        # A release that cannot count tokens is not asked for its opinion of the key.
        with suppress(NotImplementedError):
            await self._client.check("tokenize", {"inputs": "a"})

    async def relay_openai(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """Return the server's own answer to *body*, in pieces."""
        await self._check_model(body["model"])
        return await super().relay_openai(path, body)

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        await self._check_model(body["model"])
        if path != "completions":
            return await super()._post(path, wire.chat_request(body))
        answer = await self._client.post("generate", wire.generate_request(body))
        read = partial(wire.completion_answer, logprobs="logprobs" in body)
        return self._read(read, answer)

    async def _events(
        self, path: str, body: dict[str, Any]
    ) -> AsyncGenerator[dict[str, Any] | None, None]:
        await self._check_model(body["model"])
        read: Callable[[dict[str, Any]], dict[str, Any]]
        if path != "completions":
            events = super()._events(path, wire.chat_request(body))
            read = dict[str, Any]
        else:
            events = self._client.events("generate_stream", wire.generate_request(body))
            read = partial(wire.completion_event, logprobs="logprobs" in body)
        async with aclosing(events):
            async for event in events:
                yield None if event is None else self._read(read, event)

    async def _check_model(self, name: str) -> None:
        if name != self._model:
            # Another one may have been started in its place.
            await self.models()
        if name != self._model:
            text = f"{self._client.name} serves no {name!r}"
            raise ValueError(unknown(text, "served", name, [self._model]))


async def get_adapter_impl(config: TGIConfig, deps: Mapping[str, Any]) -> TGIProvider:
    """Return a provider whose server is there and accepts the key.

    Raises:
        MissingPackageError: If ``aiohttp`` is not installed.
        OSError: If the server cannot be reached or refuses the key.
        ValueError: If it has to be looked up, and there is none.
        NotImplementedError: If it is no such server.
    """
    url, key = await config.located()

    def make() -> TGIProvider:
        return TGIProvider(client_of(url, key, config), config)

    return await started("tgi", make)

"""``remote::openai``: inference by any server that speaks the OpenAI API."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.apis.models import Model
from rungraph.engine.errors import MissingPackageError, unknown
from rungraph.engine.providers.openai_inference import OpenAIInference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.engine.providers.openai_client import OpenAIClient
    from rungraph.engine.providers.remote.openai.config import OpenAIConfig

_NEEDS = ("openai", "aiohttp")


class OpenAIProvider(OpenAIInference):
    """Serves the models of one server, and those registered under other names of theirs."""

    def __init__(self, client: OpenAIClient, config: OpenAIConfig) -> None:
        super().__init__(client)
        self._config = config
        self._registered: dict[str, Model] = {}

    async def list_models(self) -> list[Model]:
        """Return what the server serves now, and what is registered of it, sorted by name."""
        served = await self._allowed()
        models = {name: self._model(name) for name in served}
        models |= {
            name: model for name, model in self._registered.items() if model.native_id in served
        }
        return [model for _, model in sorted(models.items())]

    async def register_model(self, model: Model) -> Model:
        """Serve *model* under its name, if the server serves it under its native one.

        Raises:
            ValueError: If the server does not.
        """
        served = await self._allowed()
        if model.native_id not in served:
            text = f"{self._client.name} serves no {model.native_id!r}"
            raise ValueError(unknown(text, "served", model.native_id, served))
        self._registered[model.identifier] = model
        return model

    async def unregister_model(self, model: Model) -> None:
        """Forget a registration; what the server serves by itself stays."""
        self._registered.pop(model.identifier, None)

    async def health(self) -> HealthResponse:
        """Return whether the server answers and knows the key."""
        try:
            served = await self._allowed()
        except (OSError, ValueError, NotImplementedError) as error:
            return HealthResponse(status=HealthStatus.ERROR, message=str(error))
        return HealthResponse(status=HealthStatus.OK, message=f"{len(served)} models")

    async def shutdown(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _allowed(self) -> tuple[str, ...]:
        served = await self.served()
        allowed = self._config.allowed_models
        return served if allowed is None else tuple(name for name in served if name in allowed)

    def _model(self, name: str) -> Model:
        is_embedding = name in self._config.embedding_models
        return Model(identifier=name, model_type="embedding" if is_embedding else "llm")


async def get_adapter_impl(config: OpenAIConfig, deps: Mapping[str, Any]) -> OpenAIProvider:
    """Return a provider whose server is there and accepts the key.

    Raises:
        MissingPackageError: If ``aiohttp`` is not installed.
        OSError: If the server cannot be reached or refuses the key.
        ValueError: If it is no such server.
    """
    provider = OpenAIProvider(await asyncio.to_thread(_open, config), config)
    try:
        await provider.list_models()
    except BaseException:
        await provider.shutdown()
        raise
    return provider


def _open(config: OpenAIConfig) -> OpenAIClient:
    try:
        from rungraph.engine.providers.openai_client import OpenAIClient
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise MissingPackageError(*_NEEDS) from error
    return OpenAIClient(
        config.base_url,
        api_key=config.api_key.get_secret_value() if config.api_key is not None else None,
        timeout=config.timeout_seconds,
        first_chunk_timeout=config.first_chunk_timeout_seconds,
        max_retries=config.max_retries,
        route_help="" if config.base_url.endswith("/v1") else "base_url usually ends in '/v1'",
    )

"""Inference by a server that lists its models; what all providers of such servers share."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.apis.models import Model
from rungraph.engine.errors import MissingPackageError, unknown
from rungraph.engine.providers.openai_inference import OpenAIInference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pydantic import SecretStr

    from rungraph.engine.providers.openai_client import OpenAIClient
    from rungraph.engine.providers.server_config import ServerConfig, ServerWaits


class _Checked(Protocol):
    async def check(self) -> None: ...
    async def shutdown(self) -> None: ...


_Provider = TypeVar("_Provider", bound=_Checked)


class ServedInference(OpenAIInference):
    """Serves the models of one server, and those registered under other names of theirs.

    Args:
        client: The server.
        config: What of it is used.
    """

    def __init__(self, client: OpenAIClient, config: ServerConfig) -> None:
        super().__init__(client)
        self._config = config
        self._registered: dict[str, Model] = {}

    async def models(self) -> Iterable[Model]:
        """Return each model that the server has now, under each of its names."""
        return [Model(identifier=name) for name in await self.served()]

    async def check(self) -> None:
        """Return if the server is there and takes the key; raise what a call would raise."""
        await self.list_models()

    async def list_models(self) -> list[Model]:
        """Return what the server serves now, and what is registered of it, sorted by name."""
        models = await self._allowed()
        models |= {
            name: model for name, model in self._registered.items() if model.native_id in models
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
            await self.check()
        except (OSError, ValueError, NotImplementedError) as error:
            return HealthResponse(status=HealthStatus.ERROR, message=str(error))
        return HealthResponse(status=HealthStatus.OK)

    async def shutdown(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def _allowed(self) -> dict[str, Model]:
        allowed = self._config.allowed_models
        return {
            model.identifier: model
            for model in await self.models()
            if allowed is None or model.identifier in allowed
        }


async def started(extra: str, make: Callable[[], _Provider]) -> _Provider:
    """Return the provider that *make* makes, whose server is there and takes the key.

    Args:
        extra: What installs what it needs.
        make: Makes it, in a thread: it imports what the client needs.

    Raises:
        MissingPackageError: If ``aiohttp`` is not installed.
        OSError: If the server cannot be reached or refuses the key.
        ValueError: If it is no such server.
        NotImplementedError: If it has no such API.
    """
    try:
        provider = await asyncio.to_thread(make)
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise MissingPackageError(extra, "aiohttp") from error
    try:
        await provider.check()
    except BaseException:
        await provider.shutdown()
        raise
    return provider


def client_of(url: str, key: SecretStr | None, config: ServerConfig, **more: Any) -> OpenAIClient:
    """Return a client of the server at *url*."""
    from rungraph.engine.providers.openai_client import OpenAIClient

    return OpenAIClient(url, **client_settings(key, config), **more)


def client_settings(key: SecretStr | None, config: ServerWaits) -> dict[str, Any]:
    """Return what a client is told of its server besides where it is."""
    return {
        "api_key": key.get_secret_value() if key is not None else None,
        "timeout": config.timeout_seconds,
        "first_chunk_timeout": config.first_chunk_timeout_seconds,
        "max_retries": config.max_retries,
    }

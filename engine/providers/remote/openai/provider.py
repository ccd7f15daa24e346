"""``remote::openai``: inference by any server that speaks the OpenAI API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rungraph.engine.apis.models import Model
from rungraph.engine.providers.openai_inference import OpenAIRelay
from rungraph.engine.providers.served_inference import ServedInference, client_of, started

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rungraph.engine.providers.openai_client import OpenAIClient
    from rungraph.engine.providers.remote.openai.config import OpenAIConfig


class OpenAIProvider(ServedInference, OpenAIRelay):
    """Serves the models of one server, and those registered under other names of theirs."""

    def __init__(self, client: OpenAIClient, config: OpenAIConfig) -> None:
        super().__init__(client, config)
        self._embedding = frozenset(config.embedding_models)

    async def models(self) -> Iterable[Model]:
        """Return each model that the server has now, under each of its names."""
        return [
            Model(identifier=name, model_type="embedding" if name in self._embedding else "llm")
            for name in await self.served()
        ]


async def get_adapter_impl(config: OpenAIConfig, deps: Mapping[str, Any]) -> OpenAIProvider:
    """Return a provider whose server is there and accepts the key.

    Raises:
        MissingPackageError: If ``aiohttp`` is not installed.
        OSError: If the server cannot be reached or refuses the key.
        NotImplementedError: If it is no such server.
    """
    return await started("openai", lambda: OpenAIProvider(_client_of(config), config))


def _client_of(config: OpenAIConfig) -> OpenAIClient:
    route_help = "" if config.base_url.endswith("/v1") else "base_url usually ends in '/v1'"
    return client_of(config.base_url, config.api_key, config, route_help=route_help)

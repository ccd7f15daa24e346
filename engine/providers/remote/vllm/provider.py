"""``remote::vllm``: inference by vLLM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from rungraph.engine.apis.models import Model
from rungraph.engine.providers.openai_inference import OpenAIRelay
from rungraph.engine.providers.served_inference import ServedInference, client_of, started

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Mapping

    from rungraph.engine.providers.openai_client import OpenAIClient
    from rungraph.engine.providers.remote.vllm.config import VLLMConfig

_OF_LLAMA_CPP = frozenset({"json_schema", "repeat_penalty"})
_TEXT = frozenset({"chat/completions", "completions"})


class _Listed(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    max_model_len: int | None = None


class _List(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    data: list[_Listed]


class VLLMProvider(ServedInference, OpenAIRelay):
    """Serves the models of one server: the one that it loaded, and its adapters."""

    prefix = "v1/"

    def __init__(self, client: OpenAIClient, config: VLLMConfig) -> None:
        super().__init__(client, config)
        self._embedding = frozenset(config.embedding_models)
        self._max_tokens = config.max_tokens

    async def models(self) -> Iterable[Model]:
        """Return each model that the server has now, and how many tokens it takes at most."""
        listed = self._read(_List.model_validate, await self._client.get("v1/models"))
        return [
            Model(
                identifier=one.id,
                model_type="embedding" if one.id in self._embedding else "llm",
                metadata={"context_length": one.max_model_len} if one.max_model_len else {},
            )
            for one in listed.data
        ]

    async def check(self) -> None:
        """Return if the server is there and takes the key; its list outlives a dead engine."""
        await self.list_models()
        await self._client.check("health")

    async def relay_openai(self, path: str, body: Mapping[str, Any]) -> AsyncGenerator[bytes, None]:
        """Return the server's own answer to *body*, in pieces."""
        return await super().relay_openai(path, self._limited(path, dict(body)))

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await super()._post(path, self._request(path, body))

    def _events(
        self, path: str, body: dict[str, Any]
    ) -> AsyncGenerator[dict[str, Any] | None, None]:
        return super()._events(path, self._request(path, body))

    def _request(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return *body* without what another kind of server reads, and with what this one does."""
        ours = {key: value for key, value in body.items() if key not in _OF_LLAMA_CPP}
        if "json_schema" in body:
            # The older route has no standard form for a schema.
            del ours["response_format"]
            ours["structured_outputs"] = {"json": body["json_schema"]}
        return self._limited(path, ours)

    def _limited(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        limits = {"max_tokens", "max_completion_tokens"} & body.keys()
        if self._max_tokens is None or limits or path not in _TEXT:
            return body
        return {**body, "max_tokens": self._max_tokens}


async def get_adapter_impl(config: VLLMConfig, deps: Mapping[str, Any]) -> VLLMProvider:
    """Return a provider whose server is there, well and accepts the key.

    Raises:
        MissingPackageError: If ``aiohttp`` is not installed.
        OSError: If the server cannot be reached, is not well or refuses the key.
        NotImplementedError: If it is no such server.
    """

    def make() -> VLLMProvider:
        client = client_of(config.url, config.api_token, config, tls_verify=config.tls_verify)
        return VLLMProvider(client, config)

    return await started("vllm", make)

"""The configs of ``remote::tgi`` and of the types that Hugging Face runs TGI behind."""

from __future__ import annotations

import asyncio
from typing import ClassVar, Self

from pydantic import AliasChoices, Field, SecretStr, model_validator

from rungraph.engine.errors import MissingPackageError
from rungraph.engine.providers.remote.tgi import hub
from rungraph.engine.providers.server_config import RootConfig, RootUrl


class TGIConfig(RootConfig):
    """Where the server is, and how to talk to it."""

    async def located(self) -> tuple[str, SecretStr | None]:
        """Return the URL of the server, and its key."""
        return self.url, self.api_token


class _NamedConfig(TGIConfig):
    """A server that Hugging Face runs, by the name that it has there or by its URL."""

    name_key: ClassVar[str]

    url: RootUrl = Field(
        default="",
        validation_alias=AliasChoices("url", "base_url"),
        description="Where the server is; then nothing is looked up.",
    )

    @property
    def _name(self) -> str:
        return str(getattr(self, self.name_key))

    @model_validator(mode="after")
    def _check_that_it_is_named_once(self) -> Self:
        if bool(self.url) == bool(self._name):
            msg = f"give either {self.name_key} or url"
            raise ValueError(msg)
        return self

    async def located(self) -> tuple[str, SecretStr | None]:
        """Return the URL of the server, and its key: of the config, or of the user's login.

        Raises:
            MissingPackageError: If it has to be looked up and ``huggingface_hub`` is not installed.
            OSError: If it cannot be looked up, or does not run.
            ValueError: If there is none of that name.
        """
        if self.url:
            return self.url, self.api_token
        key = self.api_token
        try:
            if key is None and (token := await asyncio.to_thread(hub.login)):
                key = SecretStr(token)
            return await self._looked_up(key.get_secret_value() if key else None), key
        except ModuleNotFoundError as error:
            extra, package = "huggingface", "huggingface_hub"
            if error.name != package:
                raise
            raise MissingPackageError(extra, package) from error

    async def _looked_up(self, key: str | None) -> str:
        """Return where the server is."""
        raise NotImplementedError


class EndpointConfig(_NamedConfig):
    """Which inference endpoint of Hugging Face it is, and how to talk to it."""

    name_key = "endpoint_name"

    endpoint_name: str = Field(
        default="", description="Its name, or namespace/name; its URL is looked up."
    )
    endpoint_wait_seconds: float = Field(
        default=60.0, gt=0, description="How long to wait for an endpoint that does not run yet."
    )

    async def _looked_up(self, key: str | None) -> str:
        return await hub.endpoint_url(self.endpoint_name, key, self.endpoint_wait_seconds)


class ServerlessConfig(_NamedConfig):
    """Which model of Hugging Face's serverless inference it is, and how to talk to it."""

    name_key = "huggingface_repo"

    huggingface_repo: str = Field(
        default="", description="The repository of the model, such as org/name."
    )

    async def _looked_up(self, key: str | None) -> str:
        return await asyncio.to_thread(hub.serverless_url, self.huggingface_repo)

"""The inspect API: what a running stack is made of."""

from __future__ import annotations

from typing import Protocol

from rungraph.engine.apis.common import ApiModel, HealthResponse
from rungraph.engine.apis.routes import route


class ProviderInfo(ApiModel):
    """A configured provider and how it is."""

    provider_id: str
    provider_type: str
    health: HealthResponse | None = None


class RouteInfo(ApiModel):
    """A route and the types of the providers behind it."""

    route: str
    method: str
    provider_types: list[str]


class VersionInfo(ApiModel):
    """Which version of the software is running."""

    version: str


class Inspect(Protocol):
    """Describes a running stack; part of every stack."""

    @route("GET", "/providers/list")
    async def list_providers(self) -> dict[str, list[ProviderInfo]]:
        """Return the providers by API, each list sorted by provider id."""
        ...

    @route("GET", "/routes/list")
    async def list_routes(self) -> dict[str, list[RouteInfo]]:
        """Return the routes of every served API, by API, in the order of the protocol."""
        ...

    @route("GET", "/health")
    async def health(self) -> HealthResponse:
        """Return how the stack is: ``OK`` when all its nodes are."""
        ...

    @route("GET", "/version")
    async def version(self) -> VersionInfo:
        """Return the version of the software."""
        ...

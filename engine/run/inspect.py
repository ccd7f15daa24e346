"""The provider of the inspect API that every stack has: it answers for the stack itself."""

from __future__ import annotations

from importlib.metadata import version
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Protocol

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.apis.inspect import ProviderInfo, RouteInfo, VersionInfo
from rungraph.engine.apis.routes import routes_of
from rungraph.graph.nodes import ProviderNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph


class StackView(Protocol):
    """What a builtin provider may read of the stack that it is part of."""

    @property
    def graph(self) -> RunGraph:
        """The graph that the stack runs."""
        ...

    @property
    def apis(self) -> tuple[str, ...]:
        """The APIs that can be called, sorted."""
        ...

    async def health(
        self, addresses: Iterable[Address] | None = None
    ) -> Mapping[Address, HealthResponse]:
        """Return how nodes are; all of them if none are named."""
        ...


async def get_builtin_impl(view: StackView) -> StackInspection:
    """Return the provider that answers for the stack behind *view*."""
    return StackInspection(view)


class StackInspection:
    """Describes the stack that it is part of; implements ``Inspect``."""

    def __init__(self, view: StackView) -> None:
        self._view = view

    async def list_providers(self) -> dict[str, list[ProviderInfo]]:
        """Return the configured providers by API, each list sorted by provider id."""
        nodes = [
            node
            for node in self._view.graph.nodes.values()
            if isinstance(node, ProviderNode) and not self._is_builtin(node)
        ]
        health = await self._view.health(node.address for node in nodes)
        found: dict[str, list[ProviderInfo]] = {}
        for node in sorted(nodes, key=lambda node: node.address):
            info = ProviderInfo(
                provider_id=node.provider_id,
                provider_type=node.provider_type,
                health=health[node.address],
            )
            found.setdefault(node.api, []).append(info)
        return found

    async def list_routes(self) -> dict[str, list[RouteInfo]]:
        """Return the routes of every API that can be called, in the order of its Protocol."""
        catalog = self._view.graph.catalog
        found: dict[str, list[RouteInfo]] = {}
        for api in self._view.apis:
            types = self._provider_types(api)
            found[api] = [
                RouteInfo(route=route.path, method=route.method, provider_types=types)
                for _, route in routes_of(resolve_name(catalog.apis[api].protocol))
            ]
        return found

    async def health(self) -> HealthResponse:
        """Return how the stack is: ``OK`` when all its nodes are."""
        answers = await self._view.health()
        ill = [
            f"'{address}': {answer.message or answer.status.value}"
            for address, answer in answers.items()
            if answer.status is HealthStatus.ERROR
        ]
        if ill:
            return HealthResponse(status=HealthStatus.ERROR, message="; ".join(ill))
        return HealthResponse(status=HealthStatus.OK)

    async def version(self) -> VersionInfo:
        """Return the version of the software."""
        return VersionInfo(version=version("rungraph"))

    def _provider_types(self, api: str) -> list[str]:
        """Return the types behind *api*: a table's are those of the API that it routes for."""
        graph = self._view.graph
        pair = graph.catalog.pair_of_table(api)
        behind = pair.router_api if pair is not None else api
        return sorted(
            {
                node.provider_type
                for node in graph.nodes.values()
                if isinstance(node, ProviderNode) and node.api == behind
            }
        )

    def _is_builtin(self, node: ProviderNode) -> bool:
        return self._view.graph.catalog.apis[node.api].builtin == node.provider_type

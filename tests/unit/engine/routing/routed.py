"""A table whose resources the test sets, and routers on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from rungraph.engine.apis.inference import Inference
from rungraph.engine.apis.resource import Resource
from rungraph.engine.catalog import CATALOG
from rungraph.engine.routing import create_router
from rungraph.engine.routing.gate import Gate, Observe
from rungraph.engine.routing.groups import Groups
from rungraph.engine.routing.names import Key, Names, Watcher
from rungraph.graph.address import Address
from rungraph.graph.catalog.specs import RoutedPair
from rungraph.graph.nodes import RouterNode


class Member(NamedTuple):
    instance: object
    gate: Gate


class Table:
    observe: Observe | None = None

    def __init__(self, resource: str = "model", **members: object) -> None:
        self.names = Names(resource)
        self.members = members
        self.gate = Gate(observe=self.observe)
        self.groups = Groups(
            self.names, Address.table("models"), emit=lambda _: None, clock=lambda: 0.0
        )

    def serve(self, identifier: str, provider_id: str, native: str | None = None) -> None:
        self.names.put(
            Resource(identifier=identifier, provider_id=provider_id, provider_resource_id=native)
        )

    def drop(self, identifier: str, provider_id: str) -> None:
        self.names.remove([Key(identifier, provider_id)])

    def resolve(self, name: str) -> Resource:
        return self.names.resolve(name)

    def member(self, provider_id: str) -> Member:
        return Member(self.members[provider_id], self.gate)

    def watch(self, watcher: Watcher, members: Callable[[], None]) -> Callable[[], None]:
        members()
        return self.names.watch(watcher)


def router_of(
    table: Table,
    protocol: type = Inference,
    pair: RoutedPair | None = None,
    dependencies: Mapping[str, object] | None = None,
) -> Any:
    """Return the router of a pair, inference unless said otherwise."""
    found = pair or CATALOG.pair_of_router("inference")
    assert found is not None
    node = RouterNode(Address.router(found.router_api), found)
    return create_router(node, table, protocol, dependencies or {})


def router_to(provider: object, *models: str, protocol: type = Inference) -> Any:
    """Return the router of one provider of inference, which serves *models*."""
    table = Table(foo=provider)
    for model in models:
        table.serve(model, "foo")
    return router_of(table, protocol)

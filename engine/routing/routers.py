"""Routers: each call goes to the provider that the table names."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from rungraph.engine.errors import RoutingError
from rungraph.engine.routing.errors import PairError, ProviderNeededError
from rungraph.engine.routing.forwarding import Forwarder, is_left_out
from rungraph.engine.routing.signatures import dress, is_coroutine_method, methods_of
from rungraph.engine.tracing import Tracer, traced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rungraph.engine.apis.resource import Resource
    from rungraph.engine.routing.names import Watcher
    from rungraph.graph.nodes import RouterNode

_TELEMETRY = "telemetry"


class Targets(Protocol):
    """What a router asks of a routing table."""

    @property
    def members(self) -> Mapping[str, object]:
        """The providers by id, sorted."""
        ...

    def resolve(self, name: str) -> Resource:
        """Return the one resource that *name* means, or raise the reason why there is none."""
        ...

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Tell *watcher* what every name means, now and on every change; return what ends that."""
        ...


def create_router(
    node: RouterNode,
    table: Targets,
    protocol: type,
    deps: Mapping[str, object] | None = None,
) -> Router:
    """Return the router of *node*, ready to be called.

    Args:
        node: The router.
        table: Names the provider of each resource.
        protocol: The Protocol of the router API.
        deps: The instances that the router uses, by API; with ``telemetry``, calls are traced.

    Raises:
        PairError: If the Protocol has a method that a router cannot have.
    """
    router = Router(node, table, protocol)
    for api, instance in (deps or {}).items():
        if api == _TELEMETRY:
            router.bind(api, instance)
    return router


class Router:
    """The instance of a router API: the methods of the API's Protocol, each call sent on.

    A call goes to the provider of the resource that its routing key names, which is handed its own
    name of the resource; every other argument goes on as it is. The methods are plain functions
    that return what the provider's method returns: an ``async def``'s coroutine, which a streaming
    call is awaited for its async generator like in a call without the router.

    A name that cannot be routed raises when the call is awaited, as in a call of a provider. A call
    without a routing key raises `TypeError` at once. A method that has no routing key goes to the
    only provider, if there is only one.
    """

    def __init__(self, node: RouterNode, table: Targets, protocol: type) -> None:
        self._node = node
        self._table = table
        self._protocol = protocol
        self._functions: dict[str, Callable[..., Any]] = {}
        self._keys: dict[str, str] = {}
        self._forwarders: list[Forwarder] = []
        self._tracer: Tracer | None = None
        for name, signature in methods_of(protocol).items():
            if hasattr(type(self), name):
                msg = f"the API {node.api!r} cannot be routed: every router has its own {name!r}"
                raise PairError(msg)
            function = self._function(name, signature)
            self._functions[name] = function
            setattr(self, name, function)
        self._unwatch = table.watch(self._follow)

    def bind(self, api: str, instance: object) -> None:
        """Trace all calls from now on through *instance*, when *api* is telemetry."""
        if api != _TELEMETRY:
            return
        self._tracer = Tracer(instance)
        for name, function in self._functions.items():
            attributes = self._attributes_of(name, inspect.signature(function))
            wrapped = traced(
                function,
                self._tracer,
                name=f"{self._node.api}.{name}",
                attributes=attributes,
                is_coroutine=is_coroutine_method(self._protocol, name),
            )
            signature = inspect.signature(function)
            setattr(self, name, dress(wrapped, self._protocol, name, signature))

    async def shutdown(self) -> None:
        """Stop following the table, and hand over the spans that telemetry has not got yet."""
        self._unwatch()
        if self._tracer is not None:
            await self._tracer.aclose()

    def _function(self, name: str, signature: inspect.Signature) -> Callable[..., Any]:
        routing_key = self._node.pair.routing_key
        methods = {
            provider_id: getattr(instance, name)
            for provider_id, instance in self._table.members.items()
            if hasattr(instance, name)
        }
        if routing_key in signature.parameters:
            self._keys[name] = routing_key
            forwarder = Forwarder(
                self._protocol,
                name,
                signature,
                routing_key=routing_key,
                methods=methods,
                miss=lambda key: self._miss(name, key),
            )
            self._forwarders.append(forwarder)
            return forwarder.function
        if len(methods) == 1 == len(self._table.members):
            (method,) = methods.values()
            return dress(
                lambda *args, **kwargs: method(*args, **kwargs), self._protocol, name, signature
            )
        purpose = f"that {self._node.api}.{name} could be sent to"
        way_out = "configure only one of them, or call it directly"
        error = ProviderNeededError(purpose, tuple(sorted(self._table.members)), way_out)
        return dress(
            lambda *_args, **_kwargs: self._outcome(name, error), self._protocol, name, signature
        )

    def _follow(self, name: str, resource: Resource | None) -> None:
        for forwarder in self._forwarders:
            if resource is None:
                forwarder.drop(name)
            else:
                forwarder.point(name, resource.provider_id, resource.native_id)

    def _miss(self, name: str, key: object) -> Any:
        """Return or raise why a call of *name* with the routing key *key* goes nowhere."""
        method = f"{self._node.api}.{name}"
        routing_key, noun = self._node.pair.routing_key, self._node.pair.noun
        if is_left_out(key):
            msg = f"{method}() needs {routing_key!r}: the {noun} that it is routed by"
            raise TypeError(msg)
        if not isinstance(key, str):
            msg = f"{method}() needs a str as {routing_key!r}, not {type(key).__name__}"
            raise TypeError(msg)
        try:
            resource = self._table.resolve(key)
        except RoutingError as error:
            return self._outcome(name, error)
        msg = f"provider {resource.provider_id!r} of {noun} {key!r} has no method {name!r}"
        return self._outcome(name, RoutingError(msg))

    def _outcome(self, name: str, error: RoutingError) -> Any:
        """Fail the call of *name* like its method would: when awaited, if it is ``async def``."""
        if is_coroutine_method(self._protocol, name):
            return _fail(error)
        raise error

    def _attributes_of(
        self, name: str, signature: inspect.Signature
    ) -> Callable[[tuple[Any, ...], dict[str, Any]], dict[str, Any]]:
        """Return what tells the attributes of a call's span from its arguments."""
        position = list(signature.parameters).index(self._keys[name]) if name in self._keys else -1
        common = {"api": self._node.api, "method": name}

        def attributes(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
            if position < 0:
                return common
            key = args[position] if position < len(args) else kwargs.get(self._keys[name])
            if not isinstance(key, str):
                return common
            try:
                resource = self._table.resolve(key)
            except RoutingError:
                return {**common, "resource": key}
            return {**common, "resource": resource.identifier, "provider_id": resource.provider_id}

        return attributes


async def _fail(error: RoutingError) -> NoReturn:
    raise error

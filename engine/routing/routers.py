"""Routers: each call goes to the provider that the table names."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from rungraph.engine.errors import (
    EngineError,
    NotRunningError,
    RoutingError,
    UnavailableResourceError,
)
from rungraph.engine.request import handing_over
from rungraph.engine.routing.errors import PairError, ProviderNeededError
from rungraph.engine.routing.forwarding import Forwarder, is_left_out
from rungraph.engine.routing.names import Key
from rungraph.engine.routing.signatures import methods_of
from rungraph.engine.tracing import PATIENCE, Tracer, traced
from rungraph.graph.address import Address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.engine.apis.resource import Resource
    from rungraph.engine.routing.gate import Gate
    from rungraph.engine.routing.groups import Attempt, Group, Groups
    from rungraph.engine.routing.names import Watcher
    from rungraph.engine.routing.signatures import Method
    from rungraph.graph.nodes import RouterNode

Refused = Callable[[str, Exception], None]
"""Called with the id of a provider that does not run and what a call of it raises."""
_TELEMETRY = "telemetry"
_HEDGED = "embeddings"
"""The method whose calls may be made twice at the same time: vectors are the same, and cheap."""


class Target(Protocol):
    """What a router asks of one provider."""

    @property
    def instance(self) -> object:
        """The provider."""
        ...

    @property
    def gate(self) -> Gate:
        """What knows of its running calls."""
        ...


class Targets(Protocol):
    """What a router asks of a routing table."""

    @property
    def members(self) -> Mapping[str, object]:
        """The providers that run by id, sorted."""
        ...

    def member(self, provider_id: str) -> Target:
        """Return a member that runs."""
        ...

    @property
    def groups(self) -> Groups:
        """What several members serve together."""
        ...

    def resolve(self, name: str) -> Resource:
        """Return the one resource that *name* means, or raise the reason why there is none."""
        ...

    def watch(self, watcher: Watcher, members: Callable[[], None]) -> Callable[[], None]:
        """Tell *watcher* which names mean something else, whenever; return what ends that.

        Before, and whenever there are other members, *members* is called.
        """
        ...


def create_router(
    node: RouterNode,
    table: Targets,
    protocol: type,
    deps: Mapping[str, object] | None = None,
    refused: Refused = lambda _provider_id, _error: None,
    patience: float = PATIENCE,
) -> Router:
    """Return the router of *node*, ready to be called.

    Args:
        node: The router.
        table: Names the provider of each resource.
        protocol: The Protocol of the router API.
        deps: The instances that the router uses, by API; with ``telemetry``, calls are traced.
        refused: Told of each call that goes nowhere because its provider does not run.
        patience: Seconds that telemetry may keep the router from stopping.

    Raises:
        PairError: If the Protocol has a method that a router cannot have.
    """
    router = Router(node, table, protocol, refused, patience)
    for api, instance in (deps or {}).items():
        router.bind(api, instance)
    return router


class Router:
    """The instance of a router API: the methods of the API's Protocol, each call sent on.

    A call goes to the provider of the resource that its routing key names, which is handed its own
    name of the resource; every other argument goes on as it is. A streaming call is awaited for its
    async generator like in a call without the router.

    A name that cannot be routed raises when the call is awaited, as in a call of a provider. A
    method that has no routing key goes to the only provider, if there is only one. When a provider
    stops, its running calls may end; those that take too long raise `NotRunningError`, and so does
    every call once the router itself has stopped.
    """

    def __init__(
        self,
        node: RouterNode,
        table: Targets,
        protocol: type,
        refused: Refused,
        patience: float = PATIENCE,
    ) -> None:
        self._node = node
        self._patience = patience
        self._refused = refused
        self._table = table
        self._functions: dict[Method, Callable[..., Any]] = {}
        self._forwarders: dict[str, Forwarder] = {}
        self._resources: dict[str, Resource] = {}
        self._tracer: Tracer | None = None
        for name, method in methods_of(protocol).items():
            if hasattr(type(self), name):
                msg = f"the API {node.api!r} cannot be routed: every router has its own {name!r}"
                raise PairError(msg)
            self._functions[method] = self._function(method)
            setattr(self, name, self._functions[method])
        self._unwatch: Callable[[], None] | None = table.watch(self._forget, self._take_members)

    def bind(self, api: str, instance: object) -> None:
        """Trace all calls from now on through *instance*, when *api* is telemetry."""
        if api != _TELEMETRY:
            return
        if self._tracer is not None:
            self._tracer.use(instance)
            return
        self._tracer = Tracer(instance, patience=self._patience)
        for method, function in self._functions.items():
            wrapped = traced(
                function,
                self._tracer,
                name=f"{self._node.api}.{method.name}",
                attributes=self._attributes_of(method),
                is_coroutine=method.is_coroutine,
            )
            setattr(self, method.name, method.dress(wrapped))

    def stop_tracing(self) -> None:
        """Trace no call any more: there is no telemetry, until it is bound again."""
        if self._tracer is not None:
            self._tracer.drop()
            self._tracer = None
            for method, function in self._functions.items():
                setattr(self, method.name, function)

    def resource_of(self, name: str) -> Resource | None:
        """Return the resource that calls for *name* go to now; None if they will fail."""
        if name not in self._resources and self._unwatch is not None:
            with suppress(RoutingError, NotRunningError):
                self._resources[name] = self._table.resolve(name)
        return self._resources.get(name)

    def resource_called(self, name: str) -> Resource:
        """Return the resource that a call for *name* goes to.

        Raises:
            RoutingError: If there is none, or none that can be called now; the call counts as one
                that its provider has failed to answer.
        """
        try:
            return self.resource_of(name) or self._table.resolve(name)
        except UnavailableResourceError as error:
            self._refused(error.provider_id, error)
            raise

    def traced_relay(
        self, relay: Callable[..., Any], resource: Resource, attempt: Attempt | None = None
    ) -> Callable[..., Any]:
        """Return *relay*, which asks the provider of *resource* past the router, with a span.

        Of a resource that several providers serve, *attempt* says why it is this one's turn.
        """
        relay = partial(self._table.member(resource.provider_id).gate.await_call, relay)
        return self._traced(relay, "relay", resource, attempt)

    def _traced(
        self,
        function: Callable[..., Any],
        name: str,
        resource: Resource,
        attempt: Attempt | None,
    ) -> Callable[..., Any]:
        if self._tracer is None:
            return function
        route = {**self._route_of(resource), **_attributes_of(attempt)}
        all_of_it = {"api": self._node.api, "method": name, **route}
        span = f"{self._node.api}.{name}"
        return traced(
            function, self._tracer, name=span, attributes=lambda _, __: all_of_it, is_coroutine=True
        )

    async def shutdown(self) -> None:
        """Hand over the spans that telemetry has not got yet, and route nothing any more."""
        try:
            if self._tracer is not None:
                await self._tracer.aclose()
        finally:
            self.stop_routing()

    def stop_routing(self) -> None:
        """Route nothing any more, and trace nothing."""
        if self._tracer is not None:
            self._tracer.drop()
        if self._unwatch is not None:
            self._unwatch()
            self._unwatch = None
        self._resources.clear()
        for forwarder in self._forwarders.values():
            forwarder.drop_all()

    def _function(self, method: Method) -> Callable[..., Any]:
        routing_key = self._node.pair.routing_key
        if routing_key in method.signature.parameters:
            forwarder = self._forwarders[method.name] = Forwarder(
                method,
                routing_key,
                lambda name: self._find(method.name, name),
                lambda key: self._miss(method, key),
            )
            return forwarder.function
        return method.dress(lambda *args, **kwargs: self._only(method)(*args, **kwargs))

    def _only(self, method: Method) -> Callable[..., Any]:
        """Return *method* of the only provider, or what says that there is not exactly one."""
        members = self._table.members
        if len(members) == 1 and self._unwatch is not None:
            (only,) = members.values()
            if hasattr(only, method.name):
                (provider_id,) = members
                gate, called = self._table.member(provider_id).gate, getattr(only, method.name)
                call = gate.await_call if method.is_coroutine else gate.call
                return partial(call, handing_over(called, only))
        purpose = f"that {self._node.api}.{method.name} could be sent to"
        way_out = "configure only one of them, or call it directly"
        error = ProviderNeededError(purpose, tuple(sorted(members)), way_out)
        return lambda *_args, **_kwargs: _fail(method, error)

    def _take_members(self) -> None:
        """Send calls to the members that the table has now."""
        for name, forwarder in self._forwarders.items():
            forwarder.serve_by(
                {
                    provider_id: (
                        gate.wrapped(
                            handing_over(getattr(instance, name), instance),
                            is_coroutine=forwarder.is_coroutine,
                        ),
                        gate,
                    )
                    for provider_id, instance in self._table.members.items()
                    if hasattr(instance, name)
                    for gate in [self._table.member(provider_id).gate]
                }
            )

    def _forget(self, names: set[str]) -> None:
        """Look *names*, which mean something else now, up again when they are asked for."""
        for name in self._resources.keys() & names:  # By others no call was sent.
            del self._resources[name]
            for forwarder in self._forwarders.values():
                forwarder.drop(name)

    def _find(self, method: str, name: str) -> None:
        """Send the calls of a method for *name* where it belongs; nowhere if it means nothing."""
        if (resource := self.resource_of(name)) is None:
            return
        forwarder, group = self._forwarders[method], self._table.groups.get(name)
        if group is not None:
            forwarder.share(name, self._shared(method, forwarder, group))
        else:
            forwarder.point(name, resource.provider_id, resource.native_id)

    def _shared(self, name: str, forwarder: Forwarder, group: Group) -> Callable[..., Any]:
        """Return what makes the calls of a method for a group: each under a member's own name."""
        routing_key, may_hedge = self._node.pair.routing_key, name == _HEDGED

        async def call(**arguments: Any) -> Any:
            del arguments[routing_key]

            async def ask(attempt: Attempt) -> Any:
                key = Key(group.identifier, attempt.member).qualified
                function = forwarder.function
                if self._tracer is not None:
                    resource = self._table.resolve(key)
                    function = self._traced(function, f"{name}.attempt", resource, attempt)
                return await function(**{routing_key: key}, **arguments)

            return await group.call(ask, arguments, may_hedge=may_hedge)

        return call

    def _miss(self, method: Method, key: object) -> Any:
        """Return or raise why a call of *method* with the routing key *key* goes nowhere."""
        if self._unwatch is None:
            return _fail(method, NotRunningError(f"'{self._node.address}' has stopped"))
        called = f"{self._node.api}.{method.name}()"
        routing_key, noun = self._node.pair.routing_key, self._node.pair.noun
        if is_left_out(key):
            msg = f"{called} needs {routing_key!r}: the {noun} that it is routed by"
            raise TypeError(msg)
        if not isinstance(key, str):
            msg = f"{called} needs a str as {routing_key!r}, not {type(key).__name__}"
            raise TypeError(msg)
        try:
            resource = self.resource_called(key)
        except (RoutingError, NotRunningError) as error:
            return _fail(method, error)
        msg = f"provider {resource.provider_id!r} of {noun} {key!r} has no method {method.name!r}"
        return _fail(method, RoutingError(msg))

    def _attributes_of(
        self, method: Method
    ) -> Callable[[tuple[Any, ...], dict[str, Any]], dict[str, Any]]:
        """Return the function that makes a span's attributes from a call's arguments."""
        routing_key = self._node.pair.routing_key
        common = {"api": self._node.api, "method": method.name}

        def attributes(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
            key = kwargs.get(routing_key)
            if key is None:  # Servers call by keyword; to find out about others takes longer.
                try:
                    key = method.signature.bind_partial(*args, **kwargs).arguments.get(routing_key)
                except TypeError:  # The call itself will say so.
                    return common
            if not isinstance(key, str):
                return common
            resource = self.resource_of(key)
            return {**common, **(self._route_of(resource) if resource else {"resource": key})}

        return attributes

    def _route_of(self, resource: Resource) -> dict[str, str]:
        """Return where calls of *resource* go, as attributes of their spans."""
        provider_id = resource.provider_id
        if not provider_id:  # Of a group, the spans of its attempts tell.
            return {"resource": resource.identifier, "route": str(self._node.address)}
        route = _route(self._node.api, provider_id)
        return {"resource": resource.identifier, "provider_id": provider_id, "route": route}


def _attributes_of(attempt: Attempt | None) -> dict[str, Any]:
    """Return what spans say of one try of a call."""
    if attempt is None:
        return {}
    return {"member": attempt.member, "attempt": attempt.number, "why": attempt.why}


@lru_cache(maxsize=1024)
def _route(api: str, provider_id: str) -> str:
    return f"{Address.router(api)} > {Address.provider(api, provider_id)}"


def _fail(method: Method, error: EngineError) -> Any:
    """Fail a call of *method* as the method would: when awaited, if it is ``async def``."""
    if not method.is_coroutine:
        raise error

    async def failing() -> NoReturn:
        raise error

    return failing()

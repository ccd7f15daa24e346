"""What callers have of a provider: the methods of its API, answered by what runs now."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from rungraph.engine.request import handing_over
from rungraph.engine.routing.gate import CallWatch, Gate
from rungraph.engine.routing.signatures import methods_of
from rungraph.graph.address import Address, NodeKind
from rungraph.graph.nodes import ProviderNode

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from rungraph.engine.errors import NotRunningError
    from rungraph.engine.provider import SpanEvent
    from rungraph.engine.routing.gate import Observe
    from rungraph.engine.run.settings import StackSettings
    from rungraph.graph.catalog.specs import RoutedPair
    from rungraph.graph.model import RunGraph


class Handle:
    """A provider as its callers have it, however often it is restarted.

    A call goes to the instance that runs now; when it stops, its running calls may end, and those
    that take too long raise `NotRunningError`, as does every call while none runs. Whatever is no
    method of the API is that of the instance itself.

    Args:
        instance: The provider.
        gate: Knows its calls.
        protocol: The Protocol of its API.
    """

    def __init__(self, instance: object, gate: Gate, protocol: type) -> None:
        self._instance = instance
        self._gate = gate
        for method in methods_of(protocol).values():
            call = self._await_call if method.is_coroutine else self._call
            setattr(self, method.name, method.dress(partial(call, method.name)))

    def point(self, instance: object, gate: Gate) -> None:
        """Send calls to *instance* from now on."""
        self._instance, self._gate = instance, gate

    @property
    def take_span(self) -> Callable[[SpanEvent], None]:
        """What takes spans as they are, now; it raises `NotRunningError` where none runs."""
        take: Callable[[SpanEvent], None] = self._instance.take_span  # type: ignore[attr-defined]
        return partial(self._gate.call, take) if self._gate.is_closed else take

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)

    def _call(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        method = handing_over(getattr(self._instance, name), self._instance)
        return self._gate.call(method, *args, **kwargs)

    async def _await_call(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        method = handing_over(getattr(self._instance, name), self._instance)
        return await self._gate.await_call(method, *args, **kwargs)


class _Observed:
    """What a provider depends on, as it has it: its own calls of the methods are observed.

    Args:
        target: What it depends on, as all others have it.
        protocol: The Protocol of its API.
        observe: Told of the calls.
    """

    def __init__(self, target: object, protocol: type, observe: Observe) -> None:
        self._target = target
        self._gate = Gate(observe=observe)
        self._methods = methods_of(protocol)

    def __getattr__(self, name: str) -> Any:
        found, method = getattr(self._target, name), self._methods.get(name)
        if method is None:
            return found
        return self._gate.wrapped(found, is_coroutine=method.is_coroutine)


class Handles:
    """The handles and gates of a stack's providers.

    Args:
        settings: How long calls may go on when their provider stops.
        protocol_of: Returns the Protocol of an API.
        observe: Returns what is told of the calls along edges, each from a dependency to its
            dependent; None where nobody wants to know of them.
    """

    def __init__(
        self,
        settings: StackSettings,
        protocol_of: Callable[[str], type],
        observe: Callable[..., Observe | None],
    ) -> None:
        self._protocol_of = protocol_of
        self._observe = observe
        self._drain_seconds = min(settings.drain_timeout, settings.stop_timeout / 2)
        self._handles: dict[Address, Handle] = {}
        self._gates: dict[Address, Gate] = {}
        self._open: dict[Address, object] = {}  # Whose each open gate is.
        self._calls = CallWatch()

    def limit_drain(self, seconds: float) -> None:
        """Let calls go on for so many *seconds* at most from now on."""
        self._drain_seconds = max(0.0, min(self._drain_seconds, seconds))

    def gate_of(self, address: Address) -> Gate | None:
        """Return what knows the calls of a provider's latest instance."""
        return self._gates.get(address)

    def handle_of(self, address: Address, instance: object) -> object:
        """Return *instance* as callers have it: of a provider, whatever runs in its place."""
        if address.kind is not NodeKind.PROVIDER:
            return instance
        if address not in self._handles:
            protocol = self._protocol_of(address.api)
            self._handles[address] = Handle(instance, self._gates[address], protocol)
        return self._handles[address]

    def handles_of(
        self, dependencies: Mapping[Address, object], dependent: Address
    ) -> dict[Address, object]:
        """Return *dependencies* as *dependent* has them: its own calls of each are observed."""
        found = {one: self.handle_of(one, instance) for one, instance in dependencies.items()}
        if dependent.kind is NodeKind.PROVIDER:  # A router's own calls go by way of its table.
            for one, handle in found.items():
                if (observe := self._observe((one, dependent))) is not None:
                    found[one] = _Observed(handle, self._protocol_of(one.api), observe)
        return found

    def open(self, node: ProviderNode, instance: object, pair: RoutedPair | None) -> None:
        """Send the calls of *node* to a new *instance* from now on.

        Of the routed *pair*, the calls of the provider go along the edges to table and router.
        """
        address = node.address
        observe = self._observe_routed(pair, address) if pair is not None else None
        gate = self._gates[address] = Gate(str(address), node.limits, observe)
        self._open[address] = instance
        if (handle := self._handles.get(address)) is not None:
            handle.point(instance, gate)

    def refuse(self, pair: RoutedPair, provider_id: str, error: Exception) -> None:
        """Count a call that goes nowhere because a provider of *pair* does not run."""
        observe = self._observe_routed(pair, Address.provider(pair.router_api, provider_id))
        if observe is not None:
            observe(perf_counter(), error)

    def _observe_routed(self, pair: RoutedPair, address: Address) -> Observe | None:
        table, router = Address.table(pair.table_api), Address.router(pair.router_api)
        return self._observe((address, table), (table, router))

    def lose(self, address: Address, why: NotRunningError) -> None:
        """Tell those who call a provider that does not run *why* that is."""
        if (gate := self._gates.get(address)) is not None:
            gate.why = why

    async def close(self, address: Address, instance: object) -> None:
        """Let the calls of *instance* end, end them, and take no more; it may have come too late.

        Then another has its place, or will have, whose calls go on.
        """
        if self._open.get(address) is not instance:
            return
        gate = self._gates[address]
        del self._open[address]
        try:
            await self._calls.drain(gate, self._drain_seconds, closes=True)
        finally:
            await gate.aclose()

    def drop(self, address: Address, instance: object) -> None:
        """End the calls of *instance* at once, and take no more."""
        if self._open.get(address) is instance:
            del self._open[address]
            self._calls.end(self._gates[address])
            self._gates[address].drop()

    def keep(self, addresses: Collection[Address]) -> None:
        """Forget all providers but these: the run config has no others now."""
        for address in [one for one in self._gates if one not in addresses]:
            del self._gates[address]
            self._handles.pop(address, None)

    def use(self, graph: RunGraph) -> Iterator[Address]:
        """Limit calls as *graph* says; yield the providers whose limits differ."""
        for address, gate in self._gates.items():
            node = graph.nodes.get(address)
            if isinstance(node, ProviderNode) and gate.take(node.limits):
                yield address

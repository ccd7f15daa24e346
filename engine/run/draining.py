"""Takes a provider out of routing while the stack runs, and back in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rungraph.engine.errors import NotRunningError, NotServedError
from rungraph.engine.routing.gate import CallWatch
from rungraph.graph.nodes import ProviderNode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rungraph.engine.run.instances import Instances
    from rungraph.engine.run.lifecycle import Lifecycle
    from rungraph.engine.run.settings import StackSettings
    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph


class Draining:
    """Drains providers of routed APIs.

    Args:
        graph: What runs.
        running: Its nodes.
        instances: Their instances.
        settings: How long running calls are waited for.
        unhealthy: The providers that callers are not sent to anyhow, and why.
    """

    def __init__(
        self,
        graph: RunGraph,
        running: Lifecycle,
        instances: Instances,
        settings: StackSettings,
        unhealthy: Mapping[Address, str],
    ) -> None:
        self._graph = graph
        self._running = running
        self._instances = instances
        self._settings = settings
        self._unhealthy = unhealthy

    async def drain(self, provider: str | Address) -> bool:
        """See `Stack.drain`."""
        address, instances = self.address_of(provider), self._instances
        instances.drain(address)
        gate = instances.handles.gate_of(address)
        if gate is None:  # It has never run.
            return True
        return await CallWatch().drain(gate, self._settings.drain_timeout, closes=False)

    async def undrain(self, provider: str | Address) -> None:
        """See `Stack.undrain`."""
        address, instances = self.address_of(provider), self._instances
        instances.drained.discard(address)
        reason, table = self._unhealthy.get(address), instances.table_of(address)
        instance, gate = self._running.instance_of(address), instances.handles.gate_of(address)
        if instance is not None and reason is None:
            await instances.offer(address, instance)
        elif table is not None and gate is not None:
            ill = NotRunningError(f"'{address}' is unhealthy: {reason}")
            table.lose(address.name, ill if instance is not None else gate.why or ill)

    def address_of(self, provider: str | Address) -> Address:
        """Return the provider of a routed API that is meant by its id or its address."""
        routed = {pair.router_api for pair in self._graph.catalog.pairs}
        known = [
            one.address
            for one in self._graph.nodes.values()
            if isinstance(one, ProviderNode) and one.api in routed
        ]
        found = [one for one in known if str(provider) in (one.name, str(one))]
        if len(found) == 1:
            return found[0]
        raise NotServedError(str(provider), tuple(map(str, found or known)))

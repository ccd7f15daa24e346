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
        instances: Instances | None,
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
        address = self.address_of(provider)
        instances = self._ready(address)
        table = instances.table_of(address)
        instances.drained.add(address)
        if table is None:
            return True
        table.lose(address.name, NotRunningError(f"'{address}' is drained"))
        gate = table.member(address.name).gate
        return await CallWatch().drain(gate, self._settings.drain_timeout, closes=False)

    async def undrain(self, provider: str | Address) -> None:
        """See `Stack.undrain`."""
        address = self.address_of(provider)
        instances = self._ready(address)
        instances.drained.discard(address)
        reason, table = self._unhealthy.get(address), instances.table_of(address)
        if reason is not None and table is not None:
            table.lose(address.name, NotRunningError(f"'{address}' is unhealthy: {reason}"))
        elif (instance := self._running.instance_of(address)) is not None:
            await instances.offer(address, instance)

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

    def _ready(self, address: Address) -> Instances:
        if self._instances is None or self._running.instance_of(address) is None:
            msg = f"'{address}' does not run"
            raise NotRunningError(msg)
        return self._instances

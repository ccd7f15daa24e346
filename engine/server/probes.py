"""Whether the process turns, and whether the stack can answer; calls no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from rungraph.engine.events import State
from rungraph.graph.address import Address, NodeKind
from rungraph.graph.failures import blocking

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.run.stack import Stack
    from rungraph.engine.server.exchange import Exchange

_RUNNING = frozenset({State.READY, State.DEGRADED})


class Probes:
    """Answers probes from what is known: they neither wait for a provider nor cost anything.

    Args:
        stack: What they are about.
        phase: Tells where in its life the server is: ``serving``, or why it does not serve.
    """

    def __init__(self, stack: Stack, phase: Callable[[], str]) -> None:
        self._stack = stack
        self._phase = phase

    def progress(self) -> str:
        """Return how far the start has come."""
        states = self._stack.status()
        ready = sum(state in _RUNNING for state in states.values())
        busy = [str(address) for address, state in states.items() if state is State.STARTING]
        waits = f"; starting: {', '.join(busy)}" if busy else ""
        return f"the stack starts: {ready} of {len(self._stack.graph)} nodes are ready{waits}"

    async def livez(self, exchange: Exchange) -> None:
        """Answer that the process turns."""
        await exchange.answer(b'{"status":"ok"}')

    async def readyz(self, exchange: Exchange) -> None:
        """Answer whether calls are taken now: of all APIs, or of the one in the path."""
        graph = self._stack.graph
        api = exchange.path.removeprefix("/readyz").strip("/")
        answering = graph.answering
        found = [
            self._lacks(name, answering[name])
            for name in ([api] if api else graph.apis)
            if name in answering
        ]
        phase = self._phase()
        is_ready = phase == "serving" and not any(is_fatal for _, is_fatal in found)
        told: dict[str, Any] = {"status": "ready" if is_ready else "not ready", "phase": phase}
        if phase == "starting":
            told["progress"] = self.progress()
        told["lacks"] = [one for lacks, _ in found for one in lacks]
        await exchange.answer(to_json(told), status=200 if is_ready else 503)

    def _lacks(self, api: str, address: Address) -> tuple[list[dict[str, str]], bool]:
        """Return the nodes behind *api* that cannot answer, and whether it then cannot."""
        members = self._members(address)
        ill = {one: cause for one in (address, *members) if (cause := self._cause(one))}
        scrubbed = self._stack.graph.scrubbed
        lacks = [
            {
                "api": api,
                "node": scrubbed(str(one)),
                "state": self._state(one),
                "cause": scrubbed(cause),
            }
            for one, cause in ill.items()
        ]
        return lacks, bool(blocking((address,), members, ill.__contains__))

    def _members(self, address: Address) -> tuple[Address, ...]:
        """Return the providers of which any one is enough: those of a table or router."""
        graph = self._stack.graph
        if address.kind is NodeKind.ROUTER:
            tables = (one for one in graph.dependencies_of(address) if one.kind is NodeKind.TABLE)
            address = next(tables, address)
        if address.kind is not NodeKind.TABLE:
            return ()
        return tuple(one for one in graph.dependencies_of(address) if one.kind is NodeKind.PROVIDER)

    def _state(self, address: Address) -> str:
        state = self._stack.status().get(address)
        return state.value if state is not None else "not started"

    def _cause(self, address: Address) -> str:
        """Return why *address* cannot answer; empty if it can, as far as is known."""
        if self._stack.status().get(address) not in _RUNNING:
            return self._state(address)
        return self._stack.unhealthy.get(address, "")

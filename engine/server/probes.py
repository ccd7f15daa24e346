"""Whether the process turns, and whether the stack can answer; calls no model."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from rungraph.engine.apis.common import HealthStatus
from rungraph.engine.events import State
from rungraph.graph.address import Address, NodeKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rungraph.engine.apis.common import HealthResponse
    from rungraph.engine.run.stack import Stack
    from rungraph.engine.server.exchange import Exchange

_HEALTH_SECONDS = 10.0
"""Seconds between two questions to the providers how they are."""
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
        self._health: Mapping[Address, HealthResponse] = {}

    async def watch(self) -> None:
        """Ask the providers again and again how they are; never returns."""
        while True:
            self._health = await self._stack.health()
            await asyncio.sleep(_HEALTH_SECONDS)

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
        missing = self._missing()
        lacks = [one for name in ([api] if api else graph.apis) for one in missing.get(name, [])]
        phase = self._phase()
        is_ready = phase == "serving" and not any(one["is_fatal"] for one in lacks)
        told: dict[str, Any] = {"status": "ready" if is_ready else "not ready", "phase": phase}
        if phase == "starting":
            told["progress"] = self.progress()
        told["lacks"] = [
            {key: graph.scrubbed(one[key]) for key in ("api", "node", "state", "cause")}
            for one in lacks
        ]
        await exchange.answer(to_json(told), status=200 if is_ready else 503)

    def _missing(self) -> dict[str, list[dict[str, Any]]]:
        """Return, by API, the nodes behind it that cannot answer, and whether it then cannot."""
        graph = self._stack.graph
        found: dict[str, list[dict[str, Any]]] = {}
        for api in graph.apis:
            address = graph.answering.get(api)
            if address is None:
                continue
            behind = self._members(address) or (address,)
            ill = {
                one: cause
                for one in {address: None, **dict.fromkeys(behind)}
                if (cause := self._cause(one))
            }
            is_fatal = address in ill or all(one in ill for one in behind)
            states = self._stack.status()
            found[api] = [
                {
                    "api": api,
                    "node": str(one),
                    "state": states[one].value if one in states else "not started",
                    "cause": cause,
                    "is_fatal": is_fatal,
                }
                for one, cause in ill.items()
            ]
        return found

    def _members(self, address: Address) -> tuple[Address, ...]:
        """Return the providers of which any one is enough: those of a table or router."""
        graph = self._stack.graph
        if address.kind is NodeKind.ROUTER:
            tables = (one for one in graph.dependencies_of(address) if one.kind is NodeKind.TABLE)
            address = next(tables, address)
        if address.kind is not NodeKind.TABLE:
            return ()
        return tuple(one for one in graph.dependencies_of(address) if one.kind is NodeKind.PROVIDER)

    def _cause(self, address: Address) -> str:
        """Return why *address* cannot answer; empty if it can, as far as is known."""
        state = self._stack.status().get(address)
        if state not in _RUNNING:
            return state.value if state is not None else "not started"
        health = self._health.get(address)
        if health is not None and health.status is HealthStatus.ERROR:
            return health.message or health.status.value
        return ""

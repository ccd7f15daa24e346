"""What the graph of a running stack can be asked: its plan, queries, reasons, the last start."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from rungraph.engine.errors import LoopError, NotRunningError
from rungraph.engine.provider import has_bind, has_reconfigure, has_upstreams
from rungraph.engine.server.failures import RequestError
from rungraph.engine.server.traffic import SECONDS
from rungraph.graph.address import NodeKind
from rungraph.graph.plan.graph_json import graph_to_json
from rungraph.graph.query import query
from rungraph.graph.query.errors import QueryError
from rungraph.graph.query.rendering import Shown, selection_to_dict
from rungraph.graph.why import (
    AmbiguousNameError,
    between_to_dict,
    node_named,
    presence_to_dict,
    why_between,
    why_present,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rungraph.engine.run.stack import Stack
    from rungraph.engine.server.exchange import Exchange
    from rungraph.engine.server.traffic import Traffic
    from rungraph.graph.address import Address
    from rungraph.graph.model import RunGraph

_TIMES = ("generation", "starting", "ready", "gave_up", "stopping", "stopped")


class GraphRoutes:
    """Answers questions about the graph that runs; secrets of the config are masked.

    What can take long is answered in a thread of its own, so that calls go on meanwhile.
    """

    def __init__(self, stack: Stack, traffic: Traffic) -> None:
        self._stack = stack
        self._traffic = traffic

    async def graph(self, exchange: Exchange) -> None:
        """Answer with the graph as a plan, as ``rungraph plan --format json`` writes it."""
        text = await asyncio.to_thread(graph_to_json, self._stack.graph)
        await exchange.answer(text.encode())

    async def status(self, exchange: Exchange) -> None:
        """Answer with what each node is doing."""
        states = self._stack.status()
        found = {str(one): states[one].value for one in self._stack.graph if one in states}
        await exchange.answer(to_json(found))

    async def traffic(self, exchange: Exchange) -> None:
        """Answer with what went along each edge in the last minute: calls, errors, durations."""
        graph = self._stack.graph
        known = frozenset(edge[:2] for edge in (*graph.edges, *graph.dropped))
        await exchange.answer(to_json({"seconds": SECONDS, "edges": self._traffic.edges(known)}))

    async def abilities(self, exchange: Exchange) -> None:
        """Answer with what each provider that runs can do without a restart.

        That is ``bind``, take another instance of what it depends on, and ``reconfigure``.
        """
        found: dict[str, list[str]] = {}
        for address, instance in self._running():
            if address.kind is NodeKind.PROVIDER:
                able = {"bind": has_bind(instance), "reconfigure": has_reconfigure(instance)}
                found[str(address)] = [name for name, is_there in able.items() if is_there]
        await exchange.answer(to_json(found))

    async def query(self, exchange: Exchange) -> None:
        """Answer with the nodes that ``q`` selects, as ``rungraph query --format json`` does."""
        (asked,) = exchange.parameters(q=True)
        graph = self._stack.graph
        states = {one: state.value for one, state in self._stack.status().items()}
        try:
            found = await asyncio.to_thread(query, graph, asked, status=states)
        except QueryError as error:
            raise RequestError(400, str(error), "q", "invalid_query") from error
        shown = Shown(graph, found.addresses, status=states)
        await exchange.answer(to_json(selection_to_dict(shown, [asked], found)))

    async def why(self, exchange: Exchange) -> None:
        """Answer why the node ``a`` is there, or how ``a`` and ``b`` hang together.

        It is the JSON of ``rungraph why``.
        """
        first, second = exchange.parameters(a=True, b=False)
        try:
            found = await asyncio.to_thread(_why, self._stack.graph, first, second)
        except (QueryError, AmbiguousNameError) as error:
            raise RequestError(400, str(error), "a", "invalid_query") from error
        await exchange.answer(to_json(found))

    async def timeline(self, exchange: Exchange) -> None:
        """Answer with when each node started, was ready and stopped: seconds of the start."""
        times = self._stack.timeline()
        nodes: list[dict[str, Any]] = [
            {
                "address": str(address),
                "state": one.state.value,
                "needs": [str(need) for need in one.needs],
                **{name: getattr(one, name) for name in _TIMES},
            }
            for address, one in times.nodes.items()
        ]
        found = {
            "total": times.total,
            "critical_path": [str(one) for one in times.critical_path],
            "critical_time": times.critical_time,
            "nodes": nodes,
        }
        await exchange.answer(to_json(found))

    async def upstreams(self, exchange: Exchange) -> None:
        """Answer with the stacks that stand behind this one, each as it tells of itself.

        Raises:
            LoopError: If this one stands behind one of them.
        """
        graph = self._stack.graph
        asked = {str(at): one.upstreams() for at, one in self._running() if has_upstreams(one)}
        answers = await asyncio.gather(*asked.values(), return_exceptions=True)
        told: dict[str, Any] = {}
        for name, answer in zip(asked, answers, strict=True):
            if isinstance(answer, LoopError):
                raise answer
            is_error = isinstance(answer, BaseException)
            told[name] = {"error": graph.scrubbed(str(answer))} if is_error else answer
        await exchange.answer(to_json({"stack": graph.name, "upstreams": told}))

    def _running(self) -> Iterator[tuple[Address, object]]:
        for address in self._stack.graph:
            with suppress(NotRunningError):
                yield address, self._stack[address]


def _why(graph: RunGraph, first: str, second: str) -> dict[str, Any]:
    node = node_named(graph, first)
    if second:
        return between_to_dict(graph, why_between(graph, node, node_named(graph, second)))
    return presence_to_dict(graph, why_present(graph, node))

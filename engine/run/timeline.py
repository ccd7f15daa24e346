"""When each node started and stopped and what it waited for; computed from events alone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

import networkx as nx

from rungraph.engine.events import (
    Event,
    NodeDegraded,
    NodeEvent,
    NodeFailed,
    NodeKilled,
    NodeReady,
    NodeRecovered,
    NodeSkipped,
    NodeStarting,
    NodeStopFailed,
    NodeStopped,
    NodeStopping,
    NodeWaiting,
    RollbackStarted,
    StackReady,
    StackStopping,
    State,
)
from rungraph.graph.timing import StartTimes, longest_chains, slack_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from rungraph.graph.address import Address


@dataclass(slots=True)
class NodeTimes(StartTimes):
    """One node's times, in seconds since the stack began to start; None for what did not happen.

    Attributes:
        address: The node.
        generation: Its topological generation, counted from 0.
        needs: The nodes that it depends on.
        state: What it was doing at the end of the events.
        lasting: The same, but for the stop of the stack: how it was when that began.
        starting: When its own start began.
        ready: When it was ready.
        gave_up: When it failed or was skipped.
        stopping: When its own stop began.
        stopped: When it had stopped, well or not.
        error: Why it failed, or failed to stop.
        root_causes: The failures because of which it was skipped.
        available: When the last of the nodes that it depends on was ready or out of the way.
    """

    address: Address
    generation: int
    needs: tuple[Address, ...]
    state: State = State.WAITING
    lasting: State = State.WAITING
    starting: float | None = None
    ready: float | None = None
    gave_up: float | None = None
    stopping: float | None = None
    stopped: float | None = None
    error: BaseException | None = None
    root_causes: tuple[Address, ...] = ()
    available: float = 0.0

    @property
    def settled(self) -> float | None:
        """When its start was over, one way or the other."""
        return self.gave_up if self.ready is None else self.ready


@dataclass(frozen=True, slots=True)
class Timeline:
    """The times of all nodes, in start order.

    Attributes:
        nodes: The times by address.
        total: Seconds from the beginning of the start until all nodes were ready or out of the way.
        critical_path: The chain of nodes, each needing the one before it, whose own starts take
            longest together: no schedule can start the stack faster.
        critical_time: Seconds that the own starts of the critical path take together.
    """

    nodes: Mapping[Address, NodeTimes]
    total: float
    critical_path: tuple[Address, ...]
    critical_time: float

    def chain_to(self, address: Address) -> tuple[Address, ...]:
        """Return the chain that ends at *address* and whose own starts take longest together.

        Raises:
            KeyError: If there is no such node.
        """
        if address not in self.nodes:
            raise KeyError(address)
        return longest_chains(self._graph, self._own).to(address)

    def slacks(self) -> Mapping[Address, float]:
        """Return by how many seconds each node could have been ready later with the same total.

        Nodes that were never ready are left out.
        """
        finish = {one: times.ready for one, times in self.nodes.items() if times.ready is not None}
        return slack_of(self._graph, finish, self._own, self.total)

    @property
    def _graph(self) -> nx.DiGraph[Address]:
        return _needs(self.nodes)

    @property
    def _own(self) -> Mapping[Address, float]:
        return {address: times.own for address, times in self.nodes.items()}


_ENDING = _STOPPING, _STOPPED = 4, 5
_PHASES: Mapping[type[Event], int] = {
    NodeWaiting: 0,
    NodeStarting: 1,
    NodeReady: 2,
    NodeDegraded: 3,
    NodeRecovered: 3,
    NodeStopping: _STOPPING,
    NodeStopped: _STOPPED,
    NodeStopFailed: _STOPPED,
    NodeKilled: _STOPPED,
    NodeFailed: 6,
    NodeSkipped: 6,
}
"""What comes before what in the life of a node, where both have the same time; all others are last.

A node that runs fails when it has been stopped; then it may wait again.
"""


@dataclass(slots=True)
class _Reading:
    end: float
    nodes: dict[Address, NodeTimes] = field(default_factory=dict["Address", NodeTimes])
    total: float = 0.0

    def read(self, event: Event) -> None:
        if isinstance(event, StackReady):
            self.total = event.at
        elif isinstance(event, NodeWaiting):
            new = NodeTimes(event.address, event.generation, event.on)
            if (old := self.nodes.get(event.address)) is not None and old.ready is not None:
                new.starting, new.ready = old.starting, old.ready  # Its restart is not the start.
            self.nodes[event.address] = new
        elif isinstance(event, NodeEvent) and event.address in self.nodes:
            self._read_node(event, self.nodes[event.address])

    def _read_node(self, event: NodeEvent, times: NodeTimes) -> None:
        if event.state is not None:
            times.state = event.state
            if _PHASES.get(type(event)) not in _ENDING or event.at < self.end:
                times.lasting = event.state
        match event:
            case NodeStarting() if times.ready is None:
                times.starting = event.at
            case NodeReady() if times.ready is None:
                times.ready = event.at
            case NodeFailed():
                times.gave_up, times.error = event.at, event.error
            case NodeSkipped():
                times.gave_up, times.root_causes = event.at, event.root_causes
            case NodeStopping():
                times.stopping = event.at
            case NodeStopped():
                times.stopped = event.at
            case NodeStopFailed() | NodeKilled():
                times.stopped, times.error = event.at, event.error
            case _:
                pass


def timeline(events: Iterable[Event]) -> Timeline:
    """Return the timeline of one stack from its events, in whatever order they are.

    Examples:
        >>> from rungraph.engine.events import NodeReady, NodeStarting, NodeWaiting
        >>> from rungraph.graph.address import Address
        >>> a = Address.provider("inference", "a")
        >>> times = timeline(
        ...     [NodeWaiting(0, a, (), 0), NodeStarting(0.5, a), NodeReady(2.0, a, 1.5, 0.5)]
        ... )
        >>> times.nodes[a].own, times.nodes[a].waited_for_turn, times.total
        (1.5, 0.5, 2.0)
    """
    events = tuple(events)
    waits: defaultdict[Address, list[float]] = defaultdict(list)
    for event in events:
        if isinstance(event, NodeWaiting):
            insort(waits[event.address], event.at)

    def order(event: Event) -> tuple[int, float, int]:
        phase, life = _PHASES.get(type(event), len(_PHASES)), 0
        if isinstance(event, NodeEvent):  # What stops can wait again at the same time.
            found = bisect_left if phase in _ENDING else bisect_right
            life = max(found(waits[event.address], event.at), 1)
        return life, event.at, phase

    ends = (one.at for one in events if isinstance(one, RollbackStarted | StackStopping))
    reading = _Reading(min(ends, default=inf))
    for event in sorted(events, key=order):
        reading.read(event)
    in_start_order = sorted(reading.nodes.values(), key=lambda one: (one.generation, one.address))
    nodes = {one.address: one for one in in_start_order}
    settled = {address: times.settled or 0.0 for address, times in nodes.items()}
    for times in nodes.values():
        times.available = max((settled.get(need, 0.0) for need in times.needs), default=0.0)
    chains = longest_chains(_needs(nodes), {one: times.own for one, times in nodes.items()})
    end = chains.longest(nodes)
    total = reading.total or max(settled.values(), default=0.0)
    return Timeline(nodes, total, chains.to(end), chains.length[end] if end else 0.0)


def _needs(nodes: Mapping[Address, NodeTimes]) -> nx.DiGraph[Address]:
    graph: nx.DiGraph[Address] = nx.DiGraph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(
        (need, address) for address, times in nodes.items() for need in times.needs if need in nodes
    )
    return graph

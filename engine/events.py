"""What happens to a stack, as typed events; the only source of its status and timeline."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from heapq import merge
from operator import itemgetter
from typing import TYPE_CHECKING, ClassVar

from rungraph.graph.nodes import State as State  # events speak of it, wherever they are read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rungraph.graph.address import Address

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened *at* so many seconds after the stack began to start."""

    at: float


# --- the whole stack ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StackStarting(Event):
    """The checks have passed and the first of so many *generations* is about to start."""

    generations: int


@dataclass(frozen=True, slots=True)
class StackReady(Event):
    """Every node that can run is running."""


@dataclass(frozen=True, slots=True)
class RollbackStarted(Event):
    """A start begins to stop what it has started.

    The *culprits* are the nodes that failed; there are none when the start was cancelled from
    outside.
    """

    culprits: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class RollbackEnded(Event):
    """A failed or cancelled start has stopped everything that had started."""


@dataclass(frozen=True, slots=True)
class ReloadStarted(Event):
    """The stack begins to go on with another config.

    *steps* say what is done, and why, and which settings count only from the next start on.
    """

    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReloadEnded(Event):
    """The stack goes on with the other config, or with the one before because of a *problem*."""

    problem: str = ""


@dataclass(frozen=True, slots=True)
class StackStopping(Event):
    """The stack begins to stop."""


@dataclass(frozen=True, slots=True)
class StackStopped(Event):
    """Nothing of the stack runs any more."""


# --- one node ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NodeEvent(Event):
    """Something happened to the node *address*."""

    state: ClassVar[State | None] = None
    """What the node is doing after the event; None when the event does not change that."""

    address: Address


@dataclass(frozen=True, slots=True)
class NodeWaiting(NodeEvent):
    """The node, of this topological *generation*, starts after the nodes that it depends *on*."""

    state = State.WAITING
    on: tuple[Address, ...]
    generation: int


@dataclass(frozen=True, slots=True)
class NodeStarting(NodeEvent):
    """The node begins to start: everything it waits for is there."""

    state = State.STARTING


@dataclass(frozen=True, slots=True)
class NodeReady(NodeEvent):
    """The node runs: its own start began after it *waited*, and then took its *duration*."""

    state = State.READY
    duration: float
    waited: float


@dataclass(frozen=True, slots=True)
class NodeFailed(NodeEvent):
    """The node did not start, or ended while it should have run, because of *error*."""

    state = State.FAILED
    error: BaseException


@dataclass(frozen=True, slots=True)
class NodeSkipped(NodeEvent):
    """The node will not start because of the nodes that failed, its *root_causes*.

    There are none when the start was cancelled from outside.
    """

    state = State.SKIPPED
    root_causes: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class NodeUpdated(NodeEvent):
    """The node was told its new config while it runs; *problem* is why it did not take it."""

    problem: str = ""


@dataclass(frozen=True, slots=True)
class NodeRestarting(NodeEvent):
    """The node is to be started again after *delay* seconds, for this *reason*."""

    state = State.RESTARTING
    reason: str
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class NodeGivenUp(NodeEvent):
    """The node stays failed: it is not started again, for this *reason*."""

    state = State.FAILED
    reason: str


@dataclass(frozen=True, slots=True)
class NodeDegraded(NodeEvent):
    """The node runs, but not as well as it should; *detail* says why."""

    state = State.DEGRADED
    detail: str


@dataclass(frozen=True, slots=True)
class NodeRecovered(NodeEvent):
    """The node is well again; *detail* is what it says about that."""

    state = State.READY
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NodeWorking(NodeEvent):
    """The node works at what takes long; *detail* says how far it is."""

    detail: str


@dataclass(frozen=True, slots=True)
class NodeHeldLoop(NodeEvent):
    """The node's code kept the event loop, and so everything else, waiting for *seconds*."""

    seconds: float


@dataclass(frozen=True, slots=True)
class NodeTaskFailed(NodeEvent):
    """A task that the node's code has made failed with *error*, and nobody was waiting for it."""

    task: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class NodeBound(NodeEvent):
    """The node was handed what serves *api*, which could not start before it."""

    api: str


@dataclass(frozen=True, slots=True)
class NodeNotBound(NodeEvent):
    """The node goes on without what serves *api*, which could not start before it."""

    api: str
    reason: str


@dataclass(frozen=True, slots=True)
class NodeStopping(NodeEvent):
    """The node begins to stop: nothing that depends on it runs any more."""

    state = State.STOPPING


@dataclass(frozen=True, slots=True)
class NodeStopped(NodeEvent):
    """The node has stopped; that took its *duration*."""

    state = State.STOPPED
    duration: float


@dataclass(frozen=True, slots=True)
class NodeStopFailed(NodeEvent):
    """The node has stopped with an *error*."""

    state = State.STOP_FAILED
    error: BaseException


@dataclass(frozen=True, slots=True)
class NodeKilled(NodeEvent):
    """The node's stop was cut short: it took too long, or the whole stack had to go at once.

    The *error* says which, and whether the node was left behind.
    """

    state = State.KILLED
    error: BaseException


# --- resources ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ResourceEvent(Event):
    """Something happened in the routing table *table*."""

    table: Address


@dataclass(frozen=True, slots=True)
class ServedEvent(ResourceEvent):
    """What *provider_id* serves as *identifier* changed; *reason* says why."""

    identifier: str
    provider_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ResourceAdded(ServedEvent):
    """Callers can request *identifier* from now on, served by *provider_id*."""


@dataclass(frozen=True, slots=True)
class ResourceRemoved(ServedEvent):
    """Callers can no longer request *identifier* of *provider_id*."""


@dataclass(frozen=True, slots=True)
class ResourcesChanged(ResourceEvent):
    """Callers can request so many more resources of *provider_id*, and so many no longer.

    It stands for the events of each of them, where there are too many to tell one by one.
    """

    provider_id: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class RefreshFailed(ResourceEvent):
    """A provider did not say what it serves, because of *error*; what it served last stays."""

    provider_id: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class MemberEjected(ServedEvent):
    """Calls for *identifier* go to other members for a while: *provider_id* does not answer."""


@dataclass(frozen=True, slots=True)
class MemberReturned(ServedEvent):
    """Calls for *identifier* go to *provider_id* again."""


# --- the log -----------------------------------------------------------------------------------


_ENDLESS = (ResourceEvent, NodeDegraded, NodeRecovered, NodeWorking, NodeHeldLoop, NodeTaskFailed)
"""What may happen any number of times: only the newest of these are kept."""


class EventLog:
    """Everything that happened to a stack, in order.

    The log belongs to the stack's event loop: append and read it there. Events are numbered from
    1. What happens to nodes is kept for good. Of what can happen without end, to resources and in
    a provider that changes its state all the time, the newest *limit* events are kept, some 1 MB
    of them by default; `states` is right whatever was forgotten.

    Attributes:
        last: The number of the newest event; 0 when there is none.
    """

    def __init__(self, *, limit: int = 5_000) -> None:
        self._kept: list[tuple[int, Event]] = []
        self._newest: deque[tuple[int, Event]] = deque(maxlen=limit)
        self._forgotten = 0
        self.last = 0
        self._states: dict[Address, State] = {}
        self._subscribers: list[Callable[[Event], None]] = []

    def __iter__(self) -> Iterator[Event]:
        return iter([event for _, event in self.since(0)[0]])

    def __len__(self) -> int:
        return len(self._kept) + len(self._newest)

    def since(self, number: int) -> tuple[list[tuple[int, Event]], bool]:
        """Return the events after *number*, each with its own, and whether they are all there."""
        in_order = merge(self._kept, self._newest, key=itemgetter(0))
        return [one for one in in_order if one[0] > number], number >= self._forgotten

    @property
    def states(self) -> Mapping[Address, State]:
        """What each node is doing now; a copy."""
        return dict(self._states)

    def append(self, event: Event) -> None:
        """Record *event* and hand it to every subscriber, in the order of subscription.

        What a subscriber raises is logged and goes no further.
        """
        self.last += 1
        if isinstance(event, _ENDLESS):
            if len(self._newest) == self._newest.maxlen:
                self._forgotten = self._newest[0][0]
            self._newest.append((self.last, event))
        else:
            self._kept.append((self.last, event))
        if isinstance(event, NodeEvent) and event.state is not None:
            self._states[event.address] = event.state
        for subscriber in tuple(self._subscribers):
            try:
                subscriber(event)
            except (Exception, asyncio.CancelledError):  # Foreign code must not hurt the stack.
                _logger.exception("a subscriber failed on %s", type(event).__name__)

    def subscribe(self, subscriber: Callable[[Event], None]) -> Callable[[], None]:
        """Call *subscriber* with every event from now on; return what ends that.

        The subscriber runs on the stack's event loop and must not block.
        """
        self._subscribers.append(subscriber)

        def unsubscribe() -> None:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

        return unsubscribe

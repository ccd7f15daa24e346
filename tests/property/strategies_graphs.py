"""Random graphs whose nodes fail in every way, and a clock that needs no waiting."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

import networkx as nx
from hypothesis import strategies as st

from rungraph.engine.errors import NotRunningError
from rungraph.engine.provider import ProviderReport
from rungraph.graph import RunGraph
from rungraph.graph.address import Address
from rungraph.graph.nodes import Strength
from rungraph.graph.place import Place

_T = TypeVar("_T")


# --- time --------------------------------------------------------------------------------------


class StandstillError(Exception):
    """Raised when an event loop waits for something that cannot happen any more."""


class _VirtualSelector(selectors.DefaultSelector):
    """Waits for a deadline by moving the clock to it."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events and timeout is None:
            msg = "nothing is left to happen"
            raise StandstillError(msg)
        if not events and timeout:
            self.now += timeout
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next deadline, so that no test ever waits."""

    def __init__(self) -> None:
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return the virtual time in seconds."""
        return self._virtual.now


def run_virtually(main: Coroutine[Any, Any, _T]) -> _T:
    """Run *main* on a virtual clock and return its result."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


# --- nodes that fail in every way --------------------------------------------------------------


class Conduct(StrEnum):
    """How a start or a stop ends."""

    WELL = "well"
    CRASH = "crash"
    HANG = "hang"
    SWALLOW = "swallow"
    """It ignores one cancellation, goes on as if nothing were, and ends well."""
    STUBBORN = "stubborn"
    """It ignores two cancellations."""


@dataclass(frozen=True)
class Behaviour:
    """What one node does.

    Attributes:
        start: How its start ends.
        start_seconds: When.
        stop: How its stop ends.
        stop_seconds: When.
    """

    start: Conduct = Conduct.WELL
    start_seconds: float = 0.0
    stop: Conduct = Conduct.WELL
    stop_seconds: float = 0.0


class NodeCrashError(Exception):
    """Raised by a node that behaves badly."""


@dataclass
class FakeGraph:
    """A graph as running it reads it, with what each node does.

    Attributes:
        edges: The strength of each, by its dependency and its dependent.
        behaviours: What each node does, written in an order in which dependencies come first.
    """

    edges: Mapping[tuple[Address, Address], Strength]
    behaviours: Mapping[Address, Behaviour]

    @classmethod
    def of(cls, graph: RunGraph, behaviours: Mapping[Address, Behaviour]) -> FakeGraph:
        """Return the nodes and edges of *graph*, with what each node does."""
        edges = {(one.dependency, one.dependent): one.strength for one in graph.edges}
        return cls(edges, behaviours)

    @cached_property
    def nx(self) -> nx.DiGraph[Address]:
        """The graph as a stack is handed it."""
        graph: nx.DiGraph[Address] = nx.DiGraph()
        graph.add_nodes_from(self.behaviours)
        for ends, strength in self.edges.items():
            graph.add_edge(*ends, strength=strength.value)
        return with_generations(graph)

    def generation_of(self, address: Address) -> int:
        """Return how far *address* is from what needs nothing."""
        number: int = self.nx.nodes[address]["generation"]
        return number

    def dependencies_of(self, address: Address) -> tuple[Address, ...]:
        """Return what *address* needs."""
        return tuple(sorted(self.nx.pred[address]))


def with_generations(graph: nx.DiGraph[Address]) -> nx.DiGraph[Address]:
    """Return *graph*, whose nodes know their generation now."""
    for number, generation in enumerate(nx.topological_generations(graph)):
        graph.add_nodes_from(generation, generation=number)
    return graph


def node(index: int) -> Address:
    """Return the address of a graph's node number *index*."""
    return Address.provider("test", f"n{index:02}")


class PlainInstances:
    """What instances need not do: they are lost without a word, stay broken, and take no other."""

    def serve(self, address: Address, instance: object) -> None:
        """Do nothing: nobody calls it."""

    def drop(self, address: Address, instance: object) -> None:
        """Do nothing."""

    def lose(self, address: Address, why: NotRunningError) -> None:
        """Do nothing."""

    def can_rebind(self, address: Address, instance: object) -> bool:
        """Nothing can."""
        return False

    async def rebind(
        self, address: Address, instance: object, dependency: Address, new: object
    ) -> None:
        """Do nothing."""

    def take_report(self, address: Address, report: ProviderReport) -> None:
        """Take what a provider says of itself; nobody chooses by it here."""

    def restarts_of(self, address: Address) -> str:
        """What breaks stays broken."""
        return "never"

    def place_of(self, address: Address) -> Place | None:
        """Return nothing: these nodes are not configured anywhere."""
        return None


@dataclass
class FakeInstances(PlainInstances):
    """Opens and closes nodes as their behaviours say, and writes down what it does.

    Attributes:
        journal: ``(what, node, when)`` for open, opened, close and closed, in order.
        starting: How many starts are under way.
        most: The highest number of them.
    """

    graph: FakeGraph
    journal: list[tuple[str, Address, float]] = field(default_factory=list[Any])
    given: dict[Address, tuple[Address, ...]] = field(default_factory=dict[Any, Any])
    starting: int = 0
    most: int = 0

    async def open(self, address: Address, dependencies: Mapping[Address, object]) -> object:
        """Start *address* as it behaves."""
        behaviour = self.graph.behaviours[address]
        self.given[address] = tuple(sorted(dependencies))
        self._write("open", address)
        self.starting += 1
        self.most = max(self.most, self.starting)
        try:
            await _behave(behaviour.start, behaviour.start_seconds)
        finally:
            self.starting -= 1
        self._write("opened", address)
        return address

    async def close(self, address: Address, instance: object) -> None:
        """Stop *address* as it behaves."""
        assert instance == address
        behaviour = self.graph.behaviours[address]
        self._write("close", address)
        try:
            await _behave(behaviour.stop, behaviour.stop_seconds)
        finally:
            self._write("closed", address)

    def _write(self, what: str, address: Address) -> None:
        self.journal.append((what, address, asyncio.get_running_loop().time()))

    def count(self, what: str) -> dict[Address, int]:
        """Return how often *what* happened to each node."""
        counts: dict[Address, int] = {}
        for word, address, _ in self.journal:
            if word == what:
                counts[address] = counts.get(address, 0) + 1
        return counts

    def index(self, what: str, address: Address) -> int | None:
        """Return the position in the journal at which *what* first happened to *address*."""
        words = [(word, node) for word, node, _ in self.journal]
        return words.index((what, address)) if (what, address) in words else None


async def _behave(conduct: Conduct, seconds: float) -> None:
    if conduct is Conduct.HANG:
        await asyncio.Event().wait()
    ignored = {Conduct.SWALLOW: 1, Conduct.STUBBORN: 2}.get(conduct, 0)
    if not ignored:
        await asyncio.sleep(seconds)
    while ignored:
        try:
            await asyncio.sleep(1_000)
        except asyncio.CancelledError:
            ignored -= 1
    if conduct is Conduct.CRASH:
        raise NodeCrashError


# --- strategies --------------------------------------------------------------------------------

_SECONDS = st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 7.0])
_CONDUCTS = st.sampled_from([Conduct.WELL] * 12 + [Conduct.CRASH] * 2 + list(Conduct))
_STRENGTHS = st.sampled_from([Strength.HARD] * 3 + [Strength.SOFT, Strength.MEMBER])


@st.composite
def behaviours(draw: st.DrawFn, *, sound: bool = False) -> Behaviour:
    """Draw what a node does; *sound* ones never fail."""
    if sound:
        return Behaviour(start_seconds=draw(_SECONDS), stop_seconds=draw(_SECONDS))
    return Behaviour(draw(_CONDUCTS), draw(_SECONDS), draw(_CONDUCTS), draw(_SECONDS))


@st.composite
def graphs(draw: st.DrawFn, *, sound: bool = False, most: int = 9) -> FakeGraph:
    """Draw a graph without cycles; with *sound*, one whose nodes never fail."""
    size = draw(st.integers(min_value=0, max_value=most))
    edges: dict[tuple[Address, Address], Strength] = {}
    for later in range(size):
        for earlier in draw(st.sets(st.integers(0, later - 1), max_size=3)) if later else ():
            edges[node(earlier), node(later)] = draw(_STRENGTHS)
    return FakeGraph(edges, {node(i): draw(behaviours(sound=sound)) for i in range(size)})

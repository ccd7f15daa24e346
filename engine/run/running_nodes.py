"""The nodes of a graph that runs: what starts, stops and is handed over when some are replaced."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rungraph.engine.errors import DeadlineError, NotRunningError, RestartingError, describe
from rungraph.engine.events import Event, NodeBound, NodeNotBound, NodeWaiting
from rungraph.engine.provider import ProviderReport
from rungraph.engine.run.errors import needs_failed
from rungraph.engine.run.node_run import NodeInstances, NodeRun, link
from rungraph.engine.run.runner import KILL_GRACE
from rungraph.engine.run.starting import Starting
from rungraph.engine.run.stopping import Stopping
from rungraph.engine.waiting import NoAnswerError, outlast, within
from rungraph.graph.address import NodeKind
from rungraph.graph.closure import closure_of
from rungraph.graph.digraph import in_start_order
from rungraph.graph.failures import blocking
from rungraph.graph.nodes import Strength

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Container, Iterable, Mapping

    import networkx as nx

    from rungraph.engine.errors import NodeFailure
    from rungraph.engine.run.runner import NodeRunner
    from rungraph.engine.run.settings import StackSettings
    from rungraph.graph.address import Address


class RunningNodes:
    """The nodes of one graph, each with its latest run.

    Args:
        graph: The graph, as `RunGraph.nx` has it.
        nodes: Creates and disposes of instances.
        settings: Schedule, limits and deadlines.
        emit: Takes every event.
        late: Dependencies that are handed to their dependents once both run.

    Attributes:
        graph: The graph.
        late: The late dependencies.
        runs: The latest run of each node.
        runner: Runs each node; to be set before anything starts.
        broken: What has failed while it ran and does not run again.
        have_started: Whether the first start is over.
        coming: What has stopped, or is about to, and is then to start again.
    """

    runner: NodeRunner

    def __init__(
        self,
        graph: nx.DiGraph[Address],
        nodes: NodeInstances,
        settings: StackSettings,
        emit: Callable[[Event], None],
        late: Collection[tuple[Address, Address]],
    ) -> None:
        self.graph = graph
        self.late = frozenset(late)
        self.runs = {one: NodeRun(one) for one in in_start_order(graph, graph)}
        self.broken: dict[Address, NodeFailure] = {}
        self.have_started = False
        self.coming: set[Address] = set()
        self._lost: set[Address] = set()
        self._attempts: dict[asyncio.Task[None], tuple[NodeRun, ...]] = {}
        self._nodes = nodes
        self._settings = settings
        self._emit = emit

    def new_start(self, addresses: Iterable[Address], *, is_whole: bool) -> Starting:
        """Return the start of *addresses*, which are in start order and not started yet."""
        runs = [link(self.runs[one], self.graph, self.runs) for one in addresses]
        now = self.runner.clock()
        for run in runs:
            run.due = now
            on = tuple(need.address for need in run.needs)
            self._emit(NodeWaiting(now, run.address, on, run.generation))
        return Starting(
            runs, self.runner, self._settings, self._emit, is_whole=is_whole, attach=self._attach
        )

    def closure(self, nodes: Collection[Address]) -> dict[Address, Address]:
        """Return what replacing *nodes* replaces, each with what it is replaced for."""
        return closure_of(self.graph, nodes, self._can_keep).replaced

    def _can_keep(self, dependent: Address, dependency: Address) -> bool:
        run = self.runs[dependent]
        if dependency.kind is NodeKind.TABLE or not run.is_up:
            return False
        return self._nodes.can_rebind(dependent, run.instance)

    def with_skipped(
        self, nodes: Iterable[Address], others: Container[Address] = ()
    ) -> list[Address]:
        """Return *nodes* and all that was skipped and has what it needs once these run.

        None of *others* is among the latter.
        """
        found = set(nodes)

        def is_down(need: Address) -> bool:
            return need not in found and not ((run := self.runs.get(need)) and run.is_up)

        in_order = in_start_order(self.graph, self.graph)
        for address in in_order:
            run = self.runs.get(address)
            is_left = address not in found and address not in others
            is_skipped = is_left and run is not None and run.is_skipped
            if is_skipped and not _blocked(self.graph, address, is_down):
                found.add(address)
        return [address for address in in_order if address in found]

    def kept_down(
        self,
        graph: nx.DiGraph[Address],
        begins: Container[Address],
        restarts: Callable[[Address], bool],
    ) -> dict[Address, tuple[Address, ...]]:
        """Return what of *graph* would be skipped if all that *begins* could start.

        Each is mapped to what neither runs nor *restarts*, because of which it would be.
        """
        kept: dict[Address, tuple[Address, ...]] = {}
        down: dict[Address, tuple[Address, ...]] = {}
        for one in in_start_order(graph, graph):
            run = self.runs.get(one)
            if one in begins or run is None or run.is_skipped:
                if needs := _blocked(graph, one, down.__contains__):
                    causes = (cause for need in needs for cause in down[need])
                    down[one] = kept[one] = tuple(dict.fromkeys(causes))
            elif not (run.is_up or restarts(one) or one in self.coming):
                down[one] = (one,)
        return kept

    async def take_down(
        self, nodes: Mapping[Address, NotRunningError]
    ) -> asyncio.CancelledError | None:
        """Stop those of *nodes* that run; return a cancellation.

        Those who ask for one of them are told what it is mapped to.
        """
        runs = [self.runs[one] for one in nodes]
        self.coming |= {one for one, why in nodes.items() if isinstance(why, RestartingError)}
        for run in runs:
            if run.is_up:
                self._nodes.lose(run.address, nodes[run.address])
        return await Stopping(runs, self.runner).run()

    def renew(self, nodes: Iterable[Address], *, is_whole: bool) -> Starting:
        """Return the start of *nodes*, none of which runs, each in a new run."""
        fresh = in_start_order(self.graph, nodes)
        self.coming.difference_update(fresh)
        for one in fresh:
            self.runs[one] = NodeRun(one)
        starting = self.new_start(fresh, is_whole=is_whole)
        for dependent in {one for need in fresh for one in self.graph.succ[need]}.difference(fresh):
            link(self.runs[dependent], self.graph, self.runs)
        return starting

    def relink(self) -> None:
        """Keep the runs of the graph's nodes, in start order, linked as the graph says."""
        not_bound = {f"bind {gone}" for gone in self.runs.keys() - self.graph}
        self.runs = {one: self.runs[one] for one in in_start_order(self.graph, self.graph)}
        self.coming.clear()  # A change of all is over.
        for run in self.runs.values():
            link(run, self.graph, self.runs)
            for about in sorted(not_bound.intersection(run.troubles)):
                self.runner.report(run, ProviderReport("ready", "it is not needed any more"), about)
        for gone in self._lost - self.runs.keys():
            self._lost.discard(gone)
            self.broken.pop(gone, None)
        self._mark("what it needs runs")

    def _attach(self, run: NodeRun) -> asyncio.Future[None] | None:
        """Hand *run*, which is up, to those that went on running without it."""
        self._is_back(run)
        if not self.have_started:
            return None
        late = [edge for edge in sorted(self.late) if run.address in edge]
        edges = [(run.address, one) for one in sorted(self.graph.succ[run.address])]
        pairs = [(self.runs[need], self.runs[one]) for need, one in (*edges, *late)]
        # What starts in the same change is handed it when it is created.
        pairs = [
            (need, one)
            for need, one in pairs
            if need.is_up
            and one.is_up
            and (one.starting is not run.starting or (need.address, one.address) in self.late)
        ]
        return asyncio.ensure_future(self._bind_all(pairs)) if pairs else None

    def _is_back(self, run: NodeRun) -> None:
        """Take note that *run* is up, perhaps again, and of what that is for those that need it."""
        was_lost = run.address in self._lost
        self._lost.discard(run.address)
        if was_lost:
            self.broken.pop(run.address, None)
        self._mark_one(run, "")  # What it needs may have failed since it began to start.
        if was_lost or any(self.runs[one].lacks for one in self.graph.succ[run.address]):
            self._mark(f"'{run.address}' is back")

    def lose(self, run: NodeRun) -> None:
        """Send nobody to *run*, which has failed while it ran, and mark what needs it."""
        self._nodes.lose(run.address, NotRunningError(f"'{run.address}' has failed"))
        self._lost.add(run.address)
        for attempt, runs in self._attempts.items():
            if run in runs:
                attempt.cancel()
        self._mark("")

    def _mark(self, reason: str) -> None:
        """Mark what runs and lacks what has failed; *reason* is why something lacks it no more."""
        for run in self.runs.values():  # In start order: what it needs comes first.
            self._mark_one(run, reason)

    def _mark_one(self, run: NodeRun, reason: str) -> None:
        def lacked(need: NodeRun) -> tuple[Address, ...]:
            return (need.address,) if need.address in self._lost else need.lacks

        if not run.is_up or run.address in self._lost:
            return
        down = blocking(run.hard, run.members, lambda need: not need.is_up or bool(lacked(need)))
        lacks = tuple(dict.fromkeys(cause for need in down for cause in lacked(need)))
        if lacks != run.lacks:
            run.lacks = lacks
            detail = f"it {needs_failed(lacks)}" if lacks else reason
            report = ProviderReport("degraded" if lacks else "ready", detail)
            self.runner.report(run, report, "needs")

    async def _bind_all(self, pairs: Iterable[tuple[NodeRun, NodeRun]]) -> None:
        for need, run in pairs:
            await self._bind(need, run)

    async def bind_late(self) -> None:
        """Hand out the optional dependencies that could not start before their dependents."""
        for dependency, dependent in sorted(self.late):
            await self._bind(self.runs[dependency], self.runs[dependent])

    async def _bind(self, need: NodeRun, run: NodeRun) -> None:
        address, api, about = run.address, need.address.api, f"bind {need.address}"
        if not run.is_up:
            return
        if not need.is_up or not self._nodes.can_rebind(address, run.instance):
            if need.is_up and need.address.kind is NodeKind.PROVIDER and need.address in run.handed:
                return  # What it has leads to the new instance.
            reason = "it has no bind()" if need.is_up else f"'{need.address}' does not run"
            self._emit(NodeNotBound(self.runner.clock(), address, api, reason))
            return
        at, new, rebind = need.address, need.instance, self._nodes.rebind
        error = await self.attempt((run, need), "bind", lambda one: rebind(address, one, at, new))
        if not run.is_up:  # How it has ended is told.
            return
        if error is not None and not need.is_up:  # What ails it without that is told.
            reason = f"'{need.address}' does not run"
            self._emit(NodeNotBound(self.runner.clock(), address, api, reason))
            return
        if error is None:
            self.runner.report(run, ProviderReport("ready", f"it has {api}"), about)
            if address.kind is not NodeKind.TABLE:  # Its resources tell.
                self._emit(NodeBound(self.runner.clock(), address, api))
            return
        reason = describe(error)
        self._emit(NodeNotBound(self.runner.clock(), address, api, reason))
        self.runner.report(run, ProviderReport("degraded", f"without {api}: {reason}"), about)

    async def attempt(
        self, runs: tuple[NodeRun, ...], action: str, work: Callable[[object], Awaitable[object]]
    ) -> Exception | None:
        """Return what *work*, given the instance of the first of *runs*, raises.

        It may take as long as a start. It is about all of them, which are up, and is broken off
        when one fails: what starts that again waits for this.
        """
        settings, run = self._settings, runs[0]
        grace = min(settings.cancel_timeout, settings.stop_timeout, KILL_GRACE)

        broken_off = NotRunningError("it was broken off: what it is about has failed")

        async def asked() -> None:
            if not all(one.is_up for one in runs):  # Also what is cancelled at once is begun.
                raise broken_off
            await work(run.instance)

        async def begin() -> None:
            await within(asked(), settings.start_timeout, grace=grace, owner=run.address)

        attempt = asyncio.ensure_future(begin())
        self._attempts[attempt] = runs
        attempt.add_done_callback(self._attempts.pop)
        if (cancelled := await outlast(attempt, on_cancel=attempt.cancel)) is not None:
            raise cancelled
        if attempt.cancelled():
            return broken_off
        try:
            attempt.result()
        except NoAnswerError:
            return DeadlineError(action, settings.start_timeout)
        except Exception as error:  # noqa: BLE001 (a provider's code may raise anything)
            return error
        return None


def _blocked(
    graph: nx.DiGraph[Address], address: Address, is_down: Callable[[Address], bool]
) -> Collection[Address]:
    """Return which of what *address* needs, by whether each is down, keep it from starting."""
    edges = graph.pred[address].items()
    hard = [need for need, edge in edges if edge["strength"] == Strength.HARD]
    members = [need for need, edge in edges if edge["strength"] == Strength.MEMBER]
    return blocking(hard, members, is_down)

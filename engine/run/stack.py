"""The running stack: starts a graph, hands out what answers for its APIs, and stops it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self, cast

from rungraph.engine.errors import (
    EngineError,
    NotRunningError,
    NotServedError,
    RestartingError,
    StopError,
)
from rungraph.engine.events import EventLog, StackReady, State
from rungraph.engine.provider import has_health
from rungraph.engine.routing.names import Absence
from rungraph.engine.run.draining import Draining
from rungraph.engine.run.errors import COMING, DOING, RunError, needs_failed
from rungraph.engine.run.health import HealthWatch, ask_all, ill, shown, well
from rungraph.engine.run.instances import Instances
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.reloading import Reload, checked
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.signals import SignalWatch, watch_signals
from rungraph.engine.run.stack_access import StackAccess
from rungraph.engine.run.start_trace import trace_start
from rungraph.engine.run.timeline import Timeline, timeline
from rungraph.engine.waiting import outlast
from rungraph.graph.address import Address, NodeKind
from rungraph.graph.wording import duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from rungraph.engine.apis.common import HealthResponse
    from rungraph.engine.provider import HasHealth
    from rungraph.engine.routing.gate import Observe
    from rungraph.graph.model import RunGraph
    from rungraph.graph.reload import Step
    from rungraph.graph.secrets.values import Scrubber


class Stack:
    """A graph that runs for the length of an ``async with`` block.

    Entering checks the graph, imports included, and starts its nodes; all problems of a stage are
    reported together, and before anything starts. When the block is left, however that happens,
    every node that has started is stopped, each after all that depend on it, under a deadline of
    its own. A cancellation does not cut that short; it goes on afterwards.

    A stack runs once.

    Args:
        graph: What to run.
        settings: How to run it.

    Attributes:
        observe: Called with edges as nodes start; what it returns is told of calls along them.
        start_trace_id: The trace of the start, for telemetry's ``get_trace``, if there is one.

    Raises:
        InvalidGraph: On entering, if the graph has errors or parts of it cannot be imported.
        StartError: On entering, if nodes did not start; then nothing runs any more.
        RunError: On leaving, if a node stays failed after its restarts and ``on_failure`` is
            ``rollback``: that cancels the block.
        StopError: On leaving a block that raised nothing, if nodes did not stop as they should.
            Where the block raised something, that goes on and carries the stop errors as a note.

    Examples:
        >>> import asyncio
        >>> from rungraph.graph import compile_config
        >>> async def main() -> str:
        ...     async with Stack(compile_config({"providers": {}}, environment={})) as stack:
        ...         health = await stack["inspect"].health()
        ...         return health.status.value
        >>> asyncio.run(main())
        'OK'
    """

    def __init__(self, graph: RunGraph, settings: StackSettings | None = None) -> None:
        self._graph = graph
        self._scrubber: Scrubber | None = None
        self._settings = settings or StackSettings()
        self._events = EventLog()
        self._lifecycle: Lifecycle | None = None
        self._instances: Instances | None = None
        self.start_trace_id: str | None = None
        self._owner: asyncio.Task[Any] | None = None
        self._doom: RunError | None = None
        self._health: HealthWatch | None = None
        self._reloading = asyncio.Lock()
        self.observe: Callable[..., Observe | None] | None = None

    # --- reading -------------------------------------------------------------------------------

    @property
    def graph(self) -> RunGraph:
        """What the stack runs; once entered, with the diagnostics of its imports."""
        return self._graph

    @property
    def settings(self) -> StackSettings:
        """How the stack runs."""
        return self._settings

    @property
    def events(self) -> EventLog:
        """Everything that has happened so far."""
        return self._events

    def scrubbed(self, text: str) -> str:
        """Return *text* without the secrets of every config that was to run here."""
        # What runs is asked for its secrets only now: to find them all takes a start's time.
        return (self._scrubber or self._graph.scrubbed)(text)

    @property
    def apis(self) -> tuple[str, ...]:
        """The APIs that can be called now, sorted."""
        if (running := self._lifecycle) is None:
            return ()
        serving = self._graph.serving.items()
        return tuple(api for api, address in serving if running.instance_of(address) is not None)

    def status(self) -> Mapping[Address, State]:
        """Return what each node is doing."""
        return {one: state for one, state in self._events.states.items() if one in self._graph}

    @property
    def unhealthy(self) -> Mapping[Address, str]:
        """The running providers that callers are not sent to, and what each says ails it."""
        return self._health.unhealthy if self._health is not None else {}

    def timeline(self) -> Timeline:
        """Return when each node started and stopped, and what it waited for."""
        return timeline(self._events)

    def __getitem__(self, key: str | Address) -> Any:
        """Return the instance that answers for an API, or that of one node.

        Args:
            key: An API, an address, or an address as text, such as ``provider:inference/small``.

        Raises:
            NotServedError: If the graph has no such API or node.
            NotRunningError: If it has, but the node does not run; the text says why.
        """
        address = self._graph.serving.get(key) or self._address_of(key)  # type: ignore[arg-type]
        instance = self._lifecycle.instance_of(address) if self._lifecycle is not None else None
        if instance is None or self._instances is None:
            if self._state_of(address) is State.RESTARTING:
                raise RestartingError(str(address), self._retry_after(address))
            raise NotRunningError(self._why_not_running(address))
        return self._instances.handles.handle_of(address, instance)

    async def health(
        self, addresses: Iterable[Address] | None = None
    ) -> Mapping[Address, HealthResponse]:
        """Return how nodes are, all of them if none are named, in start order.

        The providers are asked at the same time, each with a deadline. A node that cannot say how
        it is is ``OK`` as long as it runs and has not reported otherwise. What they say is without
        the secrets of the config.
        """
        answers: dict[Address, HealthResponse] = {}
        asked: dict[Address, HasHealth] = {}
        for address in self._graph if addresses is None else addresses:
            running = self._lifecycle
            instance = running.instance_of(address) if running is not None else None
            detail = running.trouble_of(address) if running is not None else None
            answers[address] = well()
            if instance is None:
                answers[address] = ill(self._why_not_running(address))
            elif self._can_be_asked(address) and has_health(instance):
                asked[address] = instance
            elif detail is not None:
                answers[address] = ill(detail)
        answers |= await ask_all(asked, timeout=self._settings.health_timeout)
        return {address: shown(one, self.scrubbed) for address, one in answers.items()}

    # --- running -------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._lifecycle is not None:
            msg = "a stack runs once: make another one of the same graph"
            raise EngineError(msg)
        self._graph = await checked(self._graph, self._settings.start_timeout)
        access = StackAccess(
            view=self,
            emit=self._events.append,
            clock=lambda: self._running().clock(),
            reporter=lambda address: self._running().reporter(address),
            absence=self._why_absent,
            observe=lambda *edges: self.observe and self.observe(*edges),
        )
        self._instances = Instances(self._graph, self._settings, access)
        self._lifecycle = Lifecycle(
            self._graph.nx,
            self._instances,
            self._settings,
            self._events.append,
            late=[(edge.dependency, edge.dependent) for edge in self._graph.dropped],
            owners=self._instances.owners,
            doom=self._end_with,
        )
        self._owner = asyncio.current_task()
        try:
            await self._lifecycle.start()
            try:
                await self._lifecycle.bind_late()
                lacking = self._instances.follow_tables(self._lifecycle.lacks)
                self._lifecycle.check_whole(lacking)
                self._events.append(StackReady(self._lifecycle.clock()))
                await self._trace_start()
                self._supervise(self._lifecycle, self._instances)
            except BaseException:
                await self._lifecycle.roll_back()
                raise
        except BaseException:
            await self._instances.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        doom, owner, self._owner = self._doom, self._owner, None  # Nothing dooms it any more.
        if doom is not None and owner is not None:
            owner.uncancel()
        cancelled = await outlast(self._health.aclose()) if self._health is not None else None
        error = cancelled or error
        try:
            await self._running().stop()
        except StopError as stop_error:
            if (raised := doom or error) is None:
                raise
            raised.add_note(str(stop_error))
        finally:
            if self._instances is not None:
                await self._instances.aclose()
        if doom is not None and (error is None or isinstance(error, asyncio.CancelledError)):
            raise doom from doom.failure.error
        if cancelled is not None:
            raise cancelled

    def _supervise(self, running: Lifecycle, instances: Instances) -> None:
        """Restart from now on what fails, and ask again and again how the providers are."""
        running.supervise()
        self._health = HealthWatch(running, instances, self._settings)
        self._health.watch(filter(self._can_be_asked, self._graph))

    def _end_with(self, doom: RunError) -> None:
        """End the block: a node stays failed, and the stack is not to go on without it."""
        if self._doom is None and self._owner is not None:
            self._doom = doom
            self._owner.cancel()
            self.end()

    async def apply(self, graph: RunGraph) -> Mapping[Address, Step]:
        """Go on with another graph, and return what was done about each node.

        It is checked like at a start, before anything stops. Only what differs, and what cannot go
        on without that, stops and starts, in order; everything else, and its calls, go on.

        Raises:
            InvalidGraph: If the graph has errors or parts of it cannot be imported.
            ReloadError: If something did not start; then the old graph goes on, or runs again.
        """
        self._scrubber = (self._scrubber or self._graph.scrubbed) | graph.scrubbed
        async with self._reloading:  # What a reload does follows from what runs when it begins.
            new = await checked(graph, self._settings.start_timeout)
            running, instances = self._running(), self._instances
            if instances is None or running.instance_of(self._graph.serving["inspect"]) is None:
                raise NotRunningError(self._why_not_running(self._graph.serving["inspect"]))
            reload = Reload(self._graph, new, running, instances, self._events)
            return await reload.run(self._go_on)

    def _go_on(self, graph: RunGraph) -> None:
        """Show *graph* as what runs."""
        self._graph = graph
        if self._instances is not None:
            self._instances.drained &= graph.nodes.keys()
            self._instances.handles.keep(graph.nodes.keys())
        if self._health is not None:
            self._health.watch(filter(self._can_be_asked, graph))

    async def drain(self, provider: str | Address) -> bool:
        """Send no new call to a provider until `undrain`; return whether its running ones ended.

        Those that take longer than ``drain_timeout`` go on. It is one of a routed API, up or not.
        """
        return await self._draining.drain(provider)

    async def undrain(self, provider: str | Address) -> None:
        """Send calls to a provider again."""
        await self._draining.undrain(provider)

    def limit_drain(self, seconds: float) -> None:
        """Let calls go on for so many *seconds* at most when their providers stop, from now on."""
        if self._instances is not None:
            self._instances.handles.limit_drain(seconds)

    def end(self) -> None:
        """Reload no more, and break off a reload that is under way: the block is about to end."""
        if self._lifecycle is not None:
            self._lifecycle.changes.end()

    def kill(self) -> None:
        """End everything at once, without a proper stop; for a second signal."""
        if self._lifecycle is not None:
            self._lifecycle.kill()

    def signals(
        self, reload: asyncio.Event | None = None
    ) -> AbstractAsyncContextManager[SignalWatch]:
        """Return a block around the stack's own, which SIGINT and SIGTERM end: see `watch_signals`.

        ``async with stack.signals() as signals, stack: ...``
        """
        return watch_signals(self.events, self.end, self.kill, reload)

    # --- inside --------------------------------------------------------------------------------

    def _running(self) -> Lifecycle:
        if self._lifecycle is None:
            msg = "the stack has not been started"
            raise EngineError(msg)
        return self._lifecycle

    @property
    def _draining(self) -> Draining:
        running, instances = self._running(), cast("Instances", self._instances)
        return Draining(self._graph, running, instances, self._settings, self.unhealthy)

    def _address_of(self, key: str | Address) -> Address:
        if isinstance(key, str) and ":" not in key:
            raise NotServedError(key, tuple(self._graph.serving))
        with suppress(ValueError):
            address = Address.parse(key) if isinstance(key, str) else key
            if address in self._graph:
                return address
        raise NotServedError(str(key), tuple(map(str, self._graph.nodes)))

    def _state_of(self, address: Address) -> State | None:
        """Return what callers are told that *address* is doing."""
        if self._lifecycle is not None and self._lifecycle.is_coming(address):
            return State.RESTARTING
        state = self._events.states.get(address)
        if state is State.SKIPPED and any(
            self._events.states.get(cause) in COMING for cause in self._running().causes_of(address)
        ):
            return State.RESTARTING  # As soon as what it needs has come back.
        return state

    def _retry_after(self, address: Address) -> float:
        """Return the seconds until *address*, or what it waits for, begins to start again, or 1."""
        awaited = (address, *self._running().causes_of(address))
        return max(map(self._running().supervisor.retry_after, awaited)) or 1.0

    def _why_not_running(self, address: Address) -> str:
        if (state := self._state_of(address)) is None:
            return f"'{address}' does not run: the stack has not been started"
        others = [one for one in self._running().causes_of(address) if one != address]
        if others and state is not State.RESTARTING:
            return f"'{address}' does not run: it {needs_failed(others)}"
        return f"'{address}' does not run: it {DOING[state]}"

    def _why_absent(self, address: Address) -> Absence:
        """Return why nothing of a provider can be requested, such as ``which failed``."""
        running = self._running()
        if address not in self._graph:
            return Absence("which is not configured")
        if running.instance_of(address) is not None:
            reason = self.unhealthy.get(address)
            return Absence(f"which is unhealthy: {reason}" if reason is not None else "")
        if (state := self._state_of(address) or State.STOPPED) in COMING:
            seconds = self._retry_after(address) if state is State.RESTARTING else 1.0
            return Absence(f"which {DOING[state]}; retry after {duration(seconds)}", seconds)
        causes = running.causes_of(address)
        if causes in ((), (address,)):
            return Absence("which failed" if causes else "which does not run")
        return Absence(f"which {needs_failed(causes)}")

    def _can_be_asked(self, address: Address) -> bool:
        """Whether an instance's ``health`` is about itself: a builtin's is about the stack."""
        return (
            address.kind is NodeKind.PROVIDER and not self._graph.catalog.apis[address.api].builtin
        )

    async def _trace_start(self) -> None:
        """Tell telemetry how the nodes started; it holds the stack up for a second at most."""
        if "telemetry" in self.apis:
            telemetry = self._running().instance_of(self._graph.serving["telemetry"])
            self.start_trace_id = await trace_start(self.timeline(), telemetry)

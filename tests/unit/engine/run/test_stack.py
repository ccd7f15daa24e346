"""The stack: what it hands out, binds late, asks for health, and how it ends."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.unit.engine.fakes import Offer, Pinger, create_pinger, graph_of

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.errors import (
    EngineError,
    NotRunningError,
    NotServedError,
    StartError,
    StopError,
)
from rungraph.engine.events import NodeBound, NodeDegraded, NodeNotBound, StackReady, State
from rungraph.engine.provider import ProviderReport
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack, run_until_signal
from rungraph.graph import Address, InvalidGraph, compile_config

A, B = Address.provider("a", "one"), Address.provider("b", "one")
QUICK = StackSettings(start_timeout=5, stop_timeout=5, cancel_timeout=1, health_timeout=0.05)


def failing(error: BaseException) -> Callable[..., Awaitable[Any]]:
    """Return an entry point that raises *error*."""

    async def create(config: object, deps: object) -> Any:
        raise error

    return create


def making(cls: type[Any]) -> Callable[..., Awaitable[Any]]:
    """Return an entry point that creates a *cls*."""

    async def create(config: object, deps: Any) -> Any:
        return cls(config, deps)

    return create


# --- what it hands out -------------------------------------------------------------------------


async def test_an_api_gives_its_provider_with_its_dependencies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A provider is handed the instances of the APIs that it needs, by API."""
    graph = graph_of(monkeypatch, a=Offer(), b=Offer(needs=("a",)))
    async with Stack(graph, QUICK) as stack:
        assert await stack["a"].ping() == "pong"
        assert stack["b"].deps == {"a": stack["a"]}
        assert stack[B] is stack["b"] is stack["provider:b/one"]
        assert stack.apis == ("a", "b", "inspect")
        assert stack.status()[A] is State.READY
        assert stack.timeline().total > 0
        assert isinstance(tuple(stack.events)[-1], StackReady)


async def test_everything_is_shut_down_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaving the block shuts every instance down, and nothing can be asked for any more."""
    graph = graph_of(monkeypatch, a=Offer(), b=Offer(needs=("a",)))
    stack = Stack(graph, QUICK)
    async with stack:
        instances = [stack["a"], stack["b"]]
    assert [instance.shutdowns for instance in instances] == [1, 1]
    assert stack.apis == ()
    with pytest.raises(NotRunningError, match="'provider:a/one' does not run: it has stopped"):
        stack["a"]


async def test_what_is_not_served_is_named_with_the_nearest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An unknown key tells what there is."""
    async with Stack(graph_of(monkeypatch, greeting=Offer()), QUICK) as stack:
        with pytest.raises(NotServedError) as caught:
            stack["greting"]
        assert str(caught.value) == (
            "'greting' is not served\nserved: 'greeting', 'inspect'\nhelp: did you mean 'greeting'?"
        )
        with pytest.raises(NotServedError, match="provider:greeting/one"):
            stack["provider:greeting/two"]
        with pytest.raises(NotServedError):
            stack["nothing:at/all"]


def test_a_stack_that_was_not_started_serves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the block nothing runs."""
    stack = Stack(graph_of(monkeypatch, a=Offer()))
    assert stack.apis == ()
    with pytest.raises(NotRunningError, match="has not been started"):
        stack["a"]


async def test_a_stack_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second entry is an error of its own."""
    stack = Stack(graph_of(monkeypatch, a=Offer()), QUICK)
    async with stack:
        pass
    with pytest.raises(EngineError, match="a stack runs once"):
        async with stack:
            pass


async def test_a_skipped_node_is_named_with_the_failure_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With on_failure="degrade" the rest runs, and asking for what does not says why."""
    graph = graph_of(
        monkeypatch,
        a=Offer(failing(OSError("no disk"))),
        b=Offer(needs=("a",)),
        c=Offer(uses=("a",)),
    )
    async with Stack(graph, StackSettings(on_failure="degrade")) as stack:
        assert stack.apis == ("c", "inspect")
        assert stack["c"].deps == {}
        with pytest.raises(NotRunningError) as caught:
            stack["b"]
        assert str(caught.value) == (
            "'provider:b/one' does not run: it needs 'provider:a/one', which failed"
        )


# --- checks before anything starts -------------------------------------------------------------


async def test_a_graph_with_errors_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack raises what is wrong with its graph and starts nothing."""
    graph = graph_of(monkeypatch, b=Offer(needs=("a",)))
    stack = Stack(graph, QUICK)
    with pytest.raises(InvalidGraph):
        async with stack:
            pass
    assert len(stack.events) == 0


async def test_all_import_problems_come_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two providers that cannot be imported are both named, and the third does not start."""
    gone = [{"module": f"rungraph_not_there_{number}"} for number in range(2)]
    graph = graph_of(monkeypatch, a=Offer(spec=gone[0]), b=Offer(spec=gone[1]), c=Offer())
    stack = Stack(graph, QUICK)
    with pytest.raises(InvalidGraph) as caught:
        async with stack:
            pass
    assert [(one.code, one.address) for one in caught.value.diagnostics] == [
        ("I001", A),
        ("I001", B),
    ]
    assert len(stack.events) == 0


async def test_the_start_error_shows_the_place_in_the_config(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """A provider that fails to start is named with file, line and column, and its cause."""
    graph = graph_of(monkeypatch, a=Offer(failing(ConnectionError("refused"))))
    file = tmp_path / "run.yaml"
    text = "providers:\n  a:\n  - {provider_id: one, provider_type: 'inline::fake', config: {}}\n"
    file.write_text(text, encoding="utf-8")
    compiled = compile_config(file, catalog=graph.catalog, environment={})
    with pytest.raises(StartError) as caught:
        async with Stack(compiled, QUICK):
            pass
    assert str(caught.value) == (
        "the stack did not start: 1 node failed\n"
        f"  provider:a/one ({file}:3:5): ConnectionError: refused"
    )
    assert isinstance(caught.value.__cause__, ConnectionError)


# --- late binding ------------------------------------------------------------------------------


class Bound(Pinger):
    """Takes what it is bound to."""

    def __init__(self, config: object, deps: Any) -> None:
        super().__init__(config, deps)
        self.bound: dict[str, object] = {}

    def bind(self, api: str, instance: object) -> None:
        self.bound[api] = instance


class SlowlyBound(Bound):
    """Takes its time."""

    async def bind(self, api: str, instance: object) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        self.bound[api] = instance


class BadlyBound(Bound):
    """Does not like it."""

    def bind(self, api: str, instance: object) -> None:
        msg = "not me"
        raise ValueError(msg)


class NeverBound(Bound):
    """Does not come back."""

    async def bind(self, api: str, instance: object) -> None:  # type: ignore[override]
        await asyncio.Event().wait()


def _soft_cycle(monkeypatch: pytest.MonkeyPatch, cls: type[Pinger]) -> Any:
    graph = graph_of(
        monkeypatch, a=Offer(making(cls), uses=("b",)), b=Offer(making(cls), uses=("a",))
    )
    (edge,) = graph.dropped
    return graph, edge


@pytest.mark.parametrize("cls", [Bound, SlowlyBound])
async def test_a_dropped_dependency_is_bound_once_both_run(
    monkeypatch: pytest.MonkeyPatch, cls: type[Bound]
) -> None:
    """Of two that use each other, one gets the other at its creation and one afterwards."""
    graph, edge = _soft_cycle(monkeypatch, cls)
    async with Stack(graph, QUICK) as stack:
        first, second = stack[edge.dependent], stack[edge.dependency]
        assert first.bound == {edge.dependency.api: second}
        assert second.deps == {edge.dependent.api: first}
        bound = [event for event in stack.events if isinstance(event, NodeBound)]
        assert [(one.address, one.api) for one in bound] == [(edge.dependent, edge.dependency.api)]


@pytest.mark.parametrize(
    ("cls", "reason"),
    [(BadlyBound, "ValueError: not me"), (NeverBound, "did not bind within 0.05 s")],
)
async def test_a_binding_that_fails_degrades_and_kills_nothing(
    monkeypatch: pytest.MonkeyPatch, cls: type[Bound], reason: str
) -> None:
    """The node runs on without its optional dependency, and says so."""
    graph, edge = _soft_cycle(monkeypatch, cls)
    async with Stack(graph, StackSettings(start_timeout=0.05)) as stack:
        assert stack.status()[edge.dependent] is State.DEGRADED
        events = [event for event in stack.events if isinstance(event, NodeNotBound | NodeDegraded)]
        assert [type(event) for event in events] == [NodeNotBound, NodeDegraded]
        assert getattr(events[0], "reason", "") == reason


async def test_a_node_without_bind_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that cannot be handed anything later stays without, in good health."""
    graph, edge = _soft_cycle(monkeypatch, Pinger)
    async with Stack(graph, QUICK) as stack:
        assert stack.status()[edge.dependent] is State.READY
        (event,) = [event for event in stack.events if isinstance(event, NodeNotBound)]
        assert (event.address, event.reason) == (edge.dependent, "it has no bind()")


async def test_what_did_not_start_is_not_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dependent whose late dependency failed is told why it stays without."""
    graph, edge = _soft_cycle(monkeypatch, Bound)
    offers = {
        edge.dependent.api: Offer(making(Bound), uses=(edge.dependency.api,)),
        edge.dependency.api: Offer(failing(OSError("x")), uses=(edge.dependent.api,)),
    }
    graph = graph_of(monkeypatch, **offers)
    async with Stack(graph, StackSettings(on_failure="degrade")) as stack:
        (event,) = [event for event in stack.events if isinstance(event, NodeNotBound)]
        assert event.reason == f"'{edge.dependency}' does not run"


# --- health and reports ------------------------------------------------------------------------


class Healthy(Pinger):
    async def health(self) -> HealthResponse:
        return HealthResponse(status=HealthStatus.OK, message="fine")


class Raising(Pinger):
    async def health(self) -> HealthResponse:
        msg = "worker died"
        raise RuntimeError(msg)


class Hanging(Pinger):
    async def health(self) -> HealthResponse:
        await asyncio.Event().wait()
        raise AssertionError


class Mute(Pinger):
    async def health(self) -> object:
        return None


async def test_every_node_says_how_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that raises, hangs or says nothing sensible is ill; one without health is fine."""
    offers = {
        cls.__name__.lower(): Offer(making(cls))
        for cls in (Healthy, Raising, Hanging, Mute, Pinger)
    }
    offers["failed"] = Offer(failing(OSError("x")))
    graph = graph_of(monkeypatch, **offers)
    settings = StackSettings(on_failure="degrade", health_timeout=0.05)
    async with Stack(graph, settings) as stack:
        health = {address.api: answer for address, answer in (await stack.health()).items()}
    assert health["healthy"] == HealthResponse(status=HealthStatus.OK, message="fine")
    assert health["raising"].message == "RuntimeError: worker died"
    assert health["hanging"].message == "does not say how it is within 0.05 s"
    assert health["mute"].status is HealthStatus.ERROR
    assert health["pinger"] == HealthResponse(status=HealthStatus.OK)
    assert health["failed"].message == "'provider:failed/one' does not run: it has failed"
    assert health["inspect"].status is HealthStatus.OK


async def test_a_report_counts_as_health(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that has reported a problem, from a thread, is ill until it takes that back."""

    class Reporting(Pinger):
        def report_to(self, report: Callable[[ProviderReport], None]) -> None:
            self.report = report

    async with Stack(graph_of(monkeypatch, a=Offer(making(Reporting))), QUICK) as stack:
        await asyncio.to_thread(stack["a"].report, ProviderReport("degraded", "worker died"))
        await asyncio.sleep(0)
        assert stack.status()[A] is State.DEGRADED
        assert (await stack.health([A]))[A].message == "worker died"
        stack["a"].report(ProviderReport("ready"))
        await asyncio.sleep(0)
        assert (await stack.health([A]))[A].status is HealthStatus.OK


# --- how it ends -------------------------------------------------------------------------------


class BadlyStopped(Pinger):
    async def shutdown(self) -> None:
        msg = "cannot flush"
        raise OSError(msg)


async def test_a_stop_error_is_raised_when_the_block_was_fine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a shutdown raises comes out of the block, with the node's name."""
    with pytest.raises(StopError, match=r"provider:a/one.*OSError: cannot flush"):
        async with Stack(graph_of(monkeypatch, a=Offer(making(BadlyStopped))), QUICK):
            pass


async def test_a_stop_error_does_not_hide_what_the_block_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The block's own error goes on and carries the stop error as a note."""
    with pytest.raises(KeyError) as caught:
        async with Stack(graph_of(monkeypatch, a=Offer(making(BadlyStopped))), QUICK):
            raise KeyError
    assert "OSError: cannot flush" in caught.value.__notes__[0]


async def test_a_cancelled_block_is_stopped_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout around the stack comes out as such, after everything has stopped."""
    graph = graph_of(monkeypatch, a=Offer(), b=Offer(needs=("a",)))
    stack = Stack(graph, QUICK)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), stack:
            await asyncio.Event().wait()
    assert set(stack.status().values()) == {State.STOPPED}


async def test_a_cancelled_binding_rolls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack cancelled between its start and its block leaves nothing running."""
    graph, _ = _soft_cycle(monkeypatch, NeverBound)
    stack = Stack(graph, QUICK)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), stack:
            pytest.fail("the block was entered")
    assert set(stack.status().values()) == {State.STOPPED}


async def test_a_blocking_factory_runs_in_a_thread_and_blocks_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A plain entry point does not keep others from starting at the same time."""
    other = threading.Event()

    def create(config: object, deps: object) -> Pinger:
        assert other.wait(5), "the other node did not start"
        assert threading.current_thread() is not threading.main_thread()
        return Pinger(config)

    async def release(config: object, deps: object) -> Pinger:
        other.set()
        return Pinger(config)

    async with Stack(graph_of(monkeypatch, a=Offer(create), b=Offer(release)), QUICK) as stack:
        assert await stack["a"].ping() == "pong"


async def test_a_blocking_factory_that_is_too_late_gives_its_instance_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thread cannot be cancelled: what it returns after the deadline is shut down."""
    late = threading.Event()
    made: list[Pinger] = []

    def create(config: object, deps: object) -> Pinger:
        late.wait(5)
        made.append(Pinger(config))
        return made[0]

    settings = StackSettings(start_timeout=0.05, cancel_timeout=5)
    asyncio.get_running_loop().call_later(0.2, late.set)
    with pytest.raises(StartError, match=r"did not start within 0\.05 s"):
        async with Stack(graph_of(monkeypatch, a=Offer(create)), settings):
            pass
    assert made[0].shutdowns == 1


# --- signals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_the_first_signal_stops_in_order(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    """A signal ends a running stack as if its block had ended; handlers are put back."""
    before = signal.getsignal(number)
    stack = Stack(graph_of(monkeypatch, a=Offer(), b=Offer(needs=("a",))), QUICK)
    stack.events.subscribe(
        lambda event: os.kill(os.getpid(), number) if isinstance(event, StackReady) else None
    )
    assert await run_until_signal(stack) == code
    assert set(stack.status().values()) == {State.STOPPED}
    assert signal.getsignal(number) is before


async def test_a_signal_during_the_start_rolls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting is given up at the first signal."""

    async def create(config: object, deps: object) -> Pinger:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()
        raise AssertionError

    stack = Stack(graph_of(monkeypatch, a=Offer(), b=Offer(create, needs=("a",))), QUICK)
    assert await run_until_signal(stack) == 130
    assert stack.status()[A] is State.STOPPED
    assert stack.status()[B] is State.SKIPPED


async def test_the_second_signal_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop that hangs is cut short by another signal."""

    class Stuck(Pinger):
        async def shutdown(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            await asyncio.Event().wait()

    stack = Stack(graph_of(monkeypatch, a=Offer(making(Stuck))), QUICK)

    async def work(stack: Stack) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.Event().wait()

    assert await run_until_signal(stack, work) == 130
    assert stack.status()[A] is State.KILLED


async def test_without_a_signal_the_work_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code is 0 when nothing ended the stack from outside."""
    stack = Stack(graph_of(monkeypatch, a=Offer(create_pinger)), QUICK)
    seen: list[str] = []

    async def work(stack: Stack) -> None:
        seen.append(await stack["a"].ping())

    assert await run_until_signal(stack, work) == 0
    assert seen == ["pong"]


@pytest.mark.parametrize("is_swallowed", [True, False])
async def test_after_a_signal_nothing_else_is_cancelled(
    monkeypatch: pytest.MonkeyPatch, is_swallowed: bool
) -> None:
    """What follows the watched block goes on, also when the block has dealt with the signal."""
    stack = Stack(graph_of(monkeypatch, a=Offer()), QUICK)
    owner = asyncio.current_task()
    assert owner is not None
    async with stack.signals() as signals:
        os.kill(os.getpid(), signal.SIGTERM)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not is_swallowed:
                raise
    await asyncio.sleep(0)
    assert signals.exit_code == 143
    assert owner.cancelling() == 0


async def test_a_cancellation_from_elsewhere_goes_through_the_watch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only cancellations that a signal caused end at the watched block."""
    stack = Stack(graph_of(monkeypatch, a=Offer()), QUICK)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), stack.signals(), stack:
            await asyncio.Event().wait()

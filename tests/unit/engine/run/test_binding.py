"""What a stack binds late, and how its nodes say that they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import pytest
from tests.unit.engine.fakes import QUICK, GraphOf, Offer, Pinger, failing, making, told
from tests.unit.engine.run.models import quick, until

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.events import NodeBound, NodeDegraded, NodeNotBound, NodeWorking, State
from rungraph.engine.provider import ProviderReport
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address

A, B = Address.provider("a", "one"), Address.provider("b", "one")


class Bound(Pinger):
    def __init__(self, config: object, deps: Any) -> None:
        super().__init__(config, deps)
        self.bound: dict[str, object] = {}

    def bind(self, api: str, instance: object) -> None:
        self.bound[api] = instance


class SlowlyBound(Bound):
    async def bind(self, api: str, instance: object) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        self.bound[api] = instance


class BadlyBound(Bound):
    def bind(self, api: str, instance: object) -> None:
        msg = "not me"
        raise ValueError(msg)


class NeverBound(Bound):
    async def bind(self, api: str, instance: object) -> None:  # type: ignore[override]
        await asyncio.Event().wait()


def _soft_cycle(graph_of: GraphOf, cls: type[Pinger]) -> Any:
    graph = graph_of(a=Offer(making(cls), uses=("b",)), b=Offer(making(cls), uses=("a",)))
    (edge,) = graph.dropped
    return graph, edge


@pytest.mark.parametrize("cls", [Bound, SlowlyBound])
async def test_a_dropped_dependency_is_bound_once_both_run(
    graph_of: GraphOf, cls: type[Bound]
) -> None:
    """Of two that use each other, one gets the other at its creation and one afterwards."""
    graph, edge = _soft_cycle(graph_of, cls)
    async with Stack(graph, QUICK) as stack:
        first, second = stack[edge.dependent], stack[edge.dependency]
        assert first.bound == {edge.dependency.api: second}
        assert second.deps == {edge.dependent.api: first}
        [bound] = told(stack.events, NodeBound)
        assert (bound.address, bound.api) == (edge.dependent, edge.dependency.api)


@pytest.mark.parametrize(
    ("cls", "reason"),
    [(BadlyBound, "ValueError: not me"), (NeverBound, "did not bind within 0.05 s")],
)
async def test_a_binding_that_fails_degrades_and_kills_nothing(
    graph_of: GraphOf, cls: type[Bound], reason: str
) -> None:
    """The node runs on without its optional dependency, and says so."""
    graph, edge = _soft_cycle(graph_of, cls)
    async with Stack(graph, StackSettings(start_timeout=0.05)) as stack:
        assert stack.status()[edge.dependent] is State.DEGRADED
        unbound, degraded = told(stack.events, NodeNotBound | NodeDegraded)
        assert (unbound.reason, type(degraded)) == (reason, NodeDegraded)


async def test_a_node_without_bind_says_so(graph_of: GraphOf) -> None:
    """A provider that cannot be handed anything later stays without, in good health."""
    graph, edge = _soft_cycle(graph_of, Pinger)
    async with Stack(graph, QUICK) as stack:
        assert stack.status()[edge.dependent] is State.READY
        (event,) = told(stack.events, NodeNotBound)
        assert (event.address, event.reason) == (edge.dependent, "it has no bind()")


async def test_what_did_not_start_is_not_bound(graph_of: GraphOf) -> None:
    """A dependent whose late dependency failed is told why it stays without."""
    graph, edge = _soft_cycle(graph_of, Bound)
    offers = {
        edge.dependent.api: Offer(making(Bound), uses=(edge.dependency.api,)),
        edge.dependency.api: Offer(failing(OSError("x")), uses=(edge.dependent.api,)),
    }
    graph = graph_of(**offers)
    async with Stack(graph, StackSettings(on_failure="degrade")) as stack:
        (event,) = told(stack.events, NodeNotBound)
        assert event.reason == f"'{edge.dependency}' does not run"


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


async def test_every_node_says_how_it_is(graph_of: GraphOf) -> None:
    """A provider that raises, hangs or says nothing sensible is ill; one without health is fine."""
    offers = {
        cls.__name__.lower(): Offer(making(cls))
        for cls in (Healthy, Raising, Hanging, Mute, Pinger)
    }
    offers["failed"] = Offer(failing(OSError("x")))
    graph = graph_of(**offers)
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


class Reporting(Pinger):
    def report_to(self, report: Callable[[ProviderReport], None]) -> None:
        self.report = report


async def test_a_report_counts_as_health(graph_of: GraphOf) -> None:
    """A provider that has reported a problem, from a thread, is ill until it takes that back."""
    async with Stack(graph_of(a=Offer(making(Reporting))), QUICK) as stack:
        await asyncio.to_thread(stack["a"].report, ProviderReport("degraded", "worker died"))
        await asyncio.sleep(0)
        assert stack.status()[A] is State.DEGRADED
        assert (await stack.health([A]))[A].message == "worker died"
        for how_far in ("0%", "50%"):  # Long work is told, and makes it no better.
            stack["a"].report(ProviderReport("working", how_far))
        await asyncio.sleep(0)
        assert [one.detail for one in told(stack.events, NodeWorking)] == ["0%", "50%"]
        assert stack.status()[A] is State.DEGRADED
        stack["a"].report(ProviderReport("ready"))
        await asyncio.sleep(0)
        assert (await stack.health([A]))[A].status is HealthStatus.OK


async def test_a_cancelled_binding_rolls_back(graph_of: GraphOf) -> None:
    """A stack cancelled between its start and its block leaves nothing running."""
    owner = cast("asyncio.Task[None]", asyncio.current_task())

    class Cancelling(NeverBound):
        async def bind(self, api: str, instance: object) -> None:  # type: ignore[override]
            owner.cancel()
            await super().bind(api, instance)

    graph, _ = _soft_cycle(graph_of, Cancelling)
    stack = Stack(graph, QUICK)
    with pytest.raises(asyncio.CancelledError):
        async with stack:
            pytest.fail("the block was entered")
    owner.uncancel()
    assert set(stack.status().values()) == {State.STOPPED}


async def test_a_kill_waits_for_a_binding_no_longer_than_for_a_node(graph_of: GraphOf) -> None:
    """How long a node may take to give up in an orderly stop does not count then."""
    owner = cast("asyncio.Task[None]", asyncio.current_task())

    class Stubborn(Bound):
        async def bind(self, api: str, instance: object) -> None:  # type: ignore[override]
            owner.cancel()
            asyncio.get_running_loop().call_later(0.01, stack.kill)
            for _ in range(9):
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

    graph, _ = _soft_cycle(graph_of, Stubborn)
    stack = Stack(graph, StackSettings(cancel_timeout=600, stop_timeout=600))
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(60), stack:
            pytest.fail("the block was entered")
    owner.uncancel()
    assert not set(stack.status().values()) & {State.READY, State.STARTING}


async def test_what_ails_a_node_ends_by_itself(graph_of: GraphOf) -> None:
    """One trouble neither hides another nor takes it away; a binding that succeeds ends its own."""

    class Fickle(Bound):
        fails = False

        def bind(self, api: str, instance: object) -> None:
            if self.fails:
                msg = "not now"
                raise ValueError(msg)

        def report_to(self, report: Callable[[ProviderReport], None]) -> None:
            self.report = report

    def graph(**config: int) -> Any:
        a, b = Offer(config=dict(config)), Offer(making(Fickle), needs=("a",))
        return graph_of(a=a, b=b)

    async with Stack(graph(), QUICK) as stack:
        b = stack[B]
        b._instance.fails = True
        await stack.apply(graph(x=1))
        b.report(ProviderReport("degraded", "it is hot"))
        await asyncio.sleep(0)
        without = "without a: ValueError: not now"
        assert (await stack.health())[B].message == f"{without}; it is hot"
        b.report(ProviderReport("ready", "it has cooled down"))
        await asyncio.sleep(0)
        assert (await stack.health())[B].message == without
        b._instance.fails = False
        await stack.apply(graph(x=2))
        assert stack.status()[B] is State.READY


@pytest.mark.parametrize("fails", ["a", "b"])
async def test_a_binding_whose_ends_do_not_run_any_more_holds_nobody_up(
    graph_of: GraphOf, fails: str
) -> None:
    """Who hangs in it is waited for neither by what it is handed, nor to start again itself."""

    class Grouped(Bound):
        group: asyncio.TaskGroup

        async def bind(self, api: str, instance: object) -> None:  # type: ignore[override]
            await asyncio.Event().wait()

        def crash(self) -> None:
            self.group.create_task(self.lose())

        async def lose(self) -> None:
            msg = "lost"
            raise OSError(msg)

        async def shutdown(self) -> None:
            await self.group.__aexit__(None, None, None)

    made: list[Grouped] = []

    async def create(config: object, deps: Any) -> Grouped:
        made.append(one := Grouped(config, deps))
        one.group = await asyncio.TaskGroup().__aenter__()
        return one

    graph = graph_of(a=Offer(create), b=Offer(create, needs=("a",)))
    async with Stack(graph, quick(start_timeout=600, restart_delay=0)) as stack:
        first, second = made
        first.crash()
        await until(lambda: len(made) == 3 and stack.status()[A] is State.READY)
        (made[-1] if fails == "a" else second).crash()
        await until(lambda: len(made) == 4)
        told_of = told(stack.events, NodeNotBound)
        assert [one.reason for one in told_of] == [f"'{A}' does not run"] * (fails == "a")

"""Starting and stopping, case by case; on a virtual clock, so nothing here waits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import anyio
import pytest
from tests.property.strategies_graphs import node, run_virtually

from rungraph.engine.errors import (
    BackgroundError,
    DeadlineError,
    KilledError,
    StartError,
    StopError,
)
from rungraph.engine.events import (
    EventLog,
    NodeDegraded,
    NodeEvent,
    NodeFailed,
    NodeReady,
    NodeRecovered,
    NodeSkipped,
    NodeWaiting,
    RollbackEnded,
    RollbackStarted,
    StackStarting,
    StackStopped,
    StackStopping,
    State,
)
from rungraph.engine.provider import ProviderReport
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.settings import StackSettings
from rungraph.graph.nodes import Edge, Strength
from rungraph.graph.place import Place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping

    from rungraph.graph.address import Address

A, B, C, D = map(node, range(4))


@dataclass
class Chain:
    """Nodes that each need those before the arrow, and functions that open and close them.

    Attributes:
        needs: What each node depends on, dependencies first.
        opening: What opening a node does; by default nothing.
        closing: What closing a node does; by default nothing.
        did: What was opened and closed, in order.
    """

    needs: Mapping[Address, tuple[Address, ...]]
    opening: dict[Address, Callable[[], Awaitable[object]]] = field(
        default_factory=dict["Address", "Callable[[], Awaitable[object]]"]
    )
    closing: dict[Address, Callable[[], Awaitable[object]]] = field(
        default_factory=dict["Address", "Callable[[], Awaitable[object]]"]
    )
    did: list[str] = field(default_factory=list[str])
    strength: Strength = Strength.HARD

    def generations(self) -> tuple[tuple[Address, ...], ...]:
        """Return every node as a generation of its own, but those without needs as the first."""
        roots = tuple(address for address, needs in self.needs.items() if not needs)
        return (roots, *((address,) for address, needs in self.needs.items() if needs))

    def dependencies_of(self, address: Address) -> tuple[Address, ...]:
        """Return what *address* needs."""
        return self.needs[address]

    def edge(self, dependency: Address, dependent: Address) -> Edge:
        """Return an edge of this chain's strength."""
        return Edge(dependency, dependent, self.strength)

    async def open(self, address: Address, dependencies: Mapping[Address, object]) -> object:
        """Open *address*."""
        if address in self.opening:
            await self.opening[address]()
        self.did.append(f"+{address.name}")
        return address

    async def close(self, address: Address, instance: object) -> None:
        """Close *address*."""
        assert instance == address
        self.did.append(f"-{address.name}")
        if address in self.closing:
            await self.closing[address]()

    def place_of(self, address: Address) -> Place | None:
        """Return a line of a file that does not exist."""
        return Place("run.yaml", int(address.name[1:]) + 1, 5)


QUICK = StackSettings(start_timeout=5, stop_timeout=3, cancel_timeout=1)


def run(
    chain: Chain,
    settings: StackSettings = QUICK,
    block: Callable[[Lifecycle], Awaitable[object]] | None = None,
) -> tuple[EventLog, float]:
    """Start *chain*, run *block*, stop; return the events and how long all took."""

    async def main() -> None:
        lifecycle = Lifecycle(chain, chain, settings, log.append)
        await lifecycle.start()
        try:
            if block is not None:
                await block(lifecycle)
        finally:
            await lifecycle.stop()

    log = EventLog()

    async def timed() -> float:
        with suppress(StartError, StopError):
            await main()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return asyncio.get_running_loop().time()

    return log, run_virtually(timed())


def error_of(
    chain: Chain,
    settings: StackSettings = QUICK,
    block: Callable[[Lifecycle], Awaitable[object]] | None = None,
) -> BaseException:
    """Start *chain*, run *block*, stop; return what was raised."""

    async def main() -> None:
        lifecycle = Lifecycle(chain, chain, settings, EventLog().append)
        await lifecycle.start()
        try:
            if block is not None:
                await block(lifecycle)
        finally:
            await lifecycle.stop()

    with pytest.raises(BaseException) as caught:  # noqa: PT011 (the callers look at it)
        run_virtually(main())
    return caught.value


def after(seconds: float, error: BaseException | None = None) -> Callable[[], Awaitable[None]]:
    """Return a function that takes *seconds* and then raises *error*."""

    async def wait() -> None:
        await asyncio.sleep(seconds)
        if error is not None:
            raise error

    return wait


async def ignore_cancellation() -> None:
    """Go on for a thousand cancellations."""
    for _ in range(1000):
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1)


# --- order -------------------------------------------------------------------------------------


def test_stop_is_the_reverse_of_start() -> None:
    """A chain starts from its root and stops towards it."""
    chain = Chain({A: (), B: (A,), C: (B,)})
    run(chain)
    assert chain.did == ["+n00", "+n01", "+n02", "-n02", "-n01", "-n00"]


def test_independent_nodes_stop_at_the_same_time() -> None:
    """Two nodes that nothing depends on take as long to stop as the slower one."""
    chain = Chain({A: (), B: (), C: ()}, closing={A: after(2), B: after(2.5), C: after(1)})
    assert run(chain)[1] == pytest.approx(2.5)


def test_the_next_generation_waits_for_the_whole_one_before() -> None:
    """By generations, a node waits for nodes that it does not need; when ready, it does not."""
    chain = Chain({A: (), B: (), C: (A,)}, opening={A: after(1), B: after(4), C: after(1)})
    assert run(chain)[1] == pytest.approx(5)
    assert run(chain, StackSettings(schedule="ready"))[1] == pytest.approx(4)


def test_all_events_of_a_run_come_in_order() -> None:
    """A run tells what it is going to do, what it does and when, from start to stop."""
    log, _ = run(Chain({A: (), B: (A,)}, opening={A: after(1)}, closing={B: after(2)}))
    told = [(event.at, type(event).__name__, getattr(event, "address", None)) for event in log]
    assert told == [
        (0, "StackStarting", None),
        (0, "NodeWaiting", A),
        (0, "NodeWaiting", B),
        (0, "NodeStarting", A),
        (1, "NodeReady", A),
        (1, "NodeStarting", B),
        (1, "NodeReady", B),
        (1, "StackStopping", None),
        (1, "NodeStopping", B),
        (3, "NodeStopped", B),
        (3, "NodeStopping", A),
        (3, "NodeStopped", A),
        (3, "StackStopped", None),
    ]
    assert NodeWaiting(0.0, B, (A,), 1) in log
    assert NodeReady(1.0, B, duration=0.0, waited=1.0) in log
    assert StackStarting(0.0, 2) in log


def test_an_empty_graph_starts_and_stops() -> None:
    """A stack without nodes is a stack."""
    log, _ = run(Chain({}))
    assert [type(event) for event in log] == [StackStarting, StackStopping, StackStopped]


# --- failing to start --------------------------------------------------------------------------


def test_a_failed_start_stops_what_had_started_in_reverse() -> None:
    """A rollback stops exactly the nodes that run, dependents first."""
    chain = Chain({A: (), B: (A,), C: (B,), D: (C,)}, opening={C: after(1, ValueError("no"))})
    log, _ = run(chain)
    assert chain.did == ["+n00", "+n01", "-n01", "-n00"]
    assert RollbackStarted(1.0, (C,)) in log
    assert RollbackEnded(1.0) in log
    assert NodeSkipped(1.0, D, (C,)) in log


def test_the_start_error_names_every_culprit_its_place_and_the_cause() -> None:
    """Two nodes that fail at the same time are both named, in start order."""
    refused, broken = ConnectionError("refused"), ValueError("broken")
    chain = Chain({A: (), B: (), C: ()}, opening={B: after(1, refused), C: after(1, broken)})
    error = error_of(chain)
    assert isinstance(error, StartError)
    assert [failure.error for failure in error.failures] == [refused, broken]
    assert str(error) == (
        "the stack did not start: 2 nodes failed\n"
        "  provider:test/n01 (run.yaml:2:5): ConnectionError: refused\n"
        "  provider:test/n02 (run.yaml:3:5): ValueError: broken"
    )
    cause = cast("BaseExceptionGroup[Exception]", error.__cause__)
    assert cause.exceptions == (refused, broken)


def test_a_single_culprit_is_the_cause_itself() -> None:
    """The start error of one failure is raised from what the node raised."""
    refused = ConnectionError("refused")
    assert error_of(Chain({A: ()}, opening={A: after(0, refused)})).__cause__ is refused


def test_siblings_are_cancelled_and_awaited_before_the_rollback() -> None:
    """A node that is still starting ends before anything that it may use is stopped."""
    chain = Chain({A: (), B: (A,), C: (A,)})
    chain.strength = Strength.SOFT

    async def slow() -> None:
        try:
            await asyncio.sleep(4)
        finally:
            await asyncio.sleep(0.5)
            chain.did.append("sibling ended")

    chain.opening = {B: after(1, ValueError("no")), C: slow}
    log, _ = run(chain, StackSettings(schedule="ready"))
    assert chain.did == ["+n00", "sibling ended", "-n00"]
    assert NodeSkipped(1.6, C, (B,)) in log


def test_a_sibling_is_cancelled_only_once() -> None:
    """A caller that is cancelled during a rollback does not disturb who is cleaning up."""
    chain = Chain({A: (), B: ()})

    async def slow() -> None:
        try:
            await asyncio.sleep(4)
        finally:
            await asyncio.sleep(0.5)
            chain.did.append("sibling ended")

    chain.opening = {A: after(1, ValueError("no")), B: slow}

    async def main() -> None:
        lifecycle = Lifecycle(chain, chain, QUICK, EventLog().append)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.3):
                await lifecycle.start()

    run_virtually(main())
    assert chain.did == ["sibling ended"]


def test_a_sibling_that_starts_in_spite_of_its_cancellation_is_stopped() -> None:
    """What has become ready while the start was given up is part of the rollback."""
    chain = Chain({A: (), B: ()})

    async def stubborn() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(4)

    chain.opening = {A: after(1, ValueError("no")), B: stubborn}
    log, _ = run(chain)
    assert chain.did == ["+n01", "-n01"]
    assert log.states == {A: State.FAILED, B: State.STOPPED}


def test_errors_of_a_rollback_are_told_apart() -> None:
    """A node that fails to stop in a rollback is named, but not as a culprit."""
    chain = Chain(
        {A: (), B: (A,)},
        opening={B: after(0, ValueError("no"))},
        closing={A: after(0, OSError("x"))},
    )
    error = error_of(chain)
    assert isinstance(error, StartError)
    assert str(error) == (
        "the stack did not start: 1 node failed\n"
        "  provider:test/n01 (run.yaml:2:5): ValueError: no\n"
        "while stopping what had started:\n"
        "  provider:test/n00 (run.yaml:1:5): OSError: x"
    )


def test_a_provider_cannot_end_the_process() -> None:
    """``sys.exit`` in a provider is a failure of its node like any other."""
    error = error_of(Chain({A: ()}, opening={A: after(0, SystemExit(3))}))
    assert isinstance(error, StartError)
    assert "SystemExit: 3" in str(error)


def test_a_provider_that_cancels_itself_has_failed() -> None:
    """A cancellation that nobody asked for is the node's own failure, not the caller's."""
    error = error_of(Chain({A: ()}, opening={A: after(0, asyncio.CancelledError())}))
    assert isinstance(error, StartError)
    assert isinstance(error.failures[0].error, BackgroundError)


def test_degrading_skips_dependents_with_the_root_cause() -> None:
    """Whoever needs a failed node, directly or not, is skipped because of that node alone."""
    chain = Chain({A: (), B: (), C: (B,), D: (C,)}, opening={B: after(0, ValueError("no"))})
    log, _ = run(chain, StackSettings(on_failure="degrade"))
    assert chain.did == ["+n00", "-n00"]
    skipped = [event for event in log if isinstance(event, NodeSkipped)]
    assert [(event.address, event.root_causes) for event in skipped] == [(C, (B,)), (D, (B,))]


def test_a_table_lives_while_one_member_is_up() -> None:
    """Losing one of two members degrades nothing else; losing both skips the table."""
    chain = Chain({A: (), B: (), C: (A, B)}, opening={A: after(0, ValueError("no"))})
    chain.strength = Strength.MEMBER
    log, _ = run(chain, StackSettings(on_failure="degrade"))
    assert chain.did == ["+n01", "+n02", "-n02", "-n01"]
    chain.opening[B] = after(0, ValueError("no"))
    log, _ = run(chain, StackSettings(on_failure="degrade"))
    assert NodeSkipped(0.0, C, (A, B)) in log


# --- deadlines ---------------------------------------------------------------------------------


def test_a_start_that_hangs_is_cancelled_and_named() -> None:
    """The start's own deadline ends it."""
    error = error_of(Chain({A: ()}, opening={A: asyncio.Event().wait}))
    assert isinstance(error, StartError)
    assert str(error.failures[0].error) == "did not start within 5 s"


def test_all_that_fail_within_a_moment_are_named() -> None:
    """A sibling that fails, or overruns, a little later is a culprit, too; others are cancelled."""
    chain = Chain({A: (), B: (), C: (), D: ()})
    chain.opening = {A: after(1, OSError("a")), B: after(1.05, OSError("b")), C: after(4)}
    chain.opening[D] = after(1.2, OSError("d"))
    error = error_of(chain)
    assert isinstance(error, StartError)
    assert [failure.address for failure in error.failures] == [A, B]


def test_a_start_that_ignores_its_cancellation_is_left_behind_and_named() -> None:
    """The stack goes on without such a node; the error says what it did."""
    chain = Chain({A: ()}, opening={A: ignore_cancellation})

    async def main() -> float:
        lifecycle = Lifecycle(chain, chain, QUICK, EventLog().append)
        with pytest.raises(StartError, match="5 s and ignores being cancelled"):
            await lifecycle.start()
        return asyncio.get_running_loop().time()

    assert run_virtually(main()) == pytest.approx(5 + 1 + 1)


def test_an_instance_that_comes_too_late_is_closed() -> None:
    """A start that returns after it was left behind still gives back what it holds."""
    chain = Chain({A: (), B: ()})

    async def late() -> None:
        for _ in range(3):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(20)

    chain.opening = {A: late}

    async def block(lifecycle: Lifecycle) -> None:
        assert chain.did == ["+n01"]
        await asyncio.sleep(30)
        assert chain.did == ["+n01", "+n00", "-n00"]

    run(chain, StackSettings(on_failure="degrade", start_timeout=5, cancel_timeout=1), block)
    assert chain.did == ["+n01", "+n00", "-n00", "-n01"]


def test_what_was_left_behind_is_cancelled_once_more_at_the_end() -> None:
    """A start that ignores two cancellations gets a third when everything else has stopped."""

    async def stubborn() -> None:
        for _ in range(2):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(1000)
        await asyncio.Event().wait()

    settings = StackSettings(on_failure="degrade", start_timeout=5, cancel_timeout=1)
    run(Chain({A: ()}, opening={A: stubborn}), settings)  # It asserts that no task is left.


def test_a_stop_that_hangs_keeps_no_other_from_stopping() -> None:
    """Every stop has its own deadline; what the hanging node used stops after it."""
    chain = Chain({A: (), B: (A,)}, closing={B: asyncio.Event().wait})
    error = error_of(chain)
    assert isinstance(error, StopError)
    assert [failure.address for failure in error.failures] == [B]
    assert str(error.failures[0].error) == "did not stop within 3 s"
    assert chain.did[-2:] == ["-n01", "-n00"]


def test_a_stop_that_ignores_its_cancellation_is_left_behind() -> None:
    """Stopping is over after the deadlines, whatever a provider does."""
    chain = Chain({A: (), B: (A,)}, closing={B: ignore_cancellation})

    async def main() -> float:
        log = EventLog()
        lifecycle = Lifecycle(chain, chain, QUICK, log.append)
        await lifecycle.start()
        with pytest.raises(StopError, match="ignores being cancelled"):
            await lifecycle.stop()
        assert log.states == {A: State.STOPPED, B: State.KILLED}
        return asyncio.get_running_loop().time()

    assert run_virtually(main()) == pytest.approx(3 + 1 + 1)


def test_stop_errors_are_collected_once_each() -> None:
    """All nodes that fail to stop are in one error, in the order in which they ended."""
    chain = Chain({A: (), B: (A,)}, closing={A: after(0, OSError("a")), B: after(0, OSError("b"))})
    error = error_of(chain)
    assert isinstance(error, StopError)
    assert [failure.address for failure in error.failures] == [B, A]
    assert str(error).splitlines()[0] == "the stack stopped with errors in 2 nodes"


# --- cancellation and kill ---------------------------------------------------------------------


def test_a_cancelled_start_rolls_back_and_goes_on_cancelling() -> None:
    """The caller gets its cancellation after everything has stopped."""
    chain = Chain({A: (), B: (A,)}, opening={B: after(4)}, closing={A: after(2)})

    async def main() -> float:
        lifecycle = Lifecycle(chain, chain, QUICK, EventLog().append)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await lifecycle.start()
        return asyncio.get_running_loop().time()

    assert run_virtually(main()) == pytest.approx(3)
    assert chain.did == ["+n00", "-n00"]


def test_a_cancelled_stop_is_finished_first() -> None:
    """Cancelling a stop, even twice, does not cut it short."""
    chain = Chain({A: (), B: (A,)}, closing={A: after(2), B: after(2)})

    async def main() -> float:
        lifecycle = Lifecycle(chain, chain, QUICK, EventLog().append)
        await lifecycle.start()
        task = asyncio.ensure_future(lifecycle.stop())
        for _ in range(2):
            await asyncio.sleep(1)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return asyncio.get_running_loop().time()

    assert run_virtually(main()) == pytest.approx(4)
    assert chain.did == ["+n00", "+n01", "-n01", "-n00"]


def test_a_scope_around_the_stack_waits_for_an_orderly_stop() -> None:
    """A cancel scope that cancels again and again does not disturb the order either."""
    chain = Chain({A: (), B: (A,)}, closing={A: after(0.01), B: after(0.01)})

    async def main() -> None:
        with anyio.move_on_after(0.01) as scope:
            lifecycle = Lifecycle(chain, chain, QUICK, EventLog().append)
            await lifecycle.start()
            try:
                await anyio.sleep_forever()
            finally:
                await lifecycle.stop()
        assert scope.cancelled_caught

    asyncio.run(main())
    assert chain.did == ["+n00", "+n01", "-n01", "-n00"]


def test_the_end_of_the_program_keeps_the_order() -> None:
    """When an event loop cancels all tasks at once, the nodes still stop in their order."""
    chain = Chain({A: (), B: (A,), C: (B,)}, closing={C: after(1), B: after(1)})

    async def main() -> None:
        lifecycle = Lifecycle(chain, chain, QUICK, EventLog().append)

        async def owner() -> None:
            await lifecycle.start()
            try:
                await asyncio.sleep(1000)
            finally:
                await lifecycle.stop()

        task = asyncio.ensure_future(owner())
        await asyncio.sleep(1)
        for one in asyncio.all_tasks() - {asyncio.current_task()}:
            one.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_virtually(main())
    assert chain.did == ["+n00", "+n01", "+n02", "-n02", "-n01", "-n00"]


def test_a_kill_ends_all_at_once() -> None:
    """A killed stack cuts its stops short and calls no others; all it killed are named."""
    chain = Chain({A: (), B: (A,)}, closing={B: after(2)})

    async def main() -> float:
        log = EventLog()
        lifecycle = Lifecycle(chain, chain, QUICK, log.append)
        await lifecycle.start()
        asyncio.get_running_loop().call_later(1, lifecycle.kill)
        with pytest.raises(StopError) as caught:
            await lifecycle.stop()
        assert {type(failure.error) for failure in caught.value.failures} == {KilledError}
        assert log.states == {A: State.KILLED, B: State.KILLED}
        return asyncio.get_running_loop().time()

    assert run_virtually(main()) == pytest.approx(1)
    assert chain.did == ["+n00", "+n01", "-n01"]


def test_a_kill_does_not_wait_for_the_stubborn() -> None:
    """A node that ignores the kill is left behind after a second."""
    chain = Chain({A: ()}, closing={A: ignore_cancellation})

    async def main() -> float:
        lifecycle = Lifecycle(chain, chain, QUICK, EventLog().append)
        await lifecycle.start()
        asyncio.get_running_loop().call_later(1, lifecycle.kill)
        with pytest.raises(StopError):
            await lifecycle.stop()
        return asyncio.get_running_loop().time()

    assert run_virtually(main()) == pytest.approx(2)


def test_a_kill_ends_a_start_too() -> None:
    """A stack killed while it starts stops starting and names nobody as a culprit."""
    chain = Chain({A: (), B: (A,)}, opening={B: after(4)})

    async def main() -> float:
        lifecycle = Lifecycle(chain, chain, QUICK, EventLog().append)
        asyncio.get_running_loop().call_later(1, lifecycle.kill)
        with pytest.raises(StartError, match="it was killed"):
            await lifecycle.start()
        return asyncio.get_running_loop().time()

    assert run_virtually(main()) == pytest.approx(1)


# --- instances that hold something open --------------------------------------------------------


def _with_group(enter: Callable[[], Any]) -> tuple[Chain, list[Any]]:
    """Return a chain whose root holds a task group open for as long as it lives."""
    groups: list[Any] = []

    async def opening() -> None:
        group = enter()
        await group.__aenter__()
        groups.append(group)

    async def closing() -> None:
        await groups[0].__aexit__(None, None, None)

    return Chain({A: (), B: (A,)}, opening={A: opening}, closing={A: closing}), groups


def _spawn(group: Any, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    if isinstance(group, asyncio.TaskGroup):
        group.create_task(work())
    else:
        cast("anyio.abc.TaskGroup", group).start_soon(work)


@pytest.mark.parametrize("enter", [anyio.create_task_group, asyncio.TaskGroup])
def test_a_node_may_hold_a_task_group_open(enter: Callable[[], Any]) -> None:
    """A task group is entered and left in one task, whichever library it is of."""
    chain, groups = _with_group(enter)

    async def block(lifecycle: Lifecycle) -> None:
        done = asyncio.Event()

        async def work() -> None:
            done.set()

        _spawn(groups[0], work)
        await done.wait()

    log, _ = run(chain, block=block)
    assert log.states == {A: State.STOPPED, B: State.STOPPED}


@pytest.mark.parametrize("enter", [anyio.create_task_group, asyncio.TaskGroup])
def test_background_work_that_crashes_fails_its_node(enter: Callable[[], Any]) -> None:
    """The crash is told when it happens, and raised, with its cause, when the stack stops."""
    chain, groups = _with_group(enter)
    log = EventLog()

    async def crash() -> None:
        raise ConnectionError("lost")  # noqa: EM101 (as short as it can be)

    async def main() -> None:
        lifecycle = Lifecycle(chain, chain, QUICK, log.append)
        await lifecycle.start()
        _spawn(groups[0], crash)
        await asyncio.sleep(1)
        assert log.states == {A: State.FAILED, B: State.READY}
        assert lifecycle.instance_of(A) is None
        with pytest.raises(StopError, match="ConnectionError: lost"):
            await lifecycle.stop()

    run_virtually(main())
    assert chain.did == ["+n00", "+n01", "-n00", "-n01"]
    assert any(isinstance(event, NodeFailed) and event.address == A for event in log)


def test_a_crash_whose_clean_up_hangs_is_cut_short() -> None:
    """A node that has broken down has as long to clean up as any node has to stop."""
    chain, groups = _with_group(asyncio.TaskGroup)
    chain.closing[A] = asyncio.Event().wait

    async def crash() -> None:
        raise ConnectionError

    async def main() -> None:
        log = EventLog()
        lifecycle = Lifecycle(chain, chain, QUICK, log.append)
        await lifecycle.start()
        groups[0].create_task(crash())
        await asyncio.sleep(2)
        assert log.states[A] is State.STOPPING
        await asyncio.sleep(2)
        assert log.states[A] is State.FAILED
        with pytest.raises(StopError, match="its background work has ended"):
            await lifecycle.stop()

    run_virtually(main())


def test_a_crash_during_a_cancelled_stop_is_not_waited_out() -> None:
    """A cancel scope that cancels again and again ends its node, whoever else is cancelled."""
    chain, groups = _with_group(anyio.create_task_group)

    async def crash() -> None:
        raise ConnectionError

    async def slow() -> None:
        _spawn(groups[0], crash)
        await asyncio.sleep(2)

    async def main() -> None:
        lifecycle = Lifecycle(chain, chain, QUICK, EventLog().append)

        async def owner() -> None:
            await lifecycle.start()
            try:
                await asyncio.sleep(1000)
            finally:
                await lifecycle.stop()

        task = asyncio.ensure_future(owner())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(StopError, match="ConnectionError"):
            await task

    chain.closing[B] = slow
    run_virtually(main())
    assert chain.did == ["+n00", "+n01", "-n01", "-n00"]


def test_a_crash_while_others_start_ends_the_start() -> None:
    """A node that breaks down before the stack is ready is a culprit of the start."""
    chain, groups = _with_group(asyncio.TaskGroup)

    async def crash() -> None:
        raise ConnectionError("lost")  # noqa: EM101 (as short as it can be)

    async def slow() -> None:
        groups[0].create_task(crash())
        await asyncio.sleep(2)

    chain.opening[B] = slow
    error = error_of(chain)
    assert isinstance(error, StartError)
    assert [failure.address for failure in error.failures] == [A]


def test_what_a_start_sets_in_its_context_stays_there() -> None:
    """A node sees its own context and the caller's, never another node's."""
    variable: ContextVar[str] = ContextVar("variable", default="caller's")
    seen: list[str] = []

    async def setting() -> None:
        variable.set("node's")

    async def looking() -> None:
        seen.append(variable.get())

    run(Chain({A: (), B: (A,)}, opening={A: setting, B: looking}, closing={A: looking}))
    assert seen == ["caller's", "node's"]


# --- reports -----------------------------------------------------------------------------------


def test_reports_become_events_when_they_change_something() -> None:
    """The same report twice is told once; those of a node that has stopped are not told."""
    chain = Chain({A: ()})
    reporters: list[Callable[[ProviderReport], None]] = []

    async def block(lifecycle: Lifecycle) -> None:
        report = lifecycle.reporter(A)
        reporters.append(report)
        report(ProviderReport("ready"))
        for _ in range(2):
            report(ProviderReport("degraded", "worker died"))
        report(ProviderReport("ready", "worker is back"))
        await asyncio.sleep(1)

    log, _ = run(chain, block=block)
    reporters[0](ProviderReport("degraded", "too late"))
    told = [event for event in log if isinstance(event, NodeDegraded | NodeRecovered)]
    assert told == [NodeDegraded(0.0, A, "worker died"), NodeRecovered(0.0, A, "worker is back")]


def test_a_report_from_a_thread_arrives() -> None:
    """A provider may report from any of its threads."""
    chain = Chain({A: ()})
    log = EventLog()

    async def main() -> None:
        lifecycle = Lifecycle(chain, chain, QUICK, log.append)
        await lifecycle.start()
        report = lifecycle.reporter(A)
        await asyncio.to_thread(report, ProviderReport("degraded", "worker died"))
        await asyncio.sleep(0)
        assert lifecycle.trouble_of(A) == "worker died"
        await lifecycle.stop()

    asyncio.run(main())
    assert [event.detail for event in log if isinstance(event, NodeDegraded)] == ["worker died"]


def test_a_report_during_the_start_is_told_after_it() -> None:
    """A node that is not well from the beginning is first ready, then degraded."""
    lifecycles: list[Lifecycle] = []

    async def opening() -> None:
        lifecycles[0].reporter(A)(ProviderReport("degraded", "one of two workers"))
        await asyncio.sleep(1)

    chain = Chain({A: ()}, opening={A: opening})
    log = EventLog()

    async def main() -> None:
        lifecycles.append(Lifecycle(chain, chain, QUICK, log.append))
        await lifecycles[0].start()
        await lifecycles[0].stop()

    run_virtually(main())
    states = [event.state for event in log if isinstance(event, NodeEvent)]
    assert states[:4] == [State.WAITING, State.STARTING, State.READY, State.DEGRADED]


def test_a_deadline_error_says_what_took_too_long() -> None:
    """The text is a whole sentence about the node."""
    assert str(DeadlineError("stop", 0.5)) == "did not stop within 0.5 s"

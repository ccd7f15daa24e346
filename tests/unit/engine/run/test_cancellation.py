"""Starts and stops that are cancelled, and stacks that are killed."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from tests.property.strategies_graphs import run_virtually
from tests.unit.engine.run.chains import (
    A,
    B,
    C,
    Chain,
    after,
    break_down,
    forever,
    hold_groups,
    ignore_cancellation,
    lifecycle_of,
    run,
    time_of,
    up_and_down,
)

from rungraph.engine.errors import KilledError, StartError, StopError
from rungraph.engine.events import State
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.graph.address import Address


def test_a_cancelled_start_rolls_back_and_goes_on_cancelling() -> None:
    """The caller gets its cancellation after everything has stopped."""
    chain = Chain({A: (), B: (A,)}, opening={B: after(4)}, closing={A: after(2)})

    async def main() -> None:
        lifecycle = lifecycle_of(chain)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await lifecycle.start()

    assert time_of(main()) == pytest.approx(3)
    assert chain.did == ["+n00", "-n00"]


def test_a_cancelled_stop_is_finished_first() -> None:
    """Cancelling a stop, even twice, does not cut it short."""
    chain = Chain({A: (), B: (A,)}, closing={A: after(2), B: after(2)})

    async def main() -> None:
        lifecycle = lifecycle_of(chain)
        await lifecycle.start()
        task = asyncio.ensure_future(lifecycle.stop())
        for _ in range(2):
            await asyncio.sleep(1)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert time_of(main()) == pytest.approx(4)
    assert chain.did == ["+n00", "+n01", "-n01", "-n00"]


def test_a_scope_around_the_stack_waits_for_an_orderly_stop() -> None:
    """A cancel scope that cancels again and again does not disturb the order either."""
    chain = Chain({A: (), B: (A,)}, closing={A: after(0.01), B: after(0.01)})

    async def main() -> None:
        with anyio.move_on_after(0.01) as scope:
            await up_and_down(lifecycle_of(chain), forever)
        assert scope.cancelled_caught

    asyncio.run(main())
    assert chain.did == ["+n00", "+n01", "-n01", "-n00"]


def test_what_a_cancelled_change_has_started_is_handed_over() -> None:
    """It goes on running, and so does what needs it."""

    class SlowlyBound(Chain):
        async def rebind(
            self, address: Address, instance: object, dependency: Address, new: object
        ) -> None:
            await asyncio.sleep(1)
            await super().rebind(address, instance, dependency, new)

    chain = SlowlyBound({A: (), B: (A,)}, binds=frozenset({B}))
    groups = hold_groups(chain, A)

    async def block(lifecycle: Lifecycle) -> None:
        break_down(groups[A][0])
        await asyncio.sleep(1)
        change = asyncio.ensure_future(lifecycle.replace([A]))
        await asyncio.sleep(0.5)
        change.cancel()
        await asyncio.wait([change])
        assert chain.did[-2:] == ["+n00", "n01<n00"]

    run(chain, block=block)
    assert chain.error is None


def test_the_end_of_the_program_keeps_the_order() -> None:
    """When an event loop cancels all tasks at once, the nodes still stop in their order."""
    chain = Chain({A: (), B: (A,), C: (B,)}, closing={C: after(1), B: after(1)})

    async def main() -> None:
        task = asyncio.ensure_future(up_and_down(lifecycle_of(chain), forever))
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
    log, seconds = run(chain, block=_kill_soon)
    assert isinstance(chain.error, StopError)
    assert {type(failure.error) for failure in chain.error.failures} == {KilledError}
    assert log.states == {A: State.KILLED, B: State.KILLED}
    assert seconds == pytest.approx(1)
    assert chain.did == ["+n00", "+n01", "-n01"]


def test_a_kill_waits_neither_for_a_start_nor_for_the_stubborn() -> None:
    """A start names nobody as a culprit; what ignores the kill is left behind after a second."""

    async def start() -> None:
        lifecycle = lifecycle_of(Chain({A: (), B: (A,)}, opening={B: after(4)}))
        asyncio.get_running_loop().call_later(1, lifecycle.kill)
        with pytest.raises(StartError, match="it was killed"):
            await lifecycle.start()

    assert time_of(start()) == pytest.approx(1)
    stubborn = Chain({A: ()}, closing={A: ignore_cancellation})
    assert run(stubborn, block=_kill_soon)[1] == pytest.approx(2)
    assert isinstance(stubborn.error, StopError)


async def _kill_soon(lifecycle: Lifecycle) -> None:
    asyncio.get_running_loop().call_later(1, lifecycle.kill)

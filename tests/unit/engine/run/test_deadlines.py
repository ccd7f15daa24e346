"""What happens when a start or a stop takes too long."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from tests.unit.engine.run.chains import (
    A,
    B,
    C,
    Chain,
    D,
    after,
    error_of,
    ignore_cancellation,
    run,
)

from rungraph.engine.errors import StartError, StopError
from rungraph.engine.events import State
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.settings import StackSettings

DEGRADING = StackSettings(on_failure="degrade", start_timeout=5, cancel_timeout=1)


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
    assert run(chain)[1] == pytest.approx(5 + 1 + 0.1)
    assert isinstance(chain.error, StartError)
    assert "5 s and ignores being cancelled" in str(chain.error)


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

    run(chain, DEGRADING, block)
    assert chain.did == ["+n01", "+n00", "-n00", "-n01"]


def test_what_was_left_behind_is_cancelled_once_more_at_the_end() -> None:
    """A start that ignores two cancellations gets a third when everything else has stopped."""

    async def stubborn() -> None:
        for _ in range(2):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(1000)
        await asyncio.Event().wait()

    run(Chain({A: ()}, opening={A: stubborn}), DEGRADING)  # It asserts that no task is left.


def test_a_stop_that_ignores_its_cancellation_is_left_behind() -> None:
    """Stopping is over after the deadlines, whatever a provider does."""
    chain = Chain({A: (), B: (A,)}, closing={B: ignore_cancellation})
    log, seconds = run(chain)
    assert "ignores being cancelled" in str(chain.error)
    assert log.states == {A: State.STOPPED, B: State.KILLED}
    assert seconds == pytest.approx(3 + 0.3 + 0.1)


def test_stop_errors_are_collected_once_each() -> None:
    """In the order in which they ended; one that hangs has a deadline, and holds up no other."""
    chain = Chain({A: (), B: (A,)}, closing={A: after(0, OSError("a")), B: after(0, OSError("b"))})
    error = error_of(chain)
    assert isinstance(error, StopError)
    assert [failure.address for failure in error.failures] == [B, A]
    assert str(error).splitlines()[0] == "the stack stopped with errors in 2 nodes"
    hanging = Chain({A: (), B: (A,)}, closing={B: asyncio.Event().wait})
    error = error_of(hanging)
    assert isinstance(error, StopError)
    assert [str(failure.error) for failure in error.failures] == ["did not stop within 3 s"]
    assert hanging.did[-2:] == ["-n01", "-n00"]

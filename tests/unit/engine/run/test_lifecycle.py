"""The order of starting and stopping, and what a failed start leaves behind."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import cast

import pytest
from tests.property.strategies_graphs import run_virtually
from tests.unit.engine.run.chains import (
    A,
    B,
    C,
    Chain,
    D,
    after,
    cleaning_up,
    error_of,
    lifecycle_of,
    run,
)

from rungraph.engine.errors import BackgroundError, StartError
from rungraph.engine.events import (
    NodeReady,
    NodeSkipped,
    NodeWaiting,
    RollbackEnded,
    RollbackStarted,
    StackStarting,
    StackStopped,
    StackStopping,
    State,
)
from rungraph.engine.run.settings import StackSettings
from rungraph.graph.nodes import Strength


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
    """What it is going to do, what it does and when, to the stop, which is the start reversed."""
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
    log, _ = run(Chain({}))
    assert [type(event) for event in log] == [StackStarting, StackStopping, StackStopped]


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
    # Of one failure the cause is what the node raised; a provider can neither exit nor cancel us.
    assert error_of(Chain({A: ()}, opening={A: after(0, refused)})).__cause__ is refused
    ended = error_of(Chain({A: ()}, opening={A: after(0, SystemExit(3))}))
    assert isinstance(ended, StartError)
    assert "SystemExit: 3" in str(ended)
    cancelled = error_of(Chain({A: ()}, opening={A: after(0, asyncio.CancelledError())}))
    assert isinstance(cancelled, StartError)
    assert isinstance(cancelled.failures[0].error, BackgroundError)


def test_siblings_are_cancelled_and_awaited_before_the_rollback() -> None:
    """A node that is still starting ends before anything that it may use is stopped."""
    chain = Chain({A: (), B: (A,), C: (A,)})
    chain.strength = Strength.SOFT
    chain.opening = {B: after(1, ValueError("no")), C: cleaning_up(chain)}
    log, _ = run(chain, StackSettings(schedule="ready"))
    assert chain.did == ["+n00", "sibling ended", "-n00"]
    assert NodeSkipped(1.6, C, (B,)) in log


def test_a_sibling_is_cancelled_only_once() -> None:
    """A caller that is cancelled during a rollback does not disturb who is cleaning up."""
    chain = Chain({A: (), B: ()})
    chain.opening = {A: after(1, ValueError("no")), B: cleaning_up(chain)}

    async def main() -> None:
        lifecycle = lifecycle_of(chain)
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


def test_a_table_lives_while_one_member_is_up() -> None:
    """Losing one of two members degrades nothing else; losing both skips the table."""
    chain = Chain({A: (), B: (), C: (A, B)}, opening={A: after(0, ValueError("no"))})
    chain.strength = Strength.MEMBER
    log, _ = run(chain, StackSettings(on_failure="degrade"))
    assert chain.did == ["+n01", "+n02", "-n02", "-n01"]
    chain.opening[B] = after(0, ValueError("no"))
    log, _ = run(chain, StackSettings(on_failure="degrade"))
    assert NodeSkipped(0.0, C, (A, B)) in log

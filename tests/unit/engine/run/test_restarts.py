"""What happens to a node that breaks while the stack runs, and to those around it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.property.strategies_graphs import run_virtually
from tests.unit.engine.run.chains import QUICK, A, B, C, Chain, after, lifecycle_of

from rungraph.engine.errors import StopError
from rungraph.engine.events import (
    Event,
    EventLog,
    NodeBound,
    NodeFailed,
    NodeGivenUp,
    NodeRestarting,
    State,
)
from rungraph.engine.run.errors import RunError
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.settings import StackSettings

PATIENT = replace(QUICK, restart_seed=1, restart_delay=1, restart_limit=2, on_failure="degrade")


def _breakable(chain: Chain) -> dict[Any, list[asyncio.TaskGroup]]:
    """Let every node of *chain* hold a task group open; return the groups, oldest first."""
    groups: dict[Any, list[asyncio.TaskGroup]] = {address: [] for address in chain.needs}

    def holding(address: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
        async def opening() -> None:
            group = asyncio.TaskGroup()
            await group.__aenter__()
            groups[address].append(group)

        async def closing() -> None:
            await groups[address][-1].__aexit__(None, None, None)

        return opening, closing

    for address in chain.needs:
        chain.opening[address], chain.closing[address] = holding(address)
    return groups


def _break(group: asyncio.TaskGroup) -> None:
    group.create_task(after(0, ConnectionError("lost"))())  # type: ignore[arg-type]


def _told(log: EventLog, kind: type[Event]) -> list[Any]:
    return [event for event in log if isinstance(event, kind)]


def test_what_breaks_is_started_again_with_what_needs_it() -> None:
    """Dependents stop first and start last; what does not depend on it goes on undisturbed."""
    chain = Chain({A: (), B: (A,), C: ()}, restarts="on-failure")
    groups, log = _breakable(chain), EventLog()

    async def main() -> None:
        lifecycle = lifecycle_of(chain, PATIENT, log)
        await lifecycle.start()
        lifecycle.supervise()
        chain.did.clear()
        _break(groups[A][0])
        await asyncio.sleep(5)
        assert chain.did == ["-n00", "-n01", "+n00", "+n01"]
        assert log.states == {A: State.READY, B: State.READY, C: State.READY}
        await lifecycle.stop()

    run_virtually(main())
    assert chain.lost == [
        "'provider:test/n00' has failed",
        "'provider:test/n00' is being restarted; retry after 0.85 s",
        "'provider:test/n01' is being restarted; retry after 1 s",
    ]
    first, second = _told(log, NodeRestarting)
    assert (first.address, first.reason, round(first.delay, 2)) == (
        A,
        "ExceptionGroup: ConnectionError: lost",
        0.85,
    )
    assert (second.address, second.reason) == (B, f"'{A}' is restarted, which it needs")


def test_what_can_be_bound_goes_on_and_is_handed_the_new_one() -> None:
    """A dependent that can take another instance is not restarted, nor is what depends on it."""
    chain = Chain({A: (), B: (A,), C: (B,)}, restarts="on-failure", binds=frozenset({B}))
    groups, log = _breakable(chain), EventLog()

    async def main() -> None:
        lifecycle = lifecycle_of(chain, PATIENT, log)
        await lifecycle.start()
        lifecycle.supervise()
        chain.did.clear()
        _break(groups[A][0])
        await asyncio.sleep(0.1)
        assert log.states == {A: State.RESTARTING, B: State.DEGRADED, C: State.DEGRADED}
        await asyncio.sleep(5)
        assert chain.did == ["-n00", "+n00", "n01<n00"]
        assert log.states == {A: State.READY, B: State.READY, C: State.READY}
        await lifecycle.stop()

    run_virtually(main())
    assert [event.address for event in _told(log, NodeBound)] == [B]


def test_what_breaks_again_and_again_stays_failed() -> None:
    """Each pause is longer; after so many restarts the node is given up, and named at the end."""
    chain = Chain({A: (), B: (A,)}, restarts="on-failure")
    groups, log = _breakable(chain), EventLog()

    async def main() -> None:
        lifecycle = lifecycle_of(chain, PATIENT, log)
        await lifecycle.start()
        lifecycle.supervise()
        for _ in range(3):
            _break(groups[A][-1])
            await asyncio.sleep(10)
        assert log.states == {A: State.FAILED, B: State.DEGRADED}
        with pytest.raises(StopError, match="ConnectionError: lost"):
            await lifecycle.stop()

    run_virtually(main())
    pauses = [event.delay for event in _told(log, NodeRestarting) if event.address == A]
    assert len(pauses) == 2
    assert pauses[0] < pauses[1]
    (given_up,) = _told(log, NodeGivenUp)
    assert given_up.reason == f"'{A}' has failed again after 2 restarts within 300 s"


@pytest.mark.parametrize(("restarts", "starts"), [("never", 1), ("on-failure", 1), ("always", 2)])
def test_what_ends_by_itself_is_started_again_only_if_that_is_said(
    restarts: str, starts: int
) -> None:
    """A node that ends without an error is no failure."""
    chain, log = Chain({A: ()}, restarts=restarts), EventLog()
    tasks: list[Any] = []

    async def opening() -> None:
        tasks.append(asyncio.current_task())

    chain.opening[A] = opening

    async def main() -> None:
        lifecycle = lifecycle_of(chain, PATIENT, log)
        await lifecycle.start()
        lifecycle.supervise()
        tasks[0].cancel()
        await asyncio.sleep(10)
        assert chain.did.count("+n00") == starts
        if starts == 1:
            with pytest.raises(StopError, match="its background work has ended"):
                await lifecycle.stop()
        else:
            await lifecycle.stop()

    run_virtually(main())


def test_a_start_that_fails_is_tried_again_with_degrade() -> None:
    """What was skipped because of it starts as soon as it is up."""
    chain, log = Chain({A: (), B: (A,)}, restarts="on-failure"), EventLog()
    left = [OSError("not yet"), OSError("still not")]

    async def opening() -> None:
        if left:
            raise left.pop(0)

    chain.opening[A] = opening

    async def main() -> None:
        lifecycle = lifecycle_of(chain, PATIENT, log)
        await lifecycle.start()
        assert log.states == {A: State.FAILED, B: State.SKIPPED}
        lifecycle.supervise()
        await asyncio.sleep(10)
        assert chain.did == ["+n00", "+n01"]
        await lifecycle.stop()

    run_virtually(main())
    assert log.states == {A: State.STOPPED, B: State.STOPPED}
    assert len(_told(log, NodeFailed)) == 2


@pytest.mark.parametrize("seconds", [0.5, 0.9, 1.5])
def test_a_stop_breaks_off_a_restart(seconds: float) -> None:
    """Whether it waits or starts: everything ends, and nothing starts afterwards."""
    chain, log = Chain({A: (), B: (A,)}, restarts="on-failure"), EventLog()
    groups = _breakable(chain)

    async def main() -> None:
        lifecycle = lifecycle_of(chain, PATIENT, log)
        await lifecycle.start()
        lifecycle.supervise()
        chain.opening[A] = after(1)
        _break(groups[A][0])
        await asyncio.sleep(seconds)
        with pytest.raises(StopError, match="ConnectionError: lost"):
            await lifecycle.stop()
        await asyncio.sleep(60)
        assert set(asyncio.all_tasks()) == {asyncio.current_task()}

    run_virtually(main())
    assert chain.did.count("+n01") == chain.did.count("-n01") == 1
    assert State.READY not in log.states.values()


def test_what_stays_failed_ends_a_stack_that_is_all_or_nothing() -> None:
    """The error names the node; with ``degrade`` the rest runs on."""
    chain = Chain({A: (), B: ()}, restarts="never")
    groups = _breakable(chain)
    dooms: list[RunError] = []

    async def main(settings: StackSettings) -> None:
        lifecycle = Lifecycle(chain.nx, chain, settings, EventLog().append, doom=dooms.append)
        await lifecycle.start()
        lifecycle.supervise()
        _break(groups[A][-1])
        await asyncio.sleep(1)
        with pytest.raises(StopError):
            await lifecycle.stop()

    run_virtually(main(PATIENT))
    assert dooms == []
    run_virtually(main(QUICK))
    assert str(dooms[0]) == (
        "the stack ended: 'provider:test/n00' has failed and is not to be restarted\n"
        "  provider:test/n00 (run.yaml:1:5): ExceptionGroup: ConnectionError: lost"
    )

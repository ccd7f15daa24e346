"""A program ends when its stack has ended, whatever its providers still do."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import pytest
from tests.contract.command_line import run_program
from tests.unit.engine.run.chains import QUICK, A, B, C, Chain, after, lifecycle_of, run

from rungraph.engine.errors import NodeError, StartError, StopError, describe
from rungraph.engine.events import (
    EventLog,
    NodeFailed,
    NodeGivenUp,
    NodeRestarting,
    NodeSkipped,
    NodeStarting,
)
from rungraph.engine.run.lifecycle import Lifecycle
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.waiting import within

_PROGRAM = """
import asyncio, time
from contextlib import suppress
from tests.unit.engine.run.chains import A, Chain, up_and_down, lifecycle_of
from rungraph.engine.errors import StartError, StopError
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.waiting import settled, thread_future

async def deaf():
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

async def blocked():
    await settled(thread_future(time.sleep, 10_000))

settings = StackSettings(
    start_timeout=0.05, stop_timeout=0.05, cancel_timeout=0.05, on_failure=ON_FAILURE
)
chain = Chain({A: ()}, WHEN={A: HOW})
try:
    asyncio.run(up_and_down(lifecycle_of(chain, settings)))
except (StartError, StopError) as error:
    print(type(error).__name__)
"""


@pytest.mark.parametrize("how", ["deaf", "blocked"])
@pytest.mark.parametrize(
    ("when", "on_failure", "raised"),
    [
        ("opening", "rollback", "StartError"),
        ("opening", "degrade", ""),
        ("closing", "rollback", "StopError"),
    ],
)
def test_asyncio_run_ends_after_a_node_was_left_behind(
    how: str, when: str, on_failure: str, raised: str
) -> None:
    """A thread that never returns and a task that ignores being cancelled hold up no program."""
    program = _PROGRAM.replace("ON_FAILURE", repr(on_failure))
    program = program.replace("WHEN", when).replace("HOW", how)
    ended = run_program(sys.executable, "-c", program, timeout=30)
    assert (ended.code, ended.out.strip(), ended.err) == (0, raised, "")


def _breaks_down(*, shutdown: float) -> Chain:
    """Return a chain whose first node's background work fails while the second one starts."""
    groups: list[asyncio.TaskGroup] = []

    async def opening() -> None:
        group = asyncio.TaskGroup()
        await group.__aenter__()
        group.create_task(after(1, OSError("gone"))())  # type: ignore[arg-type]
        groups.append(group)

    async def closing() -> None:
        await asyncio.sleep(shutdown)
        await groups[0].__aexit__(None, None, None)

    chain = Chain({A: (), B: (), C: (A, B)}, opening={A: opening, B: after(1.5)})
    chain.closing = {A: closing}
    return chain


@pytest.mark.parametrize("schedule", ["generations", "ready"])
def test_nothing_starts_on_a_node_that_is_breaking_down(schedule: str) -> None:
    """Its shutdown may take its time: what needs it is skipped because of it from then on."""
    chain = _breaks_down(shutdown=2)
    settings = StackSettings(
        start_timeout=5, stop_timeout=3, cancel_timeout=1, schedule=schedule,  # type: ignore[arg-type]
        on_failure="degrade",
    )  # fmt: skip
    log, _ = run(chain, settings)
    assert C not in {event.address for event in log if isinstance(event, NodeStarting)}
    skipped = [event for event in log if isinstance(event, NodeSkipped)]
    assert [(event.address, event.root_causes) for event in skipped] == [(C, (A,))]
    [failed] = [event for event in log if isinstance(event, NodeFailed)]
    assert failed.address == A


@pytest.mark.parametrize("shutdown", [0.1, 2])
def test_a_breakdown_during_a_start_aborts_it_or_is_named_at_the_stop(shutdown: float) -> None:
    """With rollback the stack is not entered; with degrade the stop says what ended early.

    Its cause may be known only when it has shut down, after the start.
    """

    async def main(on_failure: str) -> BaseException | None:
        chain = _breaks_down(shutdown=shutdown)
        settings = StackSettings(
            start_timeout=5,
            stop_timeout=3,
            cancel_timeout=1,
            on_failure=on_failure,  # type: ignore[arg-type]
        )
        lifecycle = lifecycle_of(chain, settings, EventLog())
        try:
            await lifecycle.start()
            await lifecycle.stop()
        except (StartError, StopError) as error:
            return error
        return None

    from tests.property.strategies_graphs import run_virtually

    rolled_back = run_virtually(main("rollback"))
    assert isinstance(rolled_back, StartError)
    assert [(one.address, one.phase) for one in rolled_back.failures] == [(A, "run")]
    assert describe(rolled_back.failures[0].error) == "ExceptionGroup: OSError: gone"
    assert not rolled_back.stop_failures
    degraded = run_virtually(main("degrade"))
    assert isinstance(degraded, StopError)
    assert [(one.address, one.phase) for one in degraded.failures] == [(A, "run")]


def test_a_breakdown_that_outlasts_the_start_is_told_of_when_it_is_over() -> None:
    """Until its shutdown is over, nobody knows whether it has failed or ended by itself."""
    chain, log = _breaks_down(shutdown=2), EventLog()
    chain.restarts = "on-failure"

    async def supervised(lifecycle: Lifecycle) -> None:
        lifecycle.supervise()
        await asyncio.sleep(2)

    run(chain, replace(QUICK, on_failure="degrade"), supervised, log)
    told = [event for event in log if isinstance(event, NodeGivenUp | NodeRestarting)]
    assert [(event.address, event.reason) for event in told] == [
        (A, "ExceptionGroup: OSError: gone")
    ]


@pytest.mark.parametrize(
    "error", [SystemExit(3), GeneratorExit(), BaseExceptionGroup("x", [SystemExit(1)])]
)
def test_whatever_a_provider_raises_is_its_failure(error: BaseException) -> None:
    """An exit of one provider ends neither the event loop nor the one who asked."""

    async def main() -> str:
        with pytest.raises(NodeError) as caught:
            await within(after(0, error)(), 1, grace=0)
        await asyncio.sleep(0)
        return str(caught.value)

    assert asyncio.run(main()).startswith(f"it raised {type(error).__name__}")


_QUESTION = """
import asyncio
from contextlib import suppress
from rungraph.engine.waiting import within

async def deaf():
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

async def ask():
    with suppress(TimeoutError):
        await within(deaf(), 0.01, grace=0.01)
    asking = asyncio.ensure_future(within(deaf(), 60, grace=0.1))
    for _ in range(3):
        await asyncio.sleep(0.01)
        asking.cancel()
    with suppress(asyncio.CancelledError):
        await asking

asyncio.run(ask())
"""


def test_asyncio_run_ends_after_a_question_was_given_up() -> None:
    """What is asked may ignore every cancellation, and who asks be cancelled again and again."""
    assert run_program(sys.executable, "-c", _QUESTION, timeout=30) == (0, "", "")

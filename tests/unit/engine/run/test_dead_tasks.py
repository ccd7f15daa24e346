"""A task of a provider that dies while nobody waits for it is not lost in silence."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.unit.engine.fakes import GraphOf, Offer, Pinger, told
from tests.unit.engine.run.models import FOO, FakeModel, models_graph, quick, until

from rungraph.engine.apis.models import Model
from rungraph.engine.events import NodeFailed, NodeTaskFailed, State
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address

A = Address.provider("a", "one")


async def _die(after: float = 0) -> None:
    await asyncio.sleep(after)
    msg = "lost"
    raise ConnectionError(msg)


async def _exit(after: float = 0) -> None:
    await asyncio.sleep(after)
    sys.exit(3)


async def _work(begin: Callable[[], object]) -> None:
    begin()
    await asyncio.Event().wait()


class Working(Pinger):
    """Begins a task when it is created, or when it is called."""

    kept: set[asyncio.Task[Any]]

    def begin(self, work: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Begin *work* and keep its task, as asyncio asks for."""
        task = asyncio.ensure_future(work())
        self.kept = {task}
        return task


def _offer(begin: Callable[[Working], object]) -> Offer:
    made: list[Working] = []

    async def create(config: object, deps: object) -> Working:
        made.append(Working())
        if len(made) == 1:
            begin(made[0])
        return made[-1]

    return Offer(create)


def _told(stack: Stack) -> list[tuple[Address, str]]:
    return [(one.address, str(one.error)) for one in told(stack.events, NodeTaskFailed)]


@pytest.mark.parametrize(
    ("die", "is_kept", "reason"),
    [
        (_die, True, "ConnectionError: lost"),
        (_die, False, "ConnectionError: lost"),
        (_exit, True, "it raised SystemExit: 3"),
    ],
)
async def test_background_work_that_dies_is_the_failure_of_its_provider(
    graph_of: GraphOf, die: Callable[[float], Awaitable[None]], is_kept: bool, reason: str
) -> None:
    """Whether it keeps the task or not; it is started again as after any other failure."""

    def begin(working: Working) -> None:
        task = working.begin(lambda: die(0.01))
        task.set_name("poll")
        if not is_kept:
            working.kept.clear()

    async with Stack(graph_of(a=_offer(begin)), quick()) as stack:
        before = stack["a"].shutdown.__self__
        await until(lambda: len(_told(stack)) == 1)
        assert _told(stack) == [(A, reason.removeprefix("ConnectionError: "))]
        await until(lambda: stack.status()[A] is State.RESTARTING)
        await until(lambda: stack.status()[A] is State.READY)
        assert before.shutdowns == 1
    [failed] = told(stack.events, NodeFailed)
    assert str(failed.error) == f"its task 'poll' has failed: {reason}"


async def test_a_task_that_other_work_has_made_is_told(graph_of: GraphOf) -> None:
    """It may be one of many; the provider goes on."""
    offer = _offer(lambda one: one.begin(lambda: _work(lambda: asyncio.create_task(_die()))))
    async with Stack(graph_of(a=offer), quick()) as stack:
        await until(lambda: len(_told(stack)) == 1)
        assert _told(stack) == [(A, "lost")]
        await asyncio.sleep(0.1)
        assert stack.status()[A] is State.READY


@pytest.mark.parametrize(
    ("error", "reason"),
    [("ConnectionError('lost')", "lost"), ("SystemExit(3)", "it raised SystemExit: 3")],
)
async def test_a_task_of_a_call_is_told_by_its_code(
    graph_of: GraphOf, monkeypatch: pytest.MonkeyPatch, error: str, reason: str
) -> None:
    """The caller's context does not say whose it is."""
    graph = graph_of(a=Offer())
    text = f"async def die():\n    raise {error}\n"
    module: dict[str, Any] = {"__name__": "rungraph_fake_a"}
    exec(text, module)  # noqa: S102

    async def ping(self: Pinger) -> str:
        asyncio.create_task(module["die"]())  # noqa: RUF006  (what happens to it is the point)
        return "pong"

    monkeypatch.setattr(Pinger, "ping", ping)
    async with Stack(graph, quick()) as stack:
        await stack["a"].ping()
        await until(lambda: len(_told(stack)) == 1)
        assert _told(stack) == [(A, reason)]


async def test_a_task_that_a_member_makes_for_its_table_is_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The table asks, and the member's code runs."""
    module: dict[str, Any] = {"__name__": "rungraph_fake_models"}
    exec("async def die():\n    raise ConnectionError('lost')\n", module)  # noqa: S102
    made: list[asyncio.Task[None]] = []

    async def list_models(self: FakeModel) -> list[Model]:
        made.append(asyncio.create_task(module["die"]()))
        return []

    monkeypatch.setattr(FakeModel, "list_models", list_models)
    async with Stack(models_graph("foo"), quick()) as stack:
        await until(lambda: _told(stack) == [(FOO, "lost")])


async def test_a_task_that_somebody_waits_for_is_nobodys_failure(graph_of: GraphOf) -> None:
    """Its error goes to whoever waits; one that is cancelled has not failed."""
    seen: list[str] = []

    async def create(config: object, deps: object) -> Working:
        working = Working()
        loading = asyncio.create_task(_die())
        await asyncio.sleep(0.1)  # It dies meanwhile.
        results = await asyncio.gather(loading, return_exceptions=True)
        seen.append(str(results[0]))
        working.begin(lambda: asyncio.sleep(60)).cancel()
        handled = asyncio.create_task(_die(0.01))
        handled.add_done_callback(lambda task: seen.append(str(task.exception())))
        return working

    async with Stack(graph_of(a=Offer(create)), quick()) as stack:
        await until(lambda: len(seen) == 2)
        await asyncio.sleep(0.1)
        assert stack.status()[A] is State.READY
    assert not _told(stack)
    assert seen == ["lost", "lost"]
    assert asyncio.get_running_loop().get_task_factory() is None

"""Whoever calls a provider without a router is served, waited for and told the truth."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import Mock

import pytest
from tests.unit.engine.fakes import GraphOf, Offer, Pinger, making
from tests.unit.engine.run.models import FakeModel, models_graph, quick, state_is

from rungraph.engine.apis.models import Model
from rungraph.engine.errors import NotRunningError, RestartingError
from rungraph.engine.events import State
from rungraph.engine.routing import gate
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address

A = Address.provider("a", "one")


class Slow(Pinger):
    """Answers when it is let; counts its calls."""

    made: list[Slow]

    def __init__(self, config: object = None, deps: Any = None) -> None:
        super().__init__(config, deps)
        self.answers = asyncio.Event()
        self.group: asyncio.TaskGroup | None = None
        self.made.append(self)

    async def ping(self) -> Any:
        await self.answers.wait()
        return self.made.index(self)

    async def shutdown(self) -> None:
        if self.group is not None:
            await self.group.__aexit__(None, None, None)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Slow]:
    """The instances, oldest first."""
    found: list[Slow] = []
    monkeypatch.setattr(Slow, "made", found, raising=False)
    return found


async def test_a_direct_call_may_end_before_its_provider_stops(
    graph_of: GraphOf, made: list[Slow]
) -> None:
    """No other one is taken once it has stopped, whoever has kept the provider."""
    async with Stack(graph_of(a=Offer(making(Slow))), quick(stop_timeout=20)) as stack:
        kept = stack["a"]
        call = asyncio.create_task(kept.ping())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_later(0.05, made[0].answers.set)
    assert await call == 0
    with pytest.raises(NotRunningError, match=r"^'provider:a/one' has stopped$"):
        await kept.ping()


async def test_a_direct_call_that_does_not_end_is_ended_with_the_truth(
    graph_of: GraphOf, made: list[Slow]
) -> None:
    """After the drain, not after the caller's own patience."""
    async with Stack(graph_of(a=Offer(making(Slow))), quick(drain_timeout=0.05)) as stack:
        call = asyncio.create_task(stack["a"].ping())
        await asyncio.sleep(0)
    with pytest.raises(NotRunningError, match="a/one' was stopped while the call ran"):
        await call


async def test_a_stop_gives_calls_no_more_time_than_is_left(
    graph_of: GraphOf, made: list[Slow]
) -> None:
    """A server has let them go on for as long as its user said; the stack adds nothing."""
    patient = quick(drain_timeout=600, stop_timeout=2000)
    async with Stack(graph_of(a=Offer(making(Slow))), patient) as stack:
        call = asyncio.create_task(stack["a"].ping())
        await asyncio.sleep(0)
        stack.limit_drain(-1)
    with pytest.raises(NotRunningError, match="a/one' was stopped while the call ran"):
        await call


async def test_one_look_over_all_tasks_serves_all_providers_that_stop(
    graph_of: GraphOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look a provider would make the stop of thousands take as long as their number squared."""
    look = Mock(wraps=gate._calling)
    monkeypatch.setattr(gate, "_calling", look)
    offers = {f"a{number}": Offer(making(Pinger)) for number in range(30)}
    async with Stack(graph_of(**offers), quick()):
        pass
    assert look.call_count == 1


async def test_what_is_kept_is_told_of_a_restart_and_then_served_again(
    graph_of: GraphOf, made: list[Slow]
) -> None:
    """A dependent that was handed the provider need not ask for it again either."""

    async def create(config: object, deps: object) -> Slow:
        slow = Slow()
        slow.answers.set()
        slow.group = await asyncio.TaskGroup().__aenter__()
        return slow

    async def lost() -> None:
        msg = "lost"
        raise ConnectionError(msg)

    async with Stack(graph_of(a=Offer(create)), quick(restart_delay=0.2)) as stack:
        kept = stack["a"]
        assert await kept.ping() == 0
        group = made[0].group
        assert group is not None
        group.create_task(lost())
        await state_is(stack, A, State.RESTARTING)
        with pytest.raises(RestartingError, match=r"^'provider:a/one' is being restarted; retry"):
            await kept.ping()
        await state_is(stack, A, State.READY)
        assert await kept.ping() == 1
        assert kept.config is None  # Whatever else it has.


async def test_kept_tables_and_routers_answer_nobody_after_the_stop() -> None:
    """What a stopped provider once served is neither listed nor registered with it."""
    async with Stack(models_graph("foo"), quick()) as stack:
        models, inference = stack["models"], stack["inference"]
    stopped = r"^'table:models' has stopped$"
    with pytest.raises(NotRunningError, match=stopped):
        await models.list_models()
    with pytest.raises(NotRunningError, match=stopped):
        await models.register_model(Model(identifier="new"))
    with pytest.raises(NotRunningError, match=r"^'router:inference' has stopped$"):
        await inference.chat_completion("foo-model", [])


async def test_a_new_provider_with_another_default_leaves_the_calls_of_others_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each provider's calls have its own defaults, also of those that were there before."""

    class Other(FakeModel):
        async def chat_completion(
            self, model: str, messages: Any, tool_choice: str = "mine", **more: Any
        ) -> Any:
            return tool_choice

    async with Stack(models_graph("foo"), quick()) as stack:
        monkeypatch.setattr("tests.unit.engine.run.models.FakeModel", Other)
        await stack.apply(models_graph("foo", "bar"))
        router = stack["inference"]
        assert await router.chat_completion("bar-model", []) == "mine"
        assert await router.chat_completion("foo-model", []) == 0

"""Whoever calls a provider without a router is served, waited for and told the truth."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from unittest.mock import Mock

import pytest
from tests.unit.engine.fakes import GraphOf, Offer, Pinger, making
from tests.unit.engine.run.models import FOO, FakeModel, instance, models_graph, quick, until

from rungraph.engine.apis.models import Model
from rungraph.engine.errors import NotRunningError
from rungraph.engine.events import State
from rungraph.engine.provider import ProviderReport
from rungraph.engine.routing import gate
from rungraph.engine.run.errors import ReloadError
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address


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


@pytest.mark.parametrize("key", ["inference", FOO])
async def test_a_call_that_is_ended_says_so_whatever_its_provider_makes_of_that(
    key: str | Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error is not the reason, and its caller is no cancelled task afterwards."""
    async with Stack(models_graph("foo", "bar"), quick(drain_timeout=0)) as stack:
        entered = asyncio.Event()

        async def wait() -> None:
            entered.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError as error:
                msg = "cannot clean up"
                raise OSError(msg) from error

        async def call() -> int:
            with pytest.raises(NotRunningError, match="was stopped before the call had ended"):
                await stack[key].chat_completion("foo-model", [])
            task = asyncio.current_task()
            return task.cancelling() if task else -1

        monkeypatch.setattr(instance("foo").answers, "wait", wait)
        calling = asyncio.create_task(call())
        await entered.wait()
        await stack.apply(models_graph("bar"))
        assert await calling == 0


async def test_an_instance_that_comes_too_late_gets_no_calls_and_ends_none(
    graph_of: GraphOf,
) -> None:
    """By then another has its place: its callers stay with it, and nobody reports it ill."""
    late, made = threading.Event(), list[Pinger]()

    class Reporting(Pinger):
        def report_to(self, report: Callable[[ProviderReport], None]) -> None:
            report(ProviderReport("degraded", "late") if late.is_set() else ProviderReport("ready"))

    def create(config: Any, deps: Any) -> Pinger:
        if "slow" in config:
            late.wait()
        made.append(Reporting(config))
        return made[-1]

    how = quick(start_timeout=0.1, cancel_timeout=0.1)
    async with Stack(graph_of(a=Offer(create)), how) as stack:
        with pytest.raises(ReloadError, match="ignores being cancelled"):
            await stack.apply(graph_of(a=Offer(create, config={"slow": True})))
        late.set()
        await until(lambda: len(made) == 3 and made[-1].shutdowns)
        assert made[-1].config == {"slow": True}
        assert await stack["a"].ping() == "pong"
        assert stack.status()[Address.provider("a", "one")] is State.READY
        assert [one.shutdowns for one in made] == [1, 0, 1]


@pytest.mark.parametrize("key", ["inference", FOO])
@pytest.mark.parametrize("more_seconds", [0.0, 0.1])
async def test_a_caller_that_is_answered_all_the_same_is_no_cancelled_task(
    key: str | Address, more_seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its provider passed over is taken back, as soon as the call has ended."""
    async with Stack(models_graph("foo", "bar"), quick(drain_timeout=0)) as stack:
        entered = asyncio.Event()

        async def wait() -> None:
            entered.set()
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await asyncio.sleep(more_seconds)

        async def call() -> None:
            assert await stack[key].chat_completion("foo-model", []) == 1
            await until(lambda: not calling.cancelling())

        monkeypatch.setattr(instance("foo").answers, "wait", wait)
        calling = asyncio.create_task(call())
        await entered.wait()
        await stack.apply(models_graph("bar"))
        await calling
        assert calling.cancelling() == 0

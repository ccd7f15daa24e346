"""What a provider still answers once it has failed: nothing of it counts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.unit.engine.run.models import (
    FOO,
    FakeModel,
    install,
    instance,
    models_graph,
    offered,
    quick,
    state_is,
    until,
)

from rungraph.engine.apis.models import Model
from rungraph.engine.errors import (
    NotRunningError,
    StopError,
    UnavailableResourceError,
    UnknownResourceError,
)
from rungraph.engine.events import State
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address

MODELS = Address.table("models")


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


class Question:
    """A question that its provider answers when it is let."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.is_asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def __call__(self, *_: object) -> Any:
        self.is_asked.set()
        await self.may_answer.wait()
        return self.answer


async def _unreachable() -> list[Model]:
    msg = "no route"
    raise ConnectionError(msg)


async def _crash_and_return(stack: Stack) -> None:
    made = len(FakeModel.made)
    instance("foo").crash()
    await until(lambda: len(FakeModel.made) > made)
    await until(lambda: "foo-model" in offered(stack))


async def test_a_model_of_the_config_is_not_offered_by_a_dead_provider() -> None:
    """It is registered with it, which takes time, in which it crashes."""
    stack = Stack(models_graph("foo", "bar"), quick(restart_delay=50))
    await stack.__aenter__()
    question = Question(Model(identifier="mine"))
    vars(instance("foo"))["register_model"] = question
    mine = [{"model_id": "mine", "provider_id": "foo"}]
    change = asyncio.create_task(stack.apply(models_graph("foo", "bar", models=mine)))
    await question.is_asked.wait()
    instance("foo").crash()
    await state_is(stack, FOO, State.RESTARTING)
    question.may_answer.set()
    await change
    assert offered(stack) == {"bar-model"}
    with pytest.raises(UnavailableResourceError, match="'foo', which is being restarted"):
        await stack["inference"].chat_completion("mine", [])
    with pytest.raises(StopError):
        await stack.__aexit__(None, None, None)


@pytest.mark.parametrize("method", ["list_models", "register_model"])
async def test_its_successor_is_asked_anew(method: str) -> None:
    """A listing of the one before is none of its, and what that one registered fails."""
    async with Stack(models_graph("foo", "bar"), quick()) as stack:
        stale = Model(identifier="stale", provider_id="foo")
        question = Question([stale] if method == "list_models" else stale)
        setattr(instance("foo"), method, question)
        asked: dict[str, Callable[[], Awaitable[object]]] = {
            "list_models": stack["models"].refresh,
            "register_model": lambda: stack["models"].register_model(stale),
        }
        work = asyncio.ensure_future(asked[method]())
        await question.is_asked.wait()
        await _crash_and_return(stack)
        question.may_answer.set()
        if method == "register_model":
            with pytest.raises(NotRunningError, match="'provider:inference/foo' has failed"):
                await work
        await asyncio.wait([work])
        assert offered(stack) == {"bar-model", "foo-model"}


async def test_nobody_stands_in_for_one_that_has_not_said_what_it_serves() -> None:
    """It is back, and its first listing fails: nobody knows that it serves something no more."""
    graph = models_graph("foo", "bar", bar={"serves": "foo/foo-model"})
    async with Stack(graph, quick()) as stack:
        await stack.drain("foo")
        foo = instance("foo")
        vars(foo)["list_models"] = _unreachable
        await stack.undrain("foo")
        for name in ("foo-model", "foo/foo-model"):
            with pytest.raises(UnavailableResourceError, match="which has not said what it serves"):
                await stack["inference"].chat_completion(name, [])
        del vars(foo)["list_models"]
        await stack["models"].refresh()
        number = await stack["inference"].chat_completion("foo/foo-model", [])
        assert FakeModel.made[number] is foo


async def test_one_that_dies_while_its_table_starts_is_not_offered() -> None:
    """The table has asked it already, and waits for another one."""
    question = Question([Model(identifier="bar-model")])
    settings = quick(on_failure="degrade", restart_delay=50)
    stack = Stack(models_graph("foo", "bar"), settings)

    def let_bar_wait(_: object) -> None:
        if len(FakeModel.made) == 2:
            vars(instance("bar"))["list_models"] = question

    async def crash() -> None:
        await question.is_asked.wait()
        instance("foo").crash()
        await state_is(stack, FOO, State.FAILED)
        question.may_answer.set()

    stack.events.subscribe(let_bar_wait)
    crashed = asyncio.create_task(crash())
    await stack.__aenter__()
    assert offered(stack) == {"bar-model"}
    await crashed
    with pytest.raises(StopError):
        await stack.__aexit__(None, None, None)


async def test_a_table_whose_start_takes_too_long_leaves_nothing() -> None:
    """When it starts again, what it was told before is forgotten, also in words."""
    names = [f"m{number}" for number in range(3)]
    models = [{"model_id": name, "provider_id": "bar"} for name in names]
    settings = quick(on_failure="degrade", start_timeout=0.4)
    stack = Stack(models_graph("foo", "bar", models=models), settings)

    async def register(model: Model) -> Model:
        if instance("foo").serves_now("once"):
            await asyncio.sleep(0.19)
        return model

    def slow_down(_: object) -> None:
        if len(FakeModel.made) == 2:
            instance("foo").served.setdefault("once", Model(identifier="once"))
            instance("bar").register_model = register  # type: ignore[method-assign]

    unsubscribe = stack.events.subscribe(slow_down)
    async with stack:
        unsubscribe()
        assert stack.status()[MODELS] is State.FAILED
        del instance("foo").served["once"]
        await state_is(stack, Address.router("inference"), State.READY)
        assert offered(stack) == {"bar-model", "foo-model", *names}
        with pytest.raises(UnknownResourceError):
            await stack["inference"].chat_completion("once", [])

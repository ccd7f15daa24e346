"""A provider that is drained gets no call until it is undrained, whatever else becomes of it."""

from __future__ import annotations

import asyncio
import sys
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

from rungraph.engine.apis.common import HealthStatus
from rungraph.engine.apis.models import Model
from rungraph.engine.apis.resource import Member
from rungraph.engine.errors import NotRunningError, UnavailableResourceError
from rungraph.engine.events import State
from rungraph.engine.run.errors import ReloadError
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


async def test_a_reload_that_fails_leaves_it_drained() -> None:
    """Also one that would have removed it."""
    async with Stack(models_graph("foo", "bar"), quick()) as stack:
        await stack.drain("foo")
        with pytest.raises(ReloadError):
            await stack.apply(models_graph("bar", "new", new={"fails": "no route"}))
        assert offered(stack) == {"bar-model"}


async def test_one_that_the_config_drops_is_awaited_no_more() -> None:
    """What others share under a name of its own is what calls for that name go to then."""
    async with Stack(models_graph("foo", "bar", "baz"), quick()) as stack:
        await stack["models"].register_model(Model(identifier="mine", provider_id="foo"))
        members = tuple(Member(provider_id=one) for one in ("bar", "baz"))
        await stack["models"].register_model(Model(identifier="foo/mine", members=members))
        await stack.drain("foo")
        await stack.apply(models_graph("bar", "baz"))
        answered = FakeModel.made[await stack["inference"].chat_completion("foo/mine", [])]
        assert answered is not instance("foo")


async def test_a_restart_leaves_it_drained() -> None:
    """That is what those are told who register with it, not that it restarts."""
    async with Stack(models_graph("foo", "bar"), quick()) as stack:
        await stack.drain("foo")
        instance("foo").crash()
        await until(lambda: len(FakeModel.made) == 3)
        await state_is(stack, FOO, State.READY)
        with pytest.raises(NotRunningError, match="drained"):
            await stack["models"].register_model(Model(identifier="mine", provider_id="foo"))
        await stack.undrain("foo")
        assert offered(stack) == {"bar-model", "foo-model"}


async def test_an_unhealthy_one_waits_for_its_health() -> None:
    """It is offered once it is both undrained and well."""
    async with Stack(models_graph("foo", "bar"), quick(health_interval=0.01)) as stack:
        instance("foo").status = HealthStatus.ERROR
        await until(lambda: FOO in stack.unhealthy)
        await stack.drain("foo")
        await stack.undrain("foo")
        assert offered(stack) == {"bar-model"}
        with pytest.raises(NotRunningError, match="is unhealthy: no GPU"):
            await stack["models"].register_model(Model(identifier="mine", provider_id="foo"))
        instance("foo").status = HealthStatus.OK
        await until(lambda: offered(stack) == {"bar-model", "foo-model"})


@pytest.mark.parametrize("is_drained", [True, False])
async def test_what_is_asked_while_it_restarts_holds_for_what_starts(is_drained: bool) -> None:
    """Nothing runs there, and who asks for it is told why."""
    async with Stack(models_graph("foo", "bar"), quick(restart_delay=0.5)) as stack:
        await stack.drain("foo")
        await (stack.undrain if is_drained else stack.drain)("foo")
        instance("foo").crash()
        await state_is(stack, FOO, State.RESTARTING)
        await (stack.drain if is_drained else stack.undrain)("foo")
        why = "drained" if is_drained else "restarted"
        with pytest.raises(UnavailableResourceError, match=why):
            await stack["inference"].chat_completion("foo-model", [])
        with pytest.raises(NotRunningError, match=why):
            await stack["models"].register_model(Model(identifier="mine", provider_id="foo"))
        await state_is(stack, FOO, State.READY)
        expected = {"bar-model"} if is_drained else {"bar-model", "foo-model"}
        await until(lambda: offered(stack) == expected)


async def test_one_that_has_never_run_is_drained_when_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its table, which starts with it, does not offer it either until it is undrained."""
    config = {"serves": "foo-model", "fails": "no route"}
    graph = models_graph("foo", foo=config)
    settings = quick(on_failure="degrade", restart_delay=0.2)
    async with Stack(graph, settings) as stack:
        assert await stack.drain("foo") is True
        create = sys.modules["rungraph_fake_models"].get_provider_impl

        async def mended(config: Any, deps: object) -> Any:
            return await create({"serves": config["serves"]}, deps)

        monkeypatch.setattr(sys.modules["rungraph_fake_models"], "get_provider_impl", mended)
        await state_is(stack, Address.table("models"), State.READY)
        assert not offered(stack)
        with pytest.raises(NotRunningError, match="drained"):
            await stack["models"].register_model(Model(identifier="mine", provider_id="foo"))
        await stack.undrain("foo")
        assert offered(stack) == {"foo-model"}


async def test_undraining_it_twice_loses_no_registration() -> None:
    """It is asked one question after the other: what it lists is never older than what it has."""
    async with Stack(models_graph("foo", "bar"), quick()) as stack:
        await stack["models"].register_model(Model(identifier="mine", provider_id="foo"))
        foo = instance("foo")
        await stack.drain("foo")
        del foo.served["mine"]
        pauses = iter((0, 0.02))

        async def list_models() -> list[Model]:
            served = list(foo.served.values())
            await asyncio.sleep(next(pauses))
            return served

        foo.list_models = list_models  # type: ignore[method-assign]
        await asyncio.gather(stack.undrain("foo"), stack.undrain("foo"))
        assert offered(stack) == {"bar-model", "foo-model", "mine"}


async def test_what_failed_to_register_because_it_was_drained_is_not_served() -> None:
    """Whoever has registered it was told so, although the provider has taken it."""
    async with Stack(models_graph("foo", "bar"), quick()) as stack:
        foo, goes_on = instance("foo"), asyncio.Event()
        take = foo.register_model

        async def register_model(model: Model) -> Model:
            await goes_on.wait()
            return await take(model)

        foo.register_model = register_model  # type: ignore[method-assign]
        model = Model(identifier="mine", provider_id="foo")
        registering = asyncio.create_task(stack["models"].register_model(model))
        await asyncio.sleep(0)
        await stack.drain("foo")
        goes_on.set()
        with pytest.raises(NotRunningError, match="drained"):
            await registering
        assert "mine" in foo.served
        await stack.undrain("foo")
        assert offered(stack) == {"bar-model", "foo-model"}
        assert "mine" not in foo.served

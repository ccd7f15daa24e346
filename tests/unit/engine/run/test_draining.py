"""A provider that is drained gets no call until it is undrained, whatever else becomes of it."""

from __future__ import annotations

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
from rungraph.engine.errors import NotRunningError
from rungraph.engine.events import State
from rungraph.engine.run.errors import ReloadError
from rungraph.engine.run.stack import Stack


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

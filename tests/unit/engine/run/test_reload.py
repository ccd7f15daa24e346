"""A running stack goes on with another config: only what differs stops and starts."""

from __future__ import annotations

import asyncio
import gc
from typing import Any
from weakref import ref

import pytest
from tests.unit.engine.fakes import told
from tests.unit.engine.run.models import (
    BAR,
    FOO,
    FakeModel,
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
    NotServedError,
    UnavailableResourceError,
    UnknownResourceError,
)
from rungraph.engine.events import (
    NodeRestarting,
    NodeStarting,
    ReloadEnded,
    ReloadStarted,
    State,
)
from rungraph.engine.run.errors import ReloadError
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address, compile_config
from rungraph.graph.errors import InvalidGraph
from rungraph.graph.reload import Action
from rungraph.graph.secrets.values import MASK

MODELS = Address.table("models")


async def _refuse(model: Model) -> Model:
    raise ValueError(model.identifier)


def _actions(steps: Any) -> dict[Address, Action]:
    return {address: step.action for address, step in steps.items()}


async def test_only_what_differs_stops_and_starts() -> None:
    """A provider goes, one comes, one changes; the fourth, its call and the router go on."""
    old = models_graph("foo", "bar", "gone", bar={"serves": "before"})
    async with Stack(old, quick()) as stack:
        router, foo = stack["inference"], instance("foo")
        await stack["models"].register_model(Model(identifier="mine", provider_id="foo"))
        foo.answers.clear()
        call = asyncio.create_task(router.chat_completion("foo-model", []))
        new_graph = models_graph("foo", "bar", "new", bar={"serves": "after"})
        bar = next(one for one in FakeModel.made if one.serves_now("before"))
        bar.answers.clear()
        old_call = asyncio.create_task(router.chat_completion("before", []))
        await asyncio.sleep(0)
        change = asyncio.create_task(stack.apply(new_graph))
        await state_is(stack, BAR, State.STOPPING)
        with pytest.raises(UnavailableResourceError, match="'bar', which is being restarted; ret"):
            await router.chat_completion("before", [])
        bar.answers.set()
        assert FakeModel.made[await old_call] is bar
        steps = await change
        gone, new = Address.provider("inference", "gone"), Address.provider("inference", "new")
        assert _actions(steps) == {
            gone: Action.STOP,
            BAR: Action.RESTART,
            new: Action.START,
            MODELS: Action.REBIND,
        }
        assert steps[BAR].reason == "its config changes"
        assert stack["inference"] is router
        assert instance("foo") is foo
        assert not call.done()
        foo.answers.set()
        assert FakeModel.made[await call] is foo
        assert offered(stack) == {"foo-model", "mine", "after", "new-model"}
        assert FakeModel.made[await router.chat_completion("after", [])].serves_now("after")
        with pytest.raises(UnknownResourceError):
            await router.chat_completion("gone-model", [])
        with pytest.raises(NotServedError):
            _ = stack[gone]
        assert stack.status() == dict.fromkeys(stack.graph, State.READY)


async def test_a_new_config_that_does_not_start_leaves_the_old_one() -> None:
    """Never half of each: what was stopped runs again, and what was started is gone."""
    old = models_graph("foo", "bar")
    async with Stack(old, quick()) as stack:
        await stack["models"].register_model(Model(identifier="mine", provider_id="bar"))
        foo = instance("foo")
        new = models_graph("foo", "bar", "new", bar={"serves": "x"}, new={"fails": "no route"})
        with pytest.raises(ReloadError) as caught:
            await stack.apply(new)
        assert str(caught.value) == (
            "the new config does not run; all is as before\n"
            "  provider:inference/new (<mapping>): ConnectionError: no route"
        )
        assert stack.graph is not new
        assert instance("foo") is foo
        assert offered(stack) == {"foo-model", "bar-model", "mine"}
        assert stack.status() == dict.fromkeys(old, State.READY)
        assert FakeModel.made[await stack["inference"].chat_completion("mine", [])]
        (ended,) = told(stack.events, ReloadEnded)
        assert ended.problem == str(caught.value)


async def test_settings_that_count_only_from_the_next_start_on_are_told() -> None:
    """By their names; what the graph follows from counts at once."""
    config: dict[str, Any] = {"providers": {}, "image_name": "before"}
    new = {**config, "image_name": "after", "metadata_store": {"db_path": "x"}, "selectors": {}}
    async with Stack(compile_config(config, environment={})) as stack:
        await stack.apply(compile_config({**new, "apis": ["inspect"]}, environment={}))
        await stack.apply(stack.graph)
        keys = "image_name, metadata_store.db_path"
        steps = [one.steps for one in told(stack.events, ReloadStarted)]
        assert steps == [(f"from the next start on, if at all: {keys}",), ()]


async def test_a_config_with_errors_touches_nothing() -> None:
    """It is checked, imports included, before anything stops."""
    async with Stack(models_graph("foo"), quick()) as stack:
        made = len(FakeModel.made)
        with pytest.raises(InvalidGraph):
            await stack.apply(models_graph("foo", "foo"))
        assert len(FakeModel.made) == made
        assert offered(stack) == {"foo-model"}


async def test_a_table_takes_other_resources_while_it_runs() -> None:
    """Models of the config come and go without a restart; one that is refused brings all back."""
    with_one = models_graph("foo", models=[{"model_id": "one", "provider_id": "foo"}])
    async with Stack(with_one, quick()) as stack:
        table, foo = stack["models"], instance("foo")
        assert offered(stack) == {"foo-model", "one"}
        steps = await stack.apply(
            models_graph("foo", models=[{"model_id": "two", "provider_id": "foo"}])
        )
        assert _actions(steps) == {MODELS: Action.UPDATE}
        assert stack["models"] is table
        assert offered(stack) == {"foo-model", "two"}
        foo.refuses = "three"
        with pytest.raises(ReloadError, match="no room for three"):
            await stack.apply(
                models_graph("foo", models=[{"model_id": "three", "provider_id": "foo"}])
            )
        assert offered(stack) == {"foo-model", "two"}
        assert instance("foo") is foo


async def test_a_provider_that_can_takes_its_new_config_while_it_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One with ``reconfigure`` is not restarted."""
    told: list[Any] = []

    async def reconfigure(self: FakeModel, config: Any) -> None:
        told.append(config["serves"])
        self.served = {config["serves"]: Model(identifier=config["serves"])}

    monkeypatch.setattr(FakeModel, "reconfigure", reconfigure, raising=False)
    async with Stack(models_graph("foo"), quick()) as stack:
        foo = instance("foo")
        steps = await stack.apply(models_graph("foo", foo={"serves": "other"}))
        assert _actions(steps) == {FOO: Action.UPDATE}
        assert told == ["other"]
        assert FakeModel.made == [foo]


async def test_a_provider_that_takes_neither_config_is_started_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody knows by which it goes; that is no failure for which no restart may be left."""

    async def reconfigure(self: FakeModel, config: Any) -> None:
        self.served = {"half": Model(identifier="half")}
        raise OSError(config["serves"])

    monkeypatch.setattr(FakeModel, "reconfigure", reconfigure, raising=False)
    old = models_graph("foo", "bar")
    async with Stack(old, quick(restart_limit=0)) as stack:
        with pytest.raises(ReloadError, match=r"; all is as before\n.*foo .*OSError: other"):
            await stack.apply(models_graph("foo", "bar", foo={"serves": "other"}))
        assert len(FakeModel.made) == 3
        await until(lambda: offered(stack) == {"foo-model", "bar-model"})
        (cause,) = told(stack.events, NodeRestarting)
        assert cause.reason == "OSError: foo-model"
        assert stack.status() == dict.fromkeys(old, State.READY)


async def test_a_provider_that_takes_neither_config_and_does_not_start_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error of the reload names it, and the rest of the old config runs."""
    created = FakeModel.__init__

    def create(*_: object) -> None:
        msg = "no GPU"
        raise ConnectionError(msg)

    async def reconfigure(_self: FakeModel, config: Any) -> None:
        monkeypatch.setattr(FakeModel, "__init__", create)
        raise OSError(config["serves"])

    monkeypatch.setattr(FakeModel, "reconfigure", reconfigure, raising=False)
    async with Stack(models_graph("foo", "bar"), quick()) as stack:
        with pytest.raises(ReloadError, match=r"but for:\n.*inference/foo .*no GPU"):
            await stack.apply(models_graph("foo", "bar", foo={"serves": "other"}))
        assert stack.status()[BAR] is State.READY
        monkeypatch.setattr(FakeModel, "__init__", created)
        await state_is(stack, FOO, State.READY)


async def test_a_table_that_lacks_something_after_a_failed_reload_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It goes by the old config and says what it lacks; a new one would lack the same."""
    one, two = ({"model_id": name, "provider_id": "foo"} for name in ("one", "two"))
    async with Stack(models_graph("foo", "bar", models=[one]), quick()) as stack:
        table, router, foo = stack["models"], stack["inference"], instance("foo")
        monkeypatch.setattr(foo, "register_model", _refuse)
        foo.answers.clear()
        call = asyncio.create_task(router.chat_completion("foo-model", []))
        with pytest.raises(ReloadError, match=r"but for:\n.*table:models.*: one"):
            await stack.apply(models_graph("foo", "bar", models=[two]))
        assert stack.status()[MODELS] is State.DEGRADED
        assert (stack["models"], stack["inference"]) == (table, router)
        assert not told(stack.events, NodeRestarting)
        foo.answers.set()
        assert FakeModel.made[await call] is foo


async def test_what_a_table_lacked_before_keeps_no_other_config_from_running(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stack that runs degraded can be reloaded; what is lacking besides ends the reload."""
    one, two = ({"model_id": name, "provider_id": "foo"} for name in ("one", "two"))
    monkeypatch.setattr(FakeModel, "register_model", staticmethod(_refuse))
    degrade = quick(on_failure="degrade")
    async with Stack(models_graph("foo", "bar", models=[one]), degrade) as stack:
        with pytest.raises(ReloadError, match=r"as before\n  table:models.*: two.*$"):
            await stack.apply(models_graph("foo", "bar", models=[one, two]))
        await stack.apply(models_graph("foo", "bar", bar={"serves": "new"}, models=[one]))
        assert offered(stack) == {"foo-model", "new"}
        assert stack.status()[MODELS] is State.DEGRADED


async def test_a_cancelled_reload_goes_back() -> None:
    """Whoever asks for it, and cancels again and again, waits until the old config runs again."""
    slow_old = {"serves": "bar-model", "takes": 0.01}
    async with Stack(models_graph("foo", "bar", bar=slow_old), quick()) as stack:
        new = models_graph(
            "foo", "bar", "slow", bar={"serves": "x"}, slow={"serves": "y", "hangs": 1}
        )
        reload = asyncio.create_task(stack.apply(new))
        slow = Address.provider("inference", "slow")
        await until(lambda: slow in {one.address for one in told(stack.events, NodeStarting)})
        while not reload.done():
            reload.cancel()
            await asyncio.sleep(0.001)
        assert reload.cancelled()
        assert stack.status()[BAR] is State.READY
        await until(lambda: offered(stack) == {"foo-model", "bar-model"})


async def test_a_stop_breaks_off_a_reload() -> None:
    """Nothing is started any more, and whoever asked for it is told."""
    async with Stack(models_graph("foo"), quick()) as stack:
        hangs = {"serves": "y", "hangs": 1}
        reload = asyncio.create_task(stack.apply(models_graph("foo", "slow", slow=hangs)))
        slow = Address.provider("inference", "slow")
        await until(lambda: slow in {one.address for one in told(stack.events, NodeStarting)})
    with pytest.raises(NotRunningError, match="the stack is stopping"):
        await reload


async def test_a_table_that_starts_later_tells_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one of the first start does, until the config wants it no more."""
    monkeypatch.setattr(FakeModel, "register_model", staticmethod(_refuse))
    before = compile_config({"providers": {}}, environment={})
    async with Stack(before, quick(on_failure="degrade")) as stack:
        await stack.apply(models_graph("foo", models=[{"model_id": "no", "provider_id": "foo"}]))
        assert stack.status()[MODELS] is State.DEGRADED
        await stack.apply(models_graph("foo"))
        assert stack.status()[MODELS] is State.READY


async def test_only_those_are_asked_again_of_whom_something_else_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A reload costs as much as what it changes."""
    asked: list[FakeModel] = []
    listing = FakeModel.list_models

    async def list_models(self: FakeModel) -> list[Model]:
        asked.append(self)
        return await listing(self)

    async with Stack(models_graph("foo", "bar"), quick()) as stack:
        foo = instance("foo")
        monkeypatch.setattr(FakeModel, "list_models", list_models)
        await stack.apply(models_graph("foo", "bar", bar={"serves": "x"}))
        assert foo not in asked
        await stack.apply(
            models_graph(
                *("foo", "bar"),
                bar={"serves": "x"},
                models=[{"model_id": "one", "provider_id": "foo"}],
            )
        )
        assert asked[-1] is foo
        assert offered(stack) == {"foo-model", "x", "one"}


async def test_a_reload_that_is_cancelled_while_something_is_told_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What has been told its new config is told the old one again."""
    told: list[str] = []
    is_told, goes_on = asyncio.Event(), asyncio.Event()

    async def reconfigure(_self: FakeModel, config: Any) -> None:
        told.append(config["serves"])
        is_told.set()
        await goes_on.wait()

    monkeypatch.setattr(FakeModel, "reconfigure", reconfigure, raising=False)
    old = models_graph("foo")
    async with Stack(old, quick()) as stack:
        reload = asyncio.create_task(stack.apply(models_graph("foo", foo={"serves": "x"})))
        await is_told.wait()
        reload.cancel()
        await asyncio.sleep(0)
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await reload
        assert told == ["x", "foo-model"]
        assert stack.graph.nodes == old.nodes


async def test_reloads_at_the_same_time_come_one_after_the_other() -> None:
    """The second begins with what the first has made, and the last word counts."""
    slow = {"serves": "new-model", "takes": 0.05}
    async with Stack(models_graph("foo", "gone"), quick()) as stack:
        await asyncio.gather(
            stack.apply(models_graph("foo", "new", new=slow)),
            stack.apply(models_graph("foo", "last")),
        )
        assert offered(stack) == {"foo-model", "last-model"}
        assert stack.status() == dict.fromkeys(models_graph("foo", "last"), State.READY)


async def test_a_failed_reload_leaves_no_member() -> None:
    """What had joined a table before the failure is none of those to choose from."""
    async with Stack(models_graph("foo"), quick(start_timeout=0.2)) as stack:
        with pytest.raises(ReloadError):
            await stack.apply(models_graph("foo", "new", "slow", slow={"hangs": True}))
        assert await stack["models"].register_model(Model(identifier="mine"))


async def test_what_a_reload_drops_is_let_go_of() -> None:
    """Neither its table, which goes on, nor what its callers have of it keeps it."""
    async with Stack(models_graph("foo", "gone"), quick()) as stack:
        gone = ref(instance("gone"))
        for called in ("inference", "provider:inference/gone"):
            assert await stack[called].chat_completion("gone-model", []) >= 0
        await stack.apply(models_graph("foo"))
        FakeModel.made.clear()
        gc.collect()
        assert gone() is None


async def test_the_secrets_of_every_config_stay_masked() -> None:
    """Of what ran before, of what runs, and of what was refused."""
    old, new, refused = (
        models_graph("foo", foo={"serves": "x", "api_key": f"hunter-{number}"} | more)
        for number, more in enumerate(({}, {}, {"fails": "no route"}))
    )
    async with Stack(old, quick()) as stack:
        await stack.apply(new)
        with pytest.raises(ReloadError):
            await stack.apply(refused)
        told = stack.scrubbed("hunter-0 hunter-1 hunter-2 hunter-3")
        assert told == f"{MASK} {MASK} {MASK} hunter-3"

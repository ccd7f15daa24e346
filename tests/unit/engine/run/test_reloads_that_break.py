"""A reload whose new nodes break, and one that the end of the stack overtakes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext, suppress
from itertools import count
from typing import Any

import pytest
from tests.unit.engine.fakes import GraphOf, Offer, Pinger, failing, making, told
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

from rungraph.engine.errors import NotRunningError, StopError, UnavailableResourceError
from rungraph.engine.events import NodeGivenUp, NodeRestarting, NodeStarting, NodeUpdated, State
from rungraph.engine.run.errors import ReloadError
from rungraph.engine.run.stack import Stack
from rungraph.graph import Address, RunGraph

SLOW = Address.provider("inference", "slow")


class _Dying(Pinger):
    """Its background work fails at once."""

    def __init__(self, config: object, deps: Any) -> None:
        super().__init__(config, deps)
        self.work = asyncio.create_task(self.die())

    async def die(self) -> None:
        msg = "GPU lost"
        raise ConnectionError(msg)

    async def shutdown(self) -> None:
        await asyncio.gather(self.work, return_exceptions=True)


def _starts_of(stack: Stack, address: Address) -> int:
    return sum(one.address == address for one in told(stack.events, NodeStarting))


@pytest.mark.parametrize("name", ["foo", "new"])
async def test_a_new_node_that_breaks_during_the_reload_ends_that_alone(name: str) -> None:
    """The old config comes back, however few restarts are left; the error says what has broken."""
    old = models_graph("foo", "bar")
    async with Stack(old, quick(restart_limit=0)) as stack:
        names = sorted({"foo", "bar", *(name, "slow")})
        configs: dict[str, Any] = {name: {"serves": "x"}, "slow": {"serves": "y", "hangs": 1}}
        reload = asyncio.create_task(stack.apply(models_graph(*names, **configs)))
        await until(lambda: any(one.serves_now("x") for one in FakeModel.made))
        FakeModel.made[-1].crash()
        with pytest.raises(ReloadError, match=f"inference/{name}.*: .*GPU lost") as caught:
            await reload
        assert str(caught.value).startswith("the new config does not run; all is as before\n")
        assert not told(stack.events, NodeGivenUp)
        assert stack.status() == dict.fromkeys(old, State.READY)
        assert offered(stack) == {"foo-model", "bar-model"}


async def test_reloads_that_fail_put_off_no_restart_and_use_none_up() -> None:
    """What waits for its restart goes on waiting, as if nobody had tried to reload."""
    async with Stack(
        models_graph("foo", "bar"), quick(restart_delay=0.3, restart_limit=2)
    ) as stack:
        instance("foo").crash()
        await state_is(stack, FOO, State.RESTARTING)
        broken = models_graph("foo", "bar", foo={"fails": "no route"})
        count = 0
        while stack.status()[FOO] is not State.READY:
            with pytest.raises(ReloadError):
                await stack.apply(broken)
            count += 1
            await asyncio.sleep(0.01)
        assert count > 2
        assert not told(stack.events, NodeGivenUp)


async def test_a_restart_that_a_reload_has_taken_over_is_not_waited_for() -> None:
    """Neither by callers meanwhile, nor does it cut the pause of another failure short."""
    new = models_graph("foo", foo={"serves": "foo-model", "takes": 0.05})
    async with Stack(models_graph("foo"), quick(restart_delay=30, restart_seed=1)) as stack:
        instance("foo").crash()
        await until(lambda: len(told(stack.events, NodeRestarting)) == 1)
        reload = asyncio.create_task(stack.apply(new))
        await until(lambda: _starts_of(stack, FOO) == 2)
        with pytest.raises(UnavailableResourceError, match=r"is starting; retry after 1\.00 s"):
            await stack["inference"].chat_completion("foo-model", [])
        await reload
        instance("foo").crash()
        await until(lambda: len(told(stack.events, NodeRestarting)) == 2)
        first, second = (one.delay for one in told(stack.events, NodeRestarting))
        assert first < 30 < second
        await stack.apply(models_graph("foo"))


async def test_a_provider_that_may_still_be_at_the_new_config_is_started_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would take the new one after the old one, which it was told when its time was up."""
    released, taken = asyncio.Event(), list[str]()

    async def reconfigure(_self: FakeModel, config: Any) -> None:
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()
        taken.append(config["serves"])

    monkeypatch.setattr(FakeModel, "reconfigure", reconfigure, raising=False)
    old = models_graph("foo")
    async with Stack(old, quick(start_timeout=0.1, cancel_timeout=0.1)) as stack:
        first = instance("foo")
        with pytest.raises(ReloadError, match=r"; all is as before\n.*did not take its new config"):
            await stack.apply(models_graph("foo", foo={"serves": "other"}))
        released.set()
        await until(lambda: taken)
        assert taken == ["other"]
        assert instance("foo") is not first
        assert stack.status() == dict.fromkeys(old, State.READY)


async def test_what_does_not_come_back_from_a_cancelled_reload_is_started_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As after any reload that goes back: nobody is told of it who could do so."""
    new = models_graph("bar", "slow", bar={"serves": "x"}, slow={"serves": "y", "hangs": 1})
    async with Stack(models_graph("foo", "bar"), quick()) as stack:
        reload = asyncio.create_task(stack.apply(new))
        await until(lambda: _starts_of(stack, SLOW))
        module, reloads = sys.modules["rungraph_fake_models"], [reload]
        create = vars(module)["get_provider_impl"]

        async def create_again(config: Any, deps: Any) -> Any:
            if reloads:
                reloads.clear()
                msg = "no GPU"
                raise ConnectionError(msg)
            return await create(config, deps)

        monkeypatch.setattr(module, "get_provider_impl", create_again)
        reload.cancel()
        await asyncio.wait([reload])
        assert reload.cancelled()
        assert not reloads
        await until(lambda: offered(stack) == {"foo-model", "bar-model"})


def _failing_the_second_time() -> Callable[..., Any]:
    starts = count(1)

    async def create(config: Any, deps: Any) -> Pinger:
        if next(starts) == 2:
            msg = "not yet"
            raise ConnectionError(msg)
        return Pinger(config, deps)

    return create


@pytest.mark.parametrize("fails", [True, False])
async def test_what_failed_in_a_restart_that_a_reload_breaks_off_is_started_again(
    graph_of: GraphOf, *, fails: bool
) -> None:
    """What needs a node is restarted with it; who did that may not hear of it any more."""
    starts, create_again = Counter[str](), _failing_the_second_time()

    async def create_slowly(config: Any, deps: Any) -> Pinger:
        starts["slow"] += 1
        if starts["slow"] == 2:
            await asyncio.Event().wait()
        return Pinger(config, deps)

    def needing(create: Any, **config: Any) -> RunGraph:
        return graph_of(
            a=Offer(create, config=config),
            b=Offer(create_again, needs=("a",)),
            c=Offer(create_slowly, needs=("a",)),
        )

    new = failing(OSError("no route")) if fails else making(Pinger)
    kinds, (a, b, c) = iter([_Dying]), (Address.provider(one, "one") for one in "abc")

    async def create(config: Any, deps: Any) -> Any:
        if config:
            return await new(config, deps)
        return next(kinds, Pinger)(config, deps)

    graph = needing(create)
    async with Stack(graph, quick(on_failure="degrade")) as stack:
        await until(lambda: starts["slow"] == 2)
        with pytest.raises(ReloadError) if fails else nullcontext():
            await stack.apply(needing(create, other=1))
        for one in (a, b, c):
            await state_is(stack, one, State.READY)
        assert not told(stack.events, NodeGivenUp)


async def test_a_reload_that_is_cancelled_early_starts_again_what_it_has_broken_off(
    graph_of: GraphOf,
) -> None:
    """A restart that it breaks off takes a while to end; by then, what needs the node is down."""
    starts, breaking_off = Counter[str](), asyncio.Event()
    create_again = _failing_the_second_time()

    async def create_slowly(config: Any, deps: Any) -> Pinger:
        starts["slow"] += 1
        if starts["slow"] == 2:
            try:
                await asyncio.Event().wait()
            finally:
                breaking_off.set()
                await asyncio.sleep(0.05)
        return Pinger(config, deps)

    kinds = iter([_Dying])

    def needing(**config: Any) -> RunGraph:
        return graph_of(
            a=Offer(lambda *given: making(next(kinds, Pinger))(*given), config=config),
            b=Offer(create_again, needs=("a",)),
            c=Offer(create_slowly, needs=("a",)),
        )

    graph = needing()
    async with Stack(graph, quick(on_failure="degrade")) as stack:
        await until(lambda: starts["slow"] == 2)
        reload = asyncio.create_task(stack.apply(needing(other=1)))
        await breaking_off.wait()
        reload.cancel()
        await asyncio.wait([reload])
        assert reload.cancelled()
        for one in graph:
            await state_is(stack, one, State.READY)
        assert not told(stack.events, NodeGivenUp)


async def test_what_was_given_up_before_a_failed_reload_is_told_to_be_so_again() -> None:
    """The reload has tried to start it, so the last word is not that it was given up."""
    stack = Stack(models_graph("foo", "bar"), quick(restart_limit=0, on_failure="degrade"))
    await stack.__aenter__()
    instance("foo").crash()
    await until(lambda: told(stack.events, NodeGivenUp))
    with pytest.raises(ReloadError):
        await stack.apply(models_graph("foo", "bar", foo={"fails": "no route"}))
    assert stack.status()[FOO] is State.FAILED
    assert told(stack.events, NodeGivenUp)[-1].reason == "it had failed before the reload"
    with pytest.raises(StopError, match="GPU lost"):
        await stack.__aexit__(None, None, None)


async def test_a_signal_that_comes_amid_a_reload_starts_nothing() -> None:
    """Neither what was to start nor the old config: all of it would only have to stop again."""
    old = models_graph("foo", "bar", bar={"serves": "bar-model"})
    stack = Stack(old, quick())
    async with stack.signals() as signals, stack:
        new: dict[str, Any] = {"bar": {"serves": "x"}, "slow": {"serves": "y", "hangs": 1}}
        reload = asyncio.create_task(stack.apply(models_graph("foo", *new, **new)))
        await until(lambda: _starts_of(stack, SLOW))
        os.kill(os.getpid(), signal.SIGTERM)
        await reload
    assert signals.exit_code == 143
    assert _starts_of(stack, BAR) == 2


@pytest.mark.parametrize("limit", [0, 9])
async def test_what_needs_something_given_up_does_not_start_and_ends_the_reload(
    graph_of: GraphOf, limit: int
) -> None:
    """It would never run, though the new config was said to; what is restarted, it waits for."""
    failed = Offer(failing(OSError("no")))
    how = quick(on_failure="degrade", restart_limit=limit, restart_delay=30)
    async with Stack(graph_of(a=failed), how) as stack:
        await until(lambda: told(stack.events, NodeGivenUp | NodeRestarting))
        reload = stack.apply(graph_of(a=failed, b=Offer(needs=("a",))))
        if limit:
            await reload
            assert stack.status()[Address.provider("b", "one")] is State.SKIPPED
            return
        with pytest.raises(ReloadError, match=r"b/one .*: it needs 'provider:a/one', which failed"):
            await reload
        assert Address.provider("b", "one") not in stack.graph


class _Binding(Pinger):
    async def bind(self, api: str, instance: object) -> None:
        self.deps[api] = instance


@pytest.mark.parametrize("is_needed", [True, False])
async def test_what_runs_on_without_a_need_is_not_lost_unseen(
    graph_of: GraphOf, is_needed: bool
) -> None:
    """It cannot start without what has failed: it is not stopped for that, or said not to run."""
    needed, user = Address.provider("a", "one"), Address.provider("b", "one")
    new = {
        True: {
            "a": Offer(making(_Dying)),
            "b": Offer(making(_Binding), needs=("a",), config={"new": 1}),
        },
        False: {"b": Offer(failing(OSError("no route")))},
    }
    old = graph_of(a=Offer(making(_Dying)), b=Offer(making(_Binding), needs=("a",)))
    stack = Stack(old, quick(on_failure="degrade", restart_limit=0))
    await stack.__aenter__()
    before = stack[user]
    await state_is(stack, needed, State.FAILED)
    with pytest.raises(ReloadError) as caught:
        await stack.apply(graph_of(**new[is_needed]))
    why = f"{user} (<mapping>): it needs '{needed}', which failed"
    if is_needed:
        assert str(caught.value).endswith(f"; all is as before\n  {why}")
        assert stack.status()[user] is State.DEGRADED
        assert stack[user] is before
    else:
        assert str(caught.value).endswith(f"no route\nbut for:\n  {why}")
        assert stack.status()[user] is State.SKIPPED
    with pytest.raises(StopError, match="GPU lost"):
        await stack.__aexit__(None, None, None)


@pytest.mark.parametrize("is_signal", [False, True])
@pytest.mark.parametrize("hangs_at", ["x", "foo-model"])
async def test_a_stop_breaks_off_what_is_told_its_config(
    monkeypatch: pytest.MonkeyPatch, hangs_at: str, is_signal: bool
) -> None:
    """The new one, or the old one on the way back; nobody else is told anything any more."""
    taken: list[str] = []

    async def reconfigure(_self: FakeModel, config: Any) -> None:
        taken.append(config["serves"])
        if config["serves"] == hangs_at:
            await asyncio.Event().wait()
        raise OSError(config["serves"])

    monkeypatch.setattr(FakeModel, "reconfigure", reconfigure, raising=False)
    old = models_graph("foo", "goes")
    stack = Stack(old, quick(start_timeout=20))
    async with stack.signals(), stack:
        new = models_graph("foo", "goes", foo={"serves": "x"}, goes={"serves": "y"})
        reload = asyncio.create_task(stack.apply(new))
        await until(lambda: hangs_at in taken)
        if is_signal:
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.Event().wait()
    with pytest.raises(NotRunningError, match="the stack is stopping"):
        await reload
    assert taken == ["x", "foo-model"][: len(taken)]
    problems = [one.problem for one in told(stack.events, NodeUpdated)]
    assert problems == ["OSError: x"][: len(taken) - 1]
    assert not told(stack.events, NodeRestarting)
    assert stack.status() == dict.fromkeys(old, State.STOPPED)


async def test_what_breaks_while_its_calls_end_is_shut_down() -> None:
    """Its calls end at once, and the stop is told with what has broken."""
    stack = Stack(models_graph("foo", "bar"), quick(stop_timeout=60, drain_timeout=30))
    await stack.__aenter__()
    foo = instance("foo")
    foo.answers.clear()
    call = asyncio.create_task(stack["inference"].chat_completion("foo-model", []))
    await asyncio.sleep(0)
    reload = asyncio.create_task(stack.apply(models_graph("bar")))
    await state_is(stack, FOO, State.STOPPING)
    foo.crash()
    await reload
    assert foo.shutdowns == 1
    with pytest.raises(NotRunningError, match="was stopped before the call had ended"):
        await call
    with pytest.raises(StopError, match="GPU lost"):
        await stack.__aexit__(None, None, None)

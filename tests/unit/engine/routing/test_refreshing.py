"""Tables that ask their providers again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.engine.routing.conftest import Bench, Provider, names, turning

from rungraph.engine.apis.models import Model
from rungraph.engine.errors import NotRunningError
from rungraph.engine.events import (
    RefreshFailed,
    ResourceAdded,
    ResourceRemoved,
    ResourcesChanged,
)
from rungraph.engine.routing import refreshing
from rungraph.engine.routing.inventory import Entry, Origin


async def test_a_refresh_follows_the_provider(bench: Bench) -> None:
    """What is new comes, what is changed changes, what is gone goes, from the store too."""
    foo = Provider("old", "same")
    table = await bench.table(foo=foo)
    await table.register_model(Model(identifier="mine"))
    del foo.served["old"], foo.served["mine"]
    foo.served["new"] = Model(identifier="new")
    foo.served["same"] = Model(identifier="same", model_type="embedding")
    await table.refresh()
    assert await names(table) == ["foo/new", "foo/same"]
    assert (await table.get_model("same")).model_type == "embedding"
    assert [event.reason for event in bench.told(ResourceRemoved)] == [
        "its provider no longer serves it; kept until it does",
        "its provider no longer serves it",
    ]
    assert [one.identifier for one in await bench.store().load("models")] == ["mine"]


async def test_a_name_of_ones_own_lives_as_long_as_the_providers(bench: Bench) -> None:
    """A provider that lists its own name only still serves what was registered for it."""

    class OwnNames(Provider):
        async def _register(self, resource: Any) -> Any:
            return resource

    foo = OwnNames("org/small")
    table = await bench.table(foo=foo)
    await table.register_model(Model(identifier="small", provider_resource_id="org/small"))
    await table.refresh()
    assert await names(table) == ["foo/org/small", "foo/small"]
    foo.served.clear()
    await table.refresh()
    assert await names(table) == []


async def test_a_failing_provider_harms_no_other(bench: Bench) -> None:
    """Its old list stays, the error is an event, and the other providers are refreshed."""
    foo, bar = Provider("m"), Provider()
    table = await bench.table(foo=foo, bar=bar)
    foo.failure = RuntimeError("boom")
    bar.served["n"] = Model(identifier="n")
    await table.refresh()
    assert await names(table) == ["foo/m", "bar/n"]
    (event,) = bench.told(RefreshFailed)
    assert (event.provider_id, event.error) == ("foo", foo.failure)


async def test_who_has_never_answered_is_asked_again_soon(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start and whenever it comes back; the others are left alone until it is time."""
    monkeypatch.setattr(refreshing, "_SOON", 0.001)
    foo, bar = Provider("m"), Provider("n")
    foo.failure = ConnectionError("not yet")
    table = await bench.table(foo=foo, bar=bar, refresh_interval=300)
    bar.served["o"] = Model(identifier="o")
    await bench.until(lambda: len(bench.told(RefreshFailed)) >= 3)
    foo.failure = None
    await bench.until(lambda: bool(bench.told(ResourceAdded)[1:]))
    assert await names(table) == ["foo/m", "bar/n"]
    table.lose("bar", NotRunningError("gone"))
    bar.failure = ConnectionError("not yet again")
    await table.join("bar", Provider())
    await table.join("bar", bar)
    bar.failure = None
    await bench.until(lambda: any(one.identifier == "o" for one in bench.told(ResourceAdded)))
    assert await names(table) == ["foo/m", "bar/n", "bar/o"]


async def test_one_that_has_long_been_silent_holds_no_other_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is asked again at its own pace."""
    monkeypatch.setattr(refreshing, "_SOON", 0.001)
    foo, bar = Provider(), Provider()
    foo.failure = bar.failure = ConnectionError("not yet")
    table = await bench.table(foo=foo, bar=Provider(), refresh_interval=300)

    def failed(name: str) -> int:
        return sum(one.provider_id == name for one in bench.told(RefreshFailed))

    await bench.until(lambda: failed("foo") >= 9)
    table.lose("bar", NotRunningError("gone"))
    await table.join("bar", bar)
    await bench.until(lambda: failed("bar") >= 4)
    assert failed("foo") <= 10


async def test_a_hanging_provider_is_given_up_in_time(bench: Bench) -> None:
    """A table starts with what the others serve, and asks again at the next refresh."""
    foo, bar = Provider("m"), Provider("n")
    foo.gate = asyncio.Event()
    table = await bench.table(foo=foo, bar=bar, deadline=0.01)
    assert await names(table) == ["bar/n"]
    (event,) = bench.told(RefreshFailed)
    assert str(event.error) == "no answer within 0.01 s"
    foo.gate.set()
    await table.refresh()
    assert await names(table) == ["foo/m", "bar/n"]


async def test_a_provider_that_ignores_being_cancelled_holds_nobody_up(bench: Bench) -> None:
    """Its question is left behind, it is asked nothing more meanwhile, and nothing is left."""
    release = asyncio.Event()

    class Stubborn(Provider):
        async def _list(self) -> list[Any]:
            while not release.is_set():
                try:
                    await release.wait()
                except asyncio.CancelledError:
                    continue
            return await super()._list()

    table = await bench.table(foo=Stubborn("m"), bar=Provider("n"), deadline=0.01)
    await table.refresh()
    assert [str(event.error) for event in bench.told(RefreshFailed)] == [
        "no answer within 0.01 s",
        "still busy with the question before",
    ]
    release.set()
    await table.shutdown()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_slow_registration_does_not_hold_up_a_refresh(bench: Bench) -> None:
    """A provider that is busy registering is refreshed another time; its listing is not lost."""
    begun = asyncio.Event()

    class Slow(Provider):
        async def _register(self, resource: Any) -> Any:
            begun.set()
            await asyncio.Event().wait()

    table = await bench.table(foo=Slow("m"), deadline=0.05)
    registering = asyncio.create_task(table.register_model(Model(identifier="n")))
    await begun.wait()
    await table.refresh()
    with pytest.raises(TimeoutError, match=r"^no answer within 0\.05 s$"):
        await registering
    assert await names(table) == ["foo/m"]
    await table.refresh()
    assert await names(table) == ["foo/m"]


async def test_a_table_refreshes_itself_whatever_happens(bench: Bench) -> None:
    """The one task of a table survives failing providers, and ends with the table."""
    foo = Provider("m")
    table = await bench.table(foo=foo, refresh_interval=0.001)
    foo.failure = RuntimeError("boom")
    await bench.until(lambda: len(bench.told(RefreshFailed)) > 2)
    foo.failure = None
    foo.served["n"] = Model(identifier="n")
    await bench.until(lambda: len(bench.told(ResourceAdded)) == 2)
    await table.shutdown()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_cancelled_start_leaves_no_task(bench: Bench) -> None:
    """When a start is given up, so are the questions to the providers."""
    foo = Provider("m")
    foo.gate = asyncio.Event()
    starting = asyncio.create_task(bench.table(foo=foo, refresh_interval=1.0))
    await asyncio.sleep(0.01)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_big_listing_is_summed_up_and_lets_others_go_on(bench: Bench) -> None:
    """Thousands of resources are one event, and the event loop turns while they are taken."""
    foo = Provider(*(f"m{number}" for number in range(20_000)))
    async with turning() as turns:
        table = await bench.table(foo=foo)
    assert len(turns) > 20_000 / 500
    assert [(one.added, one.removed) for one in bench.told(ResourcesChanged)] == [(20_000, 0)]
    assert bench.told(ResourceAdded) == []
    assert (await table.get_model("foo/m19999")).identifier == "m19999"
    foo.served = {"m1": foo.served["m1"], "new": Model(identifier="new")}
    await table.refresh()
    assert [(one.added, one.removed) for one in bench.told(ResourcesChanged)][1:] == [(1, 19_999)]
    assert await names(table) == ["foo/m1", "foo/new"]


async def test_a_provider_that_goes_while_its_listing_is_taken_is_gone(bench: Bench) -> None:
    """What is left of the listing is not offered any more."""
    table = await bench.table(foo=(foo := Provider()))
    foo.served = {name: Model(identifier=name) for name in (f"m{n}" for n in range(5000))}
    refreshing = asyncio.create_task(table.refresh())
    async with asyncio.timeout(60):
        while await table.get_model("m0") is None:  # noqa: ASYNC110 (nothing tells before the end)
            await asyncio.sleep(0)
    table.lose("foo", NotRunningError("provider 'foo' has failed"))
    await refreshing
    assert await names(table) == []


async def test_two_listings_at_the_same_time_are_summed_up(bench: Bench) -> None:
    """One may be of the provider that went, and end before that of its successor."""
    inventory = (await bench.table(foo=Provider()))._inventory
    earlier = inventory.together("foo")
    with earlier:
        later = inventory.together("foo")
        later.__enter__()
    for number in range(2000):
        resource = Model(identifier=f"m{number}", provider_id="foo")
        inventory.put(Entry(resource, Origin.LISTED))
    later.__exit__(None, None, None)
    assert [(one.added, one.removed) for one in bench.told(ResourcesChanged)] == [(2000, 0)]
    assert bench.told(ResourceAdded) == []

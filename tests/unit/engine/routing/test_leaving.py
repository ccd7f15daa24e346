"""Registrations while their providers come and go."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.engine.routing.conftest import Bench, Provider, configured, names
from tests.unit.engine.routing.sharing import PAIR

from rungraph.engine.apis.models import Model
from rungraph.engine.errors import NotRunningError, UnavailableResourceError
from rungraph.engine.events import ResourceRemoved
from rungraph.engine.routing import Registration, RegistrationStoreError
from rungraph.graph.address import Address
from rungraph.graph.nodes import TableNode


async def test_what_is_unregistered_while_its_provider_comes_back_is_gone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not registered again while the store forgets it."""
    foo, store = Provider(), bench.store()
    table = await bench.table(foo=foo, store=store)
    await table.register_model(Model(identifier="m"))
    table.lose("foo", NotRunningError("stopped"))
    save, returned = store.save, asyncio.Event()

    async def save_later(registration: Registration) -> None:
        await returned.wait()
        await save(registration)

    monkeypatch.setattr(store, "save", save_later)
    unregistering = asyncio.create_task(table.unregister_model("m"))
    await asyncio.sleep(0)
    await table.join("foo", foo)
    returned.set()
    await unregistering
    await table.refresh()
    assert (await names(table), list(foo.served)) == ([], [])


@pytest.mark.parametrize(
    ("verb", "what"), [("register", Model(identifier="o")), ("unregister", "n")]
)
async def test_who_waits_for_a_provider_that_is_replaced_asks_none_that_has_stopped(
    bench: Bench, verb: str, what: object
) -> None:
    """What stands in for it is asked, or nobody is."""
    first, second = Provider("m"), Provider("m")
    table = await bench.table(foo=first)
    await table.register_model(Model(identifier="n"))
    member = table.member("foo")
    await member.turn.acquire()
    changing = asyncio.create_task(getattr(table, f"{verb}_model")(what))
    await asyncio.sleep(0)
    member.gate.close(set())
    table.lose("foo", NotRunningError("stopped"))
    await table.join("foo", second)
    member.turn.release()
    await changing
    assert (first.asked, sorted(first.served)) == (["n"], ["m", "n"])
    assert await names(table) == [f"foo/{one}" for one in sorted(second.served)]


@pytest.mark.parametrize("away", [["bar"], ["foo"], ["bar", "foo"]])
async def test_a_name_with_its_provider_means_no_other_one_while_that_is_away(
    bench: Bench, away: list[str]
) -> None:
    """Neither for a call, nor for who takes back what was registered: the other one is kept."""
    store = bench.store()
    table = await bench.table(foo=Provider(), bar=Provider(), store=store)
    await table.register_model(Model(identifier="n", provider_id="foo"))
    await table.register_model(Model(identifier="foo/n", provider_id="bar"))
    for one in away:
        table.lose(one, NotRunningError("stopped"))
    if "foo" in away:
        with pytest.raises(UnavailableResourceError, match="is on 'foo', which does not run"):
            table.resolve("foo/n")
        assert await table.get_model("foo/n") is None
    else:
        assert table.resolve("foo/n").provider_id == "foo"
    await table.unregister_model("foo/n")
    assert [one.provider_id for one in await store.load("models")] == ["bar"]
    assert "bar" in away or table.resolve("foo/n").provider_id == "bar"


async def test_who_takes_back_what_a_name_means_takes_what_calls_go_to(bench: Bench) -> None:
    """What its provider is known to have no more is next, once the other one is gone."""
    store, foo = bench.store(), Provider()
    table = await bench.table(foo=foo, bar=Provider(), store=store)
    await table.register_model(Model(identifier="n", provider_id="foo"))
    await table.register_model(Model(identifier="foo/n", provider_id="bar"))
    foo.served.clear()
    await table.refresh()
    for left in ["foo"], []:
        assert not left or table.resolve("foo/n").provider_id == "bar"
        await table.unregister_model("foo/n")
        assert [one.provider_id for one in await store.load("models")] == left


async def test_what_another_one_serves_is_taken_back_before_what_is_away(bench: Bench) -> None:
    """It is what the name means now, and what is away comes back."""
    store = bench.store()
    table = await bench.table(foo=Provider(), bar=Provider(), store=store)
    for one in "foo", "bar":
        await table.register_model(Model(identifier="n", provider_id=one))
    table.lose("foo", NotRunningError("stopped"))
    await table.unregister_model("n")
    assert [one.provider_id for one in await store.load("models")] == ["foo"]


async def test_what_the_config_wants_is_wanted_again(bench: Bench) -> None:
    """Its provider has it still, and is asked neither to take it nor to give it up."""

    class Strict(Provider):
        async def _register(self, resource: Any) -> Any:
            if resource.identifier in self.served:
                msg = "there already"
                raise ValueError(msg)
            return await super()._register(resource)

    assert PAIR is not None
    foo = Strict()
    for stays in (True, False):
        table = await bench.table(foo=foo)
        await table.register_model(Model(identifier="m"))
        table.lose("foo", NotRunningError("ill"))
        foo.refusal = ConnectionError("unreachable")
        await table.unregister_model("m")
        node = TableNode(Address.table("models"), PAIR, (configured("m"),))
        foo.refusal = None
        if stays:
            await table.reconfigure(node)
            await table.join("foo", foo)
        else:
            table = await bench.table("models", *node.resources, foo=foo)
        assert not table.wanted.lacking
        assert (await names(table), list(foo.served)) == (["foo/m"], ["m"])
        assert foo.asked == ["m"]
        await table.unregister_model("m")
        foo.asked.clear()


async def test_the_store_fails_while_the_provider_leaves(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever registers is told of the store, and what nobody has stored is not kept."""
    foo, store = Provider(), bench.store()
    table = await bench.table(foo=foo, store=store)

    async def fail(_registration: Registration) -> None:
        table.lose("foo", NotRunningError("stopped"))
        msg = "full"
        raise RegistrationStoreError(msg)

    monkeypatch.setattr(store, "save", fail)
    with pytest.raises(RegistrationStoreError):
        await table.register_model(Model(identifier="m"))
    await table.join("foo", foo)
    assert (await names(table), list(foo.served)) == ([], [])


async def test_each_registration_that_is_refused_later_is_told(bench: Bench) -> None:
    """Also if one of the same name was refused and unregistered before."""
    foo = Provider()
    table = await bench.table(foo=foo)
    for _ in range(2):
        foo.refusal = None
        await table.register_model(Model(identifier="m"))
        table.lose("foo", NotRunningError("stopped"))
        foo.refusal, foo.served = ValueError("no more"), {}
        await table.join("foo", foo)
        await table.unregister_model("m")
    told = [event.reason for event in bench.told(ResourceRemoved)]
    assert told.count("provider 'foo' refused model 'm': no more; kept until it is accepted") == 2


async def test_a_refresh_whose_turn_comes_too_late_asks_nobody(bench: Bench) -> None:
    """A provider that has stopped answers no more, to whatever."""
    asked = 0

    class Counting(Provider):
        async def _list(self) -> list[Any]:
            nonlocal asked
            asked += 1
            return await super()._list()

    table = await bench.table(foo=Counting())
    member = table.member("foo")
    await member.turn.acquire()
    refreshing = asyncio.create_task(table.refresh())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    member.gate.close(set())
    table.lose("foo", NotRunningError("stopped"))
    member.turn.release()
    await refreshing
    assert asked == 1

"""Resources that are registered while a stack runs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.engine.routing.conftest import Bench, Provider, names

from rungraph.engine.apis.models import Model
from rungraph.engine.errors import (
    AmbiguousResourceError,
    NotRunningError,
    UnknownResourceError,
)
from rungraph.engine.events import ResourceAdded, ResourceRemoved
from rungraph.engine.routing import (
    ProviderNeededError,
    Registration,
    RegistrationRefusedError,
    RegistrationStoreError,
    UnknownProviderError,
)


async def test_a_registration_is_served_at_once_and_after_a_restart(bench: Bench) -> None:
    """The provider is asked, the table lists it, and a new table registers it again."""
    foo = Provider()
    table = await bench.table(foo=foo)
    model = Model(identifier="small", provider_id="foo", provider_resource_id="org/small")
    assert await table.register_model(model) == model
    assert foo.asked == ["small"]
    assert bench.told(ResourceAdded)[0].reason == "registered"
    restarted = Provider()
    table = await bench.table(foo=restarted)
    assert restarted.asked == ["small"]
    assert await table.list_models() == [model]
    assert bench.told(ResourceAdded)[0].reason == "registered before the restart"
    await table.register_model(Model(identifier="small", metadata={"dimension": 768}))
    assert bench.told(ResourceAdded)[1].reason == "registered, changed"


async def test_the_only_provider_need_not_be_named(bench: Bench) -> None:
    """With one provider there is no choice; with several, errors name them and the nearest."""
    table = await bench.table(foo=Provider())
    assert (await table.register_model(Model(identifier="m"))).provider_id == "foo"
    table = await bench.table(foo=Provider(), bar=Provider())
    with pytest.raises(ProviderNeededError) as caught:
        await table.register_model(Model(identifier="n"))
    assert str(caught.value) == (
        "there are several providers that model 'n' could be registered with: 'bar', 'foo'\n"
        "help: name one of them as provider_id"
    )
    with pytest.raises(UnknownProviderError) as unknown:
        await table.register_model(Model(identifier="m", provider_id="fooo"))
    assert str(unknown.value) == (
        "provider 'fooo' of inference is not running\n"
        "running: 'bar', 'foo'\n"
        "help: did you mean 'foo'?"
    )
    with pytest.raises(ProviderNeededError, match="there is no provider that model 'n'"):
        await (await bench.table()).register_model(Model(identifier="n"))


async def test_registering_the_same_again_asks_nobody(bench: Bench) -> None:
    """Equal content is a no-op, also when the provider completed what it accepted."""

    class Completing(Provider):
        async def _register(self, resource: Any) -> Any:
            accepted = resource.model_copy(update={"metadata": {"size": 7}})
            return await super()._register(accepted)

    foo = Completing()
    table = await bench.table(foo=foo)
    model = Model(identifier="m")
    accepted = await table.register_model(model)
    assert await table.register_model(model) == accepted
    assert await table.register_model(accepted) == accepted
    spelt_out = Model(identifier="m", provider_resource_id="m")
    assert await table.register_model(spelt_out) == accepted
    assert foo.asked == ["m"]


async def test_a_provider_may_refuse_to_take_and_to_give_up(bench: Bench) -> None:
    """A refusal is a ValueError that names the provider; table and store stay as they were."""
    foo = Provider("built-in")
    foo.refusal = ValueError("no such weights")
    table = await bench.table(foo=foo)
    with pytest.raises(RegistrationRefusedError) as caught:
        await table.register_model(Model(identifier="m"))
    assert isinstance(caught.value, ValueError)
    assert str(caught.value) == "provider 'foo' refused model 'm': no such weights"
    assert caught.value.__cause__ is foo.refusal
    with pytest.raises(RegistrationRefusedError, match="'foo' refused model 'built-in': no such"):
        await table.unregister_model("built-in")
    assert await names(table) == ["foo/built-in"]
    assert await bench.store().load("models") == ()


async def test_a_provider_that_accepts_without_a_word_is_believed(bench: Bench) -> None:
    """None as answer means: as asked for. Another identifier becomes the provider's own name."""

    class Terse(Provider):
        async def _register(self, resource: Any) -> Any:
            return None if resource.identifier == "m" else Model(identifier="org/n")

    table = await bench.table(foo=Terse())
    await table.register_model(Model(identifier="m"))
    await table.register_model(Model(identifier="n"))
    assert [(model.identifier, model.native_id) for model in await table.list_models()] == [
        ("m", "m"),
        ("n", "org/n"),
    ]


async def test_unregistering(bench: Bench) -> None:
    """A bare, qualified or separate name takes a registration from provider, table and store."""
    foo, bar = Provider(), Provider()
    table = await bench.table(foo=foo, bar=bar)
    for provider_id, identifier in [("foo", "m"), ("bar", "m"), ("foo", "n"), ("foo", "o")]:
        await table.register_model(Model(identifier=identifier, provider_id=provider_id))
    with pytest.raises(AmbiguousResourceError):
        await table.unregister_model("m")
    await table.unregister_model("m", provider_id="bar")
    await table.unregister_model("foo/n")
    await table.unregister_model(identifier="o")
    assert await names(table) == ["foo/m"]
    assert (list(foo.served), list(bar.served)) == (["m"], [])
    assert [kept.identifier for kept in await bench.store().load("models")] == ["m"]
    with pytest.raises(UnknownResourceError, match="model 'bar/m' is not registered"):
        await table.unregister_model("m", "bar")
    assert {event.reason for event in bench.told(ResourceRemoved)} == {"unregistered"}


async def test_what_its_provider_lists_is_kept_once_it_is_registered(bench: Bench) -> None:
    """The provider may forget it, which whoever registered it must not notice."""
    table = await bench.table(foo=Provider("m"))
    (listed,) = await table.list_models()
    await table.register_model(listed)
    assert [kept.identifier for kept in await bench.store().load("models")] == ["m"]


@pytest.mark.parametrize("is_stopped", [False, True])
async def test_what_is_unregistered_while_its_provider_is_away_is_gone(
    bench: Bench, is_stopped: bool
) -> None:
    """The provider is ill, or stopped and cannot be asked: it would list it once it is back."""
    foo = Provider()
    table = await bench.table(foo=foo)
    await table.register_model(Model(identifier="m"))
    if is_stopped:
        table.member("foo").gate.close(set())
    table.lose("foo", NotRunningError("away"))
    await table.unregister_model("m")
    assert list(foo.served) == ["m"] * is_stopped
    await table.join("foo", foo)
    assert await names(table) == list(foo.served) == []


async def test_what_its_provider_could_not_be_asked_to_give_up_is_gone(bench: Bench) -> None:
    """It is asked again at each refresh, and what it lists meanwhile is not offered."""
    foo = Provider()
    table = await bench.table(foo=foo)
    await table.register_model(Model(identifier="m"))
    table.lose("foo", NotRunningError("ill"))
    foo.refusal = ConnectionError("unreachable")
    await table.unregister_model("m")
    await table.join("foo", foo)
    assert (list(foo.served), await names(table)) == (["m"], [])
    foo.refusal = None
    await table.refresh()
    assert list(foo.served) == []
    foo.served["foo/m"] = Model(identifier="m")  # Of its own accord.
    await table.refresh()
    assert await names(table) == ["foo/m"]


async def test_no_restart_brings_back_what_was_unregistered(bench: Bench) -> None:
    """What the provider still has is not offered by the next process, which asks for it, too."""
    foo = Provider()
    table = await bench.table(foo=foo)
    await table.register_model(Model(identifier="m"))
    foo.refusal = ConnectionError("unreachable")
    table.lose("foo", NotRunningError("ill"))
    await table.unregister_model("m")
    table = await bench.table(foo=foo)
    assert (list(foo.served), await names(table)) == (["m"], [])
    foo.refusal = None
    await table.refresh()
    assert list(foo.served) == []
    foo.served["m"] = Model(identifier="m")  # Of its own accord.
    assert await names(await bench.table(foo=foo)) == ["foo/m"]


async def test_what_hangs_keeps_its_provider_from_nothing_else(bench: Bench) -> None:
    """What one registration, or its end, waits for in vain costs the others a refresh at most."""
    table = await bench.table(foo=Provider())
    for name in ("first", "second", "third"):
        await table.register_model(Model(identifier=name))

    class Hanging(Provider):
        async def _register(self, resource: Any) -> Any:
            if resource.identifier == "first":
                await asyncio.Event().wait()
            return await super()._register(resource)

        async def _unregister(self, resource: Any) -> None:
            await asyncio.Event().wait()

    foo = Hanging()
    table = await bench.table(foo=foo, deadline=0.05)
    for _ in range(2):  # The one that hung is asked last now; and so is what is to be given up.
        await table.refresh()
        await asyncio.sleep(0)
    assert await names(table) == ["foo/second", "foo/third"]
    table.lose("foo", NotRunningError("ill"))
    await table.unregister_model("second")
    foo.served["new"] = Model(identifier="new")
    await asyncio.sleep(0)
    await table.join("foo", foo)
    assert await names(table) == ["foo/new", "foo/third"]


async def test_what_the_store_does_not_forget_is_still_registered(bench: Bench) -> None:
    """Nothing is unregistered until the next restart only; to try again is possible."""
    foo = Provider()
    store = bench.store()
    table = await bench.table(foo=foo, store=store)
    await table.register_model(Model(identifier="m"))
    await store.aclose()
    with pytest.raises(RegistrationStoreError):
        await table.unregister_model("m")
    await table.refresh()
    assert await names(table) == [f"foo/{name}" for name in foo.served] == ["foo/m"]


async def test_what_another_version_stored_can_be_unregistered(bench: Bench) -> None:
    """It is not served, and nobody can say what its provider would be to give up."""
    store = bench.store()
    await store.save(Registration("models", "m", "foo", {}, form=99))
    table = await bench.table(foo=Provider(), store=store)
    await table.unregister_model("m")
    assert await store.load("models") == ()


async def test_what_cannot_be_stored_is_not_registered(bench: Bench) -> None:
    """When the store fails, the caller is told; table and provider are as before."""
    table = await bench.table(foo=Provider("old"))
    bench.spoil_file()
    for name in ("m", "old"):
        with pytest.raises(RegistrationStoreError):
            await table.register_model(Model(identifier=name, metadata={"other": 1}))
    assert await names(table) == ["foo/old"]
    await table.refresh()
    assert await names(table) == ["foo/old"]


async def test_registrations_with_one_provider_take_turns(bench: Bench) -> None:
    """Two registrations of one name at the same time end as the later one, everywhere."""
    foo = Provider()
    table = await bench.table(foo=foo)
    models = [Model(identifier="m", metadata={"round": round_}) for round_ in range(5)]
    await asyncio.gather(*map(table.register_model, models))
    (served,) = await table.list_models()
    (kept,) = await bench.store().load("models")
    assert served.metadata == kept.content["metadata"] == {"round": 4}


async def test_unregistering_waits_for_a_refresh(bench: Bench) -> None:
    """A listing that was made before does not bring back what was unregistered after it."""
    listed, release = asyncio.Event(), asyncio.Event()

    class Slow(Provider):
        async def _list(self) -> list[Any]:
            listing = await super()._list()
            listed.set()
            await release.wait()
            return listing

    release.set()
    table = await bench.table(foo=Slow("m"))
    release.clear()
    listed.clear()
    refreshing = asyncio.create_task(table.refresh())
    await listed.wait()
    unregistering = asyncio.create_task(table.unregister_model("m"))
    await asyncio.sleep(0.01)
    release.set()
    await asyncio.gather(refreshing, unregistering)
    assert await table.list_models() == []

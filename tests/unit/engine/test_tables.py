"""Routing tables: what they list, register, refresh, keep and say."""

from __future__ import annotations

import asyncio
import inspect
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from pydantic import computed_field

from rungraph.engine.apis.memory_banks import KeyValueMemoryBank, VectorMemoryBank
from rungraph.engine.apis.models import Model
from rungraph.engine.apis.resource import Resource
from rungraph.engine.apis.shields import Shield
from rungraph.engine.catalog import CATALOG
from rungraph.engine.errors import AmbiguousResourceError, UnknownResourceError
from rungraph.engine.events import Event, RefreshFailed, ResourceAdded, ResourceRemoved
from rungraph.engine.routing import (
    PairError,
    ProviderNeededError,
    Registration,
    RegistrationRefusedError,
    RegistrationStore,
    RegistrationStoreError,
    UnknownProviderError,
    create_table,
)
from rungraph.graph.address import Address
from rungraph.graph.catalog.specs import ApiSpec, RoutedPair
from rungraph.graph.nodes import ResourceConfig, TableNode
from rungraph.graph.place import Place

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


class Provider:
    """A provider of any routed API that serves what it is told to."""

    def __init__(self, *identifiers: str, noun: str = "model", kind: Any = Model) -> None:
        self.served: dict[str, Any] = {name: kind(identifier=name) for name in identifiers}
        self.refusal: Exception | None = None
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.asked: list[str] = []
        setattr(self, f"list_{noun}s", self._list)
        setattr(self, f"register_{noun}", self._register)
        setattr(self, f"unregister_{noun}", self._unregister)

    async def _list(self) -> list[Any]:
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return list(self.served.values())

    async def _register(self, resource: Any) -> Any:
        self.asked.append(resource.identifier)
        if self.refusal is not None:
            raise self.refusal
        self.served[resource.identifier] = resource
        return resource

    async def _unregister(self, resource: Any) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.served.pop(resource.identifier, None)


class Bench:
    """Makes tables on one store and keeps their events."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events: list[Event] = []
        self.news = asyncio.Event()
        self.tables: list[Any] = []
        self.stores: list[RegistrationStore] = []

    def store(self) -> RegistrationStore:
        """Return a store on the file, closed at the end."""
        opened = RegistrationStore(self.path)
        self.stores.append(opened)
        return opened

    async def table(
        self,
        table_api: str = "models",
        *resources: ResourceConfig,
        store: RegistrationStore | None = None,
        pair: RoutedPair | None = None,
        api: ApiSpec | None = None,
        deadline: float = 5.0,
        refresh_interval: float | None = None,
        **members: object,
    ) -> Any:
        """Return a running table; its events are in `events`, oldest first."""
        found = pair or CATALOG.pair_of_table(table_api)
        assert found is not None
        self.events.clear()
        table = await create_table(
            TableNode(Address.table(table_api), found, resources),
            members,
            api=api or CATALOG.apis[table_api],
            store=store or self.store(),
            emit=self.emit,
            clock=lambda: 1.5,
            deadline=deadline,
            refresh_interval=refresh_interval,
        )
        self.tables.append(table)
        return table

    def emit(self, event: Event) -> None:
        """Take an event."""
        self.events.append(event)
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for the events that make *condition* hold."""
        async with asyncio.timeout(10):
            while not condition():
                self.news.clear()
                await self.news.wait()

    def spoil_file(self) -> None:
        """Put something that is no store where the store's file goes."""
        self.path.write_bytes(b"something else, long enough to be no database" * 9)

    def told(self, kind: type[Event]) -> list[Any]:
        """Return the events of one type."""
        return [event for event in self.events if isinstance(event, kind)]

    async def aclose(self) -> None:
        """Stop everything."""
        for table in self.tables:
            await table.shutdown()
        for store in self.stores:
            await store.aclose()


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Yield a maker of tables."""
    made = Bench(tmp_path / "registrations.sqlite")
    yield made
    await made.aclose()


def configured(identifier: str, provider_id: str = "foo", **more: Any) -> ResourceConfig:
    """Return a model of the run config."""
    return ResourceConfig("models", identifier, provider_id, **more)


async def names(table: Any) -> list[str]:
    """Return the models of the table as ``provider/identifier``."""
    return [f"{model.provider_id}/{model.identifier}" for model in await table.list_models()]


# --- what a table offers ---------------------------------------------------------------------


@pytest.mark.parametrize("pair", CATALOG.pairs, ids=lambda pair: pair.table_api)
async def test_a_table_offers_the_methods_of_its_protocol(bench: Bench, pair: RoutedPair) -> None:
    """The method names are the pair's nouns, and the signatures those of the Protocol."""
    table = await bench.table(pair.table_api)
    protocol = resolve_name(CATALOG.apis[pair.table_api].protocol)
    for method in (
        f"list_{pair.resources}",
        f"get_{pair.resource}",
        f"register_{pair.resource}",
        f"unregister_{pair.resource}",
    ):
        function = getattr(table, method)
        assert inspect.iscoroutinefunction(function)
        assert function.__route__ is getattr(protocol, method).__route__
        _, *expected = inspect.signature(getattr(protocol, method)).parameters
        assert list(inspect.signature(function).parameters) == expected


class Widget(Resource):
    """A resource of an API that nobody here knows."""

    size: int = 1

    @computed_field  # type: ignore[prop-decorator]  # pydantic's documented form; mypy lacks it
    @property
    def weight(self) -> int:
        """What follows from the size, and is no field of its own."""
        return 2 * self.size


class Widgets(Protocol):
    """A table API with its own parameter names, and without unregistering."""

    async def list_widgets(self) -> list[Widget]:
        """List."""
        ...

    async def get_widget(self, widget_id: str) -> Widget | None:
        """Get."""
        ...

    async def register_widget(self, the_widget: Widget) -> Widget:
        """Register."""
        ...


class Counters(Protocol):
    """A table API that asks for more than a table can do."""

    async def count_widgets(self) -> int:
        """Count."""
        ...


WIDGET_PAIR = RoutedPair("gadgets", "widgets", "widget", "widget_id", f"{__name__}:Widget")


async def test_a_pair_that_nobody_knows_works_alike(bench: Bench) -> None:
    """Nouns, parameter names and resource type all come from the pair and its Protocol."""
    api = ApiSpec("widgets", f"{__name__}:Widgets")
    foo = Provider("w", noun="widget", kind=Widget)
    table = await bench.table("widgets", pair=WIDGET_PAIR, api=api, foo=foo)
    await table.register_widget(the_widget=Widget(identifier="x", size=3))
    assert await table.get_widget(widget_id="foo/x") == Widget(
        identifier="x", provider_id="foo", size=3
    )
    assert not hasattr(table, "unregister_widget")
    foo = Provider(noun="widget")
    table = await bench.table("widgets", pair=WIDGET_PAIR, api=api, foo=foo)
    assert (await table.get_widget("x")).weight == 6


async def test_a_protocol_that_asks_for_more_is_an_error(bench: Bench) -> None:
    """A method that no table has is named, with those that there are."""
    with pytest.raises(PairError) as caught:
        await bench.table(
            "widgets", pair=WIDGET_PAIR, api=ApiSpec("widgets", f"{__name__}:Counters")
        )
    assert str(caught.value) == (
        "the table API 'widgets' asks for count_widgets(), which no table offers so\n"
        "known: list_widgets, get_widget, register_widget, unregister_widget"
    )


async def test_unions_and_aliases_of_resource_types_work(bench: Bench) -> None:
    """Banks are told apart by type; a shield's second name for its type survives the store."""
    banks = Provider("a", noun="memory_bank", kind=KeyValueMemoryBank)
    shields = Provider(noun="shield")
    table = await bench.table("memory_banks", foo=banks)
    await table.register_memory_bank({"identifier": "v", "type": "vector", "embedding_model": "e"})
    await (await bench.table("shields", foo=shields)).register_shield(
        Shield.model_validate({"identifier": "guard", "type": "llama_guard"})
    )
    again = await bench.table("memory_banks", foo=Provider(noun="memory_bank"))
    assert await again.get_memory_bank("v") == VectorMemoryBank(
        identifier="v", provider_id="foo", embedding_model="e"
    )
    once_more = await bench.table("shields", foo=Provider(noun="shield"))
    assert (await once_more.get_shield("guard")).shield_type == "llama_guard"


# --- names -------------------------------------------------------------------------------------


async def test_a_table_lists_what_its_providers_serve_sorted(bench: Bench) -> None:
    """The listing is sorted by identifier, then provider, whatever the providers' order."""
    table = await bench.table(foo=Provider("m", "b"), bar=Provider("m", "a"))
    assert await names(table) == ["bar/a", "foo/b", "bar/m", "foo/m"]
    added = bench.told(ResourceAdded)
    assert (added[0].at, str(added[0].table)) == (1.5, "table:models")
    assert {event.reason for event in added} == {"listed by its provider"}


async def test_bare_and_qualified_names(bench: Bench) -> None:
    """A name that one resource has means it; with its provider it is always clear."""
    table = await bench.table(foo=Provider("m", "x"), bar=Provider("m"))
    assert (await table.get_model("x")).provider_id == "foo"
    assert (await table.get_model("bar/m")).provider_id == "bar"
    assert (await table.get_model(identifier="foo/m")).provider_id == "foo"
    assert await table.get_model("y") is None


async def test_an_ambiguous_name_names_the_choices(bench: Bench) -> None:
    """A bare name that two providers serve is an error that says what to ask for."""
    table = await bench.table(foo=Provider("m"), bar=Provider("m"))
    with pytest.raises(AmbiguousResourceError) as caught:
        await table.get_model("m")
    assert str(caught.value) == (
        "model 'm' is served by 2 providers\nhelp: ask for one of them: 'bar/m', 'foo/m'"
    )


async def test_a_qualified_name_that_is_also_an_identifier_is_ambiguous(bench: Bench) -> None:
    """``a/m`` may be ``m`` of ``a`` or ``a/m`` of ``b``: each has a name that is clear."""
    table = await bench.table(a=Provider("m"), b=Provider("a/m"))
    with pytest.raises(AmbiguousResourceError) as caught:
        await table.get_model("a/m")
    assert caught.value.choices == ("b/a/m", "m")
    assert (await table.get_model("m")).provider_id == "a"


async def test_an_ambiguous_name_becomes_clear_again(bench: Bench) -> None:
    """Once only one provider serves a name, the bare name means it."""
    bar = Provider("m")
    table = await bench.table(foo=Provider("m"), bar=bar)
    bar.served.clear()
    await table.refresh()
    assert (await table.get_model("m")).provider_id == "foo"


async def test_an_unknown_name_says_what_is_there_and_the_nearest(bench: Bench) -> None:
    """Names that are ambiguous without their provider are listed with it."""
    table = await bench.table(foo=Provider("llama", "m"), bar=Provider("m"))
    with pytest.raises(UnknownResourceError) as caught:
        table.resolve("lama")
    assert str(caught.value) == (
        "model 'lama' is not registered\n"
        "registered: 'bar/m', 'foo/m', 'llama'\n"
        "help: did you mean 'llama'?"
    )


async def test_a_long_list_of_what_is_there_is_cut(bench: Bench) -> None:
    """An error stays readable however many resources there are."""
    table = await bench.table(foo=Provider(*(f"model-{index:05}" for index in range(2000))))
    with pytest.raises(UnknownResourceError) as caught:
        table.resolve("x")
    assert "and 1980 more" in str(caught.value)
    assert len(str(caught.value)) < 1000


# --- registering -------------------------------------------------------------------------------


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


async def test_the_only_provider_need_not_be_named(bench: Bench) -> None:
    """With one provider there is no choice; with several, the error names them."""
    table = await bench.table(foo=Provider())
    assert (await table.register_model(Model(identifier="m"))).provider_id == "foo"
    table = await bench.table(foo=Provider(), bar=Provider())
    with pytest.raises(ProviderNeededError) as caught:
        await table.register_model(Model(identifier="n"))
    assert str(caught.value) == (
        "there are several providers that model 'n' could be registered with: 'bar', 'foo'\n"
        "help: name one of them as provider_id"
    )
    with pytest.raises(ProviderNeededError, match="there is no provider that model 'n'"):
        await (await bench.table()).register_model(Model(identifier="n"))


async def test_an_unknown_provider_names_the_known_ones(bench: Bench) -> None:
    """A misspelt provider is an error with the nearest."""
    table = await bench.table(foo=Provider(), bar=Provider())
    with pytest.raises(UnknownProviderError) as caught:
        await table.register_model(Model(identifier="m", provider_id="fooo"))
    assert str(caught.value) == (
        "provider 'fooo' of inference is not running\n"
        "running: 'bar', 'foo'\n"
        "help: did you mean 'foo'?"
    )


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


async def test_changed_content_updates_table_and_store(bench: Bench) -> None:
    """Registering something else under the same name replaces it, now and after a restart."""
    table = await bench.table(foo=Provider())
    await table.register_model(Model(identifier="m", metadata={"dimension": 384}))
    changed = Model(identifier="m", metadata={"dimension": 768})
    await table.register_model(changed)
    expected = changed.model_copy(update={"provider_id": "foo"})
    assert await table.list_models() == [expected]
    assert [event.reason for event in bench.told(ResourceAdded)] == [
        "registered",
        "registered, changed",
    ]
    assert await (await bench.table(foo=Provider())).list_models() == [expected]


async def test_a_provider_may_refuse(bench: Bench) -> None:
    """A refusal is a ValueError that names the provider; nothing is listed or kept."""
    foo = Provider()
    foo.refusal = ValueError("no such weights")
    table = await bench.table(foo=foo)
    with pytest.raises(ValueError, match="no such weights") as caught:
        await table.register_model(Model(identifier="m"))
    assert str(caught.value) == "provider 'foo' refused model 'm': no such weights"
    assert caught.value.__cause__ is foo.refusal
    assert await table.list_models() == []
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


async def test_a_provider_may_refuse_to_give_up(bench: Bench) -> None:
    """What the provider does not give up stays."""
    foo = Provider("m")
    table = await bench.table(foo=foo)
    foo.refusal = ValueError("it is built in")
    with pytest.raises(RegistrationRefusedError, match="'foo' refused model 'm': it is built in"):
        await table.unregister_model("m")
    assert await names(table) == ["foo/m"]


async def test_what_cannot_be_stored_is_not_registered(bench: Bench) -> None:
    """When the store fails, the caller is told and the table is as before."""
    table = await bench.table(foo=Provider())
    bench.spoil_file()
    with pytest.raises(RegistrationStoreError):
        await table.register_model(Model(identifier="m"))
    assert await table.list_models() == []


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


# --- restarts ----------------------------------------------------------------------------------


async def test_what_is_refused_after_a_restart_goes(bench: Bench) -> None:
    """A refused registration leaves table and store, and an event says why."""
    await (await bench.table(foo=Provider())).register_model(Model(identifier="m"))
    foo = Provider()
    foo.refusal = ValueError("gone")
    table = await bench.table(foo=foo)
    assert await table.list_models() == []
    (event,) = bench.told(ResourceRemoved)
    assert event.reason == "provider 'foo' refused model 'm': gone"
    assert await bench.store().load("models") == ()


@pytest.mark.parametrize("failure", [ConnectionError("down"), UnicodeError("garbled")])
async def test_trouble_after_a_restart_loses_nothing(bench: Bench, failure: Exception) -> None:
    """A provider that fails rather than refuses keeps its registrations for the next refresh."""
    await (await bench.table(foo=Provider())).register_model(Model(identifier="m"))
    foo = Provider()
    foo.refusal = failure
    table = await bench.table(foo=foo)
    assert await table.list_models() == []
    assert [event.error for event in bench.told(RefreshFailed)] == [failure]
    foo.refusal = None
    await table.refresh()
    assert await names(table) == ["foo/m"]


async def test_a_new_registration_replaces_one_that_waits(bench: Bench) -> None:
    """What is registered while its provider was in trouble counts; the old one is not restored."""
    await (await bench.table(foo=Provider())).register_model(
        Model(identifier="m", metadata={"version": 1})
    )
    foo = Provider()
    foo.failure = ConnectionError()
    table = await bench.table(foo=foo)
    await table.register_model(Model(identifier="m", metadata={"version": 2}))
    foo.failure = None
    await table.refresh()
    assert [model.metadata for model in await table.list_models()] == [{"version": 2}]


async def test_registering_what_is_listed_replaces_one_that_waits(bench: Bench) -> None:
    """Equal content is no reason to leave another one waiting in the store."""
    await bench.store().save(
        Registration("models", "m", "foo", {"identifier": "m", "provider_id": "foo"})
    )
    foo = Provider()
    foo.served["m"] = Model(identifier="m", metadata={"version": 2})
    foo.refusal = ConnectionError()
    table = await bench.table(foo=foo)
    foo.refusal = None
    await table.register_model(foo.served["m"])
    (kept,) = await bench.store().load("models")
    assert kept.content["metadata"] == {"version": 2}


async def test_registrations_wait_for_their_provider(bench: Bench) -> None:
    """What belongs to a provider that is not there is kept, said, and back with the provider."""
    await (await bench.table(foo=Provider(), bar=Provider())).register_model(
        Model(identifier="m", provider_id="bar")
    )
    table = await bench.table(foo=Provider())
    assert await table.list_models() == []
    (event,) = bench.told(ResourceRemoved)
    assert (event.identifier, event.provider_id) == ("m", "bar")
    assert event.reason == "its provider is not running; kept until it is"
    assert await names(await bench.table(bar=Provider())) == ["bar/m"]


async def test_a_registration_that_waits_can_be_forgotten(bench: Bench) -> None:
    """Unregistering takes it from the store without its provider."""
    await (await bench.table(foo=Provider(), bar=Provider())).register_model(
        Model(identifier="m", provider_id="bar")
    )
    await (await bench.table(foo=Provider())).unregister_model("m")
    assert await bench.store().load("models") == ()


async def test_what_the_provider_lists_itself_is_not_registered_again(bench: Bench) -> None:
    """A provider that remembers for itself is not asked; the registration stays one."""
    foo = Provider()
    await (await bench.table(foo=foo)).register_model(Model(identifier="m"))
    foo.asked.clear()
    await bench.table(foo=foo)
    assert foo.asked == []
    assert len(await bench.store().load("models")) == 1


@pytest.mark.parametrize(
    ("content", "form", "words"),
    [({"identifier": "m", "colour": 1}, 1, "colour"), ({"identifier": "m"}, 99, "another version")],
)
async def test_what_cannot_be_read_is_kept(
    bench: Bench, content: dict[str, Any], form: int, words: str
) -> None:
    """A stored resource of another version is not served, not lost, and said."""
    await bench.store().save(Registration("models", "m", "foo", content, form))
    table = await bench.table(foo=Provider())
    assert await table.list_models() == []
    (event,) = bench.told(RefreshFailed)
    assert words in str(event.error)
    assert len(await bench.store().load("models")) == 1


# --- the run config ----------------------------------------------------------------------------


async def test_the_run_configs_resources_are_registered(bench: Bench) -> None:
    """They have their own name, the provider's, and whatever else the config says."""
    foo = Provider()
    entry = configured("small", provider_resource_id="org/small", fields={"metadata": {"a": 1}})
    table = await bench.table("models", entry, foo=foo)
    assert await table.list_models() == [
        Model(
            identifier="small",
            provider_id="foo",
            provider_resource_id="org/small",
            metadata={"a": 1},
        )
    ]
    assert foo.served["small"].native_id == "org/small"
    assert await bench.store().load("models") == ()


async def test_the_run_configs_word_counts(bench: Bench) -> None:
    """What was registered before under a name that the config now says is replaced by it."""
    await (await bench.table(foo=Provider())).register_model(
        Model(identifier="m", metadata={"dimension": 384})
    )
    entry = configured("m", fields={"metadata": {"dimension": 768}})
    table = await bench.table("models", entry, foo=Provider())
    assert (await table.get_model("m")).metadata == {"dimension": 768}
    assert await bench.store().load("models") == ()


async def test_one_refused_resource_of_the_config_does_not_stop_the_others(bench: Bench) -> None:
    """A refusal is an event; the rest is served, and a refresh asks again."""
    foo, bar = Provider(), Provider()
    foo.refusal = ValueError("not yet")
    table = await bench.table("models", configured("m"), configured("n", "bar"), foo=foo, bar=bar)
    assert await names(table) == ["bar/n"]
    (event,) = bench.told(RefreshFailed)
    assert str(event.error) == "provider 'foo' refused model 'm': not yet"
    foo.refusal = None
    await table.refresh()
    assert await names(table) == ["foo/m", "bar/n"]


async def test_invalid_resources_of_the_config_are_all_named(bench: Bench) -> None:
    """Every entry that is not valid is named with its place, without its values."""
    entries = [
        configured("m", fields={"model_type": "hunter2"}, place=Place("run.yaml", 7, 3)),
        configured("n", fields={"colour": "hunter2"}),
    ]
    with pytest.raises(PairError) as caught:
        await bench.table("models", *entries, foo=Provider())
    assert str(caught.value) == (
        "model 'm' (run.yaml:7:3) is not valid\n"
        "model_type: Input should be 'llm' or 'embedding'\n"
        "model 'n' is not valid\n"
        "colour: Extra inputs are not permitted"
    )


async def test_an_unregistered_resource_of_the_config_stays_away(bench: Bench) -> None:
    """A refresh does not bring back what was taken back on purpose; a restart does."""
    foo = Provider()
    table = await bench.table("models", configured("m"), foo=foo)
    await table.unregister_model("m")
    await table.refresh()
    assert await table.list_models() == []
    assert await names(await bench.table("models", configured("m"), foo=foo)) == ["foo/m"]


# --- refreshing --------------------------------------------------------------------------------


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
        "its provider no longer serves it",
        "its provider no longer serves it",
    ]
    assert await bench.store().load("models") == ()


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


async def test_what_was_registered_stays_so_when_it_is_listed(bench: Bench) -> None:
    """A provider that lists a registration in its own words does not change it."""
    foo = Provider()
    table = await bench.table(foo=foo)
    await table.register_model(Model(identifier="m", metadata={"mine": 1}))
    foo.served["m"] = Model(identifier="m")
    await table.refresh()
    assert (await table.get_model("m")).metadata == {"mine": 1}
    foo.served.clear()
    await table.refresh()
    assert await bench.store().load("models") == ()


async def test_a_failing_provider_keeps_its_resources_and_harms_no_other(bench: Bench) -> None:
    """The old list stays, the error is an event, and the other providers are refreshed."""
    foo, bar = Provider("m"), Provider()
    table = await bench.table(foo=foo, bar=bar)
    foo.failure = RuntimeError("boom")
    bar.served["n"] = Model(identifier="n")
    await table.refresh()
    assert await names(table) == ["foo/m", "bar/n"]
    (event,) = bench.told(RefreshFailed)
    assert (event.provider_id, event.error) == ("foo", foo.failure)


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
    begun, release = asyncio.Event(), asyncio.Event()

    class Slow(Provider):
        async def _register(self, resource: Any) -> Any:
            begun.set()
            await release.wait()
            return await super()._register(resource)

    table = await bench.table(foo=Slow("m"), deadline=0.01)
    registering = asyncio.create_task(table.register_model(Model(identifier="n")))
    await begun.wait()
    await table.refresh()
    assert len(bench.told(RefreshFailed)) == 1
    release.set()
    await registering
    assert await names(table) == ["foo/m", "foo/n"]


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


async def test_two_tables_share_nothing(bench: Bench) -> None:
    """A second table of the same pair in one process starts with nothing of the first."""
    await bench.table(foo=Provider("m"))
    assert await names(await bench.table(foo=Provider("n"))) == ["foo/n"]


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

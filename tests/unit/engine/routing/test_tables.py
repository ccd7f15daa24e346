"""What a routing table offers, under which names."""

from __future__ import annotations

import inspect
from pkgutil import resolve_name
from typing import Protocol

import pytest
from pydantic import computed_field
from tests.unit.engine.routing.conftest import Bench, Provider, names, turning

from rungraph.engine.apis.memory_banks import KeyValueMemoryBank, VectorMemoryBank
from rungraph.engine.apis.models import Model
from rungraph.engine.apis.resource import Resource
from rungraph.engine.apis.shields import Shield
from rungraph.engine.catalog import CATALOG
from rungraph.engine.errors import AmbiguousResourceError, UnknownResourceError
from rungraph.engine.events import ResourceAdded
from rungraph.engine.routing import PairError
from rungraph.graph.catalog.specs import ApiSpec, RoutedPair


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

    async def list_widgets(self) -> list[Widget]: ...

    async def get_widget(self, widget_id: str) -> Widget | None: ...

    async def register_widget(self, the_widget: Widget) -> Widget: ...


class Counters(Protocol):
    """A table API that asks for more than a table can do."""

    async def count_widgets(self) -> int: ...


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


async def test_a_table_lists_what_its_providers_serve_sorted(bench: Bench) -> None:
    """The listing is sorted by identifier, then provider, whatever the providers' order."""
    table = await bench.table(foo=Provider("m", "b"), bar=Provider("m", "a"))
    assert await names(table) == ["bar/a", "foo/b", "bar/m", "foo/m"]
    added = bench.told(ResourceAdded)
    assert (added[0].at, str(added[0].table)) == (1.5, "table:models")
    assert {event.reason for event in added} == {"listed by its provider"}


async def test_names_mean_one_resource_or_say_which_they_could_mean(bench: Bench) -> None:
    """Bare where one provider has it, else with its provider; ``a/m`` is ``m`` of ``a`` first."""
    table = await bench.table(foo=Provider("m", "x", "bar/m"), bar=Provider("m"))
    for name, provider_id in (("x", "foo"), ("foo/m", "foo"), ("foo/bar/m", "foo")):
        assert (await table.get_model(identifier=name)).provider_id == provider_id
    assert await table.get_model("y") is None
    with pytest.raises(AmbiguousResourceError) as caught:
        await table.get_model("m")
    assert str(caught.value) == (
        "model 'm' is served by 2 providers\nhelp: ask for one of them: 'bar/m', 'foo/m'"
    )
    table = await bench.table(a=Provider("m"), b=Provider("a/m"))
    assert (await table.get_model("a/m")).provider_id == "a"
    assert (await table.get_model("b/a/m")).identifier == "a/m"


async def test_an_unknown_name_says_what_is_there_and_the_nearest(bench: Bench) -> None:
    """Names that are ambiguous are listed with their provider; a long list is cut."""
    table = await bench.table(foo=Provider("llama", "m"), bar=Provider("m"))
    with pytest.raises(UnknownResourceError) as caught:
        table.resolve("lama")
    assert str(caught.value) == (
        "model 'lama' is not registered\n"
        "registered: 'bar/m', 'foo/m', 'llama'\n"
        "help: did you mean 'llama'?"
    )
    await table.unregister_model("foo/m")
    await table.register_model(Model(identifier="new", provider_id="bar"))
    with pytest.raises(UnknownResourceError, match=r"registered: 'llama', 'm', 'new'$"):
        table.resolve("x")
    table = await bench.table(foo=Provider(*(f"model-{index:05}" for index in range(2000))))
    with pytest.raises(UnknownResourceError) as caught:
        table.resolve("x")
    assert "and 1,980 more" in str(caught.value)
    assert len(str(caught.value)) < 1000


async def test_a_big_table_stops_in_slices(bench: Bench) -> None:
    """Others have the event loop in between."""
    table = await bench.table("models", foo=Provider(*(f"m{number}" for number in range(2000))))
    async with turning() as turns:
        await table.shutdown()
    assert len(turns) >= 2000 // 500

"""What a table still knows after a restart, and what the run config says of it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.engine.routing.conftest import Bench, Provider, configured, names

from rungraph.engine.apis.models import Model
from rungraph.engine.errors import NotRunningError, UnavailableResourceError
from rungraph.engine.events import RefreshFailed, ResourceRemoved
from rungraph.engine.routing import PairError, Registration, UnstorableError
from rungraph.graph.place import Place


async def test_what_is_refused_after_a_restart_is_kept_and_not_served(bench: Bench) -> None:
    """An event says why, once; it is served when the provider takes it, and only then."""
    await (await bench.table(foo=Provider())).register_model(Model(identifier="m"))
    foo = Provider()
    foo.refusal = ValueError("gone")
    table = await bench.table(foo=foo)
    assert await table.list_models() == []
    (event,) = bench.told(ResourceRemoved)
    assert event.reason == "provider 'foo' refused model 'm': gone; kept until it is accepted"
    await table.refresh()
    assert len(bench.told(ResourceRemoved)) == 1
    assert len(await bench.store().load("models")) == 1
    foo.refusal = None
    await table.refresh()
    assert await names(table) == ["foo/m"]


async def test_an_empty_listing_loses_no_registration(bench: Bench) -> None:
    """A remote that restarts lists nothing for a while: what was registered comes back with it."""
    foo = Provider()
    table = await bench.table(foo=foo)
    await table.register_model(Model(identifier="mine", provider_resource_id="m"))
    served, foo.served = foo.served, {}
    await table.refresh()
    assert await table.list_models() == []
    (event,) = bench.told(ResourceRemoved)
    assert event.reason == "its provider no longer serves it; kept until it does"
    again = await bench.table(foo=Provider("m"))
    assert await names(again) == ["foo/m", "foo/mine"]
    foo.served = served
    await table.refresh()
    assert await names(table) == ["foo/mine"]
    await table.unregister_model("mine")
    assert await bench.store().load("models") == ()


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"x": object()}, "Unable to serialize unknown type: <class 'object'>"),
        ({"x": b"\xff"}, "invalid utf-8"),
        ({"x": 10**5000}, "Exceeds the limit"),
        ({"x": b"text"}, "bytes is not JSON serializable"),
        ({"x": {1}}, "set is not JSON serializable"),
        ({"x": float("nan")}, "not JSON compliant"),
    ],
)
async def test_what_cannot_be_stored_is_not_served(
    bench: Bench, metadata: dict[str, Any], reason: str
) -> None:
    """All or nothing: neither the provider nor the table has anything of it."""
    foo = Provider()
    table = await bench.table(foo=foo)
    with pytest.raises(UnstorableError, match=f"it cannot be stored: .*{reason}"):
        await table.register_model(Model(identifier="m", metadata=metadata))
    assert await table.list_models() == []
    assert foo.served == {}


async def test_a_provider_that_has_failed_is_offered_no_more(bench: Bench) -> None:
    """What it served goes from the table; what was registered is kept for the next start."""
    foo = Provider("listed")
    table = await bench.table(foo=foo, bar=Provider("other"))
    await table.register_model(Model(identifier="mine", provider_id="foo"))
    table.lose("foo", NotRunningError("'provider:inference/foo' has failed"))
    assert await names(table) == ["bar/other"]
    await table.refresh()
    assert await names(table) == ["bar/other"]
    for name in ("listed", "foo/mine"):
        with pytest.raises(UnavailableResourceError, match=r"is on 'foo', which does not run$"):
            table.resolve(name)
    with pytest.raises(NotRunningError, match=r"^'provider:inference/foo' has failed$"):
        await table.register_model(Model(identifier="x", provider_id="foo"))
    assert len(await bench.store().load("models")) == 1


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
        "model_type: input should be 'llm' or 'embedding'\n"
        "model 'n' is not valid\n"
        "colour: extra inputs are not permitted"
    )


async def test_an_unregistered_resource_of_the_config_stays_away(bench: Bench) -> None:
    """A refresh does not bring back what was taken back on purpose; a restart does."""
    foo = Provider()
    table = await bench.table("models", configured("m"), foo=foo)
    await table.unregister_model("m")
    await table.refresh()
    assert await table.list_models() == []
    assert await names(await bench.table("models", configured("m"), foo=foo)) == ["foo/m"]

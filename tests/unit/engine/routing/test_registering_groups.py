"""Models that several providers are to serve, registered at run time."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.engine.routing.sharing import Stage

from rungraph.engine.apis.models import Model
from rungraph.engine.errors import NotRunningError
from rungraph.engine.routing.errors import RegistrationRefusedError


async def test_members_can_be_registered_at_run_time() -> None:
    """A registered model with members is served by each; again it replaces what was there."""
    stage = Stage("foo", "bar", "baz")
    await stage.open()
    wanted = {"identifier": "small", "routing": "round_robin"}
    members = [{"provider_id": "foo"}, {"provider_id": "bar", "provider_resource_id": "b"}]
    accepted = await stage.table.register_model({**wanted, "members": members})
    assert [one.provider_id for one in accepted.members] == ["foo", "bar"]
    assert {await stage.ask() for _ in range(4)} == {"foo:small", "bar:b"}
    await stage.table.register_model({**wanted, "members": [*members[:1], {"provider_id": "baz"}]})
    assert {await stage.ask() for _ in range(4)} == {"foo:small", "baz:small"}
    await stage.table.unregister_model("small")
    assert not await stage.table.list_models()


async def test_members_are_registered_under_their_identifier_alone() -> None:
    """What has it as its name with a provider is another model, and stays."""
    stage = Stage("foo", "bar")
    await stage.open()
    register = stage.table.register_model
    for name, members in ("small", ["foo", "bar"]), ("foo/small", ["bar"]):
        await register({"identifier": name, "members": [{"provider_id": one} for one in members]})
    assert [sorted(stage[one].served) for one in ("foo", "bar")] == [
        ["small"],
        ["foo/small", "small"],
    ]
    stage.table.lose("bar", NotRunningError("stopped"))
    await stage.table.unregister_model("foo/small")
    assert not stage["foo"].served
    await stage.table.join("bar", stage["bar"])
    assert await stage.ask("foo/small") == "bar:foo/small"


async def test_a_name_means_the_group_of_that_name_once_no_provider_has_it() -> None:
    """What foo calls ``small`` goes before a model that others share as ``foo/small``."""
    stage = Stage("foo", "bar", "baz")
    await stage.open()
    await stage.table.register_model(Model(identifier="small", provider_id="foo"))
    members = [{"provider_id": one} for one in ("bar", "baz")]
    await stage.table.register_model({"identifier": "foo/small", "members": members})
    assert await stage.ask("foo/small") == "foo:small"
    await stage.table.unregister_model("small")
    assert sorted([await stage.ask("foo/small") for _ in range(2)]) == [
        "bar:foo/small",
        "baz:foo/small",
    ]


async def test_a_member_that_refuses_keeps_all_from_being_registered() -> None:
    """Where one provider refuses, no other keeps the model."""
    stage = Stage("foo", "bar")
    await stage.open()
    stage["bar"].refusal = ValueError("no room")
    members = [{"provider_id": "foo"}, {"provider_id": "bar"}]
    with pytest.raises(RegistrationRefusedError):
        await stage.table.register_model({"identifier": "small", "members": members})
    assert not await stage.table.list_models()
    assert not stage["foo"].served


@pytest.mark.parametrize("is_kept", [False, True])
@pytest.mark.parametrize("other", ["bar", "baz"])
async def test_a_member_that_refuses_a_change_keeps_all_as_they_were(
    other: str, *, is_kept: bool
) -> None:
    """Be it to take what is new or to give up what is old; those that have changed change back."""
    stage = Stage("foo", "bar", "baz")
    await stage.open()

    async def register(**names: str) -> None:
        members = [{"provider_id": by, "provider_resource_id": one} for by, one in names.items()]
        await stage.table.register_model({"identifier": "small", "members": members})

    await register(foo="f", bar="b")
    if is_kept:
        stage["foo"].served.clear()
        await stage.table.refresh()
    stage["bar"].refusal = ValueError("no")
    with pytest.raises(RegistrationRefusedError):
        await register(**{"foo": "f2", other: "new"})
    assert sorted([await stage.ask() for _ in range(2)]) == ["bar:b", "foo:f"]
    assert not stage["baz"].served


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"members": []}, "'small' has no members"),
        ({"members": [{"provider_id": "a"}] * 2}, "'small' names a member twice"),
        (
            {"members": [{"provider_id": "a"}], "provider_id": "b"},
            "'small' names a provider beside its members",
        ),
        ({"routing": {"hedge_after": 1.0}}, "'small' writes text"),
    ],
)
def test_members_must_make_sense(wrong: dict[str, Any], problem: str) -> None:
    """What cannot be shared is refused before any provider is asked."""
    with pytest.raises(ValueError, match=problem):
        Model.model_validate({"identifier": "small", **wrong})

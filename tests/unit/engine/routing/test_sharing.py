"""Members that are registered at run time, and what a reload does to them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.engine.routing.sharing import Stage

from rungraph.engine.apis.models import Model
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


async def test_a_member_that_refuses_keeps_all_from_being_registered() -> None:
    """Where one provider refuses, no other keeps the model."""
    stage = Stage("foo", "bar")
    await stage.open()
    stage["bar"].refuses = True
    members = [{"provider_id": "foo"}, {"provider_id": "bar"}]
    with pytest.raises(RegistrationRefusedError):
        await stage.table.register_model({"identifier": "small", "members": members})
    assert not await stage.table.list_models()
    assert not stage["foo"].models


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

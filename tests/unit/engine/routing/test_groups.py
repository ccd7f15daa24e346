"""Models that several providers serve together: where calls go, and what becomes of failures."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from tests.unit.engine.routing.sharing import PAIR, shared, staged

from rungraph.engine.apis import resource
from rungraph.engine.apis.models import Model
from rungraph.engine.errors import (
    BackgroundError,
    NodeError,
    NotRunningError,
    RateLimitError,
    UnavailableResourceError,
)
from rungraph.engine.events import MemberEjected, MemberReturned
from rungraph.engine.provider import ProviderReport
from rungraph.engine.request import begin_session, is_tried_once
from rungraph.engine.routing.errors import BusyError
from rungraph.graph.address import Address
from rungraph.graph.nodes import TableNode


async def test_each_member_is_asked_under_its_own_name() -> None:
    """Calls for a group go to its members in turn, each with the member's native id."""
    stage = await staged("foo", "bar")
    assert [await stage.ask() for _ in range(4)] == ["bar:org/bar", "foo:org/foo"] * 2
    assert await stage.ask("foo/small") == "foo:org/foo"


async def test_callers_see_one_model() -> None:
    """The name means what all members are together; the listing has each of them."""
    stage = await staged("foo", "bar", policy="sticky", bar=1)
    assert await stage.table.get_model("small") == Model(
        identifier="small",
        members=(
            resource.Member(provider_id="bar", provider_resource_id="org/bar", order=1),
            resource.Member(provider_id="foo", provider_resource_id="org/foo"),
        ),
        routing=resource.Routing(policy="sticky"),
    )
    assert [one.provider_id for one in await stage.table.list_models()] == ["bar", "foo"]


@pytest.mark.parametrize(
    "error", [ConnectionError("refused"), TimeoutError("silent"), RateLimitError("busy")]
)
async def test_a_member_that_fails_is_left_for_another(error: Exception) -> None:
    """A call that a server fails is made again on another member, where the client tries once."""
    stage = await staged("foo", "bar")
    stage["bar"].error = error
    assert [await stage.ask() for _ in range(2)] == ["foo:org/foo"] * 2
    assert await stage.stream() == ["foo", "org/foo"]
    assert (stage["bar"].calls, stage["foo"].calls) == (2, 3)
    assert stage["foo"].was_tried_once is True
    assert is_tried_once() is False


async def test_a_member_at_its_limit_is_not_one_that_fails() -> None:
    """It stays in, and its calls go to others as often as they come."""
    stage = await staged("foo", "bar")
    stage["bar"].error = BusyError("provider:inference/bar", 1, 0)
    assert [await stage.ask() for _ in range(20)] == ["foo:org/foo"] * 20
    assert stage["bar"].calls == 10
    assert not [one for one in stage.events if isinstance(one, MemberEjected)]
    # Who has let calls wait in vain may hang, and others would wait there, too.
    stage["bar"].error = BusyError("provider:inference/bar", 1, 1, None, has_waited=True)
    assert [await stage.ask() for _ in range(8)] == ["foo:org/foo"] * 8
    assert [one.provider_id for one in stage.events if isinstance(one, MemberEjected)] == ["bar"]


@pytest.mark.parametrize("error", [ValueError("too long"), NotImplementedError("no tools")])
async def test_a_refused_request_is_refused(error: Exception) -> None:
    """What no other member would do better goes to the caller, and counts for nothing."""
    stage = await staged("foo", "bar")
    stage["bar"].error = error
    for _ in range(4):
        with pytest.raises(type(error)):
            await stage.ask()
        assert await stage.ask() == "foo:org/foo"
    assert stage["bar"].calls == 4
    assert not [one for one in stage.events if isinstance(one, MemberEjected)]


async def test_nothing_is_asked_twice_once_it_has_begun() -> None:
    """A stream that breaks off after its first chunk raises; no other member begins anew."""
    stage = await staged("foo", "bar")
    stage["bar"].breaks_after = 1
    with pytest.raises(ConnectionError, match="broke off"):
        await stage.stream()
    assert stage["foo"].calls == 0


async def test_three_failures_put_a_member_out_for_a_while() -> None:
    """A member that fails three times in a row gets one call after 5 s, then 10 s, and so on."""
    stage = await staged("foo", "bar")
    stage["bar"].error = ConnectionError("refused")
    for _ in range(12):
        assert await stage.ask() == "foo:org/foo"
    assert stage["bar"].calls == 3
    stage.now = 5.0
    for _ in range(4):
        await stage.ask()
    assert stage["bar"].calls == 4
    stage["bar"].error = None
    stage.now = 14.9
    await stage.ask()
    assert stage["bar"].calls == 4
    stage.now = 15.0
    assert await stage.ask() == "bar:org/bar"
    told = [one for one in stage.events if isinstance(one, MemberEjected | MemberReturned)]
    table = Address.table("models")
    assert told == [
        MemberEjected(0.0, table, "small", "bar", "ConnectionError"),
        MemberReturned(15.0, table, "small", "bar", "it answers again"),
    ]


async def test_when_all_are_out_all_are_asked() -> None:
    """Where every member is out calls go to all of them, and the event says so."""
    stage = await staged("foo", "bar")
    for provider in stage.providers.values():
        provider.error = ConnectionError("refused")
    for _ in range(20):
        with pytest.raises(ConnectionError, match="refused"):
            await stage.ask()
    told = [one for one in stage.events if isinstance(one, MemberEjected)]
    assert [one.reason for one in told] == [
        "ConnectionError",
        "ConnectionError; no member is left, so calls go to all of them",
    ]
    stage["foo"].error = None
    outcomes = await asyncio.gather(*(stage.ask() for _ in range(4)), return_exceptions=True)
    assert "foo:org/foo" in outcomes


async def test_an_outage_is_not_answered_with_a_storm() -> None:
    """Of many calls in ten seconds a fifth is tried again, and three in any case."""
    stage = await staged("foo", "bar", "baz", "quux")
    for provider in stage.providers.values():
        provider.error = ConnectionError("refused")
    for _ in range(100):
        with pytest.raises(ConnectionError):
            await stage.ask()
    assert sum(one.calls for one in stage.providers.values()) <= 121


async def test_another_order_waits_until_the_first_is_out() -> None:
    """Members of order 1 get calls only while none of order 0 is in, but for second tries."""
    stage = await staged("foo", "cloud", cloud=1)
    assert {await stage.ask() for _ in range(9)} == {"foo:org/foo"}
    stage["foo"].error = TimeoutError("silent")
    assert {await stage.ask() for _ in range(9)} == {"cloud:org/cloud"}
    assert stage["foo"].calls == 9 + 3
    stage["foo"].error = None
    stage.now = 5.0
    assert {await stage.ask() for _ in range(9)} == {"foo:org/foo"}


async def test_a_provider_that_says_it_is_not_well_gets_no_calls() -> None:
    """A report of a provider's own puts it out, and another one back in."""
    stage = await staged("foo", "bar")
    stage.table.groups.report("bar", ProviderReport("degraded", "it loads"))
    assert {await stage.ask() for _ in range(4)} == {"foo:org/foo"}
    stage.table.groups.report("bar", ProviderReport("ready"))
    assert {await stage.ask() for _ in range(4)} == {"foo:org/foo", "bar:org/bar"}


async def test_a_session_stays_where_it_is() -> None:
    """Calls of a session, or with the same beginning, go to one member; not all to the same."""
    stage = await staged("foo", "bar", "baz", policy="sticky")
    seen: set[str] = set()
    for session in map(str, range(20)):

        async def talk(session: str = session) -> set[str]:
            begin_session(session)
            return {await stage.ask() for _ in range(3)}

        found = await asyncio.create_task(talk())
        assert len(found) == 1
        seen |= found
    assert len(seen) == 3
    assert len({await stage.ask() for _ in range(5)}) == 1


async def test_a_busy_member_is_left_by_its_sessions() -> None:
    """A session goes elsewhere while its member has much more to do than the others."""
    stage = await staged("foo", "bar", policy="sticky")
    for provider in stage.providers.values():
        provider.answers.clear()
    calls = [asyncio.create_task(stage.ask()) for _ in range(6)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert {stage["foo"].calls, stage["bar"].calls} == {2, 4}
    for provider in stage.providers.values():
        provider.answers.set()
    await asyncio.gather(*calls)


async def test_embeddings_may_be_asked_for_twice() -> None:
    """A second member is asked when the first takes long; the first answer counts."""
    stage = await staged("foo", "bar", hedge_after=0.01)
    stage["bar"].answers.clear()
    assert await stage.router.embeddings(model="small", contents=["x"]) == "foo"
    assert (stage["bar"].calls, stage["foo"].calls) == (1, 1)
    assert [one.in_flight for one in stage.table.groups.get("small").balancer.members] == [0, 0]


async def test_a_member_that_wants_the_process_to_end_fails_its_call_alone() -> None:
    """Who is asked for embeddings twice is asked in tasks of the engine's own."""
    stage = await staged("foo", "bar", hedge_after=0.01)
    for provider in stage.providers.values():
        provider.error = SystemExit(3)
    with pytest.raises(NodeError, match="it raised SystemExit: 3"):
        await stage.router.embeddings(model="small", contents=["x"])


async def test_a_member_that_cancels_its_task_fails_its_call_alone() -> None:
    """Nobody has cancelled whoever waits for it."""
    stage = await staged("foo", "bar", hedge_after=0.01)

    async def cancel() -> None:
        if (caller := asyncio.current_task()) is not None:
            caller.cancel()
        await asyncio.sleep(0)

    for provider in stage.providers.values():
        vars(provider)["answers"] = SimpleNamespace(wait=cancel)
    with pytest.raises(BackgroundError, match="a member of 'small' cancelled it"):
        await stage.router.embeddings(model="small", contents=["x"])


async def test_what_becomes_of_a_call_that_is_not_needed_any_more_is_nobodys_affair() -> None:
    """Another member has answered, and a provider may make an error of that."""
    stage, complaints = await staged("foo", "bar", hedge_after=0.01), list[Any]()
    asyncio.get_running_loop().set_exception_handler(lambda _, about: complaints.append(about))

    async def fail() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError from None

    vars(stage["bar"])["answers"] = SimpleNamespace(wait=fail)
    assert await stage.router.embeddings(model="small", contents=["x"]) == "foo"
    await asyncio.sleep(0)
    gc.collect()
    assert not complaints


async def test_a_member_that_ignores_being_cancelled_holds_no_answer_up() -> None:
    """The second one has answered, and whoever runs the program waits for neither."""
    stage = await staged("foo", "bar", hedge_after=0.01)
    first, end = stage.providers["foo"], asyncio.Event()

    async def wait() -> None:
        while not end.is_set():
            with suppress(asyncio.CancelledError):
                await end.wait()

    vars(first)["answers"] = SimpleNamespace(wait=wait)
    while not first.calls:
        call = stage.router.embeddings(model="small", contents=["x"])
        assert await asyncio.wait_for(call, 20) == "bar"
    assert asyncio.all_tasks() == {asyncio.current_task()}
    end.set()


async def test_a_member_that_leaves_gets_no_calls_and_comes_back_with_its_counters() -> None:
    """A provider that stops is none of the members until it runs again."""
    stage = await staged("foo", "bar")
    await stage.ask()
    stage.table.lose("bar", NotRunningError("it stops"))
    assert {await stage.ask() for _ in range(4)} == {"foo:org/foo"}
    await stage.table.join("bar", stage["bar"])
    assert {await stage.ask() for _ in range(4)} == {"foo:org/foo", "bar:org/bar"}
    counts = {one.name: one.calls for one in stage.table.groups.get("small").balancer.members}
    assert counts == {"foo": 6, "bar": 3}
    for name in stage.providers:
        stage.table.lose(name, NotRunningError("it stops"))
    with pytest.raises(UnavailableResourceError):
        await stage.ask()


async def test_a_reload_keeps_the_counters_of_members_that_stay() -> None:
    """Another order or policy takes effect at once; what was counted stays."""
    stage = await staged("foo", "bar", "baz")
    for _ in range(6):
        await stage.ask()
    assert PAIR is not None
    now = shared("foo", "bar", policy="least_loaded", foo=1)
    await stage.table.reconfigure(TableNode(Address.table("models"), PAIR, now))
    members = stage.table.groups.get("small").balancer.members
    assert [(one.name, one.order, one.calls) for one in members] == [("bar", 0, 2), ("foo", 1, 2)]
    assert stage.table.groups.get("small").balancer.policy == "least_loaded"
    assert await stage.ask() == "bar:org/bar"


async def test_an_abandoned_stream_is_no_running_call() -> None:
    """A stream that is closed, or left and forgotten, is in flight no more."""
    stage = await staged("foo", "bar")
    [bar, foo] = stage.table.groups.get("small").balancer.members
    stream = await stage.ask(stream=True)
    assert (bar.in_flight, foo.in_flight) == (1, 0)
    await stream.aclose()
    assert bar.in_flight == 0
    left: Callable[[], Any] = (await stage.ask(stream=True)).__anext__
    assert foo.in_flight == 1
    assert await left() == "foo"
    del left
    assert foo.in_flight == 0


# --- members that are registered at run time ----------------------------------------------------

"""One model on two servers, over HTTP: other tries, sessions, drain, metrics, spans."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import validate
from tests.asgi import Answered, app_of, ask
from tests.builders import entry
from tests.unit.engine.fakes import Telemetry
from tests.unit.engine.run.models import until
from tests.wire import Reply, Request, Wire, serve, sse

from rungraph.engine.errors import NotServedError
from rungraph.engine.events import MemberEjected
from rungraph.engine.provider import ProviderReport
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.engine.server.app import StackApp
from rungraph.graph import compile_config

USER = [{"role": "user", "content": "hi"}]
LANES = pytest.mark.parametrize("path", ["/v1/chat/completions", "/inference/chat_completion"])
CHUNK = {"choices": [{"delta": {"content": "ho"}, "finish_reason": "stop"}]}


class Server:
    """An upstream that answers with its own name, or does not."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reply: Reply | None = None
        self.wire = Wire()

    def answer(self, request: Request) -> Reply:
        """Return the reply that is set, or an answer."""
        if request.method == "GET":
            return Reply()
        if self.reply is not None:
            return self.reply
        if request.body.get("stream"):
            return sse(CHUNK)
        message = {"role": "assistant", "content": self.name}
        return Reply({"choices": [{"message": message, "finish_reason": "stop"}]})

    @property
    def asked(self) -> int:
        """How many calls have come."""
        return sum(one.method == "POST" for one in self.wire.requests)


@pytest.fixture
async def servers() -> AsyncGenerator[dict[str, Server]]:
    """Two upstreams."""
    foo, bar = Server("foo"), Server("bar")
    async with serve(foo.answer) as foo.wire, serve(bar.answer) as bar.wire:
        yield {"foo": foo, "bar": bar}


def stack_of(servers: dict[str, Server], routing: str = "round_robin") -> Stack:
    """Return a stack in which both servers serve one model."""
    providers = [
        entry(name, "remote::openai", base_url=server.wire.base_url)
        for name, server in servers.items()
    ]
    members = [{"provider_id": name, "provider_model_id": "small"} for name in servers]
    model = {"model_id": "mine", "routing": routing, "members": members}
    graph = compile_config(
        {"providers": {"inference": providers}, "models": [model]}, environment={}
    )
    return Stack(graph, StackSettings(drain_timeout=0.2))


@pytest.fixture
def stack(servers: dict[str, Server]) -> Stack:
    """A stack in which both serve one model in turn."""
    return stack_of(servers)


async def chat(app: StackApp, path: str = "/v1/chat/completions", **more: Any) -> Answered:
    """Return what the server answers to a chat."""
    return await ask(app, "POST", path, {"model": "mine", "messages": USER, **more})


@LANES
async def test_a_busy_server_is_left_at_once_for_the_other(
    stack: Stack, servers: dict[str, Server], path: str
) -> None:
    """In both lanes one server that is busy is asked once, and the other one answers."""
    servers["bar"].reply = Reply({"error": "busy"}, status=429)
    async with stack:
        app = app_of(stack)
        for stream in (False, True, False, True):
            answered = await chat(app, path, stream=stream)
            assert answered.status == 200, answered.body
            assert answered.headers["x-rungraph-member"] == "foo"
        # In the same task, as a provider's own calls are: this model is of one provider.
        answered = await ask(app, "POST", path, {"model": "foo/small", "messages": USER})
        assert (answered.status, answered.headers.get("x-rungraph-member")) == (200, None)
    assert (servers["bar"].asked, servers["foo"].asked) == (2, 5)


@LANES
async def test_a_stream_that_ends_before_its_first_chunk_is_made_again(
    stack: Stack, servers: dict[str, Server], path: str
) -> None:
    """A server that accepts and then breaks off before anything was said is left, too."""
    servers["bar"].reply = Reply(
        b"", headers={"Content-Type": "text/event-stream", "Content-Length": "10"}
    )
    async with stack:
        app = app_of(stack)
        for _ in range(2):
            answered = await chat(app, path, stream=True)
            assert b"ho" in answered.body
    assert servers["bar"].asked == 1


async def test_a_user_stays_with_one_server(servers: dict[str, Server]) -> None:
    """With ``sticky``, who calls is the session: the same one goes to the same server."""
    async with stack_of(servers, "sticky") as stack:
        app = app_of(stack)
        homes: set[str] = set()
        for user in map(str, range(12)):
            found = {
                json.loads((await chat(app, user=user)).body)["choices"][0]["message"]["content"]
                for _ in range(3)
            }
            assert len(found) == 1
            homes |= found
        assert homes == {"foo", "bar"}


async def test_a_drained_provider_takes_no_calls(stack: Stack, servers: dict[str, Server]) -> None:
    """By its route a provider is drained and brought back; a running call may end meanwhile."""
    async with stack:
        app = app_of(stack)
        answered = await ask(app, "POST", "/members/foo/drain")
        assert json.loads(answered.body) == {"provider_id": "foo", "is_idle": True}
        for _ in range(4):
            await chat(app)
        assert (servers["bar"].asked, servers["foo"].asked) == (4, 0)
        refused = await chat(app, model="foo/mine")
        assert refused.error["message"] == "model 'foo/mine' is on 'foo', which is drained"
        await stack["models"].refresh()
        assert stack["models"].resolve("mine").members[0].provider_id == "bar"
        await ask(app, "POST", "/members/foo/undrain")
        for _ in range(4):
            await chat(app)
        assert servers["foo"].asked == 2


async def test_a_drain_waits_for_running_calls(stack: Stack, servers: dict[str, Server]) -> None:
    """A call that runs when its provider is drained may end; one that takes too long goes on."""
    async with stack:
        app = app_of(stack)
        servers["bar"].reply = Reply({"choices": []}, pause=0.05)
        call = asyncio.create_task(chat(app))
        await until(lambda: servers["bar"].asked > 0)
        assert await stack.drain("bar") is True
        assert (await call).status == 200
        await stack.undrain("bar")
        servers["bar"].reply = servers["foo"].reply = Reply(hang=True)
        calls = [asyncio.create_task(chat(app)) for _ in range(2)]
        await until(lambda: servers["bar"].asked + servers["foo"].asked == 3)
        assert await stack.drain("provider:inference/bar") is False
        for one in calls:
            one.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        with pytest.raises(NotServedError, match="served: 'provider:inference/bar'"):
            await stack.drain("baz")


async def test_a_shared_model_is_one_in_a_list(stack: Stack, servers: dict[str, Server]) -> None:
    """Clients of the OpenAI API know a model by its id alone."""
    async with stack:
        app = app_of(stack)
        listed = json.loads((await ask(app, "GET", "/v1/models")).body)["data"]
        mine = [one for one in listed if one["id"] == "mine"]
        assert mine == [json.loads((await ask(app, "GET", "/v1/models/mine")).body)]
    assert mine[0]["owned_by"] == "bar, foo"


@LANES
async def test_metrics_name_the_member_that_was_asked(
    stack: Stack, servers: dict[str, Server], path: str
) -> None:
    """In both lanes, whether it answers at once or after another one."""
    servers["bar"].reply = Reply({"error": "busy"}, status=429)
    async with stack:
        app = app_of(stack)
        await chat(app, path)
        await chat(app, path, stream=True)
        metrics = (await ask(app, "GET", "/metrics")).body.decode()
    method = path.removeprefix("/v1/").removeprefix("/inference/")
    labels = f'api="inference",method="{method}",provider="foo",resource="mine",status="200"'
    assert f"rungraph_calls_total{{{labels}}} 2.0" in metrics


async def test_members_are_told_of(stack: Stack, servers: dict[str, Server]) -> None:
    """The route lists each member with its state; each has metrics of its own."""
    servers["bar"].reply = Reply({"error": "busy"}, status=503)
    async with stack:
        app = app_of(stack)
        for _ in range(6):
            await chat(app)
        found = json.loads((await ask(app, "GET", "/members")).body)["data"]
        told = [(one["provider_id"], one["state"], one["calls"], one["failures"]) for one in found]
        assert told == [("bar", "out", 3, 3), ("foo", "in", 6, 0)]
        schema = json.loads((files("rungraph") / "schemas/members.schema.json").read_text())
        assert {frozenset(one) for one in found} == {frozenset(schema["items"]["properties"])}
        validate(found, schema)
        metrics = (await ask(app, "GET", "/metrics")).body.decode()
    assert 'rungraph_member_out{provider="bar",resource="mine"} 1.0' in metrics
    assert 'rungraph_member_calls_total{provider="foo",resource="mine"} 6.0' in metrics
    assert 'rungraph_member_failures_total{provider="bar",resource="mine"} 3.0' in metrics


@LANES
async def test_each_try_is_a_span(stack: Stack, servers: dict[str, Server], path: str) -> None:
    """Spans say which member was asked, at which try, and why that one."""
    telemetry = Telemetry()
    servers["bar"].reply = Reply({"error": "busy"}, status=429)
    async with stack:
        stack["inference"].bind("telemetry", telemetry)
        await chat(app_of(stack), path)
    tries = [
        (one.attributes["member"], one.attributes["attempt"], one.attributes["why"])
        for one in telemetry.spans.values()
        if "member" in one.attributes
    ]
    assert tries == [
        ("bar", 1, "its turn"),
        ("foo", 2, "'bar' failed: RateLimitError; the only one of its order that is in"),
    ]


async def test_a_report_of_a_provider_puts_it_out(stack: Stack, servers: dict[str, Server]) -> None:
    """What a provider says of itself, from any thread, counts at once."""
    async with stack:
        assert stack._lifecycle is not None
        address = stack._draining.address_of("bar")
        report = stack._lifecycle.reporter(address)
        await asyncio.to_thread(report, ProviderReport("degraded", "the model is loading"))
        await asyncio.sleep(0)
        for _ in range(4):
            await chat(app_of(stack))
        [told] = [one for one in stack.events if isinstance(one, MemberEjected)]
        assert (told.provider_id, told.reason) == ("bar", "the model is loading")
        assert (servers["bar"].asked, servers["foo"].asked) == (0, 4)


async def test_registered_members_come_back_after_a_restart(servers: dict[str, Server]) -> None:
    """Members that were registered while the stack ran are there again, with their routing."""
    wanted = {
        "identifier": "late",
        "routing": "sticky",
        "members": [
            {"provider_id": "foo", "provider_resource_id": "small", "order": 1},
            {"provider_id": "bar", "provider_resource_id": "small"},
        ],
    }
    async with stack_of(servers) as stack:
        answered = await ask(app_of(stack), "POST", "/models/register", {"model": wanted})
        assert answered.status == 200, answered.body
        before = stack["models"].resolve("late")
    async with stack_of(servers) as again:
        assert again["models"].resolve("late") == before
        assert [(one.provider_id, one.order) for one in before.members] == [("bar", 0), ("foo", 1)]
        await ask(app_of(again), "POST", "/models/unregister", {"identifier": "late"})
    async with stack_of(servers) as last:
        assert await last["models"].get_model("late") is None


async def test_a_reload_keeps_calls_and_counters(stack: Stack, servers: dict[str, Server]) -> None:
    """Another routing takes effect without a failed call, and members keep their counters."""
    async with stack:
        app = app_of(stack)
        for _ in range(4):
            await chat(app)
        await stack.apply(stack_of(servers, "sticky").graph)
        [group] = stack["models"].groups
        assert [(one.name, one.calls) for one in group.balancer.members] == [("bar", 2), ("foo", 2)]
        assert group.balancer.policy == "sticky"
        assert (await chat(app)).status == 200

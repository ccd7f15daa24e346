"""What users of other servers had to ask for: what happens when providers and upstreams fail."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from tests.asgi import Answered, app_of, ask
from tests.builders import entry
from tests.wire import Reply, Request, serve, sse

from rungraph.engine.events import NodeHeldLoop
from rungraph.engine.run.settings import StackSettings
from rungraph.engine.run.stack import Stack
from rungraph.engine.server.app import StackApp
from rungraph.graph import compile_config

CHAT = "/v1/chat/completions"
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris."}}]}
PLUGIN = """
import time
from tests.contract.cli_package.fake_provider import FakeProvider

class Holder(FakeProvider):
    async def chat_completion(self, *args, **more):
        if more["messages"][-1].content == "hold":
            time.sleep(0.8)
        return await super().chat_completion(*args, **more)

async def get_provider_impl(config, deps):
    return Holder(config)
"""


@pytest.fixture(autouse=True)
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider whose code holds the event loop when it is told to."""
    (tmp_path / "rungraph_holder.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "rungraph_holder", raising=False)


def far(base_url: str, seconds: float) -> dict[str, Any]:
    """Return the config of a provider whose server may be silent for *seconds*."""
    waits: dict[str, Any] = {"timeout_seconds": seconds, "first_chunk_timeout_seconds": seconds}
    return entry("far", "remote::openai", base_url=base_url, max_retries=0, **waits)


@asynccontextmanager
async def running(
    tmp_path: Path, *others: dict[str, Any]
) -> AsyncGenerator[tuple[Stack, StackApp]]:
    """Run a server of a provider of its own and of *others* far away."""
    own = entry("own", "inline::holder", "rungraph_holder")
    config = {"image_name": "troubles", "providers": {"inference": [own, *others]}}
    settings = StackSettings(state_dir=tmp_path, health_interval=None)
    stack = Stack(compile_config(config, environment={}), settings)
    async with stack:
        app = app_of(stack)
        watching = asyncio.create_task(app.watch())
        try:
            yield stack, app
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


async def chat(app: StackApp, model: str, text: str = "x", **more: Any) -> Answered:
    """Return what a chat is answered with."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    return await ask(app, "POST", CHAT, body)


async def metric(app: StackApp, name: str) -> float:
    """Return what ``/metrics`` says of *name*."""
    text = (await ask(app, "GET", "/metrics")).body.decode()
    (line,) = [one for one in text.splitlines() if one.startswith(f"{name} ")]
    return float(line.split()[1])


# --- the event loop ----------------------------------------------------------------------------


async def test_who_holds_the_event_loop_is_named(tmp_path: Path) -> None:
    """The gauge tells by how much the loop was late, and an event whose code held it."""
    async with running(tmp_path) as (stack, app):
        await asyncio.sleep(0.3)
        await metric(app, "rungraph_event_loop_lag_seconds")  # What was before is forgotten.
        assert (await chat(app, "echo", "hold")).status == 200
        await asyncio.sleep(0.3)
        assert await metric(app, "rungraph_event_loop_lag_seconds") > 0.05
        held = [one for one in stack.events if isinstance(one, NodeHeldLoop)]
        assert {str(one.address) for one in held} == {"provider:inference/own"}


# --- upstreams ---------------------------------------------------------------------------------


@pytest.mark.parametrize("silence", ["connect", "first byte", "idle"])
async def test_a_silent_upstream_costs_its_own_caller_only(tmp_path: Path, silence: str) -> None:
    """Each silence has a limit and an error that says so; meanwhile others are answered."""
    chunk = {"choices": [{"index": 0, "delta": {"content": "Par"}}]}
    reply = sse(chunk, done=False, hang=True) if silence == "idle" else Reply(pause=60)

    def answer(request: Request) -> Reply:
        return Reply() if request.method == "GET" else reply

    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(upstream := serve(answer))
        _, app = await stack.enter_async_context(running(tmp_path, far(served.base_url, 0.5)))
        if silence == "connect":
            await upstream.__aexit__(None, None, None)
            stack.enter_context(deaf(served.port))
        waiting = asyncio.create_task(chat(app, "far/small", stream=True))
        while not waiting.done():
            assert (await chat(app, "own/echo")).status == 200
            await asyncio.sleep(0.05)
        answered = waiting.result()
    told = f"{served.base_url}: the server is silent for too long"
    if silence == "idle":
        assert answered.status == 200
        *_, error, done, end = answered.body.split(b"\n\n")
        assert json.loads(error.removeprefix(b"data: "))["error"]["message"] == told
        assert (done, end) == (b"data: [DONE]", b"")
    else:
        assert (answered.status, answered.error["type"]) == (504, "timeout_error")
        assert answered.error["message"] == told


@contextmanager
def deaf(port: int) -> Generator[None]:
    """Have those who connect to *port* be neither let in nor refused."""
    with socket.socket() as listener, ExitStack() as filling:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(0)
        for _ in range(4):  # As many as the kernel takes for one that accepts none, and more.
            waiting = filling.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield


async def test_the_first_call_after_an_upstream_is_back_works(tmp_path: Path) -> None:
    """A hundred failures leave nothing behind that has to wear off."""

    def answer(request: Request) -> Reply:
        return Reply() if request.method == "GET" else Reply(ANSWER)

    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(first := serve(answer))
        _, app = await stack.enter_async_context(running(tmp_path, far(upstream.base_url, 60)))
        assert (await chat(app, "far/small")).status == 200
        await first.__aexit__(None, None, None)
        failed = await asyncio.gather(*(chat(app, "far/small") for _ in range(100)))
        assert {one.status for one in failed} == {502}
        async with serve(answer, upstream.port):
            assert (await chat(app, "far/small")).body == json.dumps(ANSWER).encode()


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize(
    "said",
    [
        {"message": "Unrecognized request argument supplied: stream_options"},
        {"message": "this model does not support stream_options"},
        {"detail": [{"loc": ["body", "stream_options"], "type": "extra_forbidden"}]},
    ],
)
async def test_a_server_may_not_know_how_to_tell_tokens(
    tmp_path: Path, status: int, said: dict[str, Any]
) -> None:
    """It is not asked for them then, unless the caller does: that is between the two."""

    def answer(request: Request) -> Reply:
        if request.method == "GET":
            return Reply()
        if "stream_options" in request.body:
            return Reply(said, status)
        choice = {"text": "hi", "delta": {"content": "hi"}, "finish_reason": "stop"}
        return sse({"choices": [choice]})

    message = {"role": "user", "content": "x"}
    async with serve(answer) as upstream, running(tmp_path, far(upstream.base_url, 60)) as (_, app):
        for path, asked in (
            ("/inference/chat_completion", {"messages": [message]}),
            ("/inference/completion", {"content": "x"}),
            ("/v1/responses", {"input": "x"}),
        ):
            body = {"model": "far/small", "stream": True, **asked}
            answered = await ask(app, "POST", path, body)
            assert (answered.status, b'"hi"' in answered.body) == (200, True)
        options = {"include_usage": True}
        refused = await chat(app, "far/small", stream=True, stream_options=options)
        assert "stream_options" in refused.error["message"]


# --- what is served changes --------------------------------------------------------------------


async def test_models_come_and_go_without_a_restart(tmp_path: Path) -> None:
    """What is registered over HTTP answers at once by every route, and is gone when taken back."""
    async with running(tmp_path) as (_, app):
        model = {"identifier": "mine", "provider_id": "own", "llama_model": "x", "metadata": {}}
        said = {"messages": [{"role": "user", "content": "x"}], "model": "mine"}
        for _ in range(3):
            assert (await chat(app, "mine")).status == 404
            assert (await ask(app, "POST", "/models/register", {"model": model})).status == 200
            assert (await chat(app, "mine")).status == 200
            assert (await ask(app, "POST", "/inference/chat_completion", said)).status == 200
            assert (await ask(app, "GET", "/v1/models/mine")).status == 200
            taken = await ask(app, "POST", "/models/unregister", {"identifier": "mine"})
            assert taken.status == 200

"""Requests and connections that would otherwise never end, or name things by other letters."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.asgi import app_of, ask
from tests.builders import entry
from tests.contract.cli_package.fake_provider import FakeProvider
from tests.peers import CHAT, asked

from rungraph.engine.run.stack import Stack
from rungraph.engine.server import app as app_module
from rungraph.engine.server import exchange, listening
from rungraph.engine.server.app import ServerSettings, StackApp
from rungraph.engine.server.guards import origin_of
from rungraph.graph import RunGraph, compile_config
from rungraph.viz import render
from rungraph.viz.layout import layered_graph

ECHO = entry("echo", "inline::fake", "tests.contract.cli_package.fake_provider", tokens=2)


@pytest.fixture
async def app() -> AsyncGenerator[StackApp]:
    """The server of a stack with one model."""
    graph = compile_config({"providers": {"inference": [ECHO]}})
    async with Stack(graph) as stack:
        yield app_of(stack)


@pytest.mark.parametrize("path", ["/inference/chat_completion", "/v1/chat/completions"])
async def test_a_body_that_never_comes_is_not_waited_for(
    app: StackApp, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a byte of it: the call would hold its place for ever."""
    for module in (exchange, app_module):
        monkeypatch.setattr(module, "BODY_SECONDS", 0.01)
    answered = await asyncio.wait_for(ask(app, "POST", path, None), 10)
    assert answered.status == 408
    assert answered.error["message"] == "the body did not come within 0.01 seconds"
    assert app.running_calls == 0


async def test_the_head_of_a_stream_that_never_ends_is_told(app: StackApp) -> None:
    """Who asks for the head alone gets it, and the end."""
    answered = await asyncio.wait_for(ask(app, "HEAD", "/events"), 10)
    assert (answered.status, answered.body) == (200, b"")
    assert answered.headers["content-type"] == "text/event-stream"


async def test_a_graph_that_is_too_large_for_its_page_is_told(
    app: StackApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault of the server's, and its text says what there is to do."""
    monkeypatch.setattr(layered_graph, "MOST_LAID_OUT", 1)
    app = StackApp(app._stack, pages={"/": ("text/html", lambda stack: bytes(render(stack.graph)))})
    app.open()
    answered = await ask(app, "GET", "/")
    assert answered.status == 501
    assert "are too many for a picture: at most 1 together" in answered.error["message"]


@pytest.mark.parametrize("path", ["/models/list", "/v1/models"])
async def test_the_secrets_of_a_new_config_are_masked(path: str) -> None:
    """Those of the config that runs now, also where a key does not show it to be one."""
    old, secret = "drawn-for-the-first-time-1", "drawn-for-the-second-time-2"

    def graph(key: str) -> RunGraph:
        echo = {**ECHO, "config": {"api_key": key}}
        model = {"model_id": "m", "provider_id": "echo", "metadata": {"note": key}}
        return compile_config({"providers": {"inference": [echo]}, "models": [model]})

    async with Stack(graph(old)) as stack:
        app = app_of(stack)
        await stack.apply(graph(secret))
        answered = await ask(app, "GET", path)
    assert b'"note":"***' in answered.body
    assert secret.encode() not in answered.body


@pytest.mark.parametrize("path", ["/v1/vector_stores/a%2Fb", "/v1/vector_stores/a%0Ab/files"])
async def test_a_name_may_have_any_letter(app: StackApp, path: str) -> None:
    """A slash or line break in a name is part of the name: something serves the route."""
    answered = await ask(app, "GET", path)
    assert answered.error["message"].startswith("'memory_banks' is not served")


async def test_a_media_type_is_one_in_any_case(app: StackApp) -> None:
    """So the standards of HTTP have it."""
    form = (
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhi\r\n--x--\r\n'
    )
    media = {"content-type": "Multipart/Form-Data; boundary=x"}
    answered = await ask(app, "POST", "/v1/files", form, headers=media)
    assert (answered.status, json.loads(answered.body)["bytes"]) == (200, 2)


@pytest.mark.parametrize(
    "path",
    ["/graph", "/graph/query", "/timeline", "/metrics", "/events", "/models/list"],
)
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("format=svg", "format: unknown parameter"),
        ("format=", "format: unknown parameter"),
        ("q=a&q=b", "q: is there twice"),
        ("q=%FF", "the query is no UTF-8"),
    ],
)
async def test_no_part_of_a_query_is_passed_over(
    app: StackApp, path: str, query: str, told: str
) -> None:
    """Who asks for something that a route does not know is told so, and gets nothing else."""
    needed = "q=*&" if path.endswith("query") and "q=" not in query else ""
    answered = await asyncio.wait_for(ask(app, "GET", path, query=needed + query), 10)
    assert (answered.status, answered.headers["x-should-retry"]) == (400, "false")
    assert answered.error["message"].startswith(told)


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/echo", "/v1/files", "/v1/version"])
async def test_clients_of_the_openai_api_may_say_what_they_are(app: StackApp, path: str) -> None:
    """They do so in the query of whatever they ask: of Azure's, for one, with each request."""
    query = "api-version=preview" + ("" if path == "/v1/files" else "&client_version=1")
    assert (await ask(app, "GET", path, query=query)).status == 200


async def test_no_field_of_a_form_is_passed_over(app: StackApp) -> None:
    """A file that should expire would be kept for ever."""
    named = b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n1\r\n'
    form = named % b"purpose" + named % b"expires_after[seconds]" + b"--x--\r\n"
    media = {"content-type": "multipart/form-data; boundary=x"}
    answered = await ask(app, "POST", "/v1/files", form, headers=media)
    assert answered.status == 400
    assert answered.error["param"] == "expires_after[seconds]"


@pytest.mark.parametrize("path", ["/models/list", "/v1/models"])
async def test_an_answer_is_json_whatever_a_provider_says(app: StackApp, path: str) -> None:
    """JSON has neither infinity nor what is no number, though Python has both."""
    model = app._stack["models"].resolve("echo")
    model.metadata["a"] = [math.nan, math.inf]
    assert b'"a":[null,null]' in (await ask(app, "GET", path)).body


async def test_a_reader_that_takes_nothing_is_cut_off(
    app: StackApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would hold what makes the answer for ever; the call is cancelled."""
    monkeypatch.setattr(listening, "_UNREAD_SECONDS", 0.1)
    socket = listening.bound("127.0.0.1", 0)
    async with listening.listening(app, socket):
        reader, writer = await asyncio.open_connection(*socket.getsockname(), limit=1024)
        message = {"role": "user", "content": "word " * 300_000}
        body = json.dumps({"model": "echo", "messages": [message], "stream": True})
        writer.write(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
            "content-type: application/json\r\n"
            f"content-length: {len(body)}\r\n\r\n{body}".encode()
        )
        await reader.readuntil(b"word")
        assert app.running_calls == 1
        async with asyncio.timeout(30):
            while app.running_calls:  # noqa: ASYNC110  (nobody is told)
                await asyncio.sleep(0.01)
        writer.close()


async def test_what_is_no_request_has_an_id_as_well(app: StackApp) -> None:
    """The one shape of errors, though nothing of it came to the application."""
    socket = listening.bound("127.0.0.1", 0)
    async with listening.listening(app, socket):
        reader, writer = await asyncio.open_connection(*socket.getsockname())
        writer.write(b"no HTTP\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        writer.close()
    assert b"\r\nx-request-id: req_" in head
    assert b"\r\nx-should-retry: false\r\n" in head


def chat(text: str, path: str) -> dict[str, Any]:
    """Return the body of a request for a stream at *path*."""
    said = text if path.endswith("responses") else [{"role": "user", "content": text}]
    name = "input" if path.endswith("responses") else "messages"
    return {"model": "echo", "stream": True, name: said}


STREAMS = pytest.mark.parametrize(
    "path", ["/inference/chat_completion", "/v1/chat/completions", "/v1/responses"]
)


@STREAMS
async def test_a_stream_that_fails_before_it_begins_is_a_plain_error(
    app: StackApp, path: str
) -> None:
    """Nothing was answered yet, so the error has its status."""
    answered = await ask(app, "POST", path, chat("refuse", path))
    assert (answered.status, answered.headers["content-type"]) == (400, "application/json")
    assert answered.error["message"] == "nothing is said to that"


@STREAMS
async def test_the_tokens_of_a_stream_are_counted(app: StackApp, path: str) -> None:
    """Whether or not the caller asks to be told."""
    assert (await ask(app, "POST", path, chat("hi", path))).status == 200
    metrics = (await ask(app, "GET", "/metrics")).body.decode()
    for kind, count in (("prompt", 1), ("completion", 2)):
        labels = f'kind="{kind}",provider="echo",resource="echo"'
        assert f"rungraph_tokens_total{{{labels}}} {count}.0" in metrics


async def test_readers_of_events_are_told_of_the_end(app: StackApp) -> None:
    """Nothing failed, and each line of data is an event of a recording or empty."""
    reading = asyncio.create_task(ask(app, "GET", "/events"))
    await asyncio.sleep(0)
    await app.drain()
    answered = await asyncio.wait_for(reading, 10)
    assert answered.body.endswith(b"\n\nevent: stopped\ndata: {}\n\n")
    assert b"error" not in answered.body


@pytest.mark.parametrize("error", [ValueError, SystemExit])
@pytest.mark.parametrize("drains", [True, False])
async def test_what_a_provider_makes_of_the_end_of_a_call_is_not_told(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: type[BaseException],
    *,
    drains: bool,
) -> None:
    """The call has not failed: the server has ended it, or its caller has gone."""
    begun, leaves = asyncio.Event(), asyncio.Event()

    async def hang(*_: object) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise error from None

    monkeypatch.setattr(FakeProvider, "_hang", hang)
    async with Stack(compile_config({"providers": {"inference": [ECHO]}})) as stack:
        app = app_of(stack, ServerSettings(drain_seconds=0))
        asking = asyncio.create_task(ask(app, "POST", CHAT, asked("hang"), leaves=leaves))
        await begun.wait()
        if drains:
            await app.drain()
        leaves.set()
        answered = await asyncio.wait_for(asking, 10)
    assert answered.status == (503 if drains else 0)
    if drains:
        assert answered.error["message"] == "the server stops and ends this call"
    assert not caplog.records


@pytest.mark.parametrize("drains", [True, False])
async def test_a_stream_that_goes_on_after_it_was_ended_is_read_no_further(
    monkeypatch: pytest.MonkeyPatch, *, drains: bool
) -> None:
    """Its provider would be asked for more, for nobody, and perhaps for ever."""
    begun, leaves = asyncio.Event(), asyncio.Event()

    async def hang(*_: object) -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    monkeypatch.setattr(FakeProvider, "_hang", hang)
    async with Stack(compile_config({"providers": {"inference": [ECHO]}})) as stack:
        app = app_of(stack, ServerSettings(drain_seconds=0))
        body = {**asked("pause pause pause"), "stream": True}
        asking = asyncio.create_task(ask(app, "POST", CHAT, body, leaves=leaves))
        await begun.wait()
        if drains:
            await app.drain()
        leaves.set()
        await asyncio.wait([asking], timeout=10)
        assert asking.done()
    answered = asking.result()
    assert (b"the server stops and ends this call" in answered.body) is drains


async def test_who_cancels_its_caller_while_the_server_drains_fails_its_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With an answer like any other."""
    begun, goes_on = asyncio.Event(), asyncio.Event()

    async def cancel(*_: object) -> None:
        begun.set()
        await goes_on.wait()
        if (caller := asyncio.current_task()) is not None:
            caller.cancel()
        await asyncio.sleep(0)

    monkeypatch.setattr(FakeProvider, "_hang", cancel)
    async with Stack(compile_config({"providers": {"inference": [ECHO]}})) as stack:
        app = app_of(stack)
        asking = asyncio.create_task(ask(app, "POST", CHAT, asked("hang")))
        await begun.wait()
        draining = asyncio.create_task(app.drain())
        goes_on.set()
        answered = await asking  # The task has done what it was for: nobody else is told again.
        await draining
    assert answered.status == 500
    assert answered.error["message"].startswith("internal error; the server's log tells")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_where_it_listens_is_a_url(host: str) -> None:
    """An IPv6 address stands in brackets there."""
    with listening.bound(host, 0) as socket:
        port = socket.getsockname()[1]
        at = f"[{host}]" if ":" in host else host
        assert listening.url_of(socket, is_secure=True) == f"https://{at}:{port}"


def test_files_that_are_no_certificate_are_named(tmp_path: Path) -> None:
    """Before anything starts, and without OpenSSL's own words."""
    path = tmp_path / "c.pem"
    path.write_text("nothing")
    with pytest.raises(OSError, match="the key without a password") as caught:
        listening.check_certificate(path, None)
    assert str(caught.value) == (
        f"the certificate {path} and the key {path} cannot be used: "
        "both must be PEM, the key without a password"
    )


@pytest.mark.parametrize("text", ["*", "null", "app.example", "https://app.example/", "https://"])
def test_what_no_browser_sends_is_no_origin(text: str) -> None:
    """It would be allowed, and nobody would ever be let in."""
    with pytest.raises(ValueError, match="is no origin such as"):
        origin_of(text)

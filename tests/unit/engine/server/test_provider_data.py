"""What callers send for a provider: who gets it, for how long, and who never does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest
from tests.asgi import Answered, app_of, ask
from tests.builders import entry
from tests.contract.cli_package.fake_provider import FakeProvider
from tests.unit.engine.fakes import install_module

from rungraph.engine.request import CallData, hand_over, provider_data, without_call_data
from rungraph.engine.run.stack import Stack
from rungraph.engine.server.app import StackApp
from rungraph.graph import compile_config

CHAT = "/inference/chat_completion"
HEADER = "x-llamastack-provider-data"
LEFT: list[asyncio.Task[object]] = []
"""Tasks that outlive the call that began them, and return what they see then."""


class Keyed(FakeProvider):
    """Answers with the caller's key, which it reads again after others had their turn."""

    async def chat_completion(self, *args: Any, **more: Any) -> Any:
        """Answer; leave a task behind that looks once more when the call is over."""
        first = provider_data(self)
        LEFT.append(asyncio.create_task(self._look(first)))
        for _ in range(3):
            await asyncio.sleep(0)
        assert provider_data(self) is first
        return await super().chat_completion(*args, **more)

    async def _look(self, first: object) -> object:
        for _ in range(200):
            if provider_data(self) is not first:
                break
            await asyncio.sleep(0)
        return provider_data(self)


class Plain(FakeProvider):
    """Takes nothing of its callers'."""

    provider_data_validator = None  # type: ignore[assignment]  # as if it had never heard of it

    async def chat_completion(self, *args: Any, **more: Any) -> Any:
        """Answer as the base does."""
        await asyncio.sleep(0)
        return await super().chat_completion(*args, **more)


@pytest.fixture
async def app(monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[StackApp]:
    """A server of a provider that takes callers' keys and of one that does not."""

    async def create(config: Mapping[str, Any], deps: object) -> FakeProvider:
        return Keyed(config) if config["model"] == "keyed" else Plain(config)

    install_module(monkeypatch, "rungraph_fake_keys", get_provider_impl=create)
    providers = [
        entry(model, "inline::keys", "rungraph_fake_keys", model=model)
        for model in ("keyed", "plain")
    ]
    async with Stack(compile_config({"providers": {"inference": providers}})) as stack:
        yield app_of(stack)


async def asked(app: StackApp, model: str, sent: str | None, text: str = "whose key") -> Answered:
    """Return the answer to a chat with *model* whose caller sends *sent*."""
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    return await ask(app, "POST", CHAT, body, headers={HEADER: sent} if sent else {})


async def test_no_call_sees_the_key_of_another(app: StackApp) -> None:
    """Of 10,000 interleaved calls with two keys and none, each gets its own and nothing stays."""
    LEFT.clear()
    keys = ("key-of-ann", "key-of-bob", None)

    async def caller(number: int) -> None:
        for step in range(100):
            key = keys[(number + step) % 3]
            model = "plain" if step % 4 == 3 else "keyed"
            sent = f'{{"told_key": "{key}"}}' if key else None
            answered = await asked(app, model, sent)
            wanted = key if key and model == "keyed" else "nobody's"
            assert f'"content":"{wanted}"'.encode() in answered.body

    await asyncio.gather(*map(caller, range(100)))
    assert set(await asyncio.gather(*LEFT)) == {None}


@pytest.mark.parametrize("name", [HEADER, "x-llamastack-providerdata", "x-ogx-provider-data"])
async def test_three_headers_are_read(app: StackApp, name: str) -> None:
    """Clients of each age are understood."""
    body = {"model": "keyed", "messages": [{"role": "user", "content": "whose key"}]}
    answered = await ask(app, "POST", CHAT, body, headers={name: '{"told_key": "key-of-ann"}'})
    assert b"key-of-ann" in answered.body


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("key-of-ann", f"the header '{HEADER}' is no JSON object"),
        ('["key-of-ann"]', f"the header '{HEADER}' is no JSON object"),
        ("[" * 9_000, f"the header '{HEADER}' is no JSON object"),
        (
            '{"told_key": ["key-of-ann"]}',
            "provider data.told_key: input should be a valid string",
        ),
        ('{"other": "key-of-ann"}', "provider data.told_key: field required"),
    ],
)
async def test_what_is_not_valid_is_refused(app: StackApp, sent: str, told: str) -> None:
    """The error names what is wrong and shows nothing of what was sent."""
    answered = await asked(app, "keyed", sent)
    assert (answered.status, answered.error["message"]) == (400, told)


async def test_who_declares_no_validator_is_not_asked(app: StackApp) -> None:
    """Data for another provider does not keep a call from this one."""
    assert (await asked(app, "plain", '{"other": 1}')).status == 200


async def test_only_who_is_called_gets_it() -> None:
    """Another provider that would take it too finds nothing."""
    data = CallData({"told_key": "key-of-ann"})
    called, other = FakeProvider({}), FakeProvider({})
    hand_over(called)
    assert provider_data(called).told_key == "key-of-ann"
    assert provider_data(other) is None
    data.end()
    assert provider_data(called) is None


async def test_the_log_hides_what_callers_send() -> None:
    """A text that a provider's error holds is masked while the call lasts."""
    data = CallData({"keys": ["key-of-ann"], "short": "a"})
    assert without_call_data("a refusal of key-of-ann") == "a refusal of ********"
    data.end()
    assert without_call_data("key-of-ann") == "key-of-ann"

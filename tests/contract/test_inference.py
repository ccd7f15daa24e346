"""One suite for every provider of chat models: the same outcome for all of them.

What a provider does not have is ``NotImplementedError``. Answers are those of a real model; faults
are put between a provider and its server.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Generator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.contract.inference_providers import KINDS, Kind
from tests.counterparts import KEY
from tests.wire import Reply, Request, Wire, serve

from rungraph.engine.apis.common import (
    HealthStatus,
    JsonSchemaResponseFormat,
    LogProbConfig,
    SamplingParams,
    StopReason,
    ToolDefinition,
    UserMessage,
)
from rungraph.engine.apis.models import Model
from rungraph.engine.errors import RateLimitError

pytestmark = pytest.mark.real

SHORT = SamplingParams(max_tokens=3)
HI = [UserMessage(content="Say hi")]
SCHEMA = {
    "type": "object",
    "properties": {"color": {"enum": ["red", "blue"]}},
    "required": ["color"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.provider_type)
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return a type of provider."""
    found: Kind = request.param
    return found


@pytest.fixture(scope="module")
def url(kind: Kind, weights: Path) -> Generator[str]:
    """Return the URL of its server, which runs."""
    with kind.served(weights) as at:
        yield at


@pytest.fixture
async def provider(kind: Kind, url: str) -> AsyncGenerator[Any]:
    """Yield a provider of that server."""
    async with kind.provider(url) as found:
        yield found


async def unless_it_cannot(kind: Kind, row: str, call: Awaitable[Any]) -> Any:
    """Return what *call* gives; None where the type has no such thing, and says so."""
    if row in kind.cannot:
        with pytest.raises(NotImplementedError):
            await call
        return None
    return await call


async def text_of(chunks: Any, got: list[str] | None = None) -> str:
    """Return the text of a streamed chat, adding each piece to *got* as it comes."""
    got = [] if got is None else got
    async for chunk in chunks:
        got.append(str(chunk.event.delta))
    return "".join(got)


# --- what works --------------------------------------------------------------------------------


async def test_list(kind: Kind, provider: Any) -> None:
    """The model is listed as one that writes; it can have more names, another is refused."""
    assert (await provider.health()).status is HealthStatus.OK
    listed = {model.identifier: model.model_type for model in await provider.list_models()}
    assert listed[kind.model] == "llm"
    mine = Model(identifier="mine", provider_resource_id=kind.model)
    assert await provider.register_model(mine) == mine
    assert "mine" in {model.identifier for model in await provider.list_models()}
    await provider.unregister_model(mine)
    assert {model.identifier for model in await provider.list_models()} == listed.keys()
    with pytest.raises(ValueError, match=r"no .*'nope'\nserved: "):
        await provider.register_model(Model(identifier="nope"))


async def test_chat_and_its_stream(kind: Kind, provider: Any) -> None:
    """A whole answer and a streamed one say the same, why they end, and how long they are."""
    whole = await provider.chat_completion(kind.model, HI, SHORT)
    assert whole.completion_message.stop_reason is StopReason.OUT_OF_TOKENS
    assert whole.usage.completion_tokens == 3
    chunks = [
        chunk.event
        async for chunk in await provider.chat_completion(kind.model, HI, SHORT, stream=True)
    ]
    assert "".join(str(one.delta) for one in chunks) == whole.completion_message.content != ""
    assert (chunks[-1].stop_reason, chunks[-1].usage) == (StopReason.OUT_OF_TOKENS, whole.usage)


async def test_completion_and_its_stream(kind: Kind, provider: Any) -> None:
    """The model goes on from a text without a template, in one piece or several."""
    whole = await provider.completion(kind.model, "The capital of France is", SHORT)
    assert whole.completion_message.content.startswith(" Paris")
    assert whole.completion_message.stop_reason is StopReason.OUT_OF_TOKENS
    chunks = [
        chunk
        async for chunk in await provider.completion(
            kind.model, "The capital of France is", SHORT, stream=True
        )
    ]
    assert "".join(chunk.delta for chunk in chunks) == whole.completion_message.content
    assert [chunk.stop_reason for chunk in chunks[-2:]] == [None, StopReason.OUT_OF_TOKENS]
    assert chunks[-1].usage.completion_tokens == 3


async def test_structured_output(kind: Kind, provider: Any) -> None:
    """An answer keeps to a JSON Schema, in chat and in completion."""
    options: dict[str, Any] = {
        "sampling_params": SamplingParams(max_tokens=30),
        "response_format": JsonSchemaResponseFormat(json_schema=SCHEMA),
    }
    chat = await provider.chat_completion(kind.model, HI, **options)
    completion = await provider.completion(kind.model, "A color:", **options)
    for answer in (chat, completion):
        assert json.loads(answer.completion_message.content)["color"] in {"red", "blue"}


async def test_tools(kind: Kind, provider: Any) -> None:
    """A chat takes tools."""
    tool = ToolDefinition(tool_name="now", description="Tells the time.")
    call = provider.chat_completion(kind.model, HI, SHORT, tools=[tool])
    answer = await unless_it_cannot(kind, "tools", call)
    assert answer is None or answer.completion_message


async def test_embeddings(kind: Kind, provider: Any) -> None:
    """A model that makes vectors makes one a text; a chat model makes none."""
    with pytest.raises(NotImplementedError):
        await provider.embeddings(kind.model, ["one"])
    models = [one for one in await provider.list_models() if one.model_type == "embedding"]
    assert bool(models) == ("embeddings" not in kind.cannot)
    for model in models:
        found = await provider.embeddings(model.identifier, ["one", "two"])
        assert [len(vector) for vector in found.embeddings] == [384, 384]


async def test_logprobs(kind: Kind, provider: Any) -> None:
    """The probabilities of the tokens come with a chat and with a completion."""
    options: dict[str, Any] = {"sampling_params": SHORT, "logprobs": LogProbConfig(top_k=2)}
    for call in (
        provider.chat_completion(kind.model, HI, **options),
        provider.completion(kind.model, "The sky is", **options),
    ):
        answer = await unless_it_cannot(kind, "logprobs", call)
        if answer is not None:
            assert [len(token.logprobs_by_token) for token in answer.logprobs] == [2, 2, 2]


async def test_cancel(kind: Kind, provider: Any) -> None:
    """A server stops when a stream is closed: it has one slot, and answers the next call."""
    story = [UserMessage(content="Write a long story about a sailor.")]
    long = SamplingParams(max_tokens=1500)
    chunks = await provider.chat_completion(kind.model, story, long, stream=True)
    await anext(chunks)
    await anext(chunks)
    await chunks.aclose()
    async with asyncio.timeout(15):
        await provider.chat_completion(kind.model, HI, SamplingParams(max_tokens=1))


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [False, True])
async def test_too_long(kind: Kind, provider: Any, *, stream: bool) -> None:
    """What does not fit into the context is refused, never cut."""
    with pytest.raises(ValueError, match=r"2048|context"):
        await _said(provider, kind.model, [UserMessage(content="word " * 3000)], stream=stream)
    with pytest.raises(ValueError, match=r"2048|context"):
        await provider.completion(kind.model, "word " * 3000)


@pytest.mark.parametrize("stream", [False, True])
async def test_unknown_model(kind: Kind, provider: Any, *, stream: bool) -> None:
    """A model that the server does not have is refused, also where the server does not look."""
    if kind.provider_type == "remote::openai":
        pytest.skip("llama.cpp answers with its one model, and any server may stand behind it")
    with pytest.raises(ValueError, match="nope"):
        await _said(provider, "nope", HI, stream=stream)


async def test_wrong_key(kind: Kind, url: str) -> None:
    """A key that the server refuses is a failure to start, which does not tell the key."""
    if not kind.tells_key:
        pytest.skip("the server asks for no key")
    with pytest.raises(PermissionError, match="check the key") as caught:
        async with kind.provider(url, api_key="sk-another-key"):
            pass
    assert "sk-another-key" not in str(caught.value)


# --- what goes wrong on the way ----------------------------------------------------------------


class Between:
    """What stands between a provider and its server.

    Attributes:
        chat: Answers a chat in place of the server; None lets the server answer.
        recorded: The last answer to a chat.
    """

    def __init__(self, kind: Kind, url: str) -> None:
        self._kind = kind
        self._url = url
        self.chat: Reply | None = None
        self.recorded = Reply()

    async def answer(self, request: Request) -> Reply:
        """Return what *request* gets."""
        is_chat = request.path == self._kind.chat
        if is_chat and self.chat is not None:
            return self.chat
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session,
            session.request(
                request.method, f"{self._url}{request.path}", json=request.body
            ) as response,
        ):
            headers = {"Content-Type": response.content_type}
            found = Reply(await response.read(), response.status, headers)
        if is_chat:
            self.recorded = found
        return found

    def cut(self, end: int, *, is_clean: bool) -> None:
        """Answer with the first *end* bytes of what was recorded, as if that were all or not."""
        content = self.recorded.content
        assert isinstance(content, bytes)
        length = {} if is_clean else {"Content-Length": str(len(content) + 1)}
        self.chat = Reply(content[:end], headers={**self.recorded.headers, **length})


@asynccontextmanager
async def disturbed(
    kind: Kind, url: str, **config: Any
) -> AsyncGenerator[tuple[Any, Between, Wire]]:
    """Run a provider, and what stands between it and its server."""
    if not kind.has_server:
        pytest.skip("there is nothing between the provider and its model")
    between = Between(kind, url)
    async with serve(between.answer) as wire:
        at = wire.base_url.removesuffix("/v1")
        async with kind.provider(at, **config) as provider:
            yield provider, between, wire


@pytest.mark.parametrize("stream", [False, True])
async def test_busy(kind: Kind, url: str, *, stream: bool) -> None:
    """A server that takes no more calls is asked again, and then told as that."""
    async with disturbed(kind, url, max_retries=1) as (provider, between, wire):
        asked = len(wire.requests)
        between.chat = kind.busy
        with pytest.raises(RateLimitError):
            await _said(provider, kind.model, HI, stream=stream)
        assert len(wire.requests) == asked + 2


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize("stream", [False, True])
async def test_silent_before_the_first_byte(
    kind: Kind, url: str, *, stream: bool, begun: bool
) -> None:
    """A server that does not begin to answer is a timeout."""
    async with disturbed(kind, url, first_chunk_timeout_seconds=0.2) as (provider, between, _):
        headers = kind.failure.headers if stream else {}
        between.chat = Reply(b"", headers=headers, pause=30, begun=begun, hang=True)
        with pytest.raises(TimeoutError, match="silent for too long"):
            await _said(provider, kind.model, HI, stream=stream)


async def test_silent_in_the_middle(kind: Kind, url: str) -> None:
    """A stream that stops coming is a timeout; what came is kept, and the server is let go."""
    async with disturbed(kind, url, timeout_seconds=0.3) as (provider, between, wire):
        failure = kind.failure.content
        assert isinstance(failure, bytes)
        end = b"\n\n" if failure.startswith(b"data:") else b"\n"
        first, found, _ = failure.partition(end)
        between.chat = Reply(first + found, headers=kind.failure.headers, hang=True)
        got: list[str] = []
        chunks = await provider.chat_completion(kind.model, HI, SHORT, stream=True)
        with pytest.raises(TimeoutError, match="silent for too long"):
            await text_of(chunks, got)
        assert "".join(got) == "hi"
        async with asyncio.timeout(0.5):
            await wire.left.wait()


async def test_an_error_inside_a_stream(kind: Kind, url: str) -> None:
    """An error that comes after a status of 200 is an error; what came before it is kept."""
    async with disturbed(kind, url) as (provider, between, _):
        between.chat = kind.failure
        got: list[str] = []
        chunks = await provider.chat_completion(kind.model, HI, SHORT, stream=True)
        with pytest.raises(ConnectionError, match=r"out of memory|failed during generation"):
            await text_of(chunks, got)
        assert "".join(got) == "hi"


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(b"<html>proxy</html>", headers={"Content-Type": "text/html"}), "text/html"),
        (Reply(b"<html>proxy</html>"), "not understood"),
        (Reply(b"[]"), "not understood"),
        (Reply({"error": {"message": "out of memory"}}), "out of memory"),
    ],
)
@pytest.mark.parametrize("is_relayed", [False, True])
async def test_a_whole_answer_that_is_none(
    kind: Kind, url: str, reply: Reply, told: str, *, is_relayed: bool
) -> None:
    """A status of 200 makes no answer: also where it is handed on as it is, it is an error."""
    async with disturbed(kind, url) as (provider, between, _):
        between.chat = reply
        said = partial(_said, provider, kind.model, HI, stream=False)
        if is_relayed and hasattr(provider, "relay_openai"):
            said = partial(provider.relay_openai, "chat/completions", {"model": kind.model})
        with pytest.raises(ConnectionError, match=told):
            await said()


async def test_a_stream_that_breaks_off_is_never_taken_for_a_whole_one(
    kind: Kind, url: str
) -> None:
    """Cut at any byte, with or without an orderly end, it is the whole text or an error."""
    async with disturbed(kind, url) as (provider, between, _):
        whole = await _said(provider, kind.model, HI, stream=True)
        content = between.recorded.content
        assert isinstance(content, bytes)
        for end in range(len(content)):
            between.cut(end, is_clean=end % 2 == 0)
            got: list[str] = []
            chunks = await provider.chat_completion(kind.model, HI, SHORT, stream=True)
            try:
                assert await text_of(chunks, got) == whole, content[:end]
            except ConnectionError:
                assert whole.startswith("".join(got))


async def _said(provider: Any, model: str, messages: Any, *, stream: bool) -> str:
    """Return the text of an answer."""
    answer = await provider.chat_completion(model, messages, SHORT, stream=stream)
    return await text_of(answer) if stream else str(answer.completion_message.content)

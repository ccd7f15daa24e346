"""The routes below ``/v1``: the OpenAI API, relayed where a provider speaks it, else translated."""

from __future__ import annotations

import json
import re
import time
from contextlib import aclosing, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from pydantic_core import from_json

from rungraph.engine.apis.common import Usage
from rungraph.engine.provider import has_openai_relay
from rungraph.engine.providers.openai_requests import drop_options
from rungraph.engine.request import begin_session, hand_over
from rungraph.engine.server import translated_answers, translation
from rungraph.engine.server.exchange import Called, to_json, usage_at_end
from rungraph.engine.server.failures import RequestError
from rungraph.engine.server.responses import NOT_UNDERSTOOD, Answering, chat_body
from rungraph.engine.server.translation import read
from rungraph.engine.server_events import events_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping

    from rungraph.engine.apis.resource import Resource
    from rungraph.engine.provider import HasOpenAIRelay
    from rungraph.engine.routing.groups import Attempt, Group
    from rungraph.engine.run.stack import Stack
    from rungraph.engine.server.exchange import Exchange

    _Answer = dict[str, Any] | AsyncGenerator[dict[str, Any], None]
    _Relayed = bytes | AsyncGenerator[bytes, None]

_Chunk = TypeVar("_Chunk")

_DONE = b"data: [DONE]\n\n"
_CHAT, _EMBEDDINGS = "chat/completions", "embeddings"
_BROKEN_OFF = "the stream ended before the answer did"
_TAIL = 4096
"""Bytes at the end of what is relayed in which its end stands, and the tokens in most cases."""
_END = re.compile(rb"(?:^|\n)data: ?\[DONE\]")
_REASON = re.compile(rb'"finish_reason"\s*:\s*(null|""|"\w)')
_USAGE = re.compile(rb'"usage"\s*:\s*(\{(?:[^{}]|\{[^{}]*\})*+\})')


class OpenAIRoutes:
    """Serves the OpenAI API for the models of a stack.

    Attributes:
        paths: Where it has models called, below ``/v1``.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._translated: dict[str, Callable[..., Awaitable[_Answer]]] = {
            _CHAT: self._chat,
            "completions": self._completion,
            _EMBEDDINGS: self._embeddings,
        }
        self.paths = tuple(self._translated)

    async def answer(self, path: str, exchange: Exchange) -> None:
        """Answer with what the provider says itself at *path*, or else with a translated answer."""
        body = await body_of(exchange)
        if path != _EMBEDDINGS and _wants_stream(body):
            exchange.expect_stream()
        with exchange.watched():
            if (relayed := await self._relayed(exchange, path, body)) is not None:
                await _pass_on(exchange, relayed)
                return
            answer = await self._translated[path](exchange, body)
            if isinstance(answer, dict):
                await exchange.answer(to_json(answer))
            else:
                await exchange.stream(answer, to_json, _DONE)

    async def responses(self, exchange: Exchange) -> None:
        """Answer with a response: a chat of either lane, told as the responses API tells it."""
        body = await body_of(exchange)
        is_stream = _wants_stream(body)
        chat = chat_body(body)
        answering = Answering(body, exchange.request_id.removeprefix("req_"), int(time.time()))
        if is_stream:
            exchange.expect_stream()
        with exchange.watched():
            try:
                relayed = await self._relayed(exchange, _CHAT, chat)
            except (ValueError, NotImplementedError) as error:
                if not drop_options(chat, error):
                    raise
                relayed = await self._relayed(exchange, _CHAT, chat)
            exchange.last_event = b""
            if relayed is None:
                answer = await self._chat(exchange, chat)
            elif isinstance(relayed, bytes):
                answer = _object_in(relayed)
            else:
                answer = _chunks_in(relayed)
            if isinstance(answer, dict):
                await exchange.answer(to_json(answering.whole(answer)))
            else:
                events = _each(exchange, answer, answering.take, answering.end)
                await exchange.stream(events, to_json)
            exchange.usage = answering.usage

    async def _chat(self, exchange: Exchange, body: Mapping[str, Any]) -> _Answer:
        """Return the inference API's answer to a chat, as the OpenAI API has it."""
        request = read(translation.ChatRequest, body)
        head = _head("chatcmpl", exchange, request.model)
        answer = await self._stack["inference"].chat_completion(**request.arguments)
        if request.stream:
            events = translated_answers.ChatEvents(head, with_usage=request.with_usage)
            return _each(exchange, answer, events.take)
        exchange.usage = answer.usage
        return translated_answers.chat_answer(answer, head)

    async def _completion(self, exchange: Exchange, body: Mapping[str, Any]) -> _Answer:
        request = read(translation.CompletionRequest, body)
        head = _head("cmpl", exchange, request.model)
        answer = await self._stack["inference"].completion(**request.arguments)
        if request.stream:
            events_of = partial(
                translated_answers.completion_chunk, head=head, with_usage=request.with_usage
            )
            return _each(exchange, answer, events_of)
        exchange.usage = answer.usage
        return translated_answers.completion_answer(answer, head)

    async def _embeddings(self, exchange: Exchange, body: Mapping[str, Any]) -> _Answer:
        request = read(translation.EmbeddingsRequest, body)
        answer = await self._stack["inference"].embeddings(**request.arguments)
        exchange.usage = answer.usage
        return translated_answers.embeddings_answer(answer, request)

    async def _relayed(
        self, exchange: Exchange, path: str, body: Mapping[str, Any]
    ) -> _Relayed | None:
        """Return what the model's provider says itself, byte for byte; None if it cannot.

        Everything goes as it came, but for the name of the model.
        """
        exchange.last_event = _DONE
        is_stream = body.get("stream") is True and path != _EMBEDDINGS
        table, inference, name = self._stack["models"], self._stack["inference"], body.get("model")
        if not isinstance(name, str):
            problem = "is missing" if name is None else "is no text"
            raise RequestError(400, f"model: {problem}", "model", "invalid_value")
        resource: Resource = inference.resource_called(name)
        begin_session(str(body.get("prompt_cache_key") or body.get("user") or ""))
        group: Group | None = None if resource.provider_id else table.groups.get(name)

        def ask(one: Resource, attempt: Attempt | None = None) -> Any:
            provider = table.member(one.provider_id).instance
            hand_over(provider)
            # What is no stream is one call: it ends with its answer, and so do its limits.
            relay = provider.relay_openai if is_stream else partial(_whole, provider)
            traced = inference.traced_relay(relay, one, attempt)
            return traced(path, {**body, "model": one.native_id})

        members = [resource] if group is None else group.resources
        exchange.called = Called("inference", path, resource.identifier, resource.provider_id)
        if not all(has_openai_relay(table.member(one.provider_id).instance) for one in members):
            return None
        if group is None:
            return await ask(resource)  # type: ignore[no-any-return]
        by_member = {one.provider_id: one for one in members}
        return await group.call(  # type: ignore[no-any-return]
            lambda attempt: ask(by_member[attempt.member], attempt),
            body,
            may_hedge=path == _EMBEDDINGS,
        )


def _head(kind: str, exchange: Exchange, model: str) -> dict[str, Any]:
    name = exchange.request_id.removeprefix("req_")
    return {"id": f"{kind}-{name}", "created": int(time.time()), "model": model}


async def body_of(exchange: Exchange) -> dict[str, Any]:
    """Return the JSON object that is a request's body.

    Raises:
        RequestError: If it is none.
    """
    try:
        content = await exchange.json_body()
        try:
            body: object = from_json(content)
        except ValueError:  # What only the standard library reads, or tells what is wrong with.
            body = json.loads(content)
    except UnicodeDecodeError as error:
        raise RequestError(400, "the body is no UTF-8", code="invalid_value") from error
    except ValueError as error:
        raise RequestError(400, f"the body is no JSON: {error}", code="invalid_value") from error
    except RecursionError as error:
        raise RequestError(400, "the body is nested too deep", code="invalid_value") from error
    if not isinstance(body, dict):
        raise RequestError(400, "the body is no JSON object", code="invalid_value")
    return cast("dict[str, Any]", body)


def _wants_stream(body: Mapping[str, Any]) -> bool:
    """Return whether *body* asks for a stream, as every lane and server understands it.

    Raises:
        RequestError: If it says neither yes nor no: servers differ in what they take for a yes.
    """
    found = body.get("stream")
    if found is None or isinstance(found, bool):
        return found is True
    raise RequestError(400, "stream: must be true or false", "stream", "invalid_value")


async def _each(
    exchange: Exchange,
    chunks: AsyncGenerator[_Chunk, None],
    events_of: Callable[[_Chunk], Iterator[dict[str, Any]]],
    last: Callable[[], Iterator[dict[str, Any]]] = lambda: iter(()),
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the events that each of *chunks* makes, and those that come *last*."""
    chunk = None
    async with aclosing(chunks):
        async for chunk in chunks:
            for event in events_of(chunk):
                yield event
    exchange.usage = usage_at_end(chunk)
    for event in last():
        yield event


async def _chunks_in(
    content: AsyncGenerator[bytes, None],
) -> AsyncGenerator[dict[str, Any], None]:
    """Yield the chunks of a chat that its server tells in *content*.

    Raises:
        ConnectionError: If it ends with an error.
    """
    async with aclosing(content), aclosing(events_in(content)) as events:
        async for event in events:
            if event == b"[DONE]":
                return
            chunk = _object_in(event)
            if error := chunk.get("error"):
                msg = str(error.get("message", error) if isinstance(error, dict) else error)
                raise ConnectionError(msg)
            yield chunk


def _object_in(content: bytes) -> dict[str, Any]:
    """Return the JSON object that a model's server says.

    Raises:
        ConnectionError: If it says something else, which is not the caller's fault.
    """
    with suppress(ValueError):
        found: object = json.loads(content)
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    raise ConnectionError(NOT_UNDERSTOOD)


async def _whole(provider: HasOpenAIRelay, path: str, body: Mapping[str, Any]) -> bytes:
    """Return what *provider* says itself to what is no stream."""
    async with aclosing(await provider.relay_openai(path, body)) as content:
        return b"".join([piece async for piece in content])


async def _pass_on(exchange: Exchange, content: _Relayed) -> None:
    """Answer with *content* as it is.

    Raises:
        ConnectionError: If a stream ends before it says so: nobody may take that for the end.
    """
    if isinstance(content, bytes):
        exchange.usage = _usage_in(content[:_TAIL] + b" " + content[-_TAIL:])
        await exchange.answer(content)
        return
    tail = b""
    async with aclosing(content):
        async for part in content:
            if not exchange.has_begun:
                await exchange.begin_events()
            await exchange.send_bytes(part)
            tail = (tail + part)[-_TAIL:]
    exchange.usage = _usage_in(tail)
    # Some servers say no more than why they have ended.
    reasons = _REASON.findall(tail.rpartition(b"\n")[0])
    if not _END.search(tail) and reasons[-1:] in ([], [b"null"], [b'""']):
        if exchange.has_begun and not tail.endswith(b"\n\n"):
            await exchange.send_bytes(b"\n\n")
        raise ConnectionError(_BROKEN_OFF)
    await exchange.end()


def _usage_in(content: bytes) -> Usage | None:
    """Return the tokens that an answer, or the end of one, tells; None if it tells none."""
    for found in reversed(_USAGE.findall(content)):
        with suppress(ValueError):
            told = from_json(found)
            prompt, completion = told.get("prompt_tokens"), told.get("completion_tokens", 0)
            if isinstance(prompt, int) and isinstance(completion, int):
                return Usage(prompt_tokens=prompt, completion_tokens=completion)
    return None

"""The routes below ``/v1``: the OpenAI API, relayed where a provider speaks it, else translated."""

from __future__ import annotations

import json
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from pydantic_core import to_json

from rungraph.engine.errors import NotServedError
from rungraph.engine.provider import has_openai_relay
from rungraph.engine.request import hand_over
from rungraph.engine.server import translated_answers, translation
from rungraph.engine.server.failures import RequestError
from rungraph.graph.address import Address

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping

    from rungraph.engine.apis.resource import Resource
    from rungraph.engine.run.stack import Stack
    from rungraph.engine.server.exchange import Exchange

_DONE = b"data: [DONE]\n\n"
_TAIL = 64
"""Bytes at the end of a relayed stream in which its last event stands."""


class OpenAIRoutes:
    """Serves the OpenAI API for the models of a stack.

    Args:
        stack: What answers.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._started = int(time.time())

    # --- models --------------------------------------------------------------------------------

    async def list_models(self, exchange: Exchange) -> None:
        """Answer with all models."""
        models = await self._stack["models"].list_models()
        data = [self._model(one) for one in models]
        await exchange.answer(to_json({"object": "list", "data": data}))

    async def get_model(self, exchange: Exchange) -> None:
        """Answer with one model, whose name may hold slashes."""
        name = exchange.path_values["model"]
        found = self._stack["models"].resolve(name)
        await exchange.answer(to_json(self._model(found)))

    def _model(self, model: Any) -> dict[str, Any]:
        return {
            "id": model.identifier,
            "object": "model",
            "created": self._started,
            "owned_by": model.provider_id,
            "custom_metadata": {
                **model.metadata,
                "model_type": model.model_type,
                "provider_id": model.provider_id,
                "provider_resource_id": model.native_id,
            },
        }

    # --- the stack, as clients of later contracts ask for it ------------------------------------

    async def health(self, exchange: Exchange) -> None:
        """Answer how the stack is."""
        found = await self._stack["inspect"].health()
        await exchange.answer(to_json({"status": found.status.value}))

    async def version(self, exchange: Exchange) -> None:
        """Answer with the version of the software."""
        await exchange.answer(to_json(await self._stack["inspect"].version()))

    async def routes(self, exchange: Exchange) -> None:
        """Answer with the routes of every API, in one list."""
        found = await self._stack["inspect"].list_routes()
        await exchange.answer(to_json({"data": [one for api in found.values() for one in api]}))

    async def providers(self, exchange: Exchange) -> None:
        """Answer with the configured providers; secrets of their configs are masked."""
        found = await self._stack["inspect"].list_providers()
        graph = self._stack.graph
        data = [
            {
                "api": api,
                "provider_id": one.provider_id,
                "provider_type": one.provider_type,
                "config": graph.masked_config(Address.provider(api, one.provider_id)),
                "health": one.health,
            }
            for api, providers in found.items()
            for one in providers
        ]
        await exchange.answer(to_json({"data": data}))

    # --- inference -----------------------------------------------------------------------------

    async def chat(self, exchange: Exchange) -> None:
        """Answer a chat completion."""
        body = await _body_of(exchange)
        if await self._relayed(exchange, "chat/completions", body):
            return
        request = translation.chat_request(body)
        head = self._head("chatcmpl", exchange, request.model)
        with exchange.watched():
            answer = await self._stack["inference"].chat_completion(**request.arguments)
            if request.stream:
                options = request.stream_options
                with_usage = options is not None and options.include_usage
                events = translated_answers.ChatEvents(head, with_usage=with_usage)
                await _stream(exchange, answer, lambda chunk: events.take(chunk.event))
                return
        await exchange.answer(to_json(translated_answers.chat_answer(answer, head)))

    async def completions(self, exchange: Exchange) -> None:
        """Answer a completion."""
        body = await _body_of(exchange)
        if await self._relayed(exchange, "completions", body):
            return
        request = translation.completion_request(body)
        head = self._head("cmpl", exchange, request.model)
        with exchange.watched():
            answer = await self._stack["inference"].completion(**request.arguments)
            if request.stream:
                await _stream(
                    exchange, answer, lambda chunk: translated_answers.completion_chunk(chunk, head)
                )
                return
        await exchange.answer(to_json(translated_answers.completion_answer(answer, head)))

    async def embeddings(self, exchange: Exchange) -> None:
        """Answer with vectors."""
        body = await _body_of(exchange)
        if await self._relayed(exchange, "embeddings", body):
            return
        request = translation.embeddings_request(body)
        with exchange.watched():
            answer = await self._stack["inference"].embeddings(**request.arguments)
        await exchange.answer(to_json(translated_answers.embeddings_answer(answer, request)))

    def _head(self, kind: str, exchange: Exchange, model: str) -> dict[str, Any]:
        name = exchange.request_id.removeprefix("req_")
        return {"id": f"{kind}-{name}", "created": int(time.time()), "model": model}

    async def _relayed(self, exchange: Exchange, path: str, body: Mapping[str, Any]) -> bool:
        """Answer by what the model's provider says itself; return whether it can.

        Everything goes as it came, but for the name of the model.
        """
        exchange.last_event = _DONE
        resource = self._resolved(body.get("model"))
        provider = self._stack["models"].members[resource.provider_id]
        if not has_openai_relay(provider):
            return False
        hand_over(provider)
        wanted = {**body, "model": resource.native_id}
        with exchange.watched():
            parts = await provider.relay_openai(path, wanted)
            async with aclosing(parts):
                if body.get("stream") is True:
                    await _relay_stream(exchange, parts)
                    return True
                content = b"".join([part async for part in parts])
        await exchange.answer(content)
        return True

    def _resolved(self, name: object) -> Resource:
        """Return the model that *name* means.

        Raises:
            RequestError: If it is no name.
            UnknownResourceError: If no model has it.
        """
        api, served = "models", self._stack.graph.apis
        if api not in served:
            raise NotServedError(api, served)
        if not isinstance(name, str):
            problem = "is missing" if name is None else "is no text"
            raise RequestError(400, f"model: {problem}", "model", "invalid_value")
        return cast("Resource", self._stack[api].resolve(name))


async def _body_of(exchange: Exchange) -> dict[str, Any]:
    try:
        body: object = json.loads(await exchange.json_body())
    except (ValueError, RecursionError) as error:
        problem = "the body is no JSON" if isinstance(error, ValueError) else "nested too deep"
        raise RequestError(400, problem, code="invalid_value") from error
    if not isinstance(body, dict):
        raise RequestError(400, "the body is no JSON object", code="invalid_value")
    return cast("dict[str, Any]", body)


async def _stream(
    exchange: Exchange,
    chunks: AsyncGenerator[Any, None],
    events_of: Callable[[Any], Iterator[dict[str, Any]]],
) -> None:
    async with aclosing(chunks):
        async for chunk in chunks:
            for event in events_of(chunk):
                await exchange.send_event(to_json(event))
    if not exchange.has_begun:
        await exchange.begin_events()
    await exchange.end(_DONE)


async def _relay_stream(exchange: Exchange, parts: AsyncGenerator[bytes, None]) -> None:
    """Send *parts* as they are.

    Raises:
        ConnectionError: If they end before the stream says so: nobody may take that for the end.
    """
    tail = b""
    async for part in parts:
        if not exchange.has_begun:
            await exchange.begin_events()
        await exchange.send_bytes(part)
        tail = (tail + part)[-_TAIL:]
    if b"[DONE]" not in tail:
        if exchange.has_begun and not tail.endswith(b"\n\n"):
            await exchange.send_bytes(b"\n\n")
        msg = "the stream ended before the answer did"
        raise ConnectionError(msg)
    await exchange.end()

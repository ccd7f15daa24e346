"""vLLM: the OpenAI API with its own errors, without a tool parser, and a length in its list."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from aiohttp import web

from counterparts.llama import CONTEXT_SIZE, OneModel, RefusedError, has_key, stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_KINDS = {400: "BadRequestError", 404: "NotFoundError"}
_PARSER = "--tool-call-parser to be set"
_NO_PARSER = {
    "auto": f'"auto" tool choice requires --enable-auto-tool-choice and {_PARSER}',
    "required": f'tool_choice="required" requires {_PARSER}',
}


class VLLM(OneModel):
    """The server of a chat model."""

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers to."""
        return [
            web.get("/health", self._health),
            web.get("/v1/models", self._models),
            web.post("/v1/{route:chat/completions|completions}", self._answer),
            web.route("*", "/{other:.*}", self._missing),
        ]

    async def _missing(self, _: web.Request) -> web.Response:
        return web.json_response({"detail": "Not Found"}, status=404)

    async def _models(self, request: web.Request) -> web.Response:
        if not has_key(request, self._key):
            return web.json_response({"error": "Unauthorized"}, status=401)
        one = {
            "id": self._model,
            "object": "model",
            "created": 1,
            "owned_by": "vllm",
            "root": self._model,
            "parent": None,
            "max_model_len": CONTEXT_SIZE,
        }
        return web.json_response({"object": "list", "data": [one]})

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if not has_key(request, self._key):
            return web.json_response({"error": "Unauthorized"}, status=401)
        body = await request.json()
        path = f"/v1/{request.match_info['route']}"
        try:
            wanted = self._checked(body)
            if not body.get("stream"):
                answer = await self._llama.post(path, wanted)
                return web.json_response({**answer, "model": self._model})
            events = self._llama.events(path, wanted)
            first = await anext(events)
        except RefusedError as error:
            told = {
                "message": error.message,
                "type": _KINDS.get(error.status, "InternalServerError"),
                "param": None,
                "code": error.status,
            }
            return web.json_response({"error": told}, status=error.status)
        return await stream(request, "text/event-stream", self._lines(first, events))

    def _checked(self, body: dict[str, Any]) -> dict[str, Any]:
        """Return the request as llama.cpp takes it.

        Raises:
            RefusedError: If vLLM would refuse it.
        """
        if body.get("model") not in {None, self._model}:
            raise RefusedError(404, f"The model `{body['model']}` does not exist.")
        problem = _NO_PARSER.get(body.get("tool_choice", "auto"))
        if body.get("tools") and problem:
            raise RefusedError(400, problem)
        # Keys that it does not know are ignored, and what else runs behind it must not see them.
        ignored = {"guided_json", "guided_regex", "json_schema", "repeat_penalty", "model"}
        wanted = {key: value for key, value in body.items() if key not in ignored}
        if outputs := wanted.pop("structured_outputs", None):
            wanted["json_schema"] = outputs["json"]
        return wanted

    async def _lines(
        self, first: dict[str, Any], events: AsyncGenerator[dict[str, Any]]
    ) -> AsyncGenerator[bytes]:
        yield self._event(first)
        async with aclosing(events):
            async for event in events:
                yield self._event(event)
        yield b"data: [DONE]\n\n"

    def _event(self, event: dict[str, Any]) -> bytes:
        return b"data: " + json.dumps({**event, "model": self._model}).encode() + b"\n\n"

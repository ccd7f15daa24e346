"""Text Generation Inference: one model a server, errors inside a stream that began with 200."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from aiohttp import web

from counterparts.llama import CONTEXT_SIZE, OneModel, RefusedError, has_key, stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

_FINISHED = {"eos": "eos_token", "limit": "length", "word": "stop_sequence"}
_MOST_STOPS = 4
_EVENTS = "text/event-stream"
_END = {"id": 2, "text": "", "logprob": 0.0, "special": True}


class TGI(OneModel):
    """The server."""

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers to."""
        return [
            *(web.get(path, self._health) for path in ("/", "/health", "/ping")),
            web.get("/info", self._info),
            web.get("/v1/models", self._models),
            web.post("/", self._compat),
            web.post("/generate", self._generate),
            web.post("/generate_stream", self._generate_stream),
            web.post("/tokenize", self._tokenize),
            web.post("/v1/{route:chat/completions|completions}", self._openai),
        ]

    async def _info(self, _: web.Request) -> web.Response:
        return web.json_response(
            {
                "model_id": self._model,
                "model_sha": None,
                "model_pipeline_tag": "text-generation",
                "max_concurrent_requests": 128,
                "max_best_of": 2,
                "max_stop_sequences": _MOST_STOPS,
                "max_input_tokens": CONTEXT_SIZE - 1,
                "max_total_tokens": CONTEXT_SIZE,
                "validation_workers": 2,
                "max_client_batch_size": 4,
                "router": "text-generation-router",
                "version": "3.3.7",
                "sha": None,
                "docker_label": None,
            }
        )

    async def _models(self, _: web.Request) -> web.Response:
        one = {"id": self._model, "object": "model", "created": 0, "owned_by": self._model}
        return web.json_response({"object": "list", "data": [one]})

    async def _tokenize(self, request: web.Request) -> web.Response:
        if not has_key(request, self._key):
            return web.Response(status=401)
        text = (await request.json())["inputs"]
        found = await self._llama.post("/tokenize", {"content": text, "with_pieces": True})
        start = 0
        tokens: list[dict[str, Any]] = []
        for one in found["tokens"]:
            end = start + len(one["piece"])
            tokens.append({"id": one["id"], "text": one["piece"], "start": start, "stop": end})
            start = end
        return web.json_response(tokens)

    # --- completion ----------------------------------------------------------------------------

    async def _compat(self, request: web.Request) -> web.StreamResponse:
        if (await request.json()).get("stream"):
            return await self._generate_stream(request)
        return await self._generate(request, is_list=True)

    async def _generate(self, request: web.Request, *, is_list: bool = False) -> web.Response:
        if not has_key(request, self._key):
            return web.Response(status=401)
        body = await request.json()
        parameters = body.get("parameters") or {}
        try:
            prompt_tokens = await self._checked(body, streams=False)
            found = [one async for one in self._tokens(body)]
        except RefusedError as error:
            return web.json_response(_told(error), status=error.status)
        tokens = [token for token, _ in found]
        prompt = body["inputs"] if parameters.get("return_full_text") else ""
        text = "".join(token["text"] for token in tokens if not token["special"])
        answer: dict[str, Any] = {"generated_text": prompt + text}
        if parameters.get("details") or parameters.get("decoder_input_details"):
            answer["details"] = {
                "finish_reason": found[-1][1],
                "generated_tokens": len(tokens),
                "seed": parameters.get("seed"),
                "prefill": [],
                "tokens": [_shown(token) for token in tokens],
                "top_tokens": [token["top"] for token in tokens],
            }
        return web.json_response(
            [answer] if is_list else answer,
            headers={
                "x-compute-type": "cpu",
                "x-prompt-tokens": str(prompt_tokens),
                "x-generated-tokens": str(len(tokens)),
            },
        )

    async def _generate_stream(self, request: web.Request) -> web.StreamResponse:
        if not has_key(request, self._key):
            return web.Response(status=401)
        body = await request.json()
        return await stream(request, _EVENTS, self._events(body), **{"x-accel-buffering": "no"})

    async def _events(self, body: dict[str, Any]) -> AsyncGenerator[bytes]:
        """Yield an event a token; what is refused is an event as well, and nothing follows it."""
        parameters = body.get("parameters") or {}
        text = ""
        count = 0
        try:
            prompt_tokens = await self._checked(body, streams=True)
            async with aclosing(self._tokens(body)) as tokens:
                async for token, finish in tokens:
                    count += 1
                    text += token["text"]
                    details = {
                        "finish_reason": finish,
                        "generated_tokens": count,
                        "seed": parameters.get("seed"),
                        "input_length": prompt_tokens,
                    }
                    event = {
                        "index": count,
                        "token": _shown(token),
                        "top_tokens": token["top"],
                        "generated_text": text if finish else None,
                        "details": details if finish and parameters.get("details") else None,
                    }
                    yield _event(event)
        except RefusedError as error:
            yield _event(_told(error))

    async def _checked(self, body: dict[str, Any], *, streams: bool) -> int:
        """Return how many tokens the prompt has.

        Raises:
            RefusedError: If the parameters are not valid.
        """
        prompt = await self._llama.count(body.get("inputs") or "")
        problem = _problem(body, prompt, streams=streams)
        if problem:
            raise _invalid(problem)
        return prompt

    async def _tokens(
        self, body: dict[str, Any]
    ) -> AsyncGenerator[tuple[dict[str, Any], str | None]]:
        """Yield each token, and why the model stopped with the last one."""
        parameters = body.get("parameters") or {}
        sampled = parameters.get("do_sample") or parameters.get("temperature")
        wanted: dict[str, Any] = {
            "prompt": body["inputs"],
            "n_predict": _most_new(parameters) or -1,
            "n_probs": max(parameters.get("top_n_tokens") or 0, 1),
            "stop": parameters.get("stop") or [],
            "temperature": parameters.get("temperature", 1.0) if sampled else 0.0,
            "seed": parameters.get("seed") or 1,
        }
        if grammar := parameters.get("grammar"):
            wanted["json_schema"] = _schema_of(grammar)
        held: dict[str, Any] | None = None
        async with aclosing(self._llama.events("/completion", wanted)) as events:
            async for event in events:
                for one in event.get("completion_probabilities") or ():
                    if held is not None:
                        yield held, None
                    held = _token(one)
                    held["top"] = held["top"] if parameters.get("top_n_tokens") else []
                if event.get("stop"):
                    end = {**_END, "top": []}
                    yield held or end, _FINISHED.get(event["stop_type"], "eos_token")

    # --- the OpenAI API ------------------------------------------------------------------------

    async def _openai(self, request: web.Request) -> web.StreamResponse:
        if not has_key(request, self._key):
            return web.Response(status=401)
        body = await request.json()
        # Whatever model is asked for, the one that is there answers, in the name of the other.
        name = body.get("model") or "tgi"
        shown = self._model if name == "tgi" else name
        if wanted := body.pop("response_format", None):
            body["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": _schema_of(wanted)},
            }
        # The official client sends null for whatever it does not say, in messages too.
        body = _without_nulls(body)
        path = f"/v1/{request.match_info['route']}"
        if body.get("stream"):
            return await stream(request, _EVENTS, self._openai_events(path, body, shown))
        try:
            answer = await self._llama.post(path, body)
        except RefusedError as error:
            refused = _invalid(error.message)
            return web.json_response(_told(refused), status=refused.status)
        return web.json_response(_signed(answer, shown))

    async def _openai_events(
        self, path: str, body: dict[str, Any], shown: str
    ) -> AsyncGenerator[bytes]:
        try:
            async with aclosing(self._llama.events(path, body)) as events:
                async for event in events:
                    yield _event(_signed(event, shown))
        except RefusedError as error:
            refused = _invalid(error.message)
            told = {"message": refused.message, "http_status_code": refused.status}
            yield _event({"error": told})
        # Releases differ in the space after the colon; the official client wants it here.
        yield b"data: [DONE]\n\n"


def _signed(answer: dict[str, Any], model: str) -> dict[str, Any]:
    """Return a whole answer, or an event of one, with all that TGI writes into it."""
    choices: list[dict[str, Any]] = [{"logprobs": None, **one} for one in answer["choices"]]
    for one in choices:
        if "delta" in one:
            one["delta"] = {"role": "assistant", **one["delta"]}
    return {**answer, "choices": choices, "model": model, "system_fingerprint": "3.3.7-native"}


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _problem(body: dict[str, Any], prompt_tokens: int, *, streams: bool) -> str:
    """Return what is wrong with a request for a completion; nothing when it is valid."""
    parameters = body.get("parameters") or {}
    temperature, stops = parameters.get("temperature"), parameters.get("stop") or []
    new = _most_new(parameters) or 1
    if not body.get("inputs"):
        return "`inputs` cannot be empty"
    if len(stops) > _MOST_STOPS:
        return f"`stop` supports up to {_MOST_STOPS} stop sequences. Given: {len(stops)}"
    if temperature is not None and temperature <= 0:
        return "`temperature` must be strictly positive"
    if streams and (parameters.get("best_of") or 1) != 1:
        return "`best_of` != 1 is not supported when streaming tokens"
    if prompt_tokens + new > CONTEXT_SIZE:
        return (
            f"`inputs` tokens + `max_new_tokens` must be <= {CONTEXT_SIZE}. "
            f"Given: {prompt_tokens} `inputs` tokens and {new} `max_new_tokens`"
        )
    return ""


def _event(data: dict[str, Any]) -> bytes:
    return b"data:" + json.dumps(data).encode() + b"\n\n"


def _invalid(message: str) -> RefusedError:
    return RefusedError(422, f"Input validation error: {message}")


def _told(error: RefusedError) -> dict[str, Any]:
    return {"error": error.message, "error_type": "validation"}


def _most_new(parameters: dict[str, Any]) -> int | None:
    found: int | None = parameters.get("max_new_tokens")
    return found


def _schema_of(grammar: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a grammar in either form."""
    value: dict[str, Any] = grammar["value"] if "value" in grammar else grammar["json_schema"]
    found: dict[str, Any] = value.get("schema", value)
    return found


def _token(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": one["id"],
        "text": one["token"],
        "logprob": one["logprob"],
        "special": False,
        "top": [_shown(_token(each)) for each in one.get("top_logprobs") or ()],
    }


def _shown(token: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in token.items() if key != "top"}

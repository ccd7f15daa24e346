"""Hugging Face, as far as it says where it runs a model, and a TGI behind it."""

from __future__ import annotations

from collections import Counter

from aiohttp import web

from counterparts.llama import Llama, has_key
from counterparts.tgi import TGI

_STATES = {
    "small": ["running"],
    "starting": ["pending", "initializing", "running"],
    "asleep": ["scaledToZero"],
    "paused": ["paused"],
    "failed": ["failed"],
    "slow": ["initializing"],
}
"""The endpoints there are, each with the states that it goes through, one a question."""
_OWNER = "someone"
_TIME = "2026-01-01T00:00:00.000Z"


class HuggingFace(TGI):
    """The hub, its endpoints and its serverless inference; a TGI is behind all of them."""

    def __init__(self, llama: Llama, model: str, key: str) -> None:
        super().__init__(llama, model, key)
        self._asked = Counter[str]()
        self._is_awake = False

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers to."""
        tgi = super().routes()
        return [
            web.get("/api/whoami-v2", self._whoami),
            web.get("/v2/endpoint/{namespace}/{name}", self._endpoint),
            web.get("/asleep", self._wake),
            *tgi,
            *(
                web.route(one.method, f"/{root}{one.path}", one.handler)
                for root in (f"models/{self._model}", "asleep")
                for one in tgi
                if one.path != "/"
            ),
        ]

    async def _whoami(self, request: web.Request) -> web.Response:
        if not has_key(request, self._key):
            return web.json_response({"error": "Invalid user token."}, status=401)
        return web.json_response({"type": "user", "id": "1", "name": _OWNER, "orgs": []})

    async def _wake(self, _: web.Request) -> web.Response:
        self._is_awake = True
        return web.json_response({"error": "503 Service Unavailable"}, status=503)

    async def _endpoint(self, request: web.Request) -> web.Response:
        if not has_key(request, self._key):
            return web.json_response({"error": "Unauthorized"}, status=401)
        name = request.match_info["name"]
        states = _STATES.get(name)
        if states is None or request.match_info["namespace"] != _OWNER:
            return web.json_response({"error": "Endpoint not found"}, status=404)
        state = states[min(self._asked[name], len(states) - 1)]
        self._asked[name] += 1
        if name == "asleep" and self._is_awake:
            state = "running"
        url = f"http://{request.host}{'/asleep' if name == 'asleep' else ''}"
        status = {"state": state, "createdAt": _TIME, "updatedAt": _TIME, "message": ""}
        return web.json_response(
            {
                "name": name,
                "type": "protected",
                "healthRoute": "/health",
                "model": {
                    "repository": self._model,
                    "framework": "pytorch",
                    "revision": "main",
                    "task": "text-generation",
                },
                "status": status | ({"url": url} if state in ("running", "scaledToZero") else {}),
            }
        )

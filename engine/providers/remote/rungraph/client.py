"""Talks to another stack that is served over HTTP."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, cast

from rungraph.engine.apis.routes import ERROR_TYPES
from rungraph.engine.errors import (
    KeyRefusedError,
    LoopError,
    NotRunningError,
    RateLimitError,
    UnknownResourceError,
)
from rungraph.engine.providers.openai_client import OpenAIClient
from rungraph.engine.request import provider_data
from rungraph.engine.server_events import EVENTS, events_in

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

_PROVIDER_DATA = "X-LlamaStack-Provider-Data"
_ERROR = b'{"error":'
_NOT_FOUND = "_not_found"
_STATUSES = {name: status for status, name in ERROR_TYPES.items()}
"""The statuses of errors in a stream, which come without one."""
_ERRORS: dict[int, Callable[[str], Exception]] = {
    401: KeyRefusedError,
    403: PermissionError,
    429: RateLimitError,
    501: NotImplementedError,
    503: NotRunningError,
    504: TimeoutError,
    508: lambda _: LoopError(),
}


class StackClient(OpenAIClient):
    """Talks to one stack; what that refuses is raised as if it were this one's own.

    Attributes:
        owner: The provider that calls are made for.
    """

    owner: object = None
    retried = frozenset({429, 503})  # What a stack has begun to do is not to be done twice.

    def headers_of_call(self) -> dict[str, str]:
        """Return the headers that tell of the call: its trace, its way, its provider data."""
        headers = super().headers_of_call()
        if (data := provider_data(self.owner)) is not None:
            headers[_PROVIDER_DATA] = json.dumps(data.model_dump(mode="json"))
        return headers

    async def chunks(
        self, path: str, body: Mapping[str, Any]
    ) -> AsyncGenerator[bytes | None, None]:
        """Yield None once the stack accepts *body*, then each chunk of its answer as JSON."""
        async with aclosing(self.raw_stream(path, body, media=EVENTS)) as content:
            await anext(content)
            yield None
            async with aclosing(events_in(cast("AsyncGenerator[bytes, None]", content))) as events:
                async for event in events:
                    if event.startswith(_ERROR):
                        raise self.refusal(json.loads(event), 0, path)
                    yield event

    def refusal(self, body: object, status: int, path: str) -> Exception:
        """Return the error that the stack tells of in *body*."""
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            return super().refusal(body, status, path)
        told = cast("dict[str, Any]", error)
        message, code = str(told.get("message", "")), str(told.get("code") or "")
        status = status or _STATUSES.get(str(told.get("type")), 500)
        if status == 404 and code.endswith(_NOT_FOUND):
            resource = code.removesuffix(_NOT_FOUND).replace("_", " ")
            return UnknownResourceError(resource, "", (), told=message)
        if 400 <= status < 500 or status in _ERRORS:
            return _ERRORS.get(status, ValueError)(message)
        return ConnectionError(f"{self.name}: {message}")

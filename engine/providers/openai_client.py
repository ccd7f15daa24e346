"""A client of one server that speaks the OpenAI API over HTTP: requests, retries, errors, streams.

What goes through it is JSON; what it means is the business of the modules beside this one. Needs
``httpx2``, so import it only where a provider is created.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import httpx2

from rungraph.engine.errors import KeyRefusedError, RateLimitError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

_RETRIED = frozenset({429, 502, 503, 504})
_MOST_PAUSE = 20.0
_MOST_SHOWN = 400
_SHORTEST_KEY = 8
_CONNECT_SECONDS = 10.0


class OpenAIClient:
    """Talks to one server.

    Every method raises ``ConnectionError`` when the server cannot be reached, breaks off, fails
    or says what is not understood; ``TimeoutError`` when it is silent for too long;
    ``PermissionError`` when it refuses the key; ``NotImplementedError`` when it has no such
    thing; ``ValueError`` when it refuses the request for another reason. The texts name the
    server, never the key.

    Attributes:
        name: The server, as errors name it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout: float = 120.0,
        max_retries: int = 2,
        is_local: bool = False,
        name: str = "",
    ) -> None:
        """Open a client; it connects with its first request. Call it in a thread: it reads files.

        Args:
            base_url: What paths are added to; usually it ends in ``/v1``.
            api_key: What the server knows its callers by.
            timeout: How many seconds the server may be silent.
            max_retries: How often a request is sent again that the server did not begin to answer.
            is_local: The server is on this machine: neither proxies nor certificates matter.
            name: What errors call the server; by default *base_url*.
        """
        self.name = name or base_url
        self._key = api_key
        self._max_retries = max_retries
        self._http = httpx2.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx2.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=20),
            trust_env=not is_local,
            # A local server is spoken to without TLS; loading certificates would take 20 ms.
            verify=not is_local,
        )

    async def close(self) -> None:
        """Close all connections; streams that are still open end with an error."""
        await self._http.aclose()

    async def get(self, path: str) -> dict[str, Any]:
        """Return what the server has at *path*."""
        return await self._whole(self._http.build_request("GET", path))

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the server's answer to *body*."""
        return await self._whole(self._http.build_request("POST", path, json=body))

    async def events(
        self, path: str, body: dict[str, Any]
    ) -> AsyncGenerator[dict[str, Any] | None, None]:
        """Yield None once the server accepts *body*, then its events until it says it is done.

        Closing the generator closes the connection, at which the server stops generating.
        """
        request = self._http.build_request(
            "POST", path, json=body, headers={"Accept": "text/event-stream"}
        )
        response = await self._send(request)
        try:
            yield None
            async with aclosing(_events_of(response)) as events:
                async for event in events:
                    if event.data == "[DONE]":
                        break
                    data = self._parsed(event.data)
                    if data.get("error"):
                        raise self._refusal(data, response.status_code)
                    yield data
        except httpx2.RequestError as error:
            raise self._broken(error) from error
        finally:
            await response.aclose()

    async def pieces(
        self, path: str, body: Mapping[str, Any]
    ) -> AsyncGenerator[bytes | None, None]:
        """Yield None once the server accepts *body*, then the bytes of its answer as they come.

        Closing the generator closes the connection, at which the server stops generating.
        """
        # Escaped, every text that JSON can say can be sent, half a surrogate pair too.
        content = json.dumps(body, separators=(",", ":")).encode()
        headers = {"Accept-Encoding": "identity", "Content-Type": "application/json"}
        request = self._http.build_request("POST", path, content=content, headers=headers)
        response = await self._send(request)
        try:
            yield None
            async for piece in response.aiter_raw():
                yield piece
        except httpx2.RequestError as error:
            raise self._broken(error) from error
        finally:
            await response.aclose()

    async def _whole(self, request: httpx2.Request) -> dict[str, Any]:
        response = await self._send(request)
        try:
            content = await response.aread()
        except httpx2.RequestError as error:
            raise self._broken(error) from error
        finally:
            await response.aclose()
        return self._parsed(content)

    async def _send(self, request: httpx2.Request) -> httpx2.Response:
        """Return the response of a server that accepts *request*; its body is not read yet."""
        tries = 0
        while True:
            try:
                response = await self._http.send(request, stream=True)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                if tries >= self._max_retries:
                    raise self._broken(error) from error
                pause = _pause(tries)
            except httpx2.RequestError as error:
                raise self._broken(error) from error
            else:
                if response.is_success:
                    return response
                if response.status_code not in _RETRIED or tries >= self._max_retries:
                    raise await self._refused(response)
                pause = _pause(tries, response.headers.get("retry-after", ""))
                await response.aclose()
            await asyncio.sleep(pause)
            tries += 1

    async def _refused(self, response: httpx2.Response) -> Exception:
        try:
            content = await response.aread()
        except httpx2.RequestError:
            content = b""
        finally:
            await response.aclose()
        try:
            body: object = json.loads(content)
        except ValueError:
            body = {"error": content.decode(errors="replace")}
        return self._refusal(body, response.status_code)

    def _refusal(self, body: object, status: int) -> Exception:
        """Return the error that *body* tells of, sent with (or naming) an HTTP status."""
        told, status = _told(body, status)
        # A key of a few letters is none worth hiding, and would blank out half the text.
        if self._key and len(self._key) >= _SHORTEST_KEY:
            told = told.replace(self._key, "***")
        text = f"{self.name}: {told[:_MOST_SHOWN] or 'the server refuses'} ({status})"
        match status:
            case 401 | 403:
                return KeyRefusedError(f"{text}\nhelp: check the api_key of this provider")
            case 404 if "model" not in told.lower():
                return ValueError(f"{text}\nhelp: base_url usually ends in '/v1'")
            case 408 | 504:
                return TimeoutError(text)
            case 501:
                return NotImplementedError(text)
            case HTTPStatus.TOO_MANY_REQUESTS:
                return RateLimitError(text)
            case _ if 400 <= status < 500:
                return ValueError(text)
            case _:
                return ConnectionError(text)

    def _broken(self, error: httpx2.RequestError) -> Exception:
        if isinstance(error, httpx2.TimeoutException):
            return TimeoutError(f"{self.name}: the server is silent for too long")
        reason = str(error) or type(error).__name__
        if isinstance(error, httpx2.ConnectError):
            return ConnectionError(f"{self.name}: cannot connect: {reason}")
        return ConnectionError(f"{self.name}: the connection broke: {reason}")

    def _parsed(self, content: str | bytes) -> dict[str, Any]:
        try:
            data = json.loads(content)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise ConnectionError(self.not_understood(content))
        return cast("dict[str, Any]", data)

    def not_understood(self, content: object) -> str:
        """Return the text of an error about *content* that the server should not have sent."""
        shown = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
        return f"{self.name}: the server says what is not understood: {shown[:_MOST_SHOWN]!r}"


async def _events_of(
    response: httpx2.Response,
) -> AsyncGenerator[httpx2.ServerSentEvent, None]:
    async for event in httpx2.EventSource(response):
        yield event


def _pause(tries: int, asked: str = "") -> float:
    """Return how long to wait: as long as the server asks for, else longer each time."""
    return min(float(asked) if asked.isdigit() else 0.25 * 2**tries, _MOST_PAUSE)


def _told(body: object, status: int) -> tuple[str, int]:
    """Return what an error's *body* says, and the status that it names (else *status*)."""
    error: object = body
    if isinstance(body, dict):
        fields = cast("dict[str, object]", body)
        error = fields.get("error", fields.get("detail", fields))
    if isinstance(error, dict):
        fields = cast("dict[str, object]", error)
        code = fields.get("code")
        # A stream has begun with 200 when it fails; its error then carries the real status.
        if isinstance(code, int) and 400 <= code < 600:
            status = code
        error = fields.get("message", "")
    if status < HTTPStatus.BAD_REQUEST:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    return str(error or "").strip(), status

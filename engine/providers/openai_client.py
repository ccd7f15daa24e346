"""A client of one server that speaks the OpenAI API over HTTP: requests, retries, errors, streams.

What goes through it is JSON; what it means is the business of the modules beside this one. Needs
``aiohttp``, so import it only where a provider is created.
"""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import aclosing
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, cast

import aiohttp
from pydantic_core import to_json

from rungraph.engine.certificates import tls_context
from rungraph.engine.errors import KeyRefusedError, RateLimitError
from rungraph.engine.providers.connections import Connector, is_reused, proxy_of
from rungraph.engine.request import headers_of_way, is_tried_once
from rungraph.engine.server_events import EVENTS, events_in, lines_in
from rungraph.engine.tracing import headers_of_trace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

_MOST_PAUSE = 20.0
_MOST_SHOWN = 400
_SHORTEST_KEY = 8
_CONNECT_SECONDS = 10.0

_KINDS = {
    "validation": 422,
    "tool_error": 422,
    "template_error": 422,
    "generation": 424,
    "overloaded": 429,
}
"""The statuses of TGI's kinds of error, which in a stream comes without one."""
_NOT_THERE = re.compile(r"does not support|--tool-call-parser")
"""How servers call what they, or a model of theirs, cannot do at all."""


class OpenAIClient:
    """Talks to one server.

    Every method raises ``ConnectionError`` when the server cannot be reached, breaks off, fails
    or says what is not understood; ``TimeoutError`` when it is silent for too long;
    ``PermissionError`` when it refuses the key; ``NotImplementedError`` when it has no such
    thing; ``ValueError`` when it refuses the request for another reason. The texts name the
    server, never the key.

    Attributes:
        name: The server, as errors name it.
        retried: The HTTP statuses after which a request is sent again.
    """

    retried: ClassVar[frozenset[int]] = frozenset({429, 502, 503, 504})

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout: float = 120.0,
        first_chunk_timeout: float = 600.0,
        max_retries: int = 2,
        tls_verify: bool | str = True,
        is_local: bool = False,
        name: str = "",
        route_help: str = "",
    ) -> None:
        """Make a client; it connects with its first request.

        Args:
            base_url: What paths are added to; usually it ends in ``/v1``.
            api_key: What the server knows its callers by.
            timeout: How many seconds the server may be silent once it has begun to answer.
            first_chunk_timeout: How many seconds it may take to begin: a model may have to load,
                and an answer that is no stream begins when it is whole.
            max_retries: How often a request is sent again that the server did not begin to answer.
            tls_verify: Whether its certificate is checked, or the file of those to trust.
            is_local: The server is on this machine: neither proxies nor certificates matter.
            name: What errors call the server; by default *base_url*.
            route_help: What to do when the server has no such route.
        """
        self.name = name or base_url
        self._key = api_key
        self._max_retries = max_retries
        self._base_url = base_url.rstrip("/")
        self._timeout = timeout
        self._first_timeout = first_chunk_timeout
        self._route_help = f"\nhelp: {route_help}" if route_help else ""
        # The file is read here, so that one that is not there is a failure to start.
        self._tls = tls_context(tls_verify) if isinstance(tls_verify, str) else tls_verify
        # Not aiohttp's trust_env: with it, every request asks the environment anew, in a thread.
        self._proxy = {} if is_local else proxy_of(base_url)
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    async def close(self) -> None:
        """Close all connections; streams that are still open end with an error."""
        for session in self._sessions.values():
            await session.close()

    async def get(self, path: str) -> dict[str, Any]:
        """Return what the server has at *path*."""
        return self.accepted(await self.content("GET", path), path)

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the server's answer to *body*."""
        return self.accepted(await self.content("POST", path, body), path)

    async def check(self, path: str, body: dict[str, Any] | None = None) -> None:
        """Return if the server accepts a request, whatever it answers."""
        response = await self._send("GET" if body is None else "POST", path, body)
        response.close()

    async def events(
        self, path: str, body: dict[str, Any], *, media: str = EVENTS
    ) -> AsyncGenerator[dict[str, Any] | None, None]:
        """Yield None once the server accepts *body*, then its events until it says it is done.

        Closing the generator closes the connection, at which the server stops generating.

        Args:
            path: Where *body* goes.
            body: The request.
            media: The form of the answer: `EVENTS`, or `LINES` of JSON.
        """
        split = events_in if media == EVENTS else lines_in
        async with aclosing(self.raw_stream(path, body, media=media)) as content:
            await anext(content)
            yield None
            async with aclosing(split(cast("AsyncGenerator[bytes, None]", content))) as events:
                async for event in events:
                    if event == b"[DONE]":
                        break
                    yield self.accepted(event, path)

    async def raw_stream(
        self, path: str, body: Mapping[str, Any], *, media: str | None = None
    ) -> AsyncGenerator[bytes | None, None]:
        """Yield None once the server accepts *body*, then the bytes of its answer as they come.

        Closing the generator closes the connection, at which the server stops generating.

        Args:
            path: Where *body* goes.
            body: The request.
            media: The media type that the answer has to be of; None for any.
        """
        response = await self._send("POST", path, body, {"Accept": media} if media else {})
        try:
            yield None
            if media is not None and response.content_type != media:
                raise self._broken(_of_another_kind(response, media))
            async for piece in self._body(response, self._first_timeout):
                yield piece
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._broken(error) from error
        finally:
            response.close()

    async def content(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole of what the server answers."""
        response = await self._send(method, path, body)
        try:
            if response.content_type == "text/html":  # A page, such as that of a proxy.
                raise self._broken(_of_another_kind(response, "application/json"))
            if response.content.is_eof():  # It has come with its head, as most do.
                return response.content.read_nowait()
            wait = self._wait_for(body)
            return b"".join([piece async for piece in self._body(response, wait)])
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._broken(error) from error
        finally:
            response.close()

    def headers_of_call(self) -> dict[str, str]:
        """Return the headers of a request that tell of the call that it is made for."""
        return {**headers_of_trace(), **headers_of_way()}

    async def _body(
        self, response: aiohttp.ClientResponse, wait: float
    ) -> AsyncGenerator[bytes, None]:
        """Yield an answer as it comes; its first bytes come within *wait* seconds."""
        content = response.content
        while not content.at_eof():
            piece = content.read_nowait()  # What is here already needs no clock.
            if not piece:
                async with asyncio.timeout(wait):
                    piece = await content.readany()
            if piece:
                yield piece
            wait = self._timeout

    def _wait_for(self, body: object) -> float:
        """Return how long an answer may take to begin; nothing has to load for one to no *body*."""
        return self._timeout if body is None else self._first_timeout

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> aiohttp.ClientResponse:
        """Return the response of a server that accepts *body*; its own is not read yet."""
        data = None if body is None else _written(body)
        media = {} if body is None else {"Content-Type": "application/json"}
        tries = 0
        most = 0 if is_tried_once() else self._max_retries
        is_fresh = False
        while True:
            try:
                async with asyncio.timeout(self._wait_for(body)):
                    response = await self._session(is_fresh=is_fresh).request(
                        method,
                        f"{self._base_url}/{path}",
                        data=data,
                        headers={**media, **headers, **self.headers_of_call()},
                        allow_redirects=False,
                        ssl=self._tls,
                        **self._proxy,
                    )
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                if tries >= most:
                    raise self._broken(error) from error
                pause = _pause(tries)
            except aiohttp.ClientConnectionError as error:
                # The server had closed a connection that was kept: it has seen nothing of this.
                # Others that are kept may be closed as well, so the next one is none of them.
                if not is_reused() or _has_begun(error):
                    raise self._broken(error) from error
                is_fresh = True
                continue
            except (aiohttp.ClientError, TimeoutError) as error:
                raise self._broken(error) from error
            else:
                if response.status < HTTPStatus.MULTIPLE_CHOICES:
                    return response
                if response.status not in self.retried or tries >= most:
                    raise await self._refused(response, path)
                pause = _pause(tries, _asked_pause(response))
                response.close()
            await asyncio.sleep(pause)
            tries += 1

    def _session(self, *, is_fresh: bool) -> aiohttp.ClientSession:
        """Return what holds the connections; it belongs to the event loop that first asks for it.

        Args:
            is_fresh: Whether each request is to have a connection that was never used.
        """
        if is_fresh not in self._sessions:
            self._sessions[is_fresh] = aiohttp.ClientSession(
                connector=Connector(is_fresh=is_fresh),
                headers={
                    "Accept-Encoding": "identity",
                    **({"Authorization": f"Bearer {self._key}"} if self._key else {}),
                },
                timeout=aiohttp.ClientTimeout(sock_connect=min(self._timeout, _CONNECT_SECONDS)),
            )
        return self._sessions[is_fresh]

    async def _refused(self, response: aiohttp.ClientResponse, path: str) -> Exception:
        try:
            async with asyncio.timeout(self._timeout):
                content = await response.read()
        except (aiohttp.ClientError, TimeoutError):
            content = b""
        finally:
            response.close()
        try:
            body: object = json.loads(content)
        except ValueError:
            body = {"error": content.decode(errors="replace")}
        refusal = self.refusal(body, response.status, path)
        if isinstance(refusal, RateLimitError):
            refusal.retry_after = _asked_pause(response)
        return refusal

    def refusal(self, body: object, status: int, path: str) -> Exception:
        """Return the error that *body* tells of, sent with (or naming) an HTTP status."""
        told, status = _told(body, status)
        # A key of a few letters is none worth hiding, and would blank out half the text.
        if self._key and len(self._key) >= _SHORTEST_KEY:
            told = told.replace(self._key, "***")
        text = f"{self.name}: {told[:_MOST_SHOWN] or 'the server refuses'} ({status})"
        match status:
            case 401 | 403:
                return KeyRefusedError(f"{text}\nhelp: check the key in this provider's config")
            case 404 | 405 if "model" not in told.lower():
                text = f"{self.name}: the server has no route {path!r} ({status})"
                return NotImplementedError(text + self._route_help)
            case 408 | 504:
                return TimeoutError(text)
            case 501:
                return NotImplementedError(text)
            case HTTPStatus.TOO_MANY_REQUESTS:
                return RateLimitError(text)
            case HTTPStatus.SERVICE_UNAVAILABLE if "busy" in told:
                return RateLimitError(text)
            case 400 | 422 if _NOT_THERE.search(told):
                return NotImplementedError(text)
            case _ if 400 <= status < 500:
                return ValueError(text)
            case _:
                return ConnectionError(text)

    def _broken(self, error: Exception) -> Exception:
        if isinstance(error, TimeoutError):
            return TimeoutError(f"{self.name}: the server is silent for too long")
        reason = str(error) or type(error).__name__
        if _has_begun(error):
            reason = "the answer ends in its head"
        if isinstance(error, aiohttp.ClientConnectorError):
            return ConnectionError(f"{self.name}: cannot connect: {error.strerror or reason}")
        return ConnectionError(f"{self.name}: the connection broke: {reason}")

    def accepted(self, content: str | bytes, path: str) -> dict[str, Any]:
        """Return an answer to a request that was accepted, or an event of one.

        Raises:
            ConnectionError: If it is no object of JSON.
            Exception: What `refusal` makes of it, if it is an error.
        """
        try:
            data = json.loads(content)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise ConnectionError(self.not_understood(content))
        answer = cast("dict[str, Any]", data)
        if answer.get("error"):
            raise self.refusal(answer, HTTPStatus.OK, path)
        return answer

    def not_understood(self, content: object) -> str:
        """Return the text of an error about *content* that the server should not have sent."""
        shown = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
        return f"{self.name}: the server says what is not understood: {shown[:_MOST_SHOWN]!r}"


def _written(body: Mapping[str, Any]) -> bytes:
    """Return *body* as JSON, a fifth of the time that the standard library takes for most."""
    try:
        return to_json(body)
    except ValueError:  # Half of a character, or nested deep: that writes nobody else.
        return json.dumps(body).encode()


def _has_begun(error: Exception) -> bool:
    """Whether the server had sent some of the head of its answer; then the error holds it."""
    return isinstance(error, aiohttp.ServerDisconnectedError) and not isinstance(error.message, str)


def _pause(tries: int, asked: float | None = None) -> float:
    """Return how long to wait: as long as the server asks for, else longer each time."""
    return min(0.25 * 2**tries if asked is None else asked, _MOST_PAUSE)


def _asked_pause(response: aiohttp.ClientResponse) -> float | None:
    """Return the seconds that the server asks to wait; None if it does not say."""
    asked = response.headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() else None


def _of_another_kind(response: aiohttp.ClientResponse, wanted: str) -> ConnectionError:
    """Return the error of an answer that is not of the media type *wanted*."""
    return ConnectionError(f"the answer is {response.content_type!r}, not {wanted!r}")


def _told(body: object, status: int) -> tuple[str, int]:
    """Return what an error's *body* says, and the status that it names (else *status*)."""
    error: object = body
    named: object = None
    if isinstance(body, dict):
        fields = cast("dict[str, object]", body)
        named = _KINDS.get(str(fields.get("error_type")))
        error = fields.get("error", fields.get("detail", fields))
    if isinstance(error, dict):
        fields = cast("dict[str, object]", error)
        named = fields.get("code", fields.get("http_status_code"))
        error = fields.get("message", "")
    # A stream has begun with 200 when it fails; its error then carries the real status.
    if isinstance(named, int) and 400 <= named < 600:
        status = named
    if status < HTTPStatus.MULTIPLE_CHOICES:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    return str(error or "").strip(), status

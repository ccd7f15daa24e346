"""One request and its answer."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from enum import Enum
from functools import partial
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar
from urllib.parse import parse_qsl, quote

import pydantic_core
from pydantic import TypeAdapter

from rungraph.engine.request import member_of_call
from rungraph.engine.server.failures import RequestError
from rungraph.graph.wording import counted

if TYPE_CHECKING:
    from collections.abc import (
        AsyncGenerator,
        Awaitable,
        Callable,
        Iterable,
        Mapping,
        MutableMapping,
    )

    from rungraph.engine.apis.common import Usage
    from rungraph.engine.server.keys import Key

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    Header = tuple[bytes, bytes]
    Handler = Callable[["Exchange"], Awaitable[None]]

_Event = TypeVar("_Event")

to_json = partial(pydantic_core.to_json, inf_nan_mode="null")
"""Writes an answer. JSON has no infinity, whatever a provider says or a caller has stored."""
OBJECT = TypeAdapter(dict[str, Any])
"""Reads a JSON object."""
JSON = b"application/json"
EVENTS = b"text/event-stream"
BODY_SECONDS = 30.0
"""Seconds that a body may take, once the request lasts longer than most."""
_LISTED = {b"cookie": b"; "}
"""How the values of a header are joined that is not a list with commas."""


class Called(NamedTuple):
    """Whom a routed call goes to; every text is one of the config or of a registration."""

    api: str
    method: str
    resource: str
    provider: str


class BrokenOff(Enum):
    """Why an exchange ended before its answer did."""

    CALLER_GONE = "the caller has gone"
    DRAINED = "the server stops"
    BODY_LATE = "the body did not come in time"


class Exchange:
    """One request and its answer, on an ASGI connection.

    It belongs to the task that makes it.

    Attributes:
        headers: The headers of the request, by name in lower case; the values of one that is there
            several times are one list.
        request_id: Names the request, to the caller and in the log.
        path_values: What stands in the path for its parameters.
        has_begun: Whether the answer has begun; then only its end can tell of an error.
        last_event: What ends a stream of events after an error.
        more_headers: Headers of whatever the answer will be.
        route: The route that serves it, as the server writes it; empty if none does.
        status: The HTTP status of the answer; 0 before it has begun.
        began_at: When the request came, and *answered_at*, when the answer began: by the
            process's clock.
        key: The key that its caller has, where one is needed.
        called: Whom the request calls, once that is known.
        usage: The tokens of the call, where the provider tells them.
        upstream: The seconds that others worked on the answer: a provider, what it asks.
        is_stream: Whether the answer is a stream of events.
        broken_off: Why it has to end early; None while it has not.
        is_call: Whether it is one of the calls that a server takes only so many of at a time.
    """

    path_values: Mapping[str, str] = MappingProxyType({})
    has_begun = False
    last_event = b""
    more_headers: tuple[Header, ...] = ()
    route = ""
    status = 0
    answered_at: float | None = None
    key: Key | None = None
    called: Called | None = None
    usage: Usage | None = None
    upstream = 0.0
    is_stream = False
    broken_off: BrokenOff | None = None
    is_call = False

    _upstream_at: float | None = None
    _watcher: asyncio.Task[None] | None = None
    _timer: asyncio.TimerHandle | None = None
    _is_slow = False
    _is_reading = False

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, *, request_id: str, most_bytes: int
    ) -> None:
        self.began_at = perf_counter()
        self.method: str = scope["method"]
        self.path: str = scope["path"]
        self.query: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        if len(self.headers) != len(scope["headers"]):
            self.headers = _joined(scope["headers"])
        self.request_id = request_id
        self._scope = scope
        self._receive = receive
        self._send = send
        self._most_bytes = most_bytes
        self._task = asyncio.current_task()

    # --- the request ---------------------------------------------------------------------------

    @property
    def raw_path(self) -> str:
        """The path as it came: a slash in a name is ``%2F`` there."""
        raw: bytes | None = self._scope.get("raw_path")  # Not every server tells it.
        return quote(self.path) if raw is None else raw.decode("latin-1")

    @property
    def is_secure(self) -> bool:
        """Whether it came over TLS, to this server or to a proxy before it that says so."""
        return "https" in (self._scope.get("scheme"), self.header(b"x-forwarded-proto"))

    def header(self, name: bytes) -> str:
        """Return the header *name*, which is written in lower case; empty if there is none."""
        return self.headers[name].decode("latin-1") if name in self.headers else ""

    def query_values(self) -> dict[str, str]:
        """Return what the query says, by name.

        Raises:
            RequestError: If it says something twice, or in no letters.
        """
        found: dict[str, str] = {}
        try:
            pairs = parse_qsl(self.query.decode(), keep_blank_values=True, errors="strict")
        except UnicodeDecodeError as error:
            raise RequestError(400, "the query is no UTF-8", code="invalid_value") from error
        for name, value in pairs:
            if name in found:
                raise RequestError(400, f"{name}: is there twice", name, "invalid_value")
            found[name] = value
        return found

    def parameters(self, **wanted: bool) -> list[str]:
        """Return the parameters of the query that are *wanted*, in that order; "" where left out.

        Raises:
            RequestError: If one that has to be there is missing, or one is there twice or unknown.
        """
        given = self.query_values()
        for name, is_needed in wanted.items():
            if is_needed and not given.get(name):
                raise RequestError(400, f"{name}: is missing", name, "invalid_value")
        for name in given:
            if name not in wanted:
                known = ", ".join(map(repr, wanted)) or "none"
                text = f"{name}: unknown parameter; there is: {known}"
                raise RequestError(400, text, name, "invalid_value")
        return [given.get(name, "") for name in wanted]

    async def body(self) -> bytes:
        """Return the body.

        Raises:
            RequestError: If it is longer than a body may be.
            asyncio.CancelledError: If the caller leaves, or takes too long.
        """
        if int(self.headers.get(b"content-length", 0)) > self._most_bytes:
            raise self._too_long()
        self._is_reading = True
        if self._is_slow:
            self.look_after()
        parts: list[bytes] = []
        left, is_whole = self._most_bytes, False
        try:
            while not is_whole:
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    self.broken_off = BrokenOff.CALLER_GONE
                    raise asyncio.CancelledError
                parts.append(message.get("body", b""))
                is_whole = not message.get("more_body")
                left -= len(parts[-1])
                if left < 0:
                    raise self._too_long()
        finally:
            self._is_reading = False
            if self._timer is not None:
                self._timer.cancel()
        return b"".join(parts)

    def json_body(self) -> Awaitable[bytes]:
        """Return the body, which has to be called JSON.

        A web page may not send that to another site without being asked first.

        Raises:
            RequestError: If it is called something else.
        """
        if self.headers.get(b"content-type") == JSON:  # As most say it.
            return self.body()
        media = self.header(b"content-type").partition(";")[0].strip().lower()
        if media != "application/json":
            said = f", not {media!r}" if media else ""
            raise RequestError(415, f"the body must be sent as 'application/json'{said}")
        return self.body()

    def _too_long(self) -> RequestError:
        return RequestError(413, f"the body is longer than {self._most_bytes} bytes")

    # --- the answer ----------------------------------------------------------------------------

    async def answer(
        self,
        content: bytes,
        *,
        status: int = 200,
        media: bytes = JSON,
        headers: Iterable[Header] = (),
    ) -> None:
        """Send the whole answer."""
        length = (b"content-length", b"%d" % len(content))
        await self._send(self._head(status, media, (*headers, length)))
        content = b"" if self.method == "HEAD" else content
        await self._send({"type": "http.response.body", "body": content})

    def expect_stream(self) -> None:
        """Take note that a stream is asked for, before anybody begins to make one.

        Raises:
            RequestError: If the caller's key has as many streams as it may have.
        """
        key = self.key
        if key is None or key.most_streams is None:
            return
        if len(key.streams) >= key.most_streams:
            streams = counted(key.most_streams, "stream")
            text = f"the key {key.name!r} may read {streams} at a time, and does so already"
            raise RequestError(429, text, code="too_many_streams")
        key.streams.add(self)

    async def begin_events(self, headers: Iterable[Header] = ()) -> None:
        """Begin an answer that is a stream of events."""
        self.is_stream = True
        quiet = ((b"cache-control", b"no-store"), (b"x-accel-buffering", b"no"))
        await self._send(self._head(200, EVENTS, (*headers, *quiet)))

    def send_bytes(self, content: bytes) -> Awaitable[None]:
        """Send more of the answer as it is."""
        return self._send({"type": "http.response.body", "body": content, "more_body": True})

    async def stream(
        self,
        events: AsyncGenerator[_Event, None],
        dump: Callable[[_Event], bytes],
        end: bytes = b"",
    ) -> _Event | None:
        """Answer with *events*, each as *dump* writes it, and with *end*; return the last one.

        The first one begins the answer, so what fails before it is a plain error.
        """
        event, send = None, self._send
        async with aclosing(events):
            async for event in events:
                if self.broken_off is not None:  # Its provider goes on after it was cancelled.
                    raise asyncio.CancelledError
                if not self.has_begun:
                    await self.begin_events()
                content = b"data: %b\n\n" % dump(event)
                await send({"type": "http.response.body", "body": content, "more_body": True})
        if not self.has_begun:
            await self.begin_events()
        await self.end(end)
        return event

    async def end(self, content: bytes = b"") -> None:
        """End an answer that came in parts."""
        await self._send({"type": "http.response.body", "body": content})

    def _head(self, status: int, media: bytes, headers: Iterable[Header]) -> Message:
        """Return what begins the answer, with the milliseconds to there: own and others'.

        It names who has answered where several providers serve what is called.
        """
        self.has_begun = True
        self.status = status
        self.answered_at = now = perf_counter()
        others = self.upstream + (now - self._upstream_at if self._upstream_at is not None else 0)
        timing = b"own;dur=%.2f, upstream;dur=%.2f" % (
            (now - self.began_at - others) * 1000,
            others * 1000,
        )
        more = self.more_headers
        # A provider may call others in the same task: those are no members of what is called here.
        is_shared = self.called is not None and not self.called.provider
        if is_shared and (member := member_of_call()):
            more = ((b"x-rungraph-member", quote(member).encode()), *more)
        return {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", media),
                (b"x-request-id", self.request_id.encode()),
                (b"server-timing", timing),
                *more,
                *headers,
            ],
        }

    # --- breaking off --------------------------------------------------------------------------

    def watched(self) -> Self:
        """Return a block that is cancelled when the caller goes away: others' work."""
        return self

    def __enter__(self) -> None:
        self._upstream_at = perf_counter()
        if self._is_slow:
            self.look_after()

    def __exit__(self, *_: object) -> None:
        if self._upstream_at is not None:
            self.upstream += perf_counter() - self._upstream_at
            self._upstream_at = None
        if self._watcher is not None:
            self._watcher.cancel()

    def look_after(self) -> None:
        """See to it, from now on, that neither the caller nor others make it last for ever.

        Called once it takes longer than most do: a timer for each would cost more than they do.
        """
        self._is_slow = True
        if self._is_reading:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(BODY_SECONDS, self.break_off, BrokenOff.BODY_LATE)
        elif self._upstream_at is not None:
            self._watcher = asyncio.create_task(self._watch())

    def break_off(self, reason: BrokenOff) -> None:
        """Cancel what works on the answer."""
        if self.broken_off is None and self._task is not None:
            self.broken_off = reason
            self._task.cancel()

    def take_back_cancellation(self) -> bool:
        """Return whether this exchange's own breaking off has cancelled its task, and end that."""
        if self.broken_off is None:
            return False
        if self._task is not None and self._task.cancelling():
            self._task.uncancel()
        return True

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.break_off(BrokenOff.CALLER_GONE)


def usage_at_end(last: Any) -> Usage | None:
    """Return the tokens that the last chunk of a stream tells; None for none."""
    return getattr(getattr(last, "event", last), "usage", None)


def _joined(headers: Iterable[Header]) -> dict[bytes, bytes]:
    """Return *headers* by name; the values of one that is there several times are one list.

    A header that may be there but once is not valid then, whoever reads it.
    """
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        found[name] = found[name] + _LISTED.get(name, b", ") + value if name in found else value
    return found

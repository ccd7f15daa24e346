"""Spans of routed calls and node starts, told through the telemetry API; never hurts a call."""

from __future__ import annotations

import asyncio
import inspect
import logging
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeGuard, cast

from rungraph.engine.apis.telemetry import (
    SpanEndPayload,
    SpanStartPayload,
    SpanStatus,
    StructuredLogEvent,
)
from rungraph.engine.events import Event, NodeFailed, NodeReady, NodeStarting

if TYPE_CHECKING:
    from rungraph.graph.address import Address

_logger = logging.getLogger(__name__)


class _Position(NamedTuple):
    """Where in which trace the running code is."""

    trace_id: str
    span_id: str


_position: ContextVar[_Position | None] = ContextVar("rungraph_position", default=None)
_is_silent: ContextVar[bool] = ContextVar("rungraph_is_silent", default=False)


def current_trace_id() -> str | None:
    """Return the id of the trace that the running code is part of; None outside of any."""
    position = _position.get()
    return None if position is None else position.trace_id


class Tracer:
    """Hands spans to a telemetry provider, in order, without keeping anyone waiting.

    Events wait in a queue that a task of the tracer's own empties; the task ends when the queue is
    empty. What telemetry raises, or does not take within *patience* seconds, is logged once and
    lost; so is what comes while *limit* events are waiting.

    Args:
        telemetry: The instance of the telemetry API.
        patience: Seconds that telemetry may take for one event, and for the rest at the end.
        limit: How many events may wait.
    """

    def __init__(self, telemetry: object, *, patience: float = 5.0, limit: int = 10_000) -> None:
        self._telemetry = cast("Any", telemetry)
        self._patience = patience
        self._limit = limit
        self._waiting: deque[StructuredLogEvent] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._has_failed = False

    def start(self, name: str, attributes: Mapping[str, Any]) -> Span:
        """Begin a span within the one that the running code is in, or a new trace."""
        return Span(self, name, attributes, parent=_position.get())

    def put(self, event: StructuredLogEvent) -> bool:
        """Have *event* told to telemetry soon; return whether there is room for it."""
        if len(self._waiting) >= self._limit:
            self._lose("too many spans are waiting")
            return False
        self._waiting.append(event)
        self._go_on()
        return True

    async def aclose(self) -> None:
        """Tell what is waiting, as far as telemetry takes it in time."""
        self._go_on()
        if self._sending is not None and not self._sending.done():
            await asyncio.wait({self._sending}, timeout=self._patience)
            self._sending.cancel()
            await asyncio.wait({self._sending}, timeout=self._patience)

    def _go_on(self) -> None:
        if self._waiting and (self._sending is None or self._sending.done()):
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # Outside of the loop; the next event from inside takes it along.
                return
            self._sending = loop.create_task(self._send(), name="send spans")

    async def _send(self) -> None:
        _is_silent.set(True)  # What telemetry itself calls through routers makes no spans.
        while self._waiting:
            event = self._waiting.popleft()
            try:
                async with asyncio.timeout(self._patience):
                    await self._telemetry.log_event(event)
            except Exception as error:  # noqa: BLE001 (telemetry is foreign code)
                self._lose(str(error) or type(error).__name__)

    def _lose(self, reason: str) -> None:
        if not self._has_failed:
            self._has_failed = True
            _logger.warning("telemetry does not take all spans: %s", reason)


class Span:
    """One span of a trace; it begins when it is made."""

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        attributes: Mapping[str, Any],
        *,
        parent: _Position | None,
    ) -> None:
        self._tracer = tracer
        self._position = _new_position(parent)
        start = _start_event(self._position, name, parent, datetime.now(UTC), attributes)
        # Telemetry that has not got the beginning is spared the end.
        self._is_open = tracer.put(start)

    @contextmanager
    def entered(self) -> Generator[None]:
        """Make the span the parent of what begins in the block; an error in the block ends it.

        The end of an async iteration, which Python tells as an exception, is no error.
        """
        token = _position.set(self._position)
        try:
            yield
        except StopAsyncIteration:
            self.end()
            raise
        except BaseException as error:
            self.end(error)
            raise
        finally:
            _position.reset(token)

    def end(self, error: BaseException | None = None) -> None:
        """End the span, with an error if there is one; again is harmless."""
        if self._is_open:
            self._is_open = False
            self._tracer.put(_end_event(self._position, datetime.now(UTC), error))


class TracedStream(AsyncGenerator[Any, Any]):
    """An async generator whose end, failure or early close ends a span."""

    def __init__(self, stream: AsyncGenerator[Any, Any], span: Span) -> None:
        self._stream = stream
        self._span = span

    async def __anext__(self) -> Any:
        with self._span.entered():
            return await anext(self._stream)

    async def asend(self, value: Any) -> Any:
        """Resume the generator with *value* and return what it yields next."""
        with self._span.entered():
            return await self._stream.asend(value)

    async def athrow(self, *error: Any) -> Any:
        """Raise *error* in the generator and return what it yields next."""
        with self._span.entered():
            return await self._stream.athrow(*error)

    async def aclose(self) -> None:
        """Close the generator."""
        with self._span.entered():
            await self._stream.aclose()
        self._span.end()

    def __del__(self) -> None:
        # Left in the middle of a loop and never closed: nobody else will end the span.
        self._span.end()


def traced(
    function: Callable[..., Any],
    tracer: Tracer,
    *,
    name: str,
    attributes: Callable[[tuple[Any, ...], dict[str, Any]], Mapping[str, Any]],
    is_coroutine: bool,
) -> Callable[..., Any]:
    """Return *function* with every call in a span.

    The span of a call that returns an async generator lasts until the generator has ended, failed
    or been closed.

    Args:
        function: What is called.
        tracer: Takes the spans.
        name: The name of the spans.
        attributes: Tells a span's attributes from the call's arguments.
        is_coroutine: Whether the call is to be awaited; else it returns its result, or an async
            generator, at once.
    """

    async def traced_coroutine(*args: Any, **kwargs: Any) -> Any:
        if _is_silent.get():
            return await function(*args, **kwargs)
        span = tracer.start(name, attributes(args, kwargs))
        with span.entered():
            result = await function(*args, **kwargs)
        return _ended_with(result, span)

    def traced_function(*args: Any, **kwargs: Any) -> Any:
        if _is_silent.get():
            return function(*args, **kwargs)
        span = tracer.start(name, attributes(args, kwargs))
        with span.entered():
            result = function(*args, **kwargs)
        if inspect.isawaitable(result):
            return _awaited(result, span)
        return _ended_with(result, span)

    return traced_coroutine if is_coroutine else traced_function


async def _awaited(result: Awaitable[Any], span: Span) -> Any:
    with span.entered():
        value = await result
    return _ended_with(value, span)


def _ended_with(result: Any, span: Span) -> Any:
    """Return *result*; the span ends now, or with *result* if that is an async generator."""
    if _is_stream(result):
        return TracedStream(result, span)
    span.end()
    return result


def _is_stream(result: object) -> TypeGuard[AsyncGenerator[Any, Any]]:
    return isinstance(result, AsyncGenerator)


async def trace_start(
    events: Iterable[Event],
    telemetry: object,
    *,
    began: datetime | None = None,
    patience: float = 5.0,
) -> str:
    """Tell telemetry a stack's start as one trace, and return the trace's id.

    The root span lasts from the first event to the last node's start; within it, each node that
    began to start has one. Nodes that have not ended their start have none.

    Args:
        events: The events of the start, in order.
        telemetry: The instance of the telemetry API.
        began: When the stack began to start, with a time zone; None if the newest event is now.
        patience: Seconds that telemetry may take in all; what it has not taken then is lost.
    """
    told = tuple(events)
    if began is None:
        latest = max((event.at for event in told), default=0.0)
        began = datetime.now(UTC) - timedelta(seconds=latest)
    root = _new_position(None)
    tracer = Tracer(telemetry, patience=patience)
    for event in _start_spans(told, root, began):
        tracer.put(event)
    await tracer.aclose()
    return root.trace_id


def _start_spans(
    events: Iterable[Event], root: _Position, began: datetime
) -> Iterable[StructuredLogEvent]:
    """Yield the beginnings and ends of the spans of a start, in the order in which they were."""
    begun: dict[Address, NodeStarting] = {}
    ended: dict[Address, NodeReady | NodeFailed] = {}
    for event in events:
        if isinstance(event, NodeStarting):
            begun.setdefault(event.address, event)
        elif isinstance(event, NodeReady | NodeFailed) and event.address in begun:
            ended.setdefault(event.address, event)
    ends = [event.at for event in ended.values()]
    failures = [event.error for event in ended.values() if isinstance(event, NodeFailed)]
    failure = failures[0] if failures else None
    told: list[tuple[float, StructuredLogEvent]] = []
    for address, end in ended.items():
        position = _new_position(root)
        name = f"start {address}"
        start_time = began + timedelta(seconds=begun[address].at)
        attributes = {"address": str(address), "kind": address.kind.value, "api": address.api}
        if address.name:
            attributes["provider_id"] = address.name
        error = end.error if isinstance(end, NodeFailed) else None
        told.append((begun[address].at, _start_event(position, name, root, start_time, attributes)))
        told.append((end.at, _end_event(position, began + timedelta(seconds=end.at), error)))
    yield _start_event(root, "start", None, began, {})
    yield from (event for _, event in sorted(told, key=lambda timed: timed[0]))
    yield _end_event(root, began + timedelta(seconds=max(ends, default=0.0)), failure)


def _new_position(parent: _Position | None) -> _Position:
    """Return the position of a new span; the ids have OpenTelemetry's lengths."""
    return _Position(parent.trace_id if parent else secrets.token_hex(16), secrets.token_hex(8))


def _start_event(
    position: _Position,
    name: str,
    parent: _Position | None,
    timestamp: datetime,
    attributes: Mapping[str, Any],
) -> StructuredLogEvent:
    return StructuredLogEvent(
        trace_id=position.trace_id,
        span_id=position.span_id,
        timestamp=timestamp,
        attributes=dict(attributes),
        payload=SpanStartPayload(name=name, parent_span_id=parent.span_id if parent else None),
    )


def _end_event(
    position: _Position, timestamp: datetime, error: BaseException | None
) -> StructuredLogEvent:
    # Only the error's type: its text can hold what the caller sent.
    return StructuredLogEvent(
        trace_id=position.trace_id,
        span_id=position.span_id,
        timestamp=timestamp,
        attributes={} if error is None else {"error": type(error).__name__},
        payload=SpanEndPayload(status=SpanStatus.OK if error is None else SpanStatus.ERROR),
    )

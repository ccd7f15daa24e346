"""Spans of routed calls and node starts, sent through the telemetry API; never hurts a call."""

from __future__ import annotations

import asyncio
import inspect
import logging
import random
import re
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from rungraph.engine.apis.telemetry import (
    SpanEndPayload,
    SpanStartPayload,
    SpanStatus,
    StructuredLogEvent,
)
from rungraph.engine.errors import describe
from rungraph.engine.provider import SpanEvent
from rungraph.engine.request import UNSAMPLED, Position, trace_position
from rungraph.engine.streams import SteppedStream
from rungraph.engine.waiting import cut_off, guarded, task_of, within
from rungraph.graph.errors import message_of

_logger = logging.getLogger(__name__)


_TRACEPARENT = re.compile(
    "(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]([0-9a-f])(?:-.*)?"
)


PATIENCE = 5.0
"""Seconds that telemetry may take for one event, and for the rest at the end."""
_GATHERING_SECONDS = 0.005
"""Seconds that spans wait for others, to be told to telemetry together."""
_GRACE = 0.1
"""Seconds that telemetry has to end when it is cut off."""

_OK = SpanEndPayload(status=SpanStatus.OK)
_ERROR = SpanEndPayload(status=SpanStatus.ERROR)


def current_trace_id() -> str | None:
    """Return the id of the trace that the running code is part of; None outside of any."""
    position = trace_position.get()
    return None if position is None else position.trace_id or None


def begin_call(parent: str = "", state: str = "", *, ratio: float = 1.0) -> None:
    """Go on with the trace that a caller's W3C headers tell of, in this task from here on.

    Args:
        parent: The header ``traceparent``. It says whether the call makes spans.
        state: The header ``tracestate``.
        ratio: How many of the calls without a valid *parent* make spans.
    """
    found = _TRACEPARENT.fullmatch(parent) if parent else None
    if found:
        trace_position.set(Position(found[1], found[2], state, found[3] in "13579bdf"))
        return
    position = None if ratio >= 1 or random.random() < ratio else UNSAMPLED  # noqa: S311
    # To set what a task has from its maker costs more than to look.
    if trace_position.get() is not position:
        trace_position.set(position)


def headers_of_trace() -> dict[str, str]:
    """Return the W3C headers that tell another server where in which trace it is called."""
    position = trace_position.get()
    if position is None or not position.trace_id:
        return {}
    flags = f"{position.is_sampled:02}"
    found = {"traceparent": f"00-{position.trace_id}-{position.span_id}-{flags}"}
    return {**found, "tracestate": position.state} if position.state else found


class Tracer:
    """Hands spans to a telemetry provider, in order, without keeping anyone waiting.

    Events wait in a queue that a task of the tracer's own empties; the task begins a moment after
    the first one, so that it takes many at once, and ends when the queue is empty. What telemetry
    raises, or does not take within *patience* seconds, is logged once and lost; so is what comes
    while *limit* events are waiting. Nothing is told any more once it is closed.

    Args:
        telemetry: The instance of the telemetry API.
        patience: Seconds that telemetry may take for one event, and for the rest at the end.
        limit: How many events may wait.
    """

    def __init__(
        self, telemetry: object, *, patience: float = PATIENCE, limit: int = 10_000
    ) -> None:
        self._telemetry = cast("Any", telemetry)
        self._patience = patience
        self._limit = limit
        self._waiting: deque[SpanEvent] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._sending: asyncio.Task[None] | None = None
        self._has_failed = False
        self._is_over = False

    def use(self, telemetry: object) -> None:
        """Tell another telemetry, or the same anew, what is waiting and all from now on."""
        self._telemetry, self._has_failed = cast("Any", telemetry), False
        if self._sending is not None and self._sending.cancelling():  # As it was before.
            self._cut_off()
        self._go_on()

    def start(self, name: str, attributes: Mapping[str, Any]) -> Span:
        """Begin a span within the one that the running code is in, or a new trace."""
        return Span(self, name, attributes, parent=trace_position.get())

    def put(self, event: SpanEvent) -> bool:
        """Have *event* told to telemetry soon; return whether there is room for it."""
        if self._is_over:
            return False
        if len(self._waiting) >= self._limit:
            self._lose("too many spans are waiting")
            return False
        self._waiting.append(event)
        if self._timer is None and not self._is_sending():
            try:
                loop = asyncio.get_running_loop()
            except RuntimeError:  # Outside of the loop; the next event from inside takes it along.
                return True
            self._timer = loop.call_later(_GATHERING_SECONDS, self._go_on)
        return True

    async def aclose(self) -> None:
        """Tell what is waiting, as far as telemetry takes it in time."""
        self._go_on()
        self._is_over = True
        try:
            if self._sending is not None:
                await within(self._sending, self._patience, grace=_GRACE)
        except Exception as error:  # noqa: BLE001 (telemetry may have cancelled the task)
            self._lose(message_of(error))
        finally:
            self.drop()

    def drop(self) -> None:
        """Tell nothing any more, not even what is waiting."""
        self._is_over = True
        self._waiting.clear()
        self._cut_off()

    def _cut_off(self) -> None:
        """Let go of telemetry that takes an event now."""
        if self._sending is not None:
            cut_off([self._sending])
        self._sending = None

    def _is_sending(self) -> bool:
        return self._sending is not None and not self._sending.done()

    def _go_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and not self._is_sending():
            self._sending = task_of(self._send(), "send spans")

    async def _send(self) -> None:
        trace_position.set(UNSAMPLED)  # What telemetry calls through routers makes no spans.
        sending = asyncio.current_task()
        while self._waiting and self._sending is sending:
            try:
                await guarded(self._hand_on())
            except asyncio.CancelledError:
                if sending is None or sending.cancelling():
                    raise
                self._lose("it cancelled itself")
            except Exception as error:  # noqa: BLE001 (telemetry is foreign code)
                self._lose(describe(error))

    async def _hand_on(self) -> None:
        """Tell telemetry all that is waiting, or what it takes until it fails."""
        loop, sending = asyncio.get_running_loop(), asyncio.current_task()
        first = self._waiting.popleft()  # It is lost if telemetry cannot be asked even this.
        take: Callable[[SpanEvent], None] | None = getattr(self._telemetry, "take_span", None)
        self._waiting.appendleft(first)
        while take is not None and self._waiting:
            take(self._waiting.popleft())
        began = loop.time()
        limit = asyncio.timeout_at(began + self._patience)
        try:
            async with limit:
                while self._waiting and self._sending is sending and not limit.expired():
                    event = StructuredLogEvent(**self._waiting.popleft()._asdict())
                    await self._telemetry.log_event(event)
                    if (now := loop.time()) > began and not limit.expired():
                        limit.reschedule(now + self._patience)  # It is the next one's time now.
                        began = now
        except TimeoutError:
            if not limit.expired():
                raise
            self._lose(f"no answer within {self._patience:g} s")

    def _lose(self, reason: str) -> None:
        if not self._has_failed:
            self._has_failed = True
            _logger.warning("telemetry does not take all spans: %s", reason)


class Span:
    """One span of a trace; it begins when it is made.

    It is a block that can be entered again and again: what begins inside has the span as its
    parent, and an error inside ends it.

    Args:
        tracer: Takes the span.
        name: Its name.
        attributes: What it is about.
        parent: Where it begins; None for a new trace.
        at: When it begins; None for now.

    Attributes:
        position: Where what happens within the span is.
    """

    is_quiet = False

    def __init__(
        self,
        tracer: Tracer,
        name: str,
        attributes: Mapping[str, Any],
        *,
        parent: Position | None,
        at: datetime | None = None,
    ) -> None:
        self._tracer = tracer
        # The ids have OpenTelemetry's lengths; they name, and need not be kept from anyone.
        trace_id = parent.trace_id if parent else f"{random.getrandbits(128) or 1:032x}"
        span_id = f"{random.getrandbits(64) or 1:016x}"
        self.position = Position(trace_id, span_id, parent.state if parent else "")
        payload = SpanStartPayload(name=name, parent_span_id=parent.span_id if parent else None)
        # Telemetry that has not got the beginning is spared the end.
        self._is_open = self._put(payload, attributes, at)

    def __enter__(self) -> None:
        self._around = trace_position.get()
        trace_position.set(self.position)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _traceback: object
    ) -> None:
        trace_position.set(self._around)
        if kind is not None:
            # The end of an async iteration, which Python raises as an exception, is no error.
            self.end(None if kind is StopAsyncIteration else error)

    def end(self, error: BaseException | None = None, *, at: datetime | None = None) -> None:
        """End the span, with an error if there is one; again is harmless."""
        if self._is_open:
            self._is_open = False
            if error is None:
                self._put(_OK, {}, at)
            else:  # Only the error's type: its text can hold what the caller sent.
                self._put(_ERROR, {"error": type(error).__name__}, at)

    def _put(
        self,
        payload: SpanStartPayload | SpanEndPayload,
        attributes: Mapping[str, Any],
        at: datetime | None,
    ) -> bool:
        at = at or datetime.now(UTC)
        trace_id, span_id, *_ = self.position
        return self._tracer.put(SpanEvent(trace_id, span_id, at, attributes, payload))


def _is_silent() -> bool:
    position = trace_position.get()
    return position is not None and not position.is_sampled


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

    def traced_function(*args: Any, **kwargs: Any) -> Any:
        if _is_silent():
            return function(*args, **kwargs)
        span = tracer.start(name, attributes(args, kwargs))
        with span:
            result = function(*args, **kwargs)
        return _awaited(result, span) if inspect.isawaitable(result) else _ended_with(result, span)

    async def traced_coroutine(*args: Any, **kwargs: Any) -> Any:
        if _is_silent():
            return await function(*args, **kwargs)
        span = tracer.start(name, attributes(args, kwargs))
        with span:
            result = await function(*args, **kwargs)
        return _ended_with(result, span)

    return traced_coroutine if is_coroutine else traced_function


async def _awaited(result: Awaitable[Any], span: Span) -> Any:
    with span:
        value = await result
    return _ended_with(value, span)


def _ended_with(result: Any, span: Span) -> Any:
    """Return *result*; the span ends now, or with *result* if that is an async generator."""
    if isinstance(result, AsyncGenerator):
        stream: AsyncGenerator[Any, Any] = result
        return SteppedStream(stream, span, span.end)
    span.end()
    return result

"""Recording with the OpenTelemetry SDK: spans, log lines, metrics. Needs the SDK.

Nothing global of OpenTelemetry's is used or set. Exports happen in threads of the SDK's.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from rungraph.engine.apis.telemetry import (
    LogSeverity,
    MetricEvent,
    SpanStartPayload,
    SpanStatus,
    TelemetryEvent,
    UnstructuredLogEvent,
)
from rungraph.engine.providers.inline.opentelemetry.exporters import Way, open_way
from rungraph.engine.providers.inline.opentelemetry.mapping import (
    attribute_values,
    given_ids,
    nanoseconds,
    span_number,
    trace_number,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rungraph.engine.provider import SpanEvent
    from rungraph.engine.providers.inline.opentelemetry.config import OpenTelemetryConfig

SCOPE = "rungraph"
UNFINISHED = "rungraph.unfinished"
"""The attribute of a span that was ended because the stack stopped, not by its own end."""

_MOST_OPEN_SPANS = 10_000
_SAMPLED = TraceFlags(TraceFlags.SAMPLED)
_BATCH = 512

_SEVERITIES = {
    LogSeverity.VERBOSE: SeverityNumber.TRACE,
    LogSeverity.DEBUG: SeverityNumber.DEBUG,
    LogSeverity.INFO: SeverityNumber.INFO,
    LogSeverity.WARN: SeverityNumber.WARN,
    LogSeverity.ERROR: SeverityNumber.ERROR,
    LogSeverity.CRITICAL: SeverityNumber.FATAL,
}
_STATUSES = {SpanStatus.OK: StatusCode.OK, SpanStatus.ERROR: StatusCode.ERROR}


class GivenIds(IdGenerator):
    """Gives the SDK the ids that callers have chosen."""

    def __init__(self) -> None:
        self.trace_id = 0
        self.span_id = 0

    def generate_span_id(self) -> int:
        """Return the id of the span that is being made."""
        return self.span_id

    def generate_trace_id(self) -> int:
        """Return the id of the trace that is being made."""
        return self.trace_id


class Recorder:
    """Records events; what is recorded goes out by and by.

    All methods but `close` return at once and are to be called in one thread.

    Args:
        config: Where telemetry goes.
        on_change: Called, from any thread, when an exporter begins to fail or to work again.

    Raises:
        OSError: If a file that telemetry goes to cannot be written.
    """

    def __init__(self, config: OpenTelemetryConfig, *, on_change: Callable[[], None]) -> None:
        # Without a handler, Python would print to stderr what the SDK logs of its failures.
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
        self._flush_timeout = config.flush_timeout
        self._ways: list[Way] = []
        try:
            for exporter in config.exporters:
                self._ways.append(open_way(exporter, flush_timeout=config.flush_timeout))
        except OSError:
            self._close_ways()
            raise
        self._closers: list[Callable[[], object]] = []
        resource = Resource.create(
            {**config.resource_attributes, "service.name": config.service_name}
        )
        self._ids = GivenIds()
        tracers = TracerProvider(
            ALWAYS_ON, resource, shutdown_on_exit=False, id_generator=self._ids
        )
        loggers = LoggerProvider(resource, shutdown_on_exit=False)
        readers: list[PeriodicExportingMetricReader] = []
        milliseconds = config.flush_interval * 1000
        for way in self._ways:
            way.outlet.on_change = on_change
            spans = BatchSpanProcessor(way.spans, config.queue_size, milliseconds, _BATCH)
            tracers.add_span_processor(spans)
            logs = BatchLogRecordProcessor(
                way.logs, milliseconds, _BATCH, max_queue_size=config.queue_size
            )
            loggers.add_log_record_processor(logs)
            reader: Any = PeriodicExportingMetricReader(way.metrics, config.metric_interval * 1000)
            readers.append(reader)
            self._closers += [spans.shutdown, logs.shutdown, reader.shutdown]
        meters = MeterProvider(readers, resource, shutdown_on_exit=False)
        self._tracer = tracers.get_tracer(SCOPE)
        self._logger = loggers.get_logger(SCOPE)
        self._meter = meters.get_meter(SCOPE)
        self._gauges: dict[tuple[str, str], Any] = {}
        self._open: dict[tuple[str, str], tuple[TelemetryEvent | SpanEvent, SpanStartPayload]] = {}

    @property
    def failures(self) -> tuple[str, ...]:
        """What does not go out now and why."""
        return tuple(way.outlet.failure for way in self._ways if way.outlet.failure)

    @property
    def outlets(self) -> tuple[str, ...]:
        """Where telemetry goes."""
        return tuple(way.outlet.name for way in self._ways)

    def begin_span(self, event: TelemetryEvent | SpanEvent, payload: SpanStartPayload) -> None:
        """Begin the span that *event* names.

        Raises:
            ValueError: If it has begun already and not ended.
        """
        key = (event.trace_id, event.span_id)
        if key in self._open:
            msg = f"span {event.span_id!r} of trace {event.trace_id!r} has begun already"
            raise ValueError(msg)
        if len(self._open) >= _MOST_OPEN_SPANS:
            self._end_unfinished(next(iter(self._open)), nanoseconds(event.timestamp))
        self._open[key] = (event, payload)

    def end_span(self, event: TelemetryEvent | SpanEvent, status: SpanStatus) -> None:
        """End the span that *event* names.

        Raises:
            ValueError: If it has not begun, or has ended already.
        """
        key = (event.trace_id, event.span_id)
        if key not in self._open:
            msg = (
                f"span {event.span_id!r} of trace {event.trace_id!r} cannot end: "
                "it has not begun, or has ended already"
            )
            raise ValueError(msg)
        self._end(key, nanoseconds(event.timestamp), event.attributes, _STATUSES[status])

    def log(self, event: UnstructuredLogEvent) -> None:
        """Record a log line."""
        self._logger.emit(
            timestamp=nanoseconds(event.timestamp),
            context=_context(event.trace_id, event.span_id),
            severity_number=_SEVERITIES[event.severity],
            severity_text=event.severity.value,
            body=event.message,
            attributes={
                **attribute_values(event.attributes),
                **given_ids(event.trace_id, event.span_id),
            },
        )

    def measure(self, event: MetricEvent) -> None:
        """Record a measurement: the last one of each export interval is exported.

        Raises:
            ValueError: If the metric's name or unit is none that OpenTelemetry knows.
        """
        key = (event.metric, event.unit)
        gauge = self._gauges.get(key)
        if gauge is None:
            try:
                gauge = self._meter.create_gauge(event.metric, event.unit)
            except Exception as error:
                msg = f"metric {event.metric!r} in {event.unit!r} cannot be recorded: {error}"
                raise ValueError(msg) from error
            self._gauges[key] = gauge
        context = _context(event.trace_id, event.span_id)
        gauge.set(event.value, attribute_values(event.attributes), context)

    def close(self) -> None:
        """End what is open, export what can be exported in time, and stop all threads. Blocks."""
        deadline = time.monotonic() + self._flush_timeout
        for way in self._ways:
            way.outlet.close_by(deadline)
        for key in tuple(self._open):
            self._end_unfinished(key, time.time_ns())
        # At the same time, so that a collector that is slow costs the others no time.
        threads = [threading.Thread(target=closer, daemon=True) for closer in self._closers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0))
        self._close_ways()

    def _end_unfinished(self, key: tuple[str, str], now: int) -> None:
        self._end(key, now, {UNFINISHED: True})

    def _end(
        self,
        key: tuple[str, str],
        at: int,
        attributes: Mapping[str, Any],
        status: StatusCode = StatusCode.UNSET,
    ) -> None:
        """Have the SDK make the span *key* and export it; where nothing goes out, neither."""
        began, payload = self._open.pop(key)
        if not self._ways:
            return
        self._ids.trace_id = trace_number(began.trace_id)
        self._ids.span_id = span_number(began.span_id)
        parent = payload.parent_span_id
        span = self._tracer.start_span(
            payload.name,
            Context() if parent is None else _context(began.trace_id, parent),
            attributes={**attribute_values(began.attributes), **given_ids(*key)},
            start_time=nanoseconds(began.timestamp),
        )
        span.set_attributes(attribute_values(attributes))
        span.set_status(status)
        span.end(at)

    def _close_ways(self) -> None:
        for way in self._ways:
            way.close()


def _context(trace_id: str, span_id: str) -> Context:
    position = SpanContext(
        trace_number(trace_id), span_number(span_id), is_remote=False, trace_flags=_SAMPLED
    )
    return set_span_in_context(NonRecordingSpan(position), Context())

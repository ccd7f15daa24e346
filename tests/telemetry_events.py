"""Telemetry events with fixed ids and times, for tests of whatever takes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from rungraph.engine.apis.telemetry import (
    LogSeverity,
    MetricEvent,
    SpanEndPayload,
    SpanStartPayload,
    SpanStatus,
    StructuredLogEvent,
    Telemetry,
    UnstructuredLogEvent,
)

TRACE = "0af7651916cd43dd8448eb211c80319c"
ROOT = "b7ad6b7169203331"
CHILD = "00f067aa0ba902b7"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(microseconds=1_500_001)


def start(
    span_id: str,
    name: str = "call",
    *,
    parent: str | None = None,
    trace_id: str = TRACE,
    **attributes: Any,
) -> StructuredLogEvent:
    """Return the beginning of a span, at noon."""
    return StructuredLogEvent(
        trace_id=trace_id,
        span_id=span_id,
        timestamp=NOON,
        payload=SpanStartPayload(name=name, parent_span_id=parent),
        attributes=attributes,
    )


def end(
    span_id: str, status: Literal["ok", "error"] = "ok", *, trace_id: str = TRACE, **attributes: Any
) -> StructuredLogEvent:
    """Return the end of a span, a second and a half later."""
    return StructuredLogEvent(
        trace_id=trace_id,
        span_id=span_id,
        timestamp=LATER,
        payload=SpanEndPayload(status=SpanStatus(status)),
        attributes=attributes,
    )


def log_line(
    message: str = "", severity: LogSeverity = LogSeverity.INFO, **attributes: Any
) -> UnstructuredLogEvent:
    """Return a log line of the root span."""
    return UnstructuredLogEvent(
        trace_id=TRACE,
        span_id=ROOT,
        timestamp=NOON,
        message=message,
        severity=severity,
        attributes=attributes,
    )


def metric(name: str, value: float, unit: str, **attributes: Any) -> MetricEvent:
    """Return a measurement in the root span."""
    return MetricEvent(
        trace_id=TRACE,
        span_id=ROOT,
        timestamp=NOON,
        metric=name,
        value=value,
        unit=unit,
        attributes=attributes,
    )


async def log_span(
    telemetry: Telemetry, span_id: str = ROOT, name: str = "call", **more: Any
) -> None:
    """Log the beginning of a span and its end at once."""
    await telemetry.log_event(start(span_id, name, **more))
    await telemetry.log_event(end(span_id, trace_id=more.get("trace_id", TRACE)))

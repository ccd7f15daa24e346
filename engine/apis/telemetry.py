"""The telemetry API: logs, metrics and spans go in; traces come out."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, AwareDatetime, Field

from rungraph.engine.apis.common import ApiModel
from rungraph.engine.apis.routes import route


class SpanStatus(StrEnum):
    """How a span ended."""

    OK = "ok"
    ERROR = "error"


class LogSeverity(StrEnum):
    """How much a log line matters."""

    VERBOSE = "verbose"
    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"
    CRITICAL = "critical"


def _in_utc(time: datetime) -> datetime:
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


class TelemetryEvent(ApiModel):
    """What all telemetry events have.

    Attributes:
        trace_id: The trace that the event belongs to, as the caller names it.
        span_id: The span of the trace that it belongs to, as the caller names it.
        timestamp: When it happened; without a time zone it is UTC, as clients of the first
            contract may send it.
        attributes: Anything else about it.
    """

    trace_id: str
    span_id: str
    timestamp: Annotated[datetime, AfterValidator(_in_utc)]
    attributes: dict[str, Any] = Field(default_factory=dict)


class UnstructuredLogEvent(TelemetryEvent):
    """A log line."""

    type: Literal["unstructured_log"] = "unstructured_log"
    message: str
    severity: LogSeverity


class MetricEvent(TelemetryEvent):
    """One measurement."""

    type: Literal["metric"] = "metric"
    metric: str
    value: int | float
    unit: str


class SpanStartPayload(ApiModel):
    """A span begins; without a *parent_span_id* it is the root of its trace."""

    type: Literal["span_start"] = "span_start"
    name: str
    parent_span_id: str | None = None


class SpanEndPayload(ApiModel):
    """A span ends."""

    type: Literal["span_end"] = "span_end"
    status: SpanStatus


StructuredLogPayload = Annotated[SpanStartPayload | SpanEndPayload, Field(discriminator="type")]


class StructuredLogEvent(TelemetryEvent):
    """The beginning or the end of the span *span_id*."""

    type: Literal["structured_log"] = "structured_log"
    payload: StructuredLogPayload


AnyTelemetryEvent = Annotated[
    UnstructuredLogEvent | MetricEvent | StructuredLogEvent, Field(discriminator="type")
]
"""Anything that can be logged, told apart by ``type``."""


class Trace(ApiModel):
    """A trace; *end_time* is None while its root span is still open."""

    trace_id: str
    root_span_id: str
    start_time: AwareDatetime
    end_time: AwareDatetime | None = None


class Telemetry(Protocol):
    """Takes telemetry and answers for traces."""

    @route("POST", "/telemetry/log_event")
    async def log_event(self, event: AnyTelemetryEvent) -> None:
        """Take *event*. Returns at once; exporting happens later and its failure is not raised.

        Raises:
            ValueError: If the event makes no sense, such as the end of a span that never began.
        """
        ...

    @route("GET", "/telemetry/get_trace")
    async def get_trace(self, trace_id: str) -> Trace:
        """Return the trace that callers name *trace_id*.

        Raises:
            ValueError: If there is no such trace, or it is no longer kept.
        """
        ...

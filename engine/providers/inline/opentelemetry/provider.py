"""The telemetry API over the OpenTelemetry SDK."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING, Any

from rungraph.engine.apis.common import HealthResponse, HealthStatus
from rungraph.engine.apis.telemetry import (
    AnyTelemetryEvent,
    SpanStartPayload,
    StructuredLogEvent,
    Trace,
    UnstructuredLogEvent,
)
from rungraph.engine.errors import MissingPackageError
from rungraph.engine.provider import ProviderReport
from rungraph.engine.providers.inline.opentelemetry.traces import TraceStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rungraph.engine.provider import SpanEvent
    from rungraph.engine.providers.inline.opentelemetry.config import OpenTelemetryConfig
    from rungraph.engine.providers.inline.opentelemetry.recorder import Recorder


class OpenTelemetry:
    """Takes spans, log lines and metrics, and has the SDK export them.

    Spans have the ids, times and parents that callers give. A name that is no OpenTelemetry id
    becomes one derived from it, and is kept as an attribute. A span that has not ended when the
    stack stops is exported with the attribute ``rungraph.unfinished``. Metrics are gauges.

    Exporting happens in threads and never fails a call: an exporter that cannot get anything
    out makes the provider ``degraded`` until it can again.

    Args:
        config: Where telemetry goes.
    """

    def __init__(self, config: OpenTelemetryConfig) -> None:
        self._config = config
        self._traces = TraceStore(config.max_traces)
        self._report: Callable[[ProviderReport], None] | None = None
        self._recorder: Recorder

    async def start(self) -> None:
        """Open the exporters.

        Raises:
            MissingPackageError: If the SDK or the OTLP exporter is not installed.
            OSError: If a file that telemetry goes to cannot be written.
        """
        self._recorder = await asyncio.to_thread(self._open)

    def report_to(self, report: Callable[[ProviderReport], None]) -> None:
        """Have *report* told when exporting begins to fail, and when it works again."""
        self._report = report
        if self._recorder.failures:
            self._on_change()

    async def log_event(self, event: AnyTelemetryEvent) -> None:
        """Take *event*. Exporting happens later.

        Raises:
            ValueError: If a span begins that has begun, or ends that has not, or a metric's
                name is none that OpenTelemetry takes.
        """
        if isinstance(event, StructuredLogEvent):
            self.take_span(event)
        elif isinstance(event, UnstructuredLogEvent):
            self._recorder.log(event)
        else:
            self._recorder.measure(event)

    def take_span(self, event: SpanEvent | StructuredLogEvent) -> None:
        """Take the beginning or the end of a span; raises as `log_event` does."""
        trace_id, span_id, payload = event.trace_id, event.span_id, event.payload
        if isinstance(payload, SpanStartPayload):
            self._recorder.begin_span(event, payload)
            parent = payload.parent_span_id
            self._traces.begin(trace_id, span_id, parent_span_id=parent, at=event.timestamp)
        else:
            self._recorder.end_span(event, payload.status)
            self._traces.end(trace_id, span_id, at=event.timestamp)

    async def get_trace(self, trace_id: str) -> Trace:
        """Return the trace that callers name *trace_id*, if it is among the newest.

        Raises:
            ValueError: If it is not.
        """
        return self._traces.trace(trace_id)

    async def health(self) -> HealthResponse:
        """Return ``OK`` when everything goes out."""
        if failures := self._recorder.failures:
            return HealthResponse(status=HealthStatus.ERROR, message="; ".join(failures))
        outlets = ", ".join(self._recorder.outlets) or "nowhere"
        return HealthResponse(status=HealthStatus.OK, message=f"exporting to {outlets}")

    async def shutdown(self) -> None:
        """Export what is left, as far as ``flush_timeout`` allows, and stop all threads."""
        await asyncio.to_thread(self._recorder.close)

    def _open(self) -> Recorder:
        for module, package in (
            ("opentelemetry.sdk", "opentelemetry-sdk"),
            ("opentelemetry.exporter.otlp.proto.http", "opentelemetry-exporter-otlp-proto-http"),
        ):
            try:
                import_module(module)
            except ModuleNotFoundError as error:
                raise MissingPackageError(extra="opentelemetry", package=package) from error
        from rungraph.engine.providers.inline.opentelemetry.recorder import (
            Recorder,
        )

        return Recorder(self._config, on_change=self._on_change)

    def _on_change(self) -> None:
        if self._report is None:
            return
        if failures := self._recorder.failures:
            self._report(ProviderReport(state="degraded", detail="; ".join(failures)))
        else:
            self._report(ProviderReport(state="ready", detail="everything is exported again"))


async def get_provider_impl(config: OpenTelemetryConfig, deps: Mapping[str, Any]) -> OpenTelemetry:
    """Return the provider, its exporters open.

    Raises:
        MissingPackageError: If the SDK or the OTLP exporter is not installed.
        OSError: If a file that telemetry goes to cannot be written.
    """
    telemetry = OpenTelemetry(config)
    await telemetry.start()
    return telemetry

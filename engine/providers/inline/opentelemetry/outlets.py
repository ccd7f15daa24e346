"""The SDK's exporters, watched and under a deadline. Needs the SDK."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Literal

from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, MetricsData
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

Kind = Literal["spans", "logs", "metrics"]


class Outlet:
    """One configured exporter: how it fares, and how long it may still try.

    Its exports run in threads of the SDK's, one for each kind of telemetry.

    Args:
        name: What it is called in messages, without any secret.
        patience: Seconds that one export can take at most.
    """

    def __init__(self, name: str, *, patience: float = 0.0) -> None:
        self.name = name
        self.on_change: Callable[[], None] = lambda: None
        self._patience = patience
        self._deadline: float | None = None
        self._lock = threading.Lock()
        self._failures: dict[Kind, str] = {}
        self._lost = 0

    @property
    def failure(self) -> str:
        """What does not go out and why; empty while everything does."""
        with self._lock:
            failures = "; ".join(
                f"{kind} do not reach {self.name}: {why}" for kind, why in self._failures.items()
            )
            return f"{failures} ({self._lost} lost so far)" if failures else ""

    def close_by(self, deadline: float) -> None:
        """Let no export begin that could go on after *deadline*, nor any after a failed one.

        Args:
            deadline: By the monotonic clock.
        """
        self._deadline = deadline

    def attempt(self, kind: Kind, count: int, export: Callable[[], bool]) -> bool:
        """Return whether *export* got *count* things out; never raise."""
        failure = self._failures.get(kind, "") if self._deadline is not None else ""
        if self._deadline is not None and time.monotonic() + self._patience > self._deadline:
            failure = "there is no time left"
        if not failure:
            try:
                failure = "" if export() else "no success"
            except Exception as error:  # noqa: BLE001 (exporters are foreign code)
                failure = str(error) or type(error).__name__
        with self._lock:
            has_changed = bool(failure) != (kind in self._failures)
            if failure:
                self._failures[kind] = failure
                self._lost += count
            else:
                self._failures.pop(kind, None)
        if has_changed:
            self.on_change()
        return not failure


class OutletSpans(SpanExporter):
    """Exports spans through an outlet."""

    def __init__(self, outlet: Outlet, exporter: SpanExporter) -> None:
        self._outlet = outlet
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export *spans*."""
        done = self._outlet.attempt(
            "spans", len(spans), lambda: self._exporter.export(spans) is SpanExportResult.SUCCESS
        )
        return SpanExportResult.SUCCESS if done else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """Let go of the connection."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Return True: nothing waits here."""
        return True


class OutletLogs(LogRecordExporter):
    """Exports log lines through an outlet."""

    def __init__(self, outlet: Outlet, exporter: LogRecordExporter) -> None:
        self._outlet = outlet
        self._exporter: Any = exporter

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Export *batch*."""
        done = self._outlet.attempt(
            "logs",
            len(batch),
            lambda: self._exporter.export(batch) is LogRecordExportResult.SUCCESS,
        )
        return LogRecordExportResult.SUCCESS if done else LogRecordExportResult.FAILURE

    def shutdown(self) -> None:
        """Let go of the connection."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Return True: nothing waits here."""
        return True


class OutletMetrics(MetricExporter):
    """Exports metrics through an outlet."""

    def __init__(self, outlet: Outlet, exporter: MetricExporter) -> None:
        super().__init__()
        self._outlet = outlet
        self._exporter: Any = exporter

    def export(
        self,
        metrics_data: MetricsData,
        timeout_millis: float = 10_000,
        **_: Any,
    ) -> MetricExportResult:
        """Export *metrics_data*."""
        done = self._outlet.attempt(
            "metrics",
            1,
            lambda: (
                self._exporter.export(metrics_data, timeout_millis=timeout_millis)
                is MetricExportResult.SUCCESS
            ),
        )
        return MetricExportResult.SUCCESS if done else MetricExportResult.FAILURE

    def shutdown(self, timeout_millis: float = 30_000, **_: Any) -> None:
        """Let go of the connection."""
        self._exporter.shutdown(timeout_millis)

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Return True: nothing waits here."""
        return True

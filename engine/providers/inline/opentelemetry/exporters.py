"""Building the SDK's exporters from a config. Needs the SDK."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple, TypedDict, cast
from urllib.parse import urlsplit

from opentelemetry.sdk._logs.export import ConsoleLogRecordExporter
from opentelemetry.sdk.metrics.export import ConsoleMetricExporter
from opentelemetry.sdk.trace.export import ConsoleSpanExporter

from rungraph.engine.providers.inline.opentelemetry.config import (
    Exporter,
    FileExporter,
    OtlpExporter,
)
from rungraph.engine.providers.inline.opentelemetry.outlets import (
    Outlet,
    OutletLogs,
    OutletMetrics,
    OutletSpans,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.exporter.otlp.proto.http import Compression


class _Options(TypedDict):
    endpoint: str
    headers: dict[str, str]
    timeout: float
    compression: Compression


class Way(NamedTuple):
    """Everything that one configured exporter takes out of the process.

    Attributes:
        outlet: Watches the exporters.
        spans: Exports spans.
        logs: Exports log lines.
        metrics: Exports metrics.
        close: Lets go of what the exporters share, once all of them are shut down.
    """

    outlet: Outlet
    spans: OutletSpans
    logs: OutletLogs
    metrics: OutletMetrics
    close: Callable[[], None]


class Lines:
    """A text stream whose writers, in several threads, each write whole lines."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def write(self, line: str) -> int:
        """Write *line*."""
        with self._lock:
            return self._stream.write(line)

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        with self._lock:
            self._stream.flush()


def open_way(config: Exporter, *, flush_timeout: float) -> Way:
    """Return the exporters that *config* describes, ready to export.

    Args:
        config: One configured exporter.
        flush_timeout: Seconds that the last export may take.

    Raises:
        OSError: If a file cannot be written.
    """
    if isinstance(config, OtlpExporter):
        return _to_collector(config, flush_timeout)
    if isinstance(config, FileExporter):
        path = Path(config.path).expanduser()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("a", encoding="utf-8", errors="replace")
        except OSError as error:
            reason = error.strerror or str(error)
            msg = f"cannot write to the exporter's path {str(path)!r}: {reason}; name another file"
            raise OSError(msg) from error
        return _to_lines(Outlet(f"file {str(path)!r}"), file, partial(_close_file, file))
    stream = sys.stderr if config.stream == "stderr" else sys.stdout
    return _to_lines(Outlet(config.stream), stream, lambda: None)


def _to_lines(outlet: Outlet, stream: IO[str], close: Callable[[], None]) -> Way:
    out = cast("IO[str]", Lines(stream))
    return Way(
        outlet,
        OutletSpans(
            outlet,
            ConsoleSpanExporter(out=out, formatter=lambda span: _line("span", span.to_json(None))),
        ),
        OutletLogs(
            outlet,
            ConsoleLogRecordExporter(out, lambda record: _line("log", record.to_json(None))),
        ),
        OutletMetrics(
            outlet,
            ConsoleMetricExporter(out, lambda metrics: _line("metrics", metrics.to_json(None))),
        ),
        close,
    )


def _close_file(file: IO[str]) -> None:
    # What could not be written has been reported; closing tries once more.
    with suppress(OSError):
        file.close()


def _line(kind: str, json_object: str) -> str:
    return f'{{"type": "{kind}", {json_object[1:]}\n'


def _to_collector(config: OtlpExporter, flush_timeout: float) -> Way:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import (
        OTLPLogExporter,
    )
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import (
        OTLPMetricExporter,
    )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (
        OTLPSpanExporter,
    )

    # A request that is under way when a stack stops, and one more, are over within the time
    # that the stack gives.
    timeout = min(config.timeout, flush_timeout / 2)
    url = urlsplit(config.endpoint)
    outlet = Outlet(f"otlp {url.scheme}://{url.netloc.rpartition('@')[2]}", patience=timeout)
    headers = {name: value.get_secret_value() for name, value in config.headers.items()}
    compression = Compression.Gzip if config.compression == "gzip" else Compression.NoCompression

    def options(signal: str) -> _Options:
        return {
            "endpoint": f"{config.endpoint}/v1/{signal}",
            "headers": headers,
            "timeout": timeout,
            "compression": compression,
        }

    return Way(
        outlet,
        OutletSpans(outlet, OTLPSpanExporter(**options("traces"))),
        OutletLogs(outlet, OTLPLogExporter(**options("logs"))),
        OutletMetrics(outlet, OTLPMetricExporter(**options("metrics"))),
        lambda: None,
    )

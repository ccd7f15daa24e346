"""The telemetry API against collectors: one that works, and some that do not."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections.abc import Callable, Generator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests import wire
from tests.builders import entry
from tests.telemetry_events import NOON, ROOT, TRACE, log_line, log_span, metric

from rungraph.engine import Stack, StackSettings
from rungraph.engine.apis.telemetry import LogSeverity, Telemetry
from rungraph.engine.provider import ProviderReport
from rungraph.engine.providers.inline.opentelemetry.config import OpenTelemetryConfig
from rungraph.engine.providers.inline.opentelemetry.provider import OpenTelemetry, get_provider_impl
from rungraph.engine.run.compliance import check_compliance
from rungraph.graph import compile_config

pytest.importorskip("opentelemetry.exporter.otlp.proto.http")


class Collector:
    """An OTLP/HTTP collector that decodes what it gets.

    Attributes:
        endpoint: Where it listens, on a port of its own.
        status: What it answers with.
        received: The decoded requests by their path.
        headers: The headers of every request.
    """

    def __init__(self) -> None:
        self.endpoint = ""
        self.status = 200
        self.received: dict[str, list[Any]] = {}
        self.headers: list[dict[str, str]] = []

    def take(self, path: str, headers: dict[str, str], body: bytes) -> None:
        from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
        from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
            ExportMetricsServiceRequest,
        )
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
            ExportTraceServiceRequest,
        )

        kinds: dict[str, Any] = {
            "/v1/traces": ExportTraceServiceRequest,
            "/v1/logs": ExportLogsServiceRequest,
            "/v1/metrics": ExportMetricsServiceRequest,
        }
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.headers.append(headers)
        self.received.setdefault(path, []).append(kinds[path].FromString(body))

    def spans(self) -> list[Any]:
        return [
            span
            for request in self.received.get("/v1/traces", [])
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector() -> Generator[Collector]:
    """Yield a collector that works."""
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.take(self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            self.send_response(made.status)
            self.send_header("content-length", "0")
            self.end_headers()

    with wire.serve_with(Handler) as made.endpoint:
        yield made


@pytest.fixture
def black_hole() -> Generator[str]:
    """Yield an endpoint that takes connections and never answers."""
    with wire.black_hole() as (_, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def nobody() -> str:
    """Return an endpoint where nobody listens."""
    return f"http://127.0.0.1:{wire.free_port()}"


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Generator[None]:
    """Fail a test after which a thread of an exporter still runs."""
    yield
    assert [t.name for t in threading.enumerate() if t.name.startswith("Otel")] == []


async def opened(endpoint: str, **config: Any) -> OpenTelemetry:
    """Return a provider that exports to *endpoint*."""
    more = config.pop("otlp", {})
    exporters = [{"type": "otlp", "endpoint": endpoint, **more}]
    made = OpenTelemetryConfig.model_validate({"exporters": exporters, **config})
    return await get_provider_impl(made, {})


async def log_spans(telemetry: OpenTelemetry, count: int = 1) -> None:
    """Log *count* spans to *telemetry*."""
    for number in range(1, count + 1):
        await log_span(telemetry, f"{number:016x}", parent=ROOT, n=1)


async def test_a_collector_gets_spans_logs_and_metrics(collector: Collector) -> None:
    """What arrives says what was told, with the given ids and times, as the API has it."""
    assert check_compliance(OpenTelemetry(OpenTelemetryConfig()), Telemetry) == ()
    telemetry = await opened(collector.endpoint + "/", service_name="tests")
    await log_spans(telemetry)
    await telemetry.log_event(log_line("hello", LogSeverity.WARN))
    await telemetry.log_event(metric("load", 0.5, "1"))
    await telemetry.shutdown()

    (span,) = collector.spans()
    assert span.trace_id.hex() == TRACE
    assert span.span_id.hex() == f"{1:016x}"
    assert span.parent_span_id.hex() == ROOT
    assert span.start_time_unix_nano == int(NOON.timestamp()) * 10**9
    assert [(item.key, item.value.int_value) for item in span.attributes] == [("n", 1)]
    (request,) = collector.received["/v1/traces"]
    resource = {
        item.key: item.value.string_value for item in request.resource_spans[0].resource.attributes
    }
    assert resource["service.name"] == "tests"
    (request,) = collector.received["/v1/logs"]
    (record,) = request.resource_logs[0].scope_logs[0].log_records
    assert (record.body.string_value, record.severity_number) == ("hello", 13)
    assert record.span_id.hex() == ROOT
    (request,) = collector.received["/v1/metrics"]
    (gauge,) = request.resource_metrics[0].scope_metrics[0].metrics
    assert gauge.gauge.data_points[0].as_double == 0.5


async def test_headers_and_compression_are_sent(collector: Collector) -> None:
    """A collector that wants a key gets it; the key is in no text of the config."""
    options = {"headers": {"Authorization": "Bearer hush"}, "compression": "gzip"}
    telemetry = await opened(collector.endpoint, otlp=options)
    await log_spans(telemetry)
    await telemetry.shutdown()
    assert len(collector.spans()) == 1
    (headers,) = collector.headers
    assert headers["authorization"] == "Bearer hush"
    assert headers["content-encoding"] == "gzip"
    exporters = [{"type": "otlp", **options}]
    assert "hush" not in repr(OpenTelemetryConfig.model_validate({"exporters": exporters}))


async def test_many_spans_arrive_in_batches(collector: Collector) -> None:
    """Everything that was told is exported at the end, in few requests."""
    telemetry = await opened(collector.endpoint)
    await log_spans(telemetry, 2000)
    await telemetry.shutdown()
    assert len({span.span_id for span in collector.spans()}) == 2000
    assert len(collector.received["/v1/traces"]) < 20


@pytest.mark.parametrize("kind", ["nobody", "black_hole"])
async def test_a_dead_collector_is_only_reported(kind: str, request: pytest.FixtureRequest) -> None:
    """Calls go on as ever, and the stop keeps within its time; the report names the collector."""
    endpoint: str = request.getfixturevalue(kind)
    reports: list[ProviderReport] = []
    telemetry = await opened(endpoint.replace("//", "//user:hush@"), flush_timeout=0.5)
    telemetry.report_to(reports.append)
    async with asyncio.timeout(30):
        await log_spans(telemetry, 600)
        await telemetry.shutdown()
    assert reports[-1].state == "degraded"
    assert f"spans do not reach otlp {endpoint}" in reports[-1].detail
    assert "(600 lost so far)" in ((await telemetry.health()).message or "")
    assert "hush" not in reports[-1].detail


async def test_a_collector_that_comes_back_is_reported(collector: Collector) -> None:
    """The provider is ready again as soon as something gets out."""
    states: list[str] = []
    changed = threading.Condition()

    def report(one: ProviderReport) -> None:
        with changed:
            states.append(one.state)
            changed.notify_all()

    def reached(count: int) -> Callable[[], bool]:
        return lambda: len(states) >= count

    collector.status = 400
    telemetry = await opened(collector.endpoint, flush_interval=0.01)
    telemetry.report_to(report)
    await log_spans(telemetry)
    with changed:
        assert changed.wait_for(reached(1), timeout=10)
    collector.status = 200
    await log_spans(telemetry)
    with changed:
        assert changed.wait_for(reached(2), timeout=10)
    assert states == ["degraded", "ready"]
    assert (await telemetry.health()).message == f"exporting to otlp {collector.endpoint}"
    await telemetry.shutdown()


async def test_a_slow_collector_costs_the_others_nothing(
    collector: Collector, black_hole: str
) -> None:
    """Each exporter has its own threads: what one cannot send, another can."""
    exporters = [{"type": "otlp", "endpoint": url} for url in (black_hole, collector.endpoint)]
    config = OpenTelemetryConfig.model_validate({"exporters": exporters, "flush_timeout": 0.5})
    telemetry = await get_provider_impl(config, {})
    await log_spans(telemetry)
    await telemetry.shutdown()
    assert len(collector.spans()) == 1


# --- a stack with telemetry --------------------------------------------------------------------


async def test_node_starts_and_routed_calls_are_spans(tmp_path: Path) -> None:
    """The start is one trace with a span a node; a routed call is a trace of its own."""
    pytest.importorskip("wordllama")
    spans = tmp_path / "spans.jsonl"
    exporters = [{"type": "file", "path": str(spans)}]
    providers = {
        "inference": [entry("words", "inline::wordllama")],
        "telemetry": [entry("otel", "inline::opentelemetry", exporters=exporters)],
    }
    graph = compile_config({"providers": providers}, environment={})
    async with Stack(graph, StackSettings(state_dir=tmp_path)) as stack:
        assert stack.start_trace_id is not None
        trace = await stack["telemetry"].get_trace(trace_id=stack.start_trace_id)
        assert trace.trace_id == stack.start_trace_id
        await stack["inference"].embeddings(model="words/wordllama-l2-supercat-256", contents=["a"])
    lines = [json.loads(line) for line in spans.read_text().splitlines()]
    names = {line["name"] for line in lines if "name" in line}
    assert {f"start {address}" for address in graph} <= names
    assert any("embeddings" in name for name in names)


async def test_a_stack_without_telemetry_has_no_trace(tmp_path: Path) -> None:
    """Nothing is traced where nobody listens."""
    graph = compile_config({"providers": {}}, environment={})
    async with Stack(graph, StackSettings(state_dir=tmp_path)) as stack:
        assert stack.start_trace_id is None

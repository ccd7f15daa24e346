"""Telemetry through the OpenTelemetry SDK, to files, the console and nowhere."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from tests.telemetry_events import (
    CHILD,
    LATER,
    NOON,
    ROOT,
    TRACE,
    end,
    log_line,
    log_span,
    metric,
    start,
)

from rungraph.engine.apis.common import HealthStatus
from rungraph.engine.apis.telemetry import LogSeverity
from rungraph.engine.provider import ProviderReport
from rungraph.engine.providers.inline.opentelemetry import recorder
from rungraph.engine.providers.inline.opentelemetry.config import OpenTelemetryConfig
from rungraph.engine.providers.inline.opentelemetry.provider import OpenTelemetry, get_provider_impl

pytest.importorskip("opentelemetry.sdk")

Open = Callable[..., Awaitable[OpenTelemetry]]
Filed = tuple[OpenTelemetry, Path]


@pytest.fixture
async def open_telemetry() -> AsyncGenerator[Open]:
    """Yield a function that makes providers, which are shut down in the end."""
    opened: list[OpenTelemetry] = []
    before = set(threading.enumerate())

    async def open_telemetry(**config: Any) -> OpenTelemetry:
        made = OpenTelemetryConfig.model_validate(config)
        opened.append(await get_provider_impl(made, {}))
        return opened[-1]

    yield open_telemetry
    for telemetry in opened:
        await telemetry.shutdown()
    left = set(threading.enumerate()) - before
    assert [thread for thread in left if "asyncio" not in thread.name] == []


@pytest.fixture
async def telemetry(open_telemetry: Open) -> OpenTelemetry:
    """Return a provider that exports nowhere."""
    return await open_telemetry()


def to_file(path: Path) -> dict[str, Any]:
    """Return the config of an export to *path*."""
    return {"exporters": [{"type": "file", "path": str(path)}]}


@pytest.fixture
async def filed(open_telemetry: Open, tmp_path: Path) -> Filed:
    """Return a provider that exports to a file, and the file."""
    path = tmp_path / "told.jsonl"
    return await open_telemetry(**to_file(path)), path


def lines(path: Path, kind: str) -> list[dict[str, Any]]:
    """Return the lines of *path* that are of *kind*."""
    read = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in read if line["type"] == kind]


async def test_a_file_has_a_line_a_span(open_telemetry: Open, tmp_path: Path) -> None:
    """Spans keep the ids, parents, times and attributes that they were given."""
    path = tmp_path / "new" / "spans.jsonl"
    telemetry = await open_telemetry(service_name="tests", **to_file(path))
    await telemetry.log_event(start(ROOT, "root"))
    await telemetry.log_event(start(CHILD, "child", parent=ROOT, model="small"))
    await telemetry.log_event(end(CHILD, "error", tokens=3))
    await telemetry.log_event(end(ROOT))
    await telemetry.shutdown()
    child, root = lines(path, "span")
    assert root["name"] == "root"
    assert root["context"]["trace_id"] == f"0x{TRACE}"
    assert root["context"]["span_id"] == f"0x{ROOT}"
    assert root["parent_id"] is None
    assert root["status"] == {"status_code": "OK"}
    assert root["attributes"] == {}
    assert root["start_time"] == "2026-01-01T12:00:00.000000Z"
    assert root["end_time"] == "2026-01-01T12:00:01.500001Z"
    assert root["resource"]["attributes"]["service.name"] == "tests"
    assert child["parent_id"] == f"0x{ROOT}"
    assert child["status"] == {"status_code": "ERROR"}
    assert child["attributes"] == {"model": "small", "tokens": 3}
    # A restart appends to what is there; a span that never ended is marked as unfinished.
    telemetry = await open_telemetry(**to_file(path))
    await telemetry.log_event(start(ROOT, "hangs"))
    await telemetry.shutdown()
    *_, span = lines(path, "span")
    assert len(lines(path, "span")) == 3
    assert (span["name"], span["attributes"]) == ("hangs", {"rungraph.unfinished": True})
    assert span["status"] == {"status_code": "UNSET"}
    assert span["end_time"] > "2026-01-01T12:00:01"
    # What can never work keeps the provider from starting, and the error says what would.
    problem = r"cannot write to the exporter's path '.*': Is a directory; name another file"
    with pytest.raises(OSError, match=problem):
        await open_telemetry(**to_file(tmp_path))


async def test_log_lines_belong_to_their_span(filed: Filed) -> None:
    """A log line has its message, its severity and where in which trace it was written."""
    telemetry, path = filed
    for severity in LogSeverity:
        await telemetry.log_event(log_line("ünder way", severity, n=1))
    await telemetry.shutdown()
    logs = lines(path, "log")
    assert [log["severity_number"] for log in logs] == [1, 5, 9, 13, 17, 21]
    assert [log["severity_text"] for log in logs] == [severity.value for severity in LogSeverity]
    assert logs[0]["body"] == "ünder way"
    assert logs[0]["attributes"] == {"n": 1}
    assert (logs[0]["trace_id"], logs[0]["span_id"]) == (f"0x{TRACE}", f"0x{ROOT}")
    assert logs[0]["timestamp"] == "2026-01-01T12:00:00.000000Z"


async def test_metrics_are_gauges(filed: Filed) -> None:
    """The last measurement of each set of attributes is exported; a bad name is refused."""
    telemetry, path = filed
    with pytest.raises(ValueError, match="metric '1 2' in 's' cannot be recorded"):
        await telemetry.log_event(metric("1 2", 1, "s"))
    for value, model in ((1, "a"), (2.5, "a"), (7, "b")):
        await telemetry.log_event(metric("tokens.per_second", value, "1/s", model=model))
    await telemetry.shutdown()
    (line,) = lines(path, "metrics")
    (found,) = line["resource_metrics"][0]["scope_metrics"][0]["metrics"]
    assert (found["name"], found["unit"]) == ("tokens.per_second", "1/s")
    points = found["data"]["data_points"]
    assert {point["attributes"]["model"]: point["value"] for point in points} == {"a": 2.5, "b": 7}


async def test_open_spans_do_not_pile_up(filed: Filed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many spans that never end, the oldest is ended as unfinished."""
    monkeypatch.setattr(recorder, "_MOST_OPEN_SPANS", 2)
    telemetry, path = filed
    for number in range(1, 4):
        await telemetry.log_event(start(f"{number:016x}", f"span {number}"))
    with pytest.raises(ValueError, match="cannot end: it has not begun, or has ended already"):
        await telemetry.log_event(end(f"{1:016x}"))
    await telemetry.log_event(end(f"{3:016x}"))
    await telemetry.shutdown()
    spans = lines(path, "span")
    assert [span["name"] for span in spans] == ["span 1", "span 3", "span 2"]
    assert [bool(span["attributes"]) for span in spans] == [True, False, True]


async def test_events_that_make_no_sense_are_refused(telemetry: OpenTelemetry) -> None:
    """A span begins once and ends once."""
    with pytest.raises(ValueError, match=f"span '{ROOT}' of trace '{TRACE}' cannot end"):
        await telemetry.log_event(end(ROOT))
    await telemetry.log_event(start(ROOT))
    with pytest.raises(ValueError, match=f"span '{ROOT}' of trace '{TRACE}' has begun already"):
        await telemetry.log_event(start(ROOT))
    await telemetry.log_event(start(ROOT, trace_id="another"))
    await telemetry.log_event(end(ROOT))
    with pytest.raises(ValueError, match="cannot end"):
        await telemetry.log_event(end(ROOT))


@pytest.mark.parametrize(
    ("trace_id", "span_id", "kept"),
    [
        (TRACE.upper(), ROOT.upper(), {}),
        ("0af76519-16cd-43dd-8448-eb211c80319c", ROOT, {}),
        ("my trace", "my span", {"rungraph.trace_id": "my trace", "rungraph.span_id": "my span"}),
        ("0" * 32, "0" * 16, {"rungraph.trace_id": "0" * 32, "rungraph.span_id": "0" * 16}),
        ("", "0x1", {"rungraph.trace_id": "", "rungraph.span_id": "0x1"}),
    ],
)
async def test_any_name_can_be_an_id(
    filed: Filed, trace_id: str, span_id: str, kept: dict[str, str]
) -> None:
    """Names that are no OpenTelemetry ids become some, the same each time, and are kept."""
    telemetry, path = filed
    await telemetry.log_event(start(span_id, trace_id=trace_id))
    await log_span(telemetry, "inner", trace_id=trace_id, parent=span_id)
    await telemetry.log_event(end(span_id, trace_id=trace_id))
    await telemetry.shutdown()
    inner, outer = lines(path, "span")
    assert inner["parent_id"] == outer["context"]["span_id"]
    assert inner["context"]["trace_id"] == outer["context"]["trace_id"]
    assert outer["attributes"] == kept
    if not kept:
        assert outer["context"]["trace_id"] == f"0x{TRACE}"
    assert (await telemetry.get_trace(trace_id)).root_span_id == span_id


async def test_attributes_of_any_kind_are_taken(filed: Filed) -> None:
    """What OpenTelemetry has no type for becomes JSON, and too many are cut off in silence."""
    telemetry, path = filed
    odd: dict[str, Any] = {
        "none": None,
        "mixed": [1, "a"],
        "deep": {"x": NOON},
        "list": ["a", "b"],
        "empty": [],
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        await log_span(telemetry, **odd)
        many: dict[str, Any] = {f"a{number}": number for number in range(500)}
        await log_span(telemetry, CHILD, **many)
        await telemetry.log_event(log_line(**many))
        await telemetry.shutdown()
    assert caught == []
    first, second = lines(path, "span")
    assert first["attributes"] == {
        "mixed": '[1, "a"]',
        "deep": '{"x": "2026-01-01 12:00:00+00:00"}',
        "list": ["a", "b"],
        "empty": "[]",
    }
    assert len(second["attributes"]) == len(lines(path, "log")[0]["attributes"]) == 128


async def test_the_console_has_a_line_a_span(
    open_telemetry: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines go to stderr, as stdout is for data; stdout can be asked for."""
    console = {"type": "console"}
    telemetry = await open_telemetry(exporters=[console, {**console, "stream": "stdout"}])
    await log_span(telemetry, ROOT, "shown")
    await telemetry.shutdown()
    written = capsys.readouterr()
    assert written.err == written.out
    assert [json.loads(line)["name"] for line in written.err.splitlines()] == ["shown"]


async def test_a_trace_can_be_asked_for(telemetry: OpenTelemetry, open_telemetry: Open) -> None:
    """It is its root span: when it began, and when it ended; until one shows up, its first."""
    await log_span(telemetry, CHILD, parent=ROOT)
    assert (await telemetry.get_trace(TRACE)).root_span_id == CHILD
    await telemetry.log_event(start(ROOT))
    trace = await telemetry.get_trace(TRACE)
    assert (trace.root_span_id, trace.start_time, trace.end_time) == (ROOT, NOON, None)
    await telemetry.log_event(end(ROOT))
    assert (await telemetry.get_trace(TRACE)).end_time == LATER
    # The error of a trace that is gone says how many are kept and where to look.
    telemetry = await open_telemetry(max_traces=2)
    for trace_id in ("one", "two", "three"):
        await telemetry.log_event(start(ROOT, trace_id=trace_id))
    assert (await telemetry.get_trace("two")).trace_id == "two"
    with pytest.raises(ValueError, match="no trace 'one' here\nhelp: the newest 2 traces are kept"):
        await telemetry.get_trace("one")


async def test_two_providers_do_not_mix(open_telemetry: Open, tmp_path: Path) -> None:
    """Each instance has its own everything; OpenTelemetry's global provider stays unset."""
    from opentelemetry import trace

    one = await open_telemetry(**to_file(tmp_path / "one"))
    two = await open_telemetry(**to_file(tmp_path / "two"))
    await one.log_event(start(ROOT))
    with pytest.raises(ValueError, match="cannot end"):
        await two.log_event(end(ROOT))
    await one.log_event(end(ROOT))
    await one.shutdown()
    await two.shutdown()
    assert len(lines(tmp_path / "one", "span")) == 1
    assert lines(tmp_path / "two", "span") == []
    assert type(trace.get_tracer_provider()).__name__ == "ProxyTracerProvider"


async def test_a_full_disk_is_reported_and_hurts_no_call(open_telemetry: Open) -> None:
    """An export that fails makes the provider degraded; calls and the stop go on."""
    telemetry = await open_telemetry(flush_interval=0.01, **to_file(Path("/dev/full")))
    reports: list[ProviderReport] = []
    has_reported = threading.Event()

    def report(one: ProviderReport) -> None:
        reports.append(one)
        has_reported.set()

    telemetry.report_to(report)
    assert (await telemetry.health()).status is HealthStatus.OK
    await log_span(telemetry)
    assert has_reported.wait(timeout=10)
    assert reports[0].state == "degraded"
    assert "spans do not reach file '/dev/full'" in reports[0].detail
    assert "No space left on device" in reports[0].detail
    health = await telemetry.health()
    assert health.status is HealthStatus.ERROR
    assert health.message == reports[0].detail


@pytest.mark.parametrize(
    "exporter",
    [
        {"type": "jaeger"},
        {"type": "file"},
        {"type": "otlp", "endpoint": "localhost:4318"},
        {"type": "otlp", "endpoint": "http://localhost:4318/v1/traces"},
        {"type": "console", "colour": True},
    ],
)
def test_wrong_exporters_are_refused(exporter: dict[str, Any]) -> None:
    """A config says what is wrong before anything starts."""
    with pytest.raises(ValidationError):
        OpenTelemetryConfig.model_validate({"exporters": [exporter]})

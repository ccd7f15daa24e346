"""A stack with telemetry tells how it started and what it routed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.builders import entry

from rungraph.engine import Stack, StackSettings
from rungraph.graph import compile_config

pytest.importorskip("opentelemetry.sdk")
pytest.importorskip("wordllama")


async def test_node_starts_and_routed_calls_are_spans(tmp_path: Path) -> None:
    """The start is one trace with a span a node; a routed call is a trace of its own."""
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

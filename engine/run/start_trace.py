"""The trace of a stack's start: a span for each node, sent through the telemetry API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rungraph.engine.tracing import Span, Tracer

if TYPE_CHECKING:
    from rungraph.engine.run.timeline import Timeline


async def trace_start(
    timeline: Timeline,
    telemetry: object,
    *,
    began: datetime | None = None,
    patience: float = 1.0,
) -> str:
    """Send telemetry a stack's start as one trace, and return the trace's id.

    The root span lasts from the beginning to the end of the last node's start; within it, each node
    that began to start has one. Nodes that have not ended their start have none.

    Args:
        timeline: When the nodes started.
        telemetry: The instance of the telemetry API.
        began: When the stack began to start, with a time zone; None if all is ready just now.
        patience: Seconds that telemetry may take in all; what it has not taken then is lost.
    """
    zero = began or datetime.now(UTC) - timedelta(seconds=timeline.total)
    tracer = Tracer(telemetry, patience=patience)
    root = Span(tracer, "start", {}, parent=None, at=zero)
    last = 0.0
    failure: BaseException | None = None
    for address, times in timeline.nodes.items():
        if times.starting is None or times.settled is None:
            continue
        attributes = {"address": str(address), "kind": address.kind.value, "api": address.api}
        if address.name:
            attributes["provider_id"] = address.name
        error = times.error if times.ready is None else None
        at = zero + timedelta(seconds=times.starting)
        span = Span(tracer, f"start {address}", attributes, parent=root.position, at=at)
        span.end(error, at=zero + timedelta(seconds=times.settled))
        last = max(last, times.settled)
        failure = error if failure is None else failure
    root.end(failure, at=zero + timedelta(seconds=last))
    await tracer.aclose()
    return root.position.trace_id

"""The newest traces, as far as `get_trace` tells them. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rungraph.engine.apis.telemetry import Trace

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(slots=True)
class _Kept:
    root_span_id: str
    is_root: bool
    start_time: datetime
    end_time: datetime | None = None


class TraceStore:
    """Knows the root span of the newest *limit* traces.

    The root is the span without a parent. Of a trace whose root has not been seen, such as one
    that began in another process, the first span stands for it.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._traces: OrderedDict[str, _Kept] = OrderedDict()

    def begin(
        self, trace_id: str, span_id: str, *, parent_span_id: str | None, at: datetime
    ) -> None:
        """Take in that a span has begun."""
        is_root = parent_span_id is None
        kept = self._traces.get(trace_id)
        if kept is None or (is_root and not kept.is_root):
            self._traces[trace_id] = _Kept(span_id, is_root, at)
            if len(self._traces) > self._limit:
                self._traces.popitem(last=False)

    def end(self, trace_id: str, span_id: str, *, at: datetime) -> None:
        """Take in that a span has ended."""
        kept = self._traces.get(trace_id)
        if kept is not None and kept.root_span_id == span_id:
            kept.end_time = at

    def trace(self, trace_id: str) -> Trace:
        """Return the trace that callers name *trace_id*.

        Raises:
            ValueError: If it is not among those that are kept.
        """
        kept = self._traces.get(trace_id)
        if kept is None:
            msg = (
                f"no trace {trace_id!r} here\n"
                f"help: the newest {self._limit} traces are kept ('max_traces' of the provider's "
                "config); older ones are only where they were exported to"
            )
            raise ValueError(msg)
        return Trace(
            trace_id=trace_id,
            root_span_id=kept.root_span_id,
            start_time=kept.start_time,
            end_time=kept.end_time,
        )

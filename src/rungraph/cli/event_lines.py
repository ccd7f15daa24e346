"""Events as text: one line each for people, one JSON object each for programs."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

from rungraph.engine.errors import describe
from rungraph.engine.events import (
    NodeBound,
    NodeDegraded,
    NodeEvent,
    NodeFailed,
    NodeKilled,
    NodeNotBound,
    NodeReady,
    NodeRecovered,
    NodeSkipped,
    NodeStarting,
    NodeStopFailed,
    NodeStopped,
    NodeStopping,
    RefreshFailed,
    ResourceAdded,
    ResourceRemoved,
    RollbackStarted,
)
from rungraph.graph import Address

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from rungraph.engine.events import Event
    from rungraph.graph.rendering import Style

    Scrub = Callable[[str], str]
    """Masks the secrets of a config in what others wrote."""

_WIDTH = 9
"""Columns of the longest word for what happened to a node."""


def line_of(event: Event, scrub: Scrub, style: Style) -> str | None:
    """Return *event* as a line; None for one that says nothing new to people."""
    found = _words_of(event)
    if found is None:
        return None
    word, role, subject, detail = found
    text = f"{event.at:8.2f} s  {style(f'{word:<{_WIDTH}}', role)}  {subject}"
    return text + (f"  {scrub(detail)}".replace("\n", "\n" + " " * 12) if detail else "")


def _words_of(event: Event) -> tuple[str, str, object, str] | None:
    """Return what happened in a word, the word's role, to whom, and what there is to add."""
    match event:
        case RollbackStarted():
            return "stopping", "warning", "what has started", ""
        case ResourceAdded():
            what = f"{event.identifier} on {event.provider_id}"
            return "added", "note", event.table, f"{what} ({event.reason})"
        case ResourceRemoved():
            what = f"{event.identifier} on {event.provider_id}"
            return "removed", "warning", event.table, f"{what} ({event.reason})"
        case RefreshFailed():
            what = f"{event.provider_id} did not say what it serves: {describe(event.error)}"
            return "not asked", "warning", event.table, what
        case NodeEvent():
            return _node_words_of(event)
        case _:
            return None


def _node_words_of(event: NodeEvent) -> tuple[str, str, object, str] | None:
    found: tuple[str, str, str] | None
    match event:
        case NodeStarting():
            found = "starting", "place", ""
        case NodeReady():
            found = "ready", "help", f"{event.duration:.2f} s"
        case NodeFailed():
            found = "failed", "error", describe(event.error)
        case NodeSkipped():
            found = "skipped", "warning", _because_of(event.root_causes)
        case NodeDegraded():
            found = "degraded", "warning", event.detail
        case NodeRecovered():
            found = "recovered", "help", event.detail
        case NodeBound():
            found = "bound", "place", f"was handed {event.api}"
        case NodeNotBound():
            found = "not bound", "warning", f"goes on without {event.api}: {event.reason}"
        case NodeStopping():
            found = "stopping", "place", ""
        case NodeStopped():
            found = "stopped", "help", f"{event.duration:.2f} s"
        case NodeStopFailed():
            found = "failed", "error", f"while stopping: {describe(event.error)}"
        case NodeKilled():
            found = "cut short", "error", describe(event.error)
        case _:
            found = None
    return (found[0], found[1], event.address, found[2]) if found else None


def _because_of(causes: tuple[Address, ...]) -> str:
    return f"because of {', '.join(map(str, causes))}" if causes else "the start was cancelled"


class EventFile:
    """Writes every event as one JSON object a line.

    Args:
        stream: Where to.
        scrub: Masks secrets.
    """

    def __init__(self, stream: TextIO, scrub: Scrub) -> None:
        self._stream = stream
        self._scrub = scrub

    def take(self, event: Event) -> None:
        """Write *event*."""
        values = {one.name: self._jsonable(getattr(event, one.name)) for one in fields(event)}
        line = {"event": type(event).__name__, **values}
        self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._stream.flush()

    def _jsonable(self, value: object) -> Any:
        if isinstance(value, Address):
            return str(value)
        if isinstance(value, tuple):
            return [self._jsonable(one) for one in cast("tuple[object, ...]", value)]
        if isinstance(value, BaseException):
            return {"type": type(value).__name__, "text": self._scrub(describe(value))}
        if isinstance(value, float):
            return round(value, 6)
        return self._scrub(value) if isinstance(value, str) else value

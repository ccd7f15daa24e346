"""Events as text for people: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.events import Event
    from rungraph.graph import Address
    from rungraph.graph.diagnostic_text import Style

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

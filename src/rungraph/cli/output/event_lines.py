"""Events as text for people: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from rungraph.engine.errors import describe
from rungraph.engine.events import (
    NodeBound,
    NodeDegraded,
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
from rungraph.graph.wording import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rungraph.engine.events import Event
    from rungraph.graph.diagnostic_text import Style

_WIDTH = 9
"""Columns of the longest word for what happened to a node."""
_INDENT = "\n" + " " * 12


class _Form(NamedTuple):
    """What happened, in a word; the word's role; and what there is to add."""

    word: str
    role: str
    detail: Callable[[Any], str] = lambda _: ""


def _resource(event: ResourceAdded | ResourceRemoved) -> str:
    return f"{event.identifier} on {event.provider_id} ({event.reason})"


def _skipped(event: NodeSkipped) -> str:
    causes = ", ".join(map(str, event.root_causes))
    return f"because of {causes}" if causes else "the start was cancelled"


_FORMS: dict[type[Event], _Form] = {
    NodeStarting: _Form("starting", "place"),
    NodeReady: _Form("ready", "help", lambda event: f"{event.duration:.2f} s"),
    NodeFailed: _Form("failed", "error", lambda event: describe(event.error)),
    NodeSkipped: _Form("skipped", "warning", _skipped),
    NodeDegraded: _Form("degraded", "warning", lambda event: event.detail),
    NodeRecovered: _Form("recovered", "help", lambda event: event.detail),
    NodeBound: _Form("bound", "place", lambda event: f"was handed {event.api}"),
    NodeNotBound: _Form(
        "not bound", "warning", lambda event: f"goes on without {event.api}: {event.reason}"
    ),
    NodeStopping: _Form("stopping", "place"),
    NodeStopped: _Form("stopped", "help", lambda event: f"{event.duration:.2f} s"),
    NodeStopFailed: _Form(
        "failed", "error", lambda event: f"while stopping: {describe(event.error)}"
    ),
    NodeKilled: _Form("cut short", "error", lambda event: describe(event.error)),
    RollbackStarted: _Form("stopping", "warning"),
    ResourceAdded: _Form("added", "note", _resource),
    ResourceRemoved: _Form("removed", "warning", _resource),
    RefreshFailed: _Form(
        "not asked",
        "warning",
        lambda event: f"{event.provider_id} did not say what it serves: {describe(event.error)}",
    ),
}


def line_of(event: Event, scrub: Callable[[str], str], style: Style) -> str | None:
    """Return *event* as a line; None for one that says nothing new to people.

    Args:
        event: What happened.
        scrub: Masks the secrets of a config in a text that others wrote.
        style: Colours.
    """
    form = _FORMS.get(type(event))
    if form is None:
        return None
    node = getattr(event, "address", getattr(event, "table", "what has started"))
    text = (
        f"{event.at:8.2f} s  {style(f'{form.word:<{_WIDTH}}', form.role)}  {printable(str(node))}"
    )
    detail = _INDENT.join(printable(line) for line in scrub(form.detail(event)).split("\n"))
    return f"{text}  {detail}" if detail else text

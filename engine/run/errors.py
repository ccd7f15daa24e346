"""The errors of a stack that runs already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rungraph.engine.errors import EngineError, bullets
from rungraph.engine.events import State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rungraph.engine.errors import NodeFailure
    from rungraph.graph.address import Address

DOING = {
    State.WAITING: "waits for others",
    State.STARTING: "is starting",
    State.READY: "is ready",
    State.DEGRADED: "is degraded",
    State.FAILED: "has failed",
    State.SKIPPED: "was skipped",
    State.RESTARTING: "is being restarted",
    State.STOPPING: "is stopping",
    State.STOPPED: "has stopped",
    State.STOP_FAILED: "has stopped with an error",
    State.KILLED: "was killed",
}
"""What a node is doing, as a predicate."""

COMING = frozenset({State.WAITING, State.STARTING, State.RESTARTING})
"""What a node is doing that does not run yet, and is expected to."""


def needs_failed(causes: Iterable[Address]) -> str:
    """Return, as a predicate, that a node does not run because of *causes*."""
    names = " and ".join(f"'{cause}'" for cause in causes)
    return f"needs {names}, which failed"


@dataclass(eq=False)
class ReloadError(EngineError):
    """Raised when a running stack cannot go on with another graph; it goes on with its own.

    Attributes:
        failures: What did not start, in start order.
        left: What of the old graph then did not start again.
    """

    failures: tuple[NodeFailure, ...]
    left: tuple[NodeFailure, ...] = ()

    def __str__(self) -> str:
        lines = ["the new config does not run; all is as before", *bullets(self.failures)]
        if self.left:
            lines[0] = "the new config does not run; the old one runs again"
            lines += ["but for:", *bullets(self.left)]
        return "\n".join(lines)


@dataclass(eq=False)
class RunError(EngineError):
    """Raised when a running stack ended because one of its nodes stays failed.

    Attributes:
        failure: The node, and how it failed last.
        reason: Why it was not started again.
    """

    failure: NodeFailure
    reason: str

    def __str__(self) -> str:
        return "\n".join([f"the stack ended: {self.reason}", *bullets([self.failure])])

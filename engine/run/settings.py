"""How a stack runs its graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """How a stack starts, stops and keeps what it must remember.

    Attributes:
        schedule: ``generations`` starts one topological generation after the other; ``ready``
            starts a node as soon as its own dependencies are ready.
        parallelism: How many nodes may be starting at the same time; None for no limit.
        start_timeout: Seconds that one node may take to start.
        stop_timeout: Seconds that one node may take to stop.
        cancel_timeout: Seconds that a node may take to end once its start or stop was cancelled;
            after that it is left behind and named.
        health_timeout: Seconds that one node may take to say how it is.
        on_failure: ``rollback`` stops everything when a node fails to start; ``degrade`` goes on
            with the nodes that do not need it.
        state_dir: The folder of what must survive a restart; None for the config's own
            ``metadata_store`` or else the user's state folder.
        refresh_interval: Seconds between two questions to the providers what they serve; None
            to ask only at start.
    """

    schedule: Literal["generations", "ready"] = "generations"
    parallelism: int | None = None
    start_timeout: float = 120.0
    stop_timeout: float = 15.0
    cancel_timeout: float = 5.0
    health_timeout: float = 5.0
    on_failure: Literal["rollback", "degrade"] = "rollback"
    state_dir: Path | str | None = None
    refresh_interval: float | None = 300.0

    def __post_init__(self) -> None:
        _check_choice("schedule", self.schedule, ("generations", "ready"))
        _check_choice("on_failure", self.on_failure, ("rollback", "degrade"))
        if self.parallelism is not None and self.parallelism < 1:
            msg = f"parallelism must be at least 1 or None, not {self.parallelism}"
            raise ValueError(msg)
        for name in ("start_timeout", "stop_timeout", "cancel_timeout", "health_timeout"):
            if not getattr(self, name) > 0:
                msg = f"{name} must be positive, not {getattr(self, name)}"
                raise ValueError(msg)
        if self.refresh_interval is not None and not self.refresh_interval > 0:
            msg = f"refresh_interval must be positive or None, not {self.refresh_interval}"
            raise ValueError(msg)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        msg = f"{name} must be one of {', '.join(map(repr, choices))}, not {value!r}"
        raise ValueError(msg)
